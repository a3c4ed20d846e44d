-- What a record itself shows: the condition of each observation on a line of the export records.jsonl, in the dialect of
-- DuckDB, and the statement whose `$condition` it is. `record` and `register` are the two members of the line, as JSON;
-- `$day` is the day that is asked about. `registry/record/observations.py` observes the same, and a test compares the two.

-- name: statement
select record->>'$.id' as id
from read_json('$source', format = 'newline_delimited', columns = {record: 'JSON', register: 'JSON'})
where
    $condition
order by id;

-- name: high_risk_unassessed
(record->>'$.risk.level') in ('high', 'unacceptable')
and (record->>'$.lifecycle.status') = 'in_use'
and not list_contains(record->>'$.assessments[*].status', 'completed')
and (record->>'$.publication.visibility') is distinct from 'restricted'
and not exists (
    from unnest((record->>'$.publication.withheld_fields[*].pointer') || (register->>'$.redacted[*].pointer')) as w (pointer)
    where starts_with(pointer || '/', '/assessments/') or starts_with('/assessments/', pointer || '/')
)

-- name: self_assessed
list_contains(record->>'$.assessments[*].status', 'completed')
and not exists (
    from unnest(record->'$.assessments[*]') as t (item)
    where (item->>'$.status') = 'completed' and (item->>'$.independent') is distinct from 'false'
)
and (record->>'$.publication.visibility') is distinct from 'restricted'
and not exists (
    from unnest((record->>'$.publication.withheld_fields[*].pointer') || (register->>'$.redacted[*].pointer')) as w (pointer)
    where starts_with(pointer || '/', '/assessments/') or starts_with('/assessments/', pointer || '/')
)

-- name: assessed_after_deployment
(
    select min(coalesce(item->>'$.completed_on', '0000-00-00'))
    from unnest(record->'$.assessments[*]') as t (item)
    where (item->>'$.status') = 'completed'
) > (record->>'$.lifecycle.deployed_on') || right('-12-31', 10 - length(record->>'$.lifecycle.deployed_on'))
and (record->>'$.publication.visibility') is distinct from 'restricted'
and not exists (
    from unnest((record->>'$.publication.withheld_fields[*].pointer') || (register->>'$.redacted[*].pointer')) as w (pointer)
    where starts_with(pointer || '/', '/assessments/') or starts_with('/assessments/', pointer || '/')
)

-- name: fairness_untested
len(list_filter(record->>'$.data.protected_attributes_used[*]', lambda code: code <> 'none')) > 0
and coalesce(record->>'$.evaluation.fairness_tested.answer', 'no') in ('no', 'in_progress')
and (record->>'$.publication.visibility') is distinct from 'restricted'
and not exists (
    from unnest((record->>'$.publication.withheld_fields[*].pointer') || (register->>'$.redacted[*].pointer')) as w (pointer)
    where starts_with(pointer || '/', '/evaluation/fairness_tested/') or starts_with('/evaluation/fairness_tested/', pointer || '/')
)

-- name: below_area
(record->>'$.risk.annex_iii_area') <> 'none'
and (record->>'$.risk.level') in ('minimal', 'limited')

-- name: effect_not_told
(record->>'$.decision.legal_effect') = 'true'
and (record->>'$.rights.notice.answer') = 'no'

-- name: mostly_overturned
(
    select sum((item->>'$.overturned')::bigint) * 2 > sum((item->>'$.contested')::bigint)
    from unnest(record->'$.evaluation.outcomes[*]') as t (item)
    where (item->>'$.overturned') is not null and (item->>'$.contested') is not null
)
and (record->>'$.publication.visibility') is distinct from 'restricted'
and not exists (
    from unnest((record->>'$.publication.withheld_fields[*].pointer') || (register->>'$.redacted[*].pointer')) as w (pointer)
    where starts_with(pointer || '/', '/evaluation/outcomes/') or starts_with('/evaluation/outcomes/', pointer || '/')
)

-- name: serious_incident_open
exists (
    from unnest(record->'$.evaluation.incidents[*]') as t (item)
    where (item->>'$.severity') = 'serious' and (item->>'$.status') = 'open'
)

-- name: metric_old
(record->>'$.lifecycle.status') in ('in_use', 'pilot')
and list_max(record->>'$.evaluation.metrics[*].measured_on')::date + interval 2 year < $day
and (record->>'$.publication.visibility') is distinct from 'restricted'
and not exists (
    from unnest((record->>'$.publication.withheld_fields[*].pointer') || (register->>'$.redacted[*].pointer')) as w (pointer)
    where starts_with(pointer || '/', '/evaluation/metrics/') or starts_with('/evaluation/metrics/', pointer || '/')
)

-- name: no_competition
(record->>'$.procurement.contract.procedure') in ('negotiated', 'purchase_order')

-- name: contract_over
(record->>'$.lifecycle.status') = 'in_use'
and greatest(
    (record->>'$.procurement.contract.ends')::date,
    list_max(record->>'$.procurement.amendments[*].ends')::date
) < $day
and (record->>'$.publication.visibility') is distinct from 'restricted'
and not exists (
    from unnest((record->>'$.publication.withheld_fields[*].pointer') || (register->>'$.redacted[*].pointer')) as w (pointer)
    where starts_with(pointer || '/', '/procurement/amendments/') or starts_with('/procurement/amendments/', pointer || '/')
)

-- name: review_overdue
(record->>'$.lifecycle.status') is distinct from 'retired'
and (record->>'$.lifecycle.next_review_on')::date < $day

-- name: pilot_long
(record->>'$.lifecycle.status') = 'pilot'
and (
    select case length(since)
        when 4 then concat(since, '-12-31')::date
        when 7 then last_day(concat(since, '-01')::date)
        else since::date
    end
    from (select coalesce(record->>'$.lifecycle.pilot_from', record->>'$.lifecycle.deployed_on') as since)
) + interval 2 year < $day
