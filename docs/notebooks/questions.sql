-- A2. How many are in use without a completed assessment?
select count(*)
from 'https://algorithms.example/exports/register/latest/records.parquet'
where "lifecycle.status" = 'in_use' and id not in (
  select record_id from 'https://algorithms.example/exports/register/latest/assessments.parquet'
  where status = 'completed'
);

-- A5. What was bought without competition?
select coalesce("sector.primary", 'not_stated') as sector, count(*)
from 'https://algorithms.example/exports/register/latest/records.parquet'
join 'https://algorithms.example/exports/register/latest/contracts.parquet' on record_id = id
where procedure in ('negotiated', 'purchase_order')
group by all order by all;

-- P5. From which countries are suppliers?
select country, count(distinct record_id)
from 'https://algorithms.example/exports/register/latest/suppliers.parquet'
where country is not null
group by all order by all;

-- J2. Who supplies biometric systems?
select name, count(distinct record_id)
from 'https://algorithms.example/exports/register/latest/suppliers.parquet'
join (
  select id, "risk.annex_iii_area" as area
  from 'https://algorithms.example/exports/register/latest/records.parquet'
) on record_id = id
where area = 'biometrics'
group by all order by all;

-- L1. How many are used on minors, or on migrants?
select count(distinct record_id)
from 'https://algorithms.example/exports/register/latest/affected_groups.parquet'
where value in ('minors', 'migrants_asylum');
