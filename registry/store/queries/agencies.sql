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

-- name: origins
select id, origin from agency order by id collate "C"

-- name: named
select document from agency where id = any($1::text [])

-- name: fingerprint
select encode(sha256(convert_to(
    coalesce(string_agg(document, e'\n' order by id collate "C"), ''), 'UTF8'
)), 'hex')
from agency

-- name: one
select a.document, (select count(*) from record as r where r.agency = a.id and r.state = 'published') as records
from agency as a
where a.id = $1
