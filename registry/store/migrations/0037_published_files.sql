-- Expand: new tables, which code before does not know.
-- The files of the published log that entries do not give: checkpoint, witnessed, policy and the proofs of keys, as
-- the publisher wrote them last. size: the log's when it did. Whoever serves reads them here, on whichever host.
create table published_file (
    path text primary key,
    size bigint not null check (size > 0),
    content bytea not null
);

-- The object stores that log and site are published to: how many entries of each are there, since when no more are
-- reached, and why not.
create table publishing_target (
    address text primary key,
    log_size bigint not null default 0,
    site_size bigint not null default 0,
    reached_at timestamptz not null,
    fault text
);
