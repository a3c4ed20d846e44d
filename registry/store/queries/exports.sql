-- name: by_id
select entry from version where entry = any($1::bigint []) order by record collate "C"

-- name: leaf
select leaf from log_entry where index = $1

-- name: versions
-- As they were when each was the last of its record, and entry $2 the last of the log.
select
    v.record, v.version, v.entry, v.published_at, v.accountability, v.missing, v.findings,
    case when f.risk <> 'not_stated' then v.completeness end as completeness,
    f.agency, r.origin, a.fictitious, e.leaf,
    case when r.origin is not null then at_source(v.record, v.version, $2) end as source,
    'published' as state,
    null::timestamptz as superseded_at,
    (select c.document from content as c where c.record = v.record and c.version = v.version) as document,
    (select x.members from redacted as x where x.entry = v.entry) as redacted,
    (select s.code from short_code as s where s.record = v.record and s.entry <= $2) as code
from unnest($1::bigint []) with ordinality as wanted (entry, place)
inner join version as v on v.entry = wanted.entry
inner join record as r on r.id = v.record
inner join figure as f on f.entry = v.entry
inner join agency as a on a.id = f.agency
inner join log_entry as e on e.index = v.entry
order by wanted.place

-- name: panel
-- Every version up to an entry, with what ended it by then.
select v.entry, nullif(least(f.until_entry, $1 + 1), $1 + 1) as until_entry
from version as v
inner join figure as f on f.entry = v.entry
where v.entry <= $1
order by v.record collate "C", v.version
