-- name: origins
select document from origin order by code collate "C"

-- name: begin
insert into import_run (origin, begun_at, file_name, file_sha256, crosswalk_sha256, as_of, complete, counts, report)
values ($1, $2, $3, $4, $5, $6, $7, $8, '{}')
returning id

-- name: keep_report
update import_run set report = $2 where id = $1

-- name: go_on_after
select setval(s.name, $1) from (select pg_get_serial_sequence('import_run', 'id') as name) as s
where $1 > coalesce(pg_sequence_last_value(s.name::regclass), 0)

-- name: keep_counts
update import_run set counts = $2 where id = $1

-- name: stop
update import_run set counts = $2, report = $3 where id = $1

-- name: drop
delete from import_run where id = $1

-- name: runs
-- Of the register $1 or of all, before the run $2, the last first.
select id, origin, begun_at, ended_at, file_name, file_sha256, crosswalk_sha256, as_of, complete, counts
from import_run
where ($1::text is null or origin = $1) and ($2::bigint is null or id < $2)
order by id desc
limit $3

-- name: latest_runs
-- The last $1 runs of each register, the last first.
select i.id, i.origin, i.begun_at, i.ended_at, i.file_name, i.file_sha256, i.crosswalk_sha256, i.as_of, i.complete, i.counts
from (select *, row_number() over (partition by origin order by id desc) as place from import_run) as i
where i.place <= $1
order by i.id desc

-- name: progress
select coalesce(max(id), 0) as last, count(ended_at) as ended from import_run

-- name: sizes
-- The records of each register that are in force here, and how many of them are no longer at their source.
select r.origin, count(*) as records, count(*) filter (where e.state = 'gone') as gone
from record as r
left join lateral (
    select s.state from source_event as s where s.record = r.id and s.version = r.version order by s.entry desc limit 1
) as e on true
where r.origin is not null and r.state = 'published'
group by r.origin

-- name: run
select id, origin, begun_at, ended_at, file_name, file_sha256, crosswalk_sha256, as_of, complete, counts
from import_run where id = $1

-- name: report
select report from import_run where id = $1

-- name: known
-- The records of a register, with what they are recognised by.
select
    r.id, r.agency, r.state, r.version, f.source_id, f.changed_on, f.run,
    coalesce(e.state, 'present') as source_state,
    (
        select sha256(convert_to(s.content, 'UTF8')) from source_row as s
        where s.record = r.id and s.version = r.version
    ) as row_sha256,
    (select c.document from content as c where c.record = r.id and c.version = r.version) as document
from record as r
inner join foreign_record as f on f.record = r.id
left join lateral (
    select s.state from source_event as s where s.record = r.id and s.version = r.version order by s.entry desc limit 1
) as e on true
where r.origin = $1
order by r.id collate "C"

-- name: taken
-- Those of some ids that are of something else than the register $2.
select id, origin from record where id = any($1::text []) and origin is distinct from $2

-- name: agencies_elsewhere
select id, origin from agency where id = any($1::text []) and origin is distinct from $2

-- name: prefixes_elsewhere
select distinct origin from agency where origin <> $2 and split_part(id, '.', 1) = $1 order by origin

-- name: agency_names
select id, document from agency where origin = $1

-- name: source_rows
select s.record, s.content, s.whole
from source_row as s inner join record as r on r.id = s.record and r.version = s.version
where r.id = any($1::text [])

-- name: replace_rows
-- A version that was brought back from the log's files has none. A replacement of whole texts is counted, and locks
-- the log until the transaction ends.
with new as (
    select r.id, r.version, n.content, n.whole, s.replaced_in, n.whole <> coalesce(s.whole, '{}') as is_other
    from unnest($1::text [], $2::text [], $3::text []) as n (record, content, whole)
    inner join record as r on r.id = n.record
    left join source_row as s on s.record = r.id and s.version = r.version
),

counted as (
    update log_state set replaced = replaced + 1 where exists (select 1 from new where is_other) returning replaced
)

insert into source_row (record, version, content, whole, replaced_in)
select
    n.id, n.version, n.content, n.whole,
    case when n.is_other then (select c.replaced from counted as c) else n.replaced_in end
from new as n
on conflict (record, version) do update
set content = excluded.content, whole = excluded.whole, replaced_in = excluded.replaced_in

-- name: replaced
-- The records of which whole texts were replaced after the replacement $1.
select distinct record from source_row where replaced_in > $1

-- name: source_events
-- Of the records $1, or of all.
select record, entry, version, state, day, at from source_event
where $1::text [] is null or record = any($1)
order by entry

-- name: met
-- What follows from the log is what publishing has stored: this is the rest.
update foreign_record as f set seen_at = $3, run = $4, changed_on = new.changed_on
from unnest($1::text [], $2::text []) as new (record, changed_on)
where f.record = new.record

-- name: source_row
select s.content, s.whole, f.source_id, f.changed_on, f.seen_at, f.run
from record as r
inner join source_row as s on s.record = r.id and s.version = r.version
inner join foreign_record as f on f.record = r.id
where r.id = $1
