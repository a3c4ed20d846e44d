-- name: take_turns
-- An agency comes after its records whoever asks, and nobody waits in a circle.
select pg_advisory_xact_lock(hashtextextended(subject, 0))
from (select subject from unnest($1::text []) as given (subject) order by subject collate "C" desc) as sorted

-- name: read_latest
select r.id, r.version, r.entry, r.state, e.leaf
from record as r inner join log_entry as e on e.index = r.entry
where r.id = any($1::text [])

-- name: standings
select
    r.id, r.version, r.state, r.entry, v.published_at, e.leaf,
    (
        select '{' || string_agg('"' || s.key || '":' || s.value, ',' order by s.key collate "C") || '}'
        from section as s where s.record = v.record and s.version = v.version
    ) as document
from record as r
inner join version as v on v.record = r.id and v.version = r.version
inner join log_entry as e on e.index = r.entry
where r.id = any($1::text [])

-- name: insert
-- Versions with all that belongs to them, and the log's entries and state: nobody else can append
-- meanwhile, so it is one trip.
with new as (
    select *
    from unnest(
        $1::text [], $2::text [], $3::text [], $4::integer [], $5::bigint [], $6::timestamptz [], $7::bytea [],
        $8::bytea [], $9::text [], $10::text [], $11::text [], $12::text [], $13::smallint [], $14::smallint [],
        $15::text [], $16::text [], $17::text [], $18::text [], $19::text []
    ) as given (
        record, agency, origin, version, entry, published_at, content,
        leaf, schema_version, rule_set, actor, approved_by, completeness, accountability,
        missing, findings, change_note, source_row, truncated
    )
),

logged as (
    insert into log_entry (index, kind, record, at, bytes, leaf)
    select entry, 'version', record, published_at, content, leaf from new
),

reached as (
    update log_state set size = $20, peaks = $21, last_at = (select max(published_at) from new)
),

recorded as (
    insert into record (id, agency, origin, state, version, entry)
    select record, agency, origin, 'published', version, entry from new
    on conflict (id) do update
        set state = 'published', version = excluded.version, entry = excluded.entry
),

published as (
    insert into version (
        record, version, entry, published_at, schema_version, rule_set, actor, approved_by,
        completeness, accountability, missing, findings, change_note
    )
    select
        record, version, entry, published_at, schema_version, rule_set, actor, approved_by,
        completeness, accountability,
        array(select jsonb_array_elements_text(missing::jsonb)),
        findings, change_note
    from new
),

sourced as (
    insert into source_row (record, version, content, truncated)
    select record, version, source_row, array(select jsonb_array_elements_text(truncated::jsonb))
    from new
    where source_row is not null
)

insert into section (record, version, key, value, salts, commitment)
select record, version, key, value, salts, commitment
from unnest($22::text [], $23::integer [], $24::text [], $25::text [], $26::bytea [], $27::text [])
    as part (record, version, key, value, salts, commitment)

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
