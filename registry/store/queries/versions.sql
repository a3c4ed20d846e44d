-- name: insert
-- Versions with all that belongs to them, and the log's entries and state: nobody else can append
-- meanwhile, so it is one trip. The versions before go out of force.
with new as (
    select *
    from unnest(
        $1::text [], $2::text [], $3::text [], $4::integer [], $5::bigint [], $6::timestamptz [], $7::bytea [],
        $8::bytea [], $9::text [], $10::text [], $11::text [], $12::text [], $13::smallint [], $14::smallint [],
        $15::text [], $16::text [], $17::text [], $18::text [], $19::text [], $20::text [], $21::text [],
        $22::text [], $23::text [], $24::text [], $25::text [], $26::date [], $27::text [], $28::text [],
        $29::text [], $30::text [], $31::text [], $32::text [], $33::text [], $34::text [], $35::text []
    ) as given (
        record, agency, origin, version, entry, published_at, content,
        leaf, schema_version, rule_set, actor, approved_by, completeness, accountability,
        missing, findings, change_note, source_row, truncated, risk, risk_before,
        risk_change, sector, status, personal_data, next_review_on, rules, withheld,
        restricted, name_key, codes, card, name, summary, rest
    )
),

logged as (
    insert into log_entry (index, kind, record, at, bytes, leaf)
    select entry, 'version', record, published_at, content, leaf from new
),

reached as (
    update log_state set size = $36, peaks = $37, last_at = (select max(published_at) from new)
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
),

ended as (
    update figure as f set (until_entry, until_at) = (
        select entry, published_at from new where new.record = f.record
    )
    where f.record = any($1::text []) and f.until_entry is null
),

counted as (
    insert into figure (
        entry, record, agency, origin, at, risk, risk_before, risk_change, sector, status,
        personal_data, completeness, accountability, next_review_on, rules, withheld, restricted
    )
    select
        entry, record, agency, origin, published_at, risk, risk_before, risk_change, sector, status,
        personal_data, completeness, accountability, next_review_on,
        array(select jsonb_array_elements_text(rules::jsonb)),
        array(select jsonb_array_elements_text(withheld::jsonb)),
        restricted
    from new
),

searched as (
    insert into search_version (ord, name_key, codes, card, name, summary, rest)
    select entry, name_key, codes, card, name, summary, rest from new
)

insert into section (record, version, key, value, salts, commitment)
select record, version, key, value, salts, commitment
from unnest($38::text [], $39::integer [], $40::text [], $41::text [], $42::bytea [], $43::text [])
    as part (record, version, key, value, salts, commitment)
