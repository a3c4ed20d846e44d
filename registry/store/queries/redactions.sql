-- part: redaction
select
    r.id, r.record, r.agency, r.versions, r.entries, r.pointers, r.basis, r.authority, r.reference, r.replaced,
    r.requested_by, r.requested_at, r.confirmed_by, r.requested_person, r.confirmed_person, r.entry, e.at as confirmed_at, encode(e.leaf, 'hex') as hash,
    exists (select from erasure as d where d.redaction = r.entry) as is_done
from redaction as r left join log_entry as e on e.index = r.entry

-- name: insert
insert into redaction (
    record, agency, versions, entries, pointers, basis, authority, reference, replaced, requested_by, requested_at,
    requested_person
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
returning id

-- name: one
{redaction}
where r.id = $1

-- name: all
{redaction}
left join record as o on o.id = r.record
where $1::text is null or coalesce(o.agency, r.agency) = $1
order by r.id desc

-- name: delete
delete from redaction where id = $1 and entry is null

-- name: last_entry
-- The last word of the log on a record, whatever it is.
select index, leaf from log_entry where record = $1 order by index desc limit 1

-- name: sections
-- Of versions $2 of record $1, of all if it is null, and of the entries $3 that are no versions.
select
    found.*,
    array(
        select m.pointer from erased_member as m
        where m.entry = found.entry and m.key = found.key
        order by m.pointer
    ) as gone,
    array(
        select m.redaction from erased_member as m
        where m.entry = found.entry and m.key = found.key
        order by m.pointer
    ) as gone_by
from (
    select v.version, v.entry, v.change_note, s.key, s.value, s.salts
    from version as v inner join section as s on s.record = v.record and s.version = v.version
    where v.record = $1 and ($2::integer [] is null or v.version = any($2))
    union all
    select null, s.entry, null, s.key, s.value, s.salts from entry_section as s
    where s.entry = any($3::bigint [])
) as found
order by found.entry, found.key collate "C"

-- name: replaced
-- What redactions commit to be shown in the place of what they erased; the items that others erased are null.
select
    s.entry, s.value,
    array(select m.pointer from erased_member as m where m.entry = s.entry and m.key = s.key order by m.pointer) as gone,
    array(
        select m.redaction from erased_member as m
        where m.entry = s.entry and m.key = s.key
        order by m.pointer
    ) as gone_by
from entry_section as s
where s.entry = any($1::bigint []) and s.key = 'replaced'

-- name: named
-- An entry that is no version, if what it commits to can be erased, and whose it is.
select e.kind, e.record, coalesce(a.agency, r.agency) as agency
from log_entry as e
left join attestation as a on a.entry = e.index
left join redaction as r on r.entry = e.index
where e.index = $1 and e.kind in ('withdrawal', 'attestation', 'redaction')

-- name: waiting
-- Redactions in a log of a size that were not carried out yet.
select e.index from log_entry as e
where e.kind = 'redaction' and e.index < $1 and not exists (select from erasure as d where d.redaction = e.index)
order by e.index

-- name: entry
select bytes from log_entry where index = $1 and kind = 'redaction'

-- name: erase
select erase_content($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: forget_decision
-- What the entry $1 of a redaction committed to of its decision stands in its request, too.
update redaction set
    authority = case when $2 then '' else authority end,
    reference = case when $3 then null else reference end
where entry = $1

-- name: erase_findings
select erase_findings($1, $2, $3, $4)

-- name: left
-- The verdicts that redactions leave once they are carried out: of the entries $1, or of all. JSON, the first first.
select entry, verdicts from redaction
where verdicts is not null and entry is not null and ($1::bigint [] is null or entry = any($1))
order by entry

-- name: forget_left
update redaction set verdicts = null where entry = $1

-- name: quoting
-- Versions of a record, and those of others of which a finding quotes a text, written as JSON does.
select v.record, v.version, v.entry, v.missing, v.findings from version as v
where v.record = $1 or exists (select from unnest($2::text []) as t (text) where position(t.text in v.findings) > 0)

-- name: records
-- Those of the versions with the entries $1.
select distinct record from version where entry = any($1::bigint [])

-- name: done
-- Whoever does it again, at once or later, must not forget what the first one changed.
insert into erasure (redaction, entries) values ($1, $2)
on conflict (redaction) do update
    set entries = array(select distinct e from unnest(erasure.entries || excluded.entries) as u (e) order by e), settled = false

-- name: unsettled
select redaction, entries from erasure where not settled order by redaction

-- name: settle
update erasure set settled = true where redaction = $1

-- name: count
select count(*) from erasure

-- name: drop_draft
-- Of a record, or of an agency's attestations.
with
act as (delete from pending_act where subject = $1 and state <> 'approved'),

kept as (delete from kept_form where position($1 in address) > 0),

asked as (
    delete from redaction
    where
        record = $1 and entry is null and replaced is not null
        and exists (
            select from unnest(pointers) as one, unnest($2::text []) as other
            where starts_with(one || '/', other || '/') or starts_with(other || '/', one || '/')
        )
)

delete from draft where record = $1

-- name: drop_answers
delete from answer

-- name: erased
-- What was ever erased of records, in whatever version, and what stands in its place: JSON. Those alone that $2 names
-- of the bases, or all.
select v.record, m.pointer, s.value::jsonb #> (string_to_array(substr(m.pointer, 2), '/')) [2:] as shown
from erased_member as m
inner join version as v on v.entry = m.entry
inner join section as s on s.record = v.record and s.version = v.version and s.key = m.key
inner join log_entry as e on e.index = m.redaction
where v.record = any($1::text []) and ($2::text is null or convert_from(e.bytes, 'UTF8')::json ->> 'basis' <> $2)
order by v.version

-- name: search_texts
-- Sections of versions, of other entries, and drafts, of agency $2 or of all, in which each pattern of $1 is found.
select o.id as subject, s.version, null::bigint as entry, s.key, s.value
from section as s inner join record as o on o.id = s.record
where ($2::text is null or o.agency = $2) and (select bool_and(s.value ~* p) from unnest($1::text []) as p)
union all
select coalesce(e.record, ''), null, e.index, s.key, s.value
from entry_section as s
inner join log_entry as e on e.index = s.entry
left join record as o on o.id = e.record
left join attestation as a on a.entry = e.index
where ($2::text is null or coalesce(o.agency, a.agency) = $2) and (select bool_and(s.value ~* p) from unnest($1::text []) as p)
union all
select d.record, null, null, '', d.document
from draft as d
where ($2::text is null or d.agency = $2) and (select bool_and(d.document ~* p) from unnest($1::text []) as p)
order by 1, 2, 3, 4
limit $3
