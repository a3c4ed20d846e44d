-- name: insert
-- Versions with all that belongs to them, what is done beside them, and the log's entries and state, all
-- at once, if the log ($36 entries, $37 erasures) and the drafts that go are as they were read; else
-- nothing. The row of the log is locked before the drafts, and until the transaction ends. The versions
-- before go out of force.
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

locked as (
    select size from log_state where size = $36 and erasures = $37 for update
),

held as (
    select d.record
    from unnest($46::text [], $47::text [], $48::text [], $49::text []) as seen (record, tag, state, submitter)
    inner join draft as d
        on
            d.record = seen.record and d.tag = seen.tag and d.state = seen.state
            and d.submitted_by is not distinct from seen.submitter
    cross join locked
    for update of d
),

reached as (
    update log_state
    set size = $38, peaks = $39, last_at = coalesce((select max(published_at) from new), last_at)
    where exists (select from locked) and (select count(*) from held) = cardinality($46::text [])
    returning size
),

logged as (
    insert into log_entry (index, kind, record, at, bytes, leaf)
    select entry, 'version', record, published_at, content, leaf from new cross join reached
),

recorded as (
    insert into record (id, agency, origin, state, version, entry)
    select record, agency, origin, 'published', version, entry from new cross join reached
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
    from new cross join reached
),

sourced as (
    insert into source_row (record, version, content, truncated)
    select record, version, source_row, array(select jsonb_array_elements_text(truncated::jsonb))
    from new cross join reached
    where source_row is not null
),

ended as (
    update figure as f set (until_entry, until_at) = (
        select entry, published_at from new where new.record = f.record
    )
    where f.record = any($1::text []) and f.until_entry is null and exists (select from reached)
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
    from new cross join reached
),

searched as (
    insert into search_version (ord, name_key, codes, card, name, summary, rest)
    select entry, name_key, codes, card, name, summary, rest from new cross join reached
),

forgotten as (
    delete from blocking_key as b
    where b.record = any($1::text []) and exists (select from reached) and not exists (
        select from unnest($64::bigint [], $65::text []) as k (key, record)
        where k.key = b.key and k.record = b.record
    )
),

keyed as (
    insert into blocking_key (key, record)
    select k.key, k.record from unnest($64::bigint [], $65::text []) as k (key, record) cross join reached
    on conflict do nothing
),

parted as (
    insert into section (record, version, key, value, salts, commitment)
    select record, version, key, value, salts, commitment
    from unnest($40::text [], $41::integer [], $42::text [], $43::text [], $44::bytea [], $45::text [])
        as part (record, version, key, value, salts, commitment)
    cross join reached
),

done as (
    delete from draft using held
    where draft.record = held.record and exists (select from reached)
),

noted as (
    insert into audit (at, request, actor, token, action, subject, before, result)
    select at, request, actor, token, action, subject, before, result
    from
        unnest(
            $50::timestamptz [], $51::text [], $52::text [], $53::bigint [], $54::text [], $55::text [],
            $56::text [], $57::text []
        ) with ordinality as act (at, request, actor, token, action, subject, before, result, place)
    cross join reached
    order by place
),

answered as (
    insert into answer (token, key, salt, digest, content, at)
    select token, key, salt, digest, content, at
    from unnest($58::bigint [], $59::text [], $60::bytea [], $61::bytea [], $62::text [], $63::timestamptz [])
        as kept (token, key, salt, digest, content, at)
    cross join reached
)

select size from reached
