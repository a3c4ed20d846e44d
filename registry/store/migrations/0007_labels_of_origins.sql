-- Expand: an origin may have labels of its country's codes, which are no part of where a version stands at its source.
create or replace function at_source(of_record text, of_version integer, as_of bigint) returns text
language sql stable as $$
    select (jsonb_build_object(
        'id', f.source_id, 'state', coalesce(e.state, 'present'), 'state_since', e.day, 'changed_on', v.changed_on,
        'undated', v.undated, 'moved_from', v.moved_from, 'run', v.run, 'register', o.document::jsonb - 'labels'
    ) || case when v.source_log is null then '{}' else jsonb_build_object(
        'origin', p.origin, 'index', v.source_log::jsonb -> 'index', 'leaf', v.source_log::jsonb -> 'leaf',
        'version', v.source_log::jsonb -> 'version', 'published_at', v.source_log::jsonb -> 'at',
        'seen_at', v.published_at,
        'proof', p.address || '/log/proof/' || (v.source_log::jsonb ->> 'index') || '.tlog-proof'
    ) end)::text
    from foreign_record as f
    inner join version as v on v.record = f.record and v.version = of_version
    left join origin as o on o.code = f.origin
    left join peer as p on p.code = f.origin
    left join lateral (
        select s.state, s.day from source_event as s
        where s.record = f.record and s.version = of_version and s.entry <= as_of
        order by s.entry desc
        limit 1
    ) as e on true
    where f.record = of_record
$$;
