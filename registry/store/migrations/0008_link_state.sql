-- Expand: whether what records refer to is still there; the release before asks for nothing and shows none.

-- One address that a version in force names, by the SHA-256 of it, so that nothing stays here that is redacted there.
-- failed: how often in a row nothing was there; since: when that began; why: what came instead.
create table link_state (
    record text not null references record (id),
    digest bytea not null check (octet_length(digest) = 32),
    version integer not null,
    asked_at timestamptz not null,
    failed integer not null default 0,
    since timestamptz,
    why text check (why in ('gone', 'fails', 'silent')),
    primary key (record, digest)
);
create index link_state_digest on link_state (digest);
