-- name: progress
-- How far the log has come, and what changes whenever something in it was erased.
select l.size, s.epoch from log_state as l cross join search_state as s

-- name: changed
-- The records of which the log has entries, from index $1 on.
select distinct record from log_entry where index >= $1 and record is not null

-- name: in_force
-- The last versions of the published records among $1, and how far the log had come.
select
    v.record, v.version, v.entry, v.published_at, v.completeness, v.accountability, v.missing, v.findings,
    r.origin, r.state, a.fictitious, e.leaf,
    l.size, i.epoch,
    null::timestamptz as superseded_at,
    (select c.document from content as c where c.record = v.record and c.version = v.version) as document,
    (select x.members from redacted as x where x.entry = v.entry) as redacted
from log_state as l
cross join search_state as i
cross join record as r
inner join version as v on v.record = r.id and v.version = r.version
inner join agency as a on a.id = r.agency
inner join log_entry as e on e.index = v.entry
where r.id = any($1) and r.state = 'published'
