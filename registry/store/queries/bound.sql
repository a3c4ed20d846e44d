-- Rows that follow from entries, for the check that they do: by the table's name, of entries from $1 to before $2.

-- name: version
select * from version where entry >= $1 and entry < $2

-- name: figure
select * from figure where entry >= $1 and entry < $2

-- name: search_version
select * from search_version where ord >= $1 and ord < $2

-- name: withdrawal
select * from withdrawal where entry >= $1 and entry < $2

-- name: attestation
select * from attestation where entry >= $1 and entry < $2

-- name: agency_entry
select * from agency_entry where entry >= $1 and entry < $2

-- name: short_code
select * from short_code where entry >= $1 and entry < $2

-- name: source_event
select * from source_event where entry >= $1 and entry < $2

-- name: redaction
select
    entry, record, agency, versions, entries, pointers, basis, authority, reference, replaced, requested_by,
    confirmed_by
from redaction where entry >= $1 and entry < $2

-- name: erasing
select distinct redaction from erased_member where entry >= $1 and entry < $2

-- name: record
-- By index, for which the record's own entry is looked up by the records of the entries, and then by what it names.
select r.* from record as r
where r.id = any(array(
    select n.record from log_entry as n where n.index >= $1 and n.index < $2 and n.record is not null
)) and r.entry >= $1 and r.entry < $2

-- name: foreign_record
select f.record, f.origin from foreign_record as f
where f.record = any(array(
    select n.record from log_entry as n where n.index >= $1 and n.index < $2 and n.record is not null
))

-- name: blocking_key
select b.record, array_agg(b.key order by b.key) as keys from blocking_key as b
where b.record = any(array(
    select n.record from log_entry as n where n.index >= $1 and n.index < $2 and n.record is not null
))
group by b.record

-- name: chain
-- What surrounds entries of records: the version before, what ended a version, and what a redaction left of the verdict.
select
    e.index, p.agency, p.origin, p.risk, n.index as until_entry, n.at as until_at,
    array(
        select distinct f.risk_change from figure as f
        where f.record = e.record and f.entry < e.index and f.risk_change is not null
        order by f.risk_change
    ) as risk_changes,
    (
        select convert_from(d.bytes, 'UTF8')::jsonb -> 'verdicts' ->> e.index::text from log_entry as d
        where d.index = v.verdict_redaction and d.index > e.index and d.kind = 'redaction'
    ) as left_digest,
    exists (
        select from erased_member as m inner join log_entry as d on d.index = m.redaction and d.kind = 'redaction'
        where
            m.entry = e.index and m.redaction > coalesce(v.verdict_redaction, 0)
            and convert_from(d.bytes, 'UTF8')::jsonb -> 'verdicts' ? e.index::text
    ) as is_overtaken
from log_entry as e
left join version as v on v.entry = e.index
left join lateral (
    select f.agency, f.origin, f.risk from figure as f
    where f.record = e.record and f.entry < e.index
    order by f.entry desc
    limit 1
) as p on true
left join lateral (
    select n.index, n.at from log_entry as n
    where n.record = e.record and n.index > e.index and n.kind in ('version', 'withdrawal')
    order by n.index
    limit 1
) as n on true
where e.index >= $1 and e.index < $2 and e.record is not null

