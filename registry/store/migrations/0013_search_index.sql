-- The search index is an index of tantivy in the data folder, made of search_version; its tables go.

-- Nobody else reads them, and what they had is made anew from the versions.
-- squawk-ignore ban-drop-table
drop table posting;
-- squawk-ignore ban-drop-table
drop table facet;
-- squawk-ignore ban-drop-table
drop table lexeme;

-- squawk-ignore ban-drop-column
alter table search_state drop column folded;
-- squawk-ignore ban-drop-column
alter table search_version drop column name_key;

-- What a search index is made of. until_entry: what put the version out of force; published, raised, lowered:
-- the entries of its record's versions up to it, and of those that raised or lowered the risk level.
create view indexed_version as
select s.*, f.until_entry, h.published, h.raised, h.lowered
from search_version as s
inner join figure as f on f.entry = s.ord
cross join lateral (
    select
        array_agg(o.entry order by o.entry) as published,
        coalesce(array_agg(o.entry order by o.entry) filter (where o.risk_change = 'raised'), '{}') as raised,
        coalesce(array_agg(o.entry order by o.entry) filter (where o.risk_change = 'lowered'), '{}') as lowered
    from figure as o where o.record = f.record and o.entry <= f.entry
) as h;
