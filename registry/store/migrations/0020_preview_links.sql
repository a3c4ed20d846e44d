-- Links by which somebody without an account reads the preview of a draft; they go with the draft.

-- digest: SHA-256 of the secret in the address. ended_at: when it was ended before its time.
create table preview_link (
    id bigint generated always as identity primary key,
    digest bytea not null unique,
    record text not null references draft (record) on delete cascade,
    member bigint not null references member (id),
    made_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz
);
create index preview_link_record on preview_link (record, id);
create index preview_link_expires_at on preview_link (expires_at);
