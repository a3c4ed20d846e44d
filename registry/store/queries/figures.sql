-- name: insert
-- $16 are the risk levels from the lowest. The version before goes out of force.
with new as (
    select *
    from unnest(
        $1::bigint [], $2::text [], $3::text [], $4::text [], $5::timestamptz [], $6::text [], $7::text [], $8::text [],
        $9::text [], $10::smallint [], $11::smallint [], $12::date [], $13::text [], $14::text [], $15::text []
    ) as given (
        entry, record, agency, origin, at, risk, sector, status,
        personal_data, completeness, accountability, next_review_on, rules, withheld, restricted
    )
),

ended as (
    update figure as f set until_entry = new.entry, until_at = new.at
    from new
    where f.record = new.record and f.until_entry is null
),

known as (
    select new.*, before.risk as risk_before
    from new
    left join lateral (
        select f.risk from figure as f where f.record = new.record order by f.entry desc limit 1
    ) as before on true
)

insert into figure (
    entry, record, agency, origin, at, risk, risk_before, risk_change, sector, status,
    personal_data, completeness, accountability, next_review_on, rules, withheld, restricted
)
select
    entry, record, agency, origin, at, risk, risk_before,
    case
        when array_position($16::text [], risk) > array_position($16, risk_before) then 'raised'
        when array_position($16, risk) < array_position($16, risk_before) then 'lowered'
    end as risk_change,
    sector, status, personal_data, completeness, accountability, next_review_on,
    array(select jsonb_array_elements_text(rules::jsonb)),
    array(select jsonb_array_elements_text(withheld::jsonb)),
    restricted
from known

-- name: end
update figure set until_entry = $2, until_at = $3 where record = $1 and until_entry is null

-- name: changed
-- Of records with a version published in a time, or one that changed its risk then: what was in
-- force when entry $1 was the last.
with touched as (
    select distinct f.record from figure as f
    where
        f.entry <= $1
        and f.entry > coalesce((select e.index from log_entry as e where e.at < $2 order by e.at desc, e.index desc limit 1), -1)
        and ($3::timestamptz is null or f.at <= $3)
        and ($4::text [] is null or f.risk_change = any($4))
)

select f.entry
from touched as t inner join figure as f on f.record = t.record
where f.entry <= $1 and (f.until_entry is null or f.until_entry > $1)
order by f.entry
