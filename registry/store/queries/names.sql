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

-- name: higher
-- The last records of an agency here at some levels, first those that were withdrawn: by the leaf of their last version,
-- and how much of it is erased, what was made of their texts before is known.
with higher as (
    select one.*
    from (
        (
            select f.entry, true as is_withdrawn, r.entry as since
            from record as r
            cross join lateral (
                select l.entry, l.risk from figure as l where l.record = r.id order by l.entry desc limit 1
            ) as f
            where r.agency = $1 and r.origin is null and r.state = 'withdrawn' and f.risk = any($2::text [])
            order by r.entry desc
            limit $3
        )
        union all
        select f.entry, false as is_withdrawn, f.entry as since
        from unnest($2::text []) as asked (risk)
        cross join lateral (
            select i.entry from figure as i
            where i.agency = $1 and i.origin is null and i.risk = asked.risk and i.until_entry is null
            -- As the index is: ordered by the entry alone, the planner would read all entries.
            order by i.until_entry desc, i.entry desc
            limit $3
        ) as f
    ) as one
    order by one.is_withdrawn desc, one.since desc
    limit $3
)

select
    higher.entry, higher.is_withdrawn,
    (select e.leaf from log_entry as e where e.index = higher.entry) as leaf,
    (select count(*) from erased_member as m where m.entry = higher.entry) as erased
from higher
order by higher.is_withdrawn desc, higher.since desc

-- name: described
-- Versions by their entries, with some sections as a JSON object.
select f.entry, f.record, f.risk, f.sector, coalesce(s.document, '{}') as document
from unnest($1::bigint []) as asked (entry)
-- One lookup for each: joined, the planner would read all versions.
cross join lateral (select one.* from figure as one where one.entry = asked.entry limit 1) as f
cross join lateral (select one.* from version as one where one.entry = asked.entry limit 1) as v
cross join lateral (
    select '{' || string_agg('"' || one.key || '":' || one.value, ',') || '}' as document
    from section as one
    where one.record = v.record and one.version = v.version and one.key = any($2)
) as s
