-- name: take_turn
select pg_advisory_xact_lock(hashtextextended($1, 0))

-- name: take_turns
select pg_advisory_xact_lock(hashtextextended(subject, 0))
from (select subject from unnest($1::text []) as given (subject) order by subject) as sorted

-- name: lock_latest
select r.id, r.version, r.entry, r.state, e.leaf
from record as r inner join log_entry as e on e.index = r.entry
where r.id = any($1::text [])
order by r.id
for update of r

-- name: latest_documents
select r.id, '{' || string_agg('"' || s.key || '":' || s.value, ',' order by s.key collate "C") || '}' as document
from record as r inner join section as s on s.record = r.id and s.version = r.version
where r.id = any($1::text []) and r.state = 'published'
group by r.id

-- name: standings
select
    r.id, r.version, r.state, v.entry, v.published_at, e.leaf,
    (
        select '{' || string_agg('"' || s.key || '":' || s.value, ',' order by s.key collate "C") || '}'
        from section as s where s.record = v.record and s.version = v.version
    ) as document
from record as r
inner join version as v on v.record = r.id and v.version = r.version
inner join log_entry as e on e.index = v.entry
where r.id = any($1::text [])

-- name: upsert_records
insert into record (id, agency, origin, state, version, entry)
select id, agency, origin, 'published', version, entry
from unnest($1::text [], $2::text [], $3::text [], $4::integer [], $5::bigint [])
    as new (id, agency, origin, version, entry)
on conflict (id) do update
    set state = 'published', version = excluded.version, entry = excluded.entry

-- name: insert_versions
insert into version (
    record, version, entry, published_at, schema_version, rule_set, actor,
    completeness, accountability, missing, findings, change_note, approved_by
)
select
    record, version, entry, published_at, schema_version, rule_set, actor,
    completeness, accountability,
    array(select jsonb_array_elements_text(missing::jsonb)),
    findings, change_note, approved_by
from unnest(
    $1::text [], $2::integer [], $3::bigint [], $4::timestamptz [], $5::text [], $6::text [], $7::text [],
    $8::smallint [], $9::smallint [], $10::text [], $11::text [], $12::text [], $13::text []
) as new (
    record, version, entry, published_at, schema_version, rule_set, actor,
    completeness, accountability, missing, findings, change_note, approved_by
)

-- name: insert_sections
insert into section (record, version, key, value, salts, commitment)
select record, version, key, value, salts, commitment
from unnest($1::text [], $2::integer [], $3::text [], $4::text [], $5::bytea [], $6::text [])
    as new (record, version, key, value, salts, commitment)

-- name: insert_source_rows
insert into source_row (record, version, content, truncated)
select record, version, content, array(select jsonb_array_elements_text(truncated::jsonb))
from unnest($1::text [], $2::integer [], $3::text [], $4::text [])
    as new (record, version, content, truncated)

-- name: latest_source_rows
select r.id, s.content
from record as r inner join source_row as s on s.record = r.id and s.version = r.version
where r.origin = $1 and r.state = 'published'

-- name: version
-- As it was known when entry $3 was the last.
select
    v.record, v.version, v.entry, v.published_at, v.completeness, v.accountability, v.missing, v.findings,
    r.agency, r.origin, a.fictitious, e.leaf,
    case last.kind when 'withdrawal' then 'withdrawn' else 'published' end as state,
    (
        select min(n.at) from log_entry as n
        where n.record = v.record and n.index > v.entry and n.index <= $3 and n.kind in ('version', 'withdrawal')
    ) as superseded_at,
    (
        select '{' || string_agg('"' || s.key || '":' || s.value, ',' order by s.key collate "C") || '}'
        from section as s where s.record = v.record and s.version = v.version
    ) as document
from record as r
inner join lateral (
    select n.kind from log_entry as n
    where n.record = r.id and n.index <= $3 and n.kind in ('version', 'withdrawal')
    order by n.index desc
    limit 1
) as last on true
inner join version as v on v.record = r.id and v.entry <= $3
inner join agency as a on a.id = r.agency
inner join log_entry as e on e.index = v.entry
where
    r.id = $1
    and v.version = coalesce(
        $2::integer, (select max(n.version) from version as n where n.record = r.id and n.entry <= $3)
    )

-- name: latest
select
    v.record, v.version, v.entry, v.published_at, v.completeness, v.accountability, v.missing, v.findings,
    r.agency, r.origin, r.state, a.fictitious, e.leaf,
    (select w.at from log_entry as w where w.index = r.entry and r.state = 'withdrawn') as superseded_at,
    (
        select '{' || string_agg('"' || s.key || '":' || s.value, ',' order by s.key collate "C") || '}'
        from section as s where s.record = v.record and s.version = v.version
    ) as document
from record as r
inner join version as v on v.record = r.id and v.version = r.version
inner join agency as a on a.id = r.agency
inner join log_entry as e on e.index = v.entry
where $1::boolean or r.state = 'published'
order by r.id collate "C"

-- name: versions
select v.record, v.version, v.entry, v.published_at, v.change_note, e.leaf
from version as v inner join log_entry as e on e.index = v.entry
where ($1::text is null or v.record = $1) and v.entry <= $2
order by v.record collate "C", v.version

-- name: approver
select v.approved_by
from record as r inner join version as v on v.record = r.id and v.version = r.version
where r.id = $1 and r.state = 'published'

-- name: withdraw
update record set state = 'withdrawn', entry = $2 where id = $1

-- name: namesakes
select r.id, r.agency, n.value as name, s.value as source_id
from record as r
inner join section as n on n.record = r.id and n.version = r.version and n.key = 'name'
left join section as s on s.record = r.id and s.version = r.version and s.key = 'source_id'
where r.state = 'published' and r.origin is null and ($1::text [] is null or r.agency = any($1))
order by r.id
