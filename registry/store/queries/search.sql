-- name: index
insert into search_row (
    record, ord, agency, origin, risk, sector, function, status, role, area, personal_data,
    name_key, completeness, next_review_on, card, words
)
select
    record, ord, agency, origin, risk, sector, function, status, role, area, personal_data,
    name_key, completeness, next_review_on, card,
    setweight(
        to_tsvector('arabic', name_ar) || to_tsvector('french', name_fr)
        || to_tsvector('english', name_en) || to_tsvector('simple', name_other), 'A'
    )
    || setweight(
        to_tsvector('arabic', summary_ar) || to_tsvector('french', summary_fr)
        || to_tsvector('english', summary_en) || to_tsvector('simple', summary_other), 'B'
    )
    || setweight(
        to_tsvector('arabic', text_ar) || to_tsvector('french', text_fr)
        || to_tsvector('english', text_en) || to_tsvector('simple', text_other), 'D'
    )
from unnest(
    $1::text [], $2::bigint [], $3::text [], $4::text [], $5::text [], $6::text [], $7::text [],
    $8::text [], $9::text [], $10::text [], $11::text [], $12::text [], $13::smallint [], $14::date [], $15::text [],
    $16::text [], $17::text [], $18::text [], $19::text [],
    $20::text [], $21::text [], $22::text [], $23::text [],
    $24::text [], $25::text [], $26::text [], $27::text []
) as new (
    record, ord, agency, origin, risk, sector, function, status, role, area, personal_data,
    name_key, completeness, next_review_on, card,
    name_ar, name_fr, name_en, name_other,
    summary_ar, summary_fr, summary_en, summary_other,
    text_ar, text_fr, text_en, text_other
)
on conflict (record) do update set
    ord = excluded.ord, agency = excluded.agency, origin = excluded.origin, risk = excluded.risk,
    sector = excluded.sector, function = excluded.function, status = excluded.status,
    role = excluded.role, area = excluded.area, personal_data = excluded.personal_data,
    name_key = excluded.name_key, completeness = excluded.completeness,
    next_review_on = excluded.next_review_on, card = excluded.card, words = excluded.words

-- name: remove
delete from search_row where record = $1

-- name: hits
-- What the text finds, and for each filter whether it lets the row pass. The question is asked in
-- each language's own stemming; `lang` narrows it to one.
with question as (
    select
        case
            when $2::text is null then
                websearch_to_tsquery('arabic', $1) || websearch_to_tsquery('french', $1)
                || websearch_to_tsquery('english', $1) || websearch_to_tsquery('simple', $1)
            when $2 = 'ar' then websearch_to_tsquery('arabic', $1)
            when $2 = 'fr' then websearch_to_tsquery('french', $1)
            when $2 = 'en' then websearch_to_tsquery('english', $1)
            else websearch_to_tsquery('simple', $1)
        end as terms
),

hit as materialized (
    select
        s.record, s.ord, s.risk, s.sector, s.function, s.agency, s.status, s.role, s.area,
        s.personal_data, s.origin, s.name_key, s.completeness, s.next_review_on,
        case
            when $1::text is null then 0
            when ts_filter(s.words, '{a}') @@ q.terms then 0
            when ts_filter(s.words, '{a,b}') @@ q.terms then 1
            else 2
        end as tier,
        $3::text [] is null or s.risk = any($3) as in_risk,
        $4::text [] is null or s.sector = any($4) as in_sector,
        $5::text [] is null or s.function = any($5) as in_function,
        $6::text [] is null or s.agency = any($6) as in_agency,
        $7::text [] is null or s.status = any($7) as in_status,
        $8::text [] is null or s.role = any($8) as in_role,
        $9::text [] is null or s.area = any($9) as in_area,
        $10::text [] is null or s.personal_data = any($10) as in_personal_data,
        $11::text [] is null or s.origin = any($11) as in_origin
    from search_row as s cross join question as q
    where $1::text is null or s.words @@ q.terms
)

-- name: page
-- Every order ends in the publication order, newest first, so that paging is stable.
, sorted as (
    select
        record, ord, tier,
        case $12::text
            when 'relevance' then tier
            when 'completeness' then -completeness
            when 'review_due' then coalesce(next_review_on - date '2000-01-01', 1000000)
            else 0
        end as sort_number,
        case $12::text when 'name' then name_key else '' end as sort_text
    from hit
    where in_risk and in_sector and in_function and in_agency and in_status
        and in_role and in_area and in_personal_data and in_origin
)

select o.record, o.ord, o.tier, o.sort_number, o.sort_text, s.card
from sorted as o inner join search_row as s on s.record = o.record
where $13::integer is null or (o.sort_number, o.sort_text collate "C", -o.ord) > ($13, $14::text collate "C", -$15::bigint)
order by o.sort_number, o.sort_text collate "C", -o.ord
limit $16

-- name: counts
-- The total, and each wanted facet without its own filter.
select '' as facet, '' as code, count(*) as count from hit
where in_risk and in_sector and in_function and in_agency and in_status and in_role and in_area
    and in_personal_data and in_origin
union all
select 'risk', risk, count(*) from hit
where 'risk' = any($12::text []) and in_sector and in_function and in_agency and in_status and in_role
    and in_area and in_personal_data and in_origin
group by risk
union all
select 'sector', sector, count(*) from hit
where 'sector' = any($12) and in_risk and in_function and in_agency and in_status and in_role and in_area
    and in_personal_data and in_origin
group by sector
union all
select 'function', function, count(*) from hit
where 'function' = any($12) and in_risk and in_sector and in_agency and in_status and in_role and in_area
    and in_personal_data and in_origin
group by function
union all
select 'agency', agency, count(*) from hit
where 'agency' = any($12) and in_risk and in_sector and in_function and in_status and in_role and in_area
    and in_personal_data and in_origin
group by agency
union all
select 'status', status, count(*) from hit
where 'status' = any($12) and in_risk and in_sector and in_function and in_agency and in_role and in_area
    and in_personal_data and in_origin
group by status
union all
select 'role', role, count(*) from hit
where 'role' = any($12) and in_risk and in_sector and in_function and in_agency and in_status and in_area
    and in_personal_data and in_origin
group by role
union all
select 'area', area, count(*) from hit
where 'area' = any($12) and in_risk and in_sector and in_function and in_agency and in_status and in_role
    and in_personal_data and in_origin
group by area
union all
select 'personal_data', personal_data, count(*) from hit
where 'personal_data' = any($12) and in_risk and in_sector and in_function and in_agency and in_status
    and in_role and in_area and in_origin
group by personal_data
union all
select 'origin', origin, count(*) from hit
where 'origin' = any($12) and in_risk and in_sector and in_function and in_agency and in_status
    and in_role and in_area and in_personal_data
group by origin
