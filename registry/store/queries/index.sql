-- name: insert_versions
insert into search_version (ord, codes, card, name, summary, rest)
select ord, codes, card, name, summary, rest
from unnest($1::bigint [], $2::text [], $3::text [], $4::text [], $5::text [], $6::text [])
    as new (ord, codes, card, name, summary, rest)

-- name: state
select
    l.size, l.peaks, s.epoch, s.analysis,
    (select e.leaf from log_entry as e where e.index = $1) as leaf,
    (select e.leaf from log_entry as e where e.index = l.size - 1) as last_leaf
from search_state as s cross join log_state as l

-- name: lock_state
select l.size, l.peaks, s.epoch, s.analysis, null::bytea as leaf, null::bytea as last_leaf
from search_state as s cross join log_state as l
for update of s

-- name: version_rows
-- Of versions after entry $1, in a log of $2 entries.
select s.ord, s.codes, s.card, s.name, s.summary, s.rest, f.until_entry, h.published, h.raised, h.lowered
from search_version as s
inner join figure as f on f.entry = s.ord
cross join lateral (
    select
        array_agg(o.entry order by o.entry) as published,
        coalesce(array_agg(o.entry order by o.entry) filter (where o.risk_change = 'raised'), '{}') as raised,
        coalesce(array_agg(o.entry order by o.entry) filter (where o.risk_change = 'lowered'), '{}') as lowered
    from figure as o where o.record = f.record and o.entry <= f.entry
) as h
where s.ord > $1 and s.ord < $2
order by s.ord
limit $3

-- name: superseded_rows
-- Of versions up to entry $1 that went out of force by an entry after it, in a log of $2 entries.
select s.ord, s.codes, s.card, s.name, s.summary, s.rest, f.until_entry, h.published, h.raised, h.lowered
from figure as f
inner join search_version as s on s.ord = f.entry
cross join lateral (
    select
        array_agg(o.entry order by o.entry) as published,
        coalesce(array_agg(o.entry order by o.entry) filter (where o.risk_change = 'raised'), '{}') as raised,
        coalesce(array_agg(o.entry order by o.entry) filter (where o.risk_change = 'lowered'), '{}') as lowered
    from figure as o where o.record = f.record and o.entry <= f.entry
) as h
where f.until_entry > $1 and f.until_entry < $2 and f.entry <= $1
order by s.ord

-- name: cards
select ord, card from search_version where ord = any($1::bigint [])

-- name: begin_epoch
update search_state set epoch = epoch + 1, analysis = coalesce($1, analysis)

-- name: clear
truncate search_version

-- name: documents
select
    v.entry as ord,
    (select c.document from content as c where c.record = v.record and c.version = v.version) as document,
    array(select m.pointer from erased_member as m where m.entry = v.entry) as erased
from version as v where v.entry = any($1::bigint [])

-- name: all_versions
-- Of some entries, or of all.
select
    v.entry, v.record, v.version, v.published_at, v.completeness, v.missing, v.findings, r.agency,
    array(
        select distinct f.risk_change from figure as f
        where f.record = v.record and f.entry <= v.entry and f.risk_change is not null
        order by f.risk_change
    ) as risk_changes,
    (select c.document from content as c where c.record = v.record and c.version = v.version) as document,
    array(select m.pointer from erased_member as m where m.entry = v.entry) as erased
from version as v inner join record as r on r.id = v.record
where $1::bigint [] is null or v.entry = any($1)
order by v.entry
