-- What the check of the database by its log reads. Nothing here calls a function or view of the register's own.

-- name: columns
select c.relname as in_table, a.attname as name
from pg_class as c inner join pg_attribute as a on a.attrelid = c.oid
where c.relname = any($1::text []) and c.relnamespace = current_schema()::regnamespace and a.attnum > 0 and not a.attisdropped
order by a.attrelid, a.attnum

-- name: entries_of
select index, kind, record, at, bytes as content, leaf from log_entry where record = any($1::text []) order by index

-- name: records
select distinct record from log_entry where record is not null

-- name: sections
-- What entries commit to, each section as it is kept: of the versions $1, which are those with the numbers $3 of the
-- records $2, and of the entries $4.
select n.entry, s.key, s.value, s.salts
from unnest($1::bigint [], $2::text [], $3::integer []) as n (entry, record, version)
inner join section as s on s.record = n.record and s.version = n.version
union all
select entry, key, value, salts from entry_section where entry = any($4::bigint [])

-- name: reports
-- The SHA-256 of the reports of imports $1; null where it was lost, and nothing is said there.
select id, encode(sha256(convert_to(nullif(report, '{}'), 'UTF8')), 'hex') as digest
from import_run where id = any($1::bigint [])

-- name: source_rows
-- With the reports that are lost, as after a recovery.
select count(*)
from (select from source_row union all select from import_run where ended_at is not null and report = '{}') as unproven

-- name: verdicts
select entry, findings, missing, verdict_salt as salt from version where entry = any($1::bigint [])

-- name: current
-- The last version of records $1 before index $2, and how its risk level had changed up to there.
select
    r.record, f.entry, f.agency, f.origin, f.risk,
    array(
        select distinct o.risk_change from figure as o
        where o.record = r.record and o.entry <= f.entry and o.risk_change is not null
    ) as risk_changes
from unnest($1::text []) as r (record)
cross join lateral (
    select o.entry, o.agency, o.origin, o.risk from figure as o
    where o.record = r.record and o.entry < $2
    order by o.entry desc
    limit 1
) as f

-- name: following
-- What follows on records $1 from index $2 on.
select
    r.record, n.index as until_entry, n.at as until_at,
    exists (
        select from log_entry as e where e.record = r.record and e.index >= $2 and e.kind = 'version'
    ) as is_amended
from unnest($1::text []) as r (record)
cross join lateral (
    select e.index, e.at from log_entry as e
    where e.record = r.record and e.index >= $2 and e.kind in ('version', 'withdrawal')
    order by e.index
    limit 1
) as n

-- name: before
-- For each record and agency $2 its last entry before index $1, with the version in force then.
select s.subject, e.index, e.leaf, coalesce(v.version, 0) as version
from unnest($2::text []) as s (subject)
cross join lateral (
    select p.index, p.leaf from log_entry as p
    where
        p.index < $1
        and (
            p.record = s.subject
            or p.index in (select a.entry from attestation as a where a.agency = s.subject)
            or p.index in (
                select n.entry from agency_entry as n
                where s.subject like 'agency:%' and n.agency = substr(s.subject, 8)
            )
        )
    order by p.index desc
    limit 1
) as e
left join lateral (
    select max(n.version) as version from version as n where n.record = s.subject and n.entry < $1
) as v on true

-- name: erasures
select redaction, entries from erasure order by redaction

-- name: indexes
select entry from version where record = $1 and version = any($2::integer [])

-- name: size
select coalesce(max(index) + 1, 0) from log_entry

-- name: strays
-- Rows of no entry, in tables that have no column for it: each query finds one at most.
(
    select 'record' as in_table, r.id as key from record as r
    where not exists (select from log_entry as e where e.record = r.id and e.kind = 'version')
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
    select 'blocking_key', b.record from blocking_key as b
    where not exists (select from record as r where r.id = b.record)
    limit 1
)
union all
(
    select 'foreign_record', f.record from foreign_record as f
    where not exists (select from record as r where r.id = f.record)
    limit 1
)

-- name: outdated
select count(*) from search_version where analysis is distinct from $1

-- name: set_fault
update log_state set fault = $1 where fault is distinct from $1

-- name: fault
select fault from log_state
