-- Expand: a new table, and columns that code before does not know and that need no value.
-- Files in the store that were published over or removed, of which the cache in front of it was not told yet.
create table purge_waiting (
    path text primary key,
    since timestamptz not null
);

-- When the cache was told last, and why it was not since.
alter table publishing_target add column purged_at timestamptz, add column purge_fault text;
