-- name: alike
-- Other published records that share keys with one: those that share a whole name or number come first,
-- then those that share most words. Of each key no more than $5 records are read, however many there are.
with asked as (
    select key, true as whole from unnest($2::bigint []) as given (key)
    union all
    select key, false as whole from unnest($3::bigint []) as given (key)
),

found as (
    select k.record, bool_or(asked.whole) as whole, count(*) as shared
    from asked
    cross join lateral (
        select b.record from blocking_key as b
        where b.key = asked.key and b.record <> $1
        order by b.record
        limit $5
    ) as k
    group by k.record
    order by whole desc, shared desc, k.record
    limit $4
)

select
    r.id as record, r.agency,
    (select s.value from section as s where s.record = r.id and s.version = r.version and s.key = 'name') as name,
    (
        select s.value from section as s
        where s.record = r.id and s.version = r.version and s.key = 'source_id'
    ) as source_id
from found
-- One lookup for each: joined, the planner would read all records.
cross join lateral (select one.* from record as one where one.id = found.record limit 1) as r
order by found.whole desc, found.shared desc, r.id collate "C"

-- name: in_force
-- A record of this country in force, with its name, as far as that is shown.
select
    r.id as record, r.agency,
    (select s.value from section as s where s.record = r.id and s.version = r.version and s.key = 'name') as name,
    (
        select s.value from section as s
        where s.record = r.id and s.version = r.version and s.key = 'source_id'
    ) as source_id
from record as r
where r.origin is null and r.state = 'published' and r.id = $1

-- name: higher
-- The last records of an agency here, withdrawn or in force, at some levels, with their names as they are shown;
-- erased: how much of them is erased, so that what was made of their texts before is known from what is left.
select
    r.id as record, r.agency, r.version, e.leaf, f.risk, f.sector, r.state = 'withdrawn' as is_withdrawn,
    (select count(*) from erased_member as m where m.entry = v.entry) as erased,
    (select s.value from section as s where s.record = r.id and s.version = r.version and s.key = 'name') as name,
    (
        select s.value from section as s
        where s.record = r.id and s.version = r.version and s.key = 'source_id'
    ) as source_id
from record as r
inner join version as v on v.record = r.id and v.version = r.version
inner join figure as f on f.entry = v.entry
inner join log_entry as e on e.index = v.entry
where r.agency = $1 and r.origin is null and r.id <> $2 and f.risk = any($4)
order by is_withdrawn desc, r.entry desc
limit $3

-- name: described
-- Some sections of versions, as JSON objects.
select s.record, s.version, '{' || string_agg('"' || s.key || '":' || s.value, ',') || '}' as document
from unnest($1::text [], $2::integer []) as asked (record, version)
inner join section as s on s.record = asked.record and s.version = asked.version and s.key = any($3)
group by s.record, s.version

-- name: delete
delete from blocking_key where record = $1

-- name: insert
insert into blocking_key (key, record)
select key, record from unnest($1::bigint [], $2::text []) as new (key, record)
on conflict do nothing
