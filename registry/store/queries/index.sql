-- name: insert_versions
insert into search_version (ord, codes, card, name, summary, rest, analysis)
select ord, codes, card, name, summary, rest, analysis
from unnest($1::bigint [], $2::text [], $3::text [], $4::text [], $5::text [], $6::text [], $7::text [])
    as new (ord, codes, card, name, summary, rest, analysis)

-- name: state
select
    l.size, l.peaks, s.epoch,
    (select e.leaf from log_entry as e where e.index = $1) as leaf,
    (select e.leaf from log_entry as e where e.index = l.size - 1) as last_leaf,
    (select count(*) from agency as a where a.origin is null) as agencies
from search_state as s cross join log_state as l

-- name: lock_state
select l.size, l.peaks, s.epoch, null::bytea as leaf, null::bytea as last_leaf, 0 as agencies
from search_state as s cross join log_state as l
for update of s

-- name: version_rows
-- Of versions after entry $1, in a log of $2 entries.
select i.*, s.analysis from indexed_version as i inner join search_version as s on s.ord = i.ord
where i.ord > $1 and i.ord < $2 order by i.ord limit $3

-- name: changed_rows
-- Of versions up to entry $1 about which an entry after it says something, in a log of $2 entries, and of those that
-- a redaction has changed which is not one of $3: all of its record, and others of which a finding quoted it.
select i.*, s.analysis from indexed_version as i inner join search_version as s on s.ord = i.ord
where i.ord = any(array(
    select f.entry from figure as f where f.until_entry > $1 and f.until_entry < $2 and f.entry <= $1
    union
    select v.entry
    from source_event as e inner join version as v on v.record = e.record and v.version = e.version
    where e.entry > $1 and e.entry < $2 and v.entry <= $1
    union
    select v.entry
    from erasure as d
    inner join log_entry as e on e.index = d.redaction
    inner join version as v on v.record = e.record or v.entry = any(d.entries)
    where d.redaction <> all($3::bigint []) and v.entry <= $1
))
order by i.ord

-- name: erasures
select redaction from erasure order by redaction

-- name: begin_epoch
update search_state set epoch = epoch + 1

-- name: drop_versions
delete from search_version where ord = any($1::bigint [])

-- name: of_another_analysis
-- Of the entry $1 and later ones, by another analysis than $2.
select ord from search_version where ord >= $1 and analysis is distinct from $2 order by ord limit $3

-- name: documents
select
    v.entry as ord,
    (select c.document from content as c where c.record = v.record and c.version = v.version) as document,
    array(select m.pointer from erased_member as m where m.entry = v.entry) as erased
from version as v where v.entry = any($1::bigint [])

-- name: derived_from
-- What rows of the entries $1 are derived from.
select
    v.entry, v.version, v.published_at, v.completeness, v.findings, a.document as agency,
    array(
        select distinct f.risk_change from figure as f
        where f.record = v.record and f.entry <= v.entry and f.risk_change is not null
        order by f.risk_change
    ) as risk_changes,
    (select c.document from content as c where c.record = v.record and c.version = v.version) as document,
    array(select m.pointer from erased_member as m where m.entry = v.entry) as erased
from version as v
inner join figure as n on n.entry = v.entry
inner join agency as a on a.id = n.agency
where v.entry = any($1::bigint [])
order by v.entry
