-- part: state
    r.id, r.agency, r.origin, r.version, r.entry, r.state, e.leaf,
    f.risk, last.index as last_entry, last.leaf as last_leaf,
    (select s.code from short_code as s where s.record = r.id) as code,
    array(
        select distinct moved.risk_change from figure as moved
        where moved.record = r.id and moved.risk_change is not null
        order by moved.risk_change
    ) as risk_changes

-- part: in_force
from record as r
inner join version as v on v.record = r.id and v.version = r.version
inner join figure as f on f.entry = v.entry
inner join log_entry as e on e.index = r.entry
inner join lateral (
    select n.index, n.leaf from log_entry as n where n.record = r.id order by n.index desc limit 1
) as last on true

-- part: version
    v.record, v.version, v.entry, v.published_at, v.accountability, v.missing, v.findings,
    case when f.risk <> 'not_stated' then v.completeness end as completeness,
    r.origin, a.fictitious, e.leaf,
    (select c.document from content as c where c.record = v.record and c.version = v.version) as document,
    (select w.whole from source_row as w where w.record = v.record and w.version = v.version) as whole,
    (select x.members from redacted as x where x.entry = v.entry) as redacted

-- name: take_turns
-- An agency comes after its records whoever asks, and nobody waits in a circle. What follows in the
-- transaction is planned once for all: to plan it would take as long as to do it.
select
    set_config('plan_cache_mode', 'force_generic_plan', true),
    pg_advisory_xact_lock(hashtextextended(subject, 0))
from (select subject from unnest($1::text []) as given (subject) order by subject collate "C" desc) as sorted

-- name: read_latest
select {state}
{in_force}
where r.id = any($1::text [])

-- name: current
select
    {state},
    v.published_at,
    (select c.document from content as c where c.record = v.record and c.version = v.version) as document,
    array(select m.pointer from erased_member as m where m.entry = v.entry) as erased,
    array(
        select distinct m.pointer from version as o inner join erased_member as m on m.entry = o.entry
        where o.record = r.id
        order by m.pointer
    ) as ever_erased
{in_force}
where r.id = any($1::text [])

-- name: version
-- As it was known when entry $3 was the last.
select
    {version},
    f.agency,
    case when r.origin is not null then at_source(v.record, v.version, $3) end as source,
    case since.last_kind when 'withdrawal' then 'withdrawn' else 'published' end as state, since.superseded_at,
    (select s.code from short_code as s where s.record = r.id and s.entry <= $3) as code
from record as r
inner join lateral (
    select n.* from version as n
    where n.record = r.id and n.entry <= $3 and ($2::integer is null or n.version = $2)
    order by n.version desc
    limit 1
) as v on true
inner join lateral (
    select min(n.at) as superseded_at, (array_agg(n.kind order by n.index desc))[1] as last_kind
    from log_entry as n
    where n.record = r.id and n.index > v.entry and n.index <= $3 and n.kind in ('version', 'withdrawal')
) as since on true
inner join figure as f on f.entry = v.entry
inner join agency as a on a.id = f.agency
inner join log_entry as e on e.index = v.entry
where r.id = $1

-- name: latest
-- Of the records $2, or of all.
select
    {version},
    r.agency, r.state,
    case when r.origin is not null then at_source(v.record, v.version, 9223372036854775807) end as source,
    (select w.at from log_entry as w where w.index = r.entry and r.state = 'withdrawn') as superseded_at,
    (select s.code from short_code as s where s.record = r.id) as code
from record as r
inner join version as v on v.record = r.id and v.version = r.version
inner join figure as f on f.entry = v.entry
inner join agency as a on a.id = r.agency
inner join log_entry as e on e.index = v.entry
where ($1::boolean or r.state = 'published') and ($2::text [] is null or r.id = any($2))
order by r.id collate "C"

-- name: earlier
-- The versions that others have followed, as they were published: of the records $1, or of all.
select
    {version},
    f.agency, 'published' as state,
    case when r.origin is not null then at_source(v.record, v.version, 9223372036854775807) end as source,
    (
        select min(n.at) from log_entry as n
        where n.record = v.record and n.index > v.entry and n.kind in ('version', 'withdrawal')
    ) as superseded_at,
    (select s.code from short_code as s where s.record = r.id) as code
from record as r
inner join version as v on v.record = r.id and v.version < r.version
inner join figure as f on f.entry = v.entry
inner join agency as a on a.id = f.agency
inner join log_entry as e on e.index = v.entry
where $1::text [] is null or r.id = any($1)
order by r.id collate "C", v.version

-- name: versions
select
    v.record, v.version, v.entry, v.published_at, v.change_note, v.approved_by, v.moved_from, v.undated,
    v.run, e.leaf,
    -- What the source states, or else the agency itself; a redaction takes it out of the section.
    coalesce(v.changed_on, (
        select s.value::jsonb ->> 'changed_on' from section as s
        where s.record = v.record and s.version = v.version and s.key = 'publication'
    )) as changed_on
from version as v inner join log_entry as e on e.index = v.entry
where ($1::text [] is null or v.record = any($1)) and v.entry <= $2
order by v.record collate "C", v.version

-- name: approved_by
select v.approved_by
from record as r inner join version as v on v.record = r.id and v.version = r.version
where r.id = $1 and r.state = 'published'

-- name: of_agency
select
    r.id, r.state, r.version, f.risk, f.status, v.completeness, cardinality(f.rules) as findings,
    v.published_at, f.next_review_on, s.value as name
from record as r
inner join version as v on v.record = r.id and v.version = r.version
inner join figure as f on f.entry = v.entry
left join section as s on s.record = r.id and s.version = r.version and s.key = 'name'
where r.agency = $1 and r.origin is null
order by r.id collate "C"
