-- name: last
select size, root, convert_to(note, 'UTF8') as note, signed_at from checkpoint order by size desc limit 1

-- name: first_beyond
-- The first checkpoint that covers the entry with index $1.
select size, root, convert_to(note, 'UTF8') as note, signed_at from checkpoint where size > $1 order by size limit 1

-- name: keys
-- The entries before index $1 that name a key of the log.
select index, kind, record, at, bytes as content, leaf from log_entry
where kind in ('genesis', 'key') and index < $1 order by index

-- name: insert
-- Nothing is written where somebody else has signed since, whatever it was that they signed.
insert into checkpoint (size, previous, root, note, signed_at)
select $1, $2, $3, $4, $5
where $2::bigint is not distinct from (select max(size) from checkpoint)
on conflict do nothing
returning size

-- name: entries
select index, kind, record, at, bytes as content, leaf from log_entry where index >= $1 and index < $2 order by index

-- name: safety
select name, setting from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit')

-- name: sections
-- What entries commit to, each section as it is kept.
select v.entry, s.key, s.value, s.salts
from version as v inner join section as s on s.record = v.record and s.version = v.version
where v.entry = any($1::bigint [])
union all
select entry, key, value, salts from entry_section where entry = any($1::bigint [])

-- name: verdicts
-- Those that entries commit to, their own or those of the redactions that have dropped findings.
select entry, missing, findings, verdict_salt, verdict_redaction from version where entry = any($1::bigint [])

-- name: erased
select entry, key, pointer, commitment, redaction from erased_member where entry = any($1::bigint [])

-- name: kept
-- What the register keeps of entries beside them: the row of the version, withdrawal, attestation, source or agency.
select
    e.index, e.kind, e.record, e.at, e.bytes as content, e.leaf, coalesce(v.version, w.version, s.version) as version,
    coalesce(v.record, w.record, a.agency, s.record, 'agency:' || n.agency) as subject,
    coalesce(v.published_at, w.withdrawn_at, a.filed_at, s.at, case when n.entry is not null then e.at end) as kept_at
from log_entry as e
left join version as v on v.entry = e.index and e.kind = 'version'
left join withdrawal as w on w.entry = e.index and e.kind = 'withdrawal'
left join attestation as a on a.entry = e.index and e.kind = 'attestation'
left join source_event as s on s.entry = e.index and e.kind = 'source'
left join agency_entry as n on n.entry = e.index and e.kind = 'agency'
where e.index >= $1 and e.index < $2
order by e.index

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

-- name: standing
-- Where records $1 stand, and where their entries say that they do.
select
    r.id, r.state, r.version, r.entry, last.kind as last_kind, last.index as last_entry,
    (select max(v.version) from version as v where v.record = r.id) as last_version
from unnest($1::text []) as s (subject)
inner join record as r on r.id = s.subject
left join lateral (
    select n.kind, n.index from log_entry as n
    where n.record = r.id and n.kind in ('version', 'withdrawal')
    order by n.index desc
    limit 1
) as last on true

-- name: insert_erased
insert into erased_member (entry, key, pointer, commitment, redaction)
select $1, $2, pointer, commitment, redaction
from unnest($3::text [], $4::text [], $5::bigint []) as new (pointer, commitment, redaction)
