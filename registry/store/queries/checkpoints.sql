-- name: last
select size, root, convert_to(note, 'UTF8') as note, signed_at from checkpoint order by size desc limit 1

-- name: first_beyond
-- The first checkpoint that covers the entry with index $1.
select size, root, convert_to(note, 'UTF8') as note, signed_at from checkpoint where size > $1 order by size limit 1

-- name: of_kinds
select index, kind, record, at, bytes as content, leaf from log_entry
where kind = any($1::text []) and kind <> 'version'
order by index

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

-- name: insert_erased
insert into erased_member (entry, key, pointer, commitment, redaction)
select $1, $2, pointer, commitment, redaction
from unnest($3::text [], $4::text [], $5::bigint []) as new (pointer, commitment, redaction)
