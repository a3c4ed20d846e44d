-- What is counted of every version, and the way from a time to the entry that was the last then.

-- squawk-ignore require-concurrent-index-creation
create index log_entry_at on log_entry (at, index);

-- One row a version, codes and numbers only; it can be made anew from the version. until_entry: the
-- entry that put it out of force, a later version or a withdrawal. risk_before: of the version
-- before, null for a first one; risk_change: null also where one of the two does not say. rules: one
-- for each finding; withheld: one ground for each field; restricted: the ground on which little more
-- than the existence is published.
create table figure (
    entry bigint primary key references version (entry),
    record text not null,
    agency text not null,
    origin text,
    at timestamptz not null,
    until_entry bigint,
    until_at timestamptz,
    risk text not null,
    risk_before text,
    risk_change text check (risk_change in ('raised', 'lowered')),
    sector text not null,
    status text not null,
    personal_data text not null,
    completeness smallint not null,
    accountability smallint not null,
    next_review_on date,
    rules text [] not null,
    withheld text [] not null,
    restricted text
);
create index figure_record on figure (record, entry);
create index figure_agency on figure (agency, entry);
create index figure_risk_change on figure (entry) where risk_change is not null;

insert into figure (
    entry, record, agency, origin, at, until_entry, until_at, risk, risk_before, sector, status,
    personal_data, completeness, accountability, next_review_on, rules, withheld,
    restricted
)
select
    v.entry,
    v.record,
    r.agency,
    r.origin,
    v.published_at,
    gone.index as until_entry,
    gone.at as until_at,
    coalesce(risk.value::jsonb ->> 'level', 'not_stated') as risk,
    lag(coalesce(risk.value::jsonb ->> 'level', 'not_stated')) over (partition by v.record order by v.version) as risk_before,
    coalesce(sector.value::jsonb ->> 'primary', 'not_stated') as sector,
    coalesce(lifecycle.value::jsonb ->> 'status', 'not_stated') as status,
    coalesce(data.value::jsonb ->> 'personal_data', 'not_stated') as personal_data,
    v.completeness,
    v.accountability,
    (lifecycle.value::jsonb ->> 'next_review_on')::date as next_review_on,
    array(select f ->> 'rule' from jsonb_array_elements(v.findings::jsonb) as f) as rules,
    array(
        select w ->> 'ground'
        from jsonb_array_elements(coalesce(publication.value::jsonb -> 'withheld_fields', '[]')) as w
        where w ? 'ground'
    ) as withheld,
    publication.value::jsonb -> 'restriction' ->> 'ground' as restricted
from version as v
inner join record as r on r.id = v.record
left join section as risk on risk.record = v.record and risk.version = v.version and risk.key = 'risk'
left join section as sector on sector.record = v.record and sector.version = v.version and sector.key = 'sector'
left join section as lifecycle
    on lifecycle.record = v.record and lifecycle.version = v.version and lifecycle.key = 'lifecycle'
left join section as data on data.record = v.record and data.version = v.version and data.key = 'data'
left join section as publication
    on publication.record = v.record and publication.version = v.version and publication.key = 'publication'
left join lateral (
    select e.index, e.at from log_entry as e
    where e.record = v.record and e.index > v.entry and e.kind in ('version', 'withdrawal')
    order by e.index
    limit 1
) as gone on true;

update figure set risk_change = case
    when array_position(levels, risk) > array_position(levels, risk_before) then 'raised'
    when array_position(levels, risk) < array_position(levels, risk_before) then 'lowered'
end
from (select array['minimal', 'limited', 'high', 'unacceptable'] as levels) as known;
