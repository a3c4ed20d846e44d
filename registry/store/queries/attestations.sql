-- name: read
-- What was known when entry $2 was the last: without an agency the newest of each, with one all of
-- it, newest first.
select
    a.entry, a.agency, a.day, a.systems_total, a.filed_at, e.leaf, c.value as contact, n.value as note,
    (select x.members from redacted as x where x.entry = a.entry) as redacted,
    (
        select count(*) from figure as f
        where f.agency = a.agency and f.entry <= $2 and (f.until_entry is null or f.until_entry > $2)
    ) as records
from attestation as a
inner join log_entry as e on e.index = a.entry
left join entry_section as c on c.entry = a.entry and c.key = 'contact'
left join entry_section as n on n.entry = a.entry and n.key = 'note'
where
    ($1::text is null or a.agency = $1) and a.entry <= $2
    and (
        $1::text is not null
        or not exists (
            select from attestation as later
            where later.agency = a.agency and later.entry <= $2 and (later.day, later.entry) > (a.day, a.entry)
        )
    )
order by a.agency collate "C", a.day desc, a.entry desc

-- name: in_use
-- The agency's own records in use, without those that came into use after the day $2.
select count(*)
from figure as f
inner join version as v on v.entry = f.entry
left join section as s on s.record = v.record and s.version = v.version and s.key = 'lifecycle'
where
    f.agency = $1 and f.origin is null and f.until_entry is null and f.status = 'in_use'
    and coalesce((s.value::jsonb ->> 'deployed_on') collate "C" <= $2, true)
