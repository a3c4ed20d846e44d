-- name: upsert
insert into agency (id, document, origin, fictitious)
select id, document, origin, fictitious
from unnest($1::text [], $2::text [], $3::text [], $4::boolean [])
    as new (id, document, origin, fictitious)
on conflict (id) do update
    set document = excluded.document, origin = excluded.origin, fictitious = excluded.fictitious
    where (agency.document, agency.origin, agency.fictitious)
        is distinct from (excluded.document, excluded.origin, excluded.fictitious)
returning id

-- name: versions
select entry from figure where agency = any($1::text []) order by entry

-- name: all
select a.document, (select count(*) from record as r where r.agency = a.id and r.state = 'published') as records
from agency as a
order by a.id collate "C"

-- name: local
select document from agency where origin is null order by id collate "C"

-- name: origins
select id, origin from agency order by id collate "C"

-- name: named
select document from agency where id = any($1::text [])

-- name: named_by_log
-- The last entry of agencies $1, or of all, with what it says.
select distinct on (n.agency) n.agency, n.entry, e.leaf, n.document
from agency_entry as n inner join log_entry as e on e.index = n.entry
where $1::text [] is null or n.agency = any($1)
order by n.agency, n.entry desc

-- name: configured
-- The country packs that the log states, in its order.
select s.value
from log_entry as e inner join entry_section as s on s.entry = e.index and s.key = 'pack'
where e.kind in ('genesis', 'configuration')
order by e.index

-- name: unnamed
-- Those that have something in the log, and no entry of their own.
select a.document from agency as a
where
    not exists (select from agency_entry as n where n.agency = a.id)
    and (
        exists (select from figure as f where f.agency = a.id)
        or exists (select from attestation as t where t.agency = a.id)
    )
order by a.id collate "C"

-- name: fingerprint
select encode(sha256(convert_to(
    coalesce(string_agg(document, e'\n' order by id collate "C"), ''), 'UTF8'
)), 'hex')
from agency

-- name: one
select a.document, (select count(*) from record as r where r.agency = a.id and r.state = 'published') as records
from agency as a
where a.id = $1

-- name: kinds
-- Whether something real was filed here, whether something was, and whether something real or invented was copied.
select
    exists (
        select from agency as a inner join record as r on r.agency = a.id
        where a.origin is null and not a.fictitious and r.state = 'published'
    ) as real,
    exists (select from record where origin is null and state = 'published') as filed,
    exists (
        select from agency as a inner join record as r on r.agency = a.id
        where r.origin is not null and not a.fictitious and r.state = 'published'
    ) as copied,
    exists (
        select from agency as a inner join record as r on r.agency = a.id
        where r.origin is not null and a.fictitious and r.state = 'published'
    ) as invented
