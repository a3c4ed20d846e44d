-- name: files
select
    (select discards from log_state) as discards,
    (select content from published_file where path = 'checkpoint') as checkpoint,
    (select content from published_file where path = 'witnessed') as witnessed,
    (select convert_from(content, 'UTF8') from published_file where path = 'policy') as policy

-- name: file
select content from published_file where path = $1

-- name: write
-- Files $1 with their contents $2 of the log of size $3, unless those of a larger one are there.
insert into published_file (path, content, size)
select path, content, $3 from unnest($1::text [], $2::bytea []) as f (path, content)
on conflict (path) do update set content = excluded.content, size = excluded.size
where published_file.size <= excluded.size

-- name: remove
delete from published_file where path = $1 and size <= $2

-- name: leaves
select leaf from log_entry where index >= $1 and index < $2 order by index

-- name: erased
-- The entries whose contents were changed by what redactions have erased.
select distinct entry from erasure, unnest(entries) as e (entry) order by entry

-- name: note_target
-- What of log and site is at the one address where both are published, or why they are not reached.
with others as (
    delete from publishing_target where address <> $1
)

insert into publishing_target as t (address, log_size, site_size, reached_at, fault)
values ($1, coalesce($2, 0), coalesce($3, 0), $5, $4)
on conflict (address) do update set
    log_size = coalesce($2, t.log_size),
    site_size = coalesce($3, t.site_size),
    fault = excluded.fault,
    reached_at = case when excluded.fault is null then excluded.reached_at else t.reached_at end

-- name: target
select address, log_size, site_size, reached_at, fault, purged_at, purge_fault from publishing_target

-- name: note_replaced
insert into purge_waiting (path, since)
select path, $2 from unnest($1::text []) as f (path)
on conflict (path) do update set since = excluded.since

-- name: replaced
select path, since from purge_waiting order by since, path limit $1

-- name: forget_replaced
delete from purge_waiting as w
using unnest($1::text [], $2::timestamptz []) as told (path, since)
where w.path = told.path and w.since = told.since

-- name: note_purge
update publishing_target
set purged_at = case when $2::text is null then $1 else purged_at end, purge_fault = $2
