-- name: real_agency_has_filed
select exists (
    select from agency as a
    where
        a.origin is null and not a.fictitious
        and exists (select from figure as f where f.agency = a.id and f.entry <= $1)
)

-- part: counted
-- The versions up to entry $1 that are asked about; those in force then are `standing`. $3 says
-- whether fictitious agencies count.
with counted as (
    select f.*, f.origin is null as local
    from figure as f inner join agency as a on a.id = f.agency
    where
        f.entry <= $1
        and ($3::boolean or not a.fictitious)
        and ($4::text [] is null or f.risk = any($4))
        and ($5::text [] is null or f.sector = any($5))
        and ($6::text [] is null or f.agency = any($6))
        and ($7::text [] is null or f.status = any($7))
        and ($8::text [] is null or coalesce(f.origin, 'local') = any($8))
),

standing as (
    select
        c.*,
        -- What is asked of a record depends on its level: without one, how much of that it states cannot be said.
        case when c.risk <> 'not_stated' then c.completeness end as score,
        case
            when c.risk = 'not_stated' then 'cannot_be_said'
            when c.completeness >= 90 then '90-100'
            else format('%s-%s', c.completeness / 10 * 10, c.completeness / 10 * 10 + 9)
        end as completeness_range,
        case when c.status <> 'retired' and c.next_review_on < $2 then $2::date - c.next_review_on end as days_late
    from counted as c
    where c.until_entry is null or c.until_entry > $1
)

-- name: groups
-- By the codes of $9; all of them where there are none. Of records that have several codes of a
-- kind, each counts them.
{counted},

coded as (
    select
        s.local, s.score, s.accountability, s.days_late,
        f.code as finding, w.code as ground,
        case when 'risk' = any($9::text []) then s.risk end as risk,
        case when 'sector' = any($9) then s.sector end as sector,
        case when 'agency' = any($9) then s.agency end as agency,
        case when 'status' = any($9) then s.status end as status,
        case when 'personal_data' = any($9) then s.personal_data end as personal_data,
        case when 'completeness_range' = any($9) then s.completeness_range end as completeness_range,
        coalesce(f.places, cardinality(s.rules)) as findings,
        coalesce(w.places, cardinality(s.withheld)) as withheld
    from standing as s
    left join lateral (
        select code, count(*) as places from unnest(s.rules) as u (code) group by code
    ) as f on 'finding' = any($9)
    left join lateral (
        select code, count(*) as places from unnest(s.withheld) as u (code) group by code
    ) as w on 'ground' = any($9)
    where
        ('finding' <> all($9) or f.code is not null)
        and ('ground' <> all($9) or w.code is not null)
)

select
    local, risk, sector, agency, status, personal_data, completeness_range, finding, ground,
    count(*) as records,
    sum(score) as completeness_sum,
    percentile_disc('{0, 0.25, 0.5, 0.75, 1}'::double precision []) within group (order by score) as completeness,
    count(score) as completeness_count,
    count(accountability) as accountability_count,
    sum(accountability) as accountability_sum,
    percentile_disc('{0, 0.25, 0.5, 0.75, 1}'::double precision []) within group (order by accountability) as accountability,
    count(days_late) as overdue,
    coalesce(max(days_late), 0) as longest_days,
    sum(findings)::bigint as findings,
    sum(withheld)::bigint as withheld
from coded
group by local, risk, sector, agency, status, personal_data, completeness_range, finding, ground
order by
    risk collate "C", sector collate "C", agency collate "C", status collate "C", personal_data collate "C",
    completeness_range collate "C", finding collate "C", ground collate "C"

-- name: tallies
{counted}

select local, 'personal_data' as kind, personal_data as code, count(*) as records, count(*) as places
from standing
group by local, personal_data
union all
select local, 'completeness_ranges', completeness_range, count(*), count(*)
from standing
group by local, completeness_range
union all
select local, 'restricted', restricted, count(*), count(*)
from standing
where restricted is not null
group by local, restricted
union all
select s.local, 'findings', r.code, count(*), sum(r.places)::bigint
from standing as s
cross join lateral (select code, count(*) as places from unnest(s.rules) as u (code) group by code) as r
group by s.local, r.code
union all
select s.local, 'withheld', w.code, count(*), sum(w.places)::bigint
from standing as s
cross join lateral (select code, count(*) as places from unnest(s.withheld) as u (code) group by code) as w
group by s.local, w.code
union all
-- What took two: who approved the versions and withdrawals up to then.
select c.local, 'approvals', took.approved_by, count(distinct took.record), count(*)
from (
    select record, entry, approved_by, entry as of_figure from version
    union all
    select w.record, w.entry, w.approved_by, v.entry
    from withdrawal as w inner join version as v on v.record = w.record and v.version = w.version
) as took
inner join counted as c on c.entry = took.of_figure
where took.approved_by is not null and took.entry <= $1
group by c.local, took.approved_by

-- name: months
{counted}

select local, to_char(at at time zone 'UTC', 'YYYY-MM') as month, 'published' as what, count(*) as versions
from counted
group by local, month
union all
select c.local, to_char(c.until_at at time zone 'UTC', 'YYYY-MM') as month, e.kind as what, count(*) as versions
from counted as c inner join log_entry as e on e.index = c.until_entry
where c.until_entry <= $1
group by c.local, month, e.kind

-- name: coverage
-- The agencies of this country, of which $4 are asked about, with what they published and attest.
select
    a.id as agency, a.fictitious,
    (
        select count(*) from figure as f
        where f.agency = a.id and f.entry <= $1 and (f.until_entry is null or f.until_entry > $1)
    ) as records,
    said.systems_total, said.day as attested_on
from agency as a
left join lateral (
    select t.systems_total, t.day from attestation as t
    where t.agency = a.id and t.entry <= $1
    order by t.day desc, t.entry desc
    limit 1
) as said on true
where a.origin is null and ($2::boolean or not a.fictitious) and ($3::text [] is null or a.id = any($3))
order by a.id collate "C"