-- name: strays
-- Rows of no entry: each query finds one at most, so that a register in order is read by its indexes.
(
    select 'version' as in_table, v.record || ' ' || v.version as key from version as v
    where not exists (select from log_entry as e where e.index = v.entry and e.kind = 'version' and e.record = v.record)
    limit 1
)
union all
(
    select 'figure', f.record || ' ' || f.entry from figure as f
    where not exists (select from version as v where v.entry = f.entry)
    limit 1
)
union all
(
    select 'search_version', s.ord::text from search_version as s
    where not exists (select from version as v where v.entry = s.ord)
    limit 1
)
union all
(
    select 'withdrawal', w.record || ' ' || w.entry from withdrawal as w
    where not exists (select from log_entry as e where e.index = w.entry and e.kind = 'withdrawal')
    limit 1
)
union all
(
    select 'attestation', a.agency || ' ' || a.entry from attestation as a
    where not exists (select from log_entry as e where e.index = a.entry and e.kind = 'attestation')
    limit 1
)
union all
(
    select 'agency_entry', n.agency || ' ' || n.entry from agency_entry as n
    where not exists (select from log_entry as e where e.index = n.entry and e.kind = 'agency')
    limit 1
)
union all
(
    select 'short_code', s.code || ' ' || s.record from short_code as s
    where not exists (
        select from log_entry as e
        where e.index = s.entry and e.kind = 'version' and e.record = s.record
    )
    limit 1
)
union all
(
    select 'source_event', s.record || ' ' || s.entry from source_event as s
    where not exists (select from log_entry as e where e.index = s.entry and e.kind = 'source')
    limit 1
)
union all
(
    select 'redaction', r.record || ' ' || r.entry from redaction as r
    where
        r.entry is not null
        and not exists (select from log_entry as e where e.index = r.entry and e.kind = 'redaction')
    limit 1
)
union all
(
    select 'record', r.id from record as r
    where
        not exists (
            select from log_entry as e
            where e.index = r.entry and e.record = r.id and e.kind in ('version', 'withdrawal')
        )
    limit 1
)
union all
(
    select 'section', s.record || ' ' || s.version || ' ' || s.key from section as s
    where not exists (select from version as v where v.record = s.record and v.version = s.version)
    limit 1
)
union all
(
    select 'entry_section', s.entry || ' ' || s.key from entry_section as s
    where not exists (
        select from log_entry as e
        where e.index = s.entry and e.kind in ('genesis', 'configuration', 'withdrawal', 'attestation', 'redaction')
    )
    limit 1
)
union all
(
    select 'blocking_key', b.record from blocking_key as b
    where not exists (
        select from record as r where r.id = b.record and r.state = 'published' and r.origin is null
    )
    limit 1
)
union all
(
    select 'foreign_record', f.record from foreign_record as f
    where not exists (select from record as r where r.id = f.record and r.origin = f.origin)
    limit 1
)
limit 1

-- name: unlike_import
-- An import of a file that has come to its end, and what it counted other than the versions that name it. Where entries
-- were given up since, it may have counted some of these; records that are joined later name it as they move.
select i.id, unlike.column_name, unlike.stored, unlike.derived
from import_run as i
cross join lateral jsonb_to_record(i.counts::jsonb) as said (added bigint, undated bigint)
left join (
    select
        v.run, min(f.origin) as first_origin, max(f.origin) as last_origin,
        count(*) filter (where v.version = 1) as added, count(*) filter (where v.undated) as undated
    from version as v inner join figure as f on f.entry = v.entry
    where v.run is not null
    group by v.run
) as w on w.run = i.id
cross join lateral (
    values
    ('origin', i.origin, coalesce(nullif(w.first_origin, i.origin), w.last_origin, i.origin)),
    ('added', said.added::text, coalesce(w.added, 0)::text),
    ('undated', said.undated::text, coalesce(w.undated, 0)::text)
) as unlike (column_name, stored, derived)
where
    i.ended_at is not null
    and i.crosswalk_sha256 <> ''
    and unlike.stored is distinct from unlike.derived
    and not exists (select from log_incident as n where n.kind = 'discarded' and n.at >= i.begun_at)
order by i.id
limit 1

-- name: unstated
-- How much is answered, or kept, that no entry states.
select
    (select count(*) from source_row) as source_rows,
    (select count(*) from origin) as origins,
    (select count(*) from import_run) as imports

-- name: set_fault
update log_state set fault = $1 where fault is distinct from $1

-- name: fault
select fault from log_state
