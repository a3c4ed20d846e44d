-- Imports: the registers that records come from, each import of a file, and where records stand at their source.

-- document: JSON of its title, publisher, licence, homepage, country and language.
create table origin (
    code text primary key,
    document text not null
);

-- What earlier releases imported by the crosswalks that came with them.
insert into origin (code, document)
select known.code, known.document
from (
    values
    (
        'us-omb-2025',
        '{"code":"us-omb-2025","title":"2025 Federal Agency AI Use Case Inventory",'
        || '"publisher":"Office of Management and Budget, United States",'
        || '"licence":"Public domain in the United States (17 U.S.C. 105)",'
        || '"homepage":"https://github.com/ombegov/2025-Federal-Agency-AI-Use-Case-Inventory",'
        || '"country":"US","language":"en"}'
    ),
    (
        'nl-algoritmeregister',
        '{"code":"nl-algoritmeregister","title":"Het Algoritmeregister van de Nederlandse overheid",'
        || '"publisher":"Ministerie van Binnenlandse Zaken en Koninkrijksrelaties","licence":"CC0-1.0",'
        || '"homepage":"https://algoritmes.overheid.nl","country":"NL","language":"nl"}'
    )
) as known (code, document)
where exists (select from agency as a where a.origin = known.code);

-- One import of a file. as_of: the source's own date; ended_at: null while it runs, and of one that was killed;
-- counts: by what became of rows and records; report: JSON, all of it.
create table import_run (
    id bigint generated always as identity primary key,
    origin text not null references origin (code),
    begun_at timestamptz not null,
    ended_at timestamptz,
    file_name text not null,
    file_sha256 text not null,
    crosswalk_sha256 text not null,
    as_of date,
    complete boolean not null,
    counts text not null,
    report text not null
);
create index import_run_origin on import_run (origin, id);

-- What is known of a foreign record at its source. source_id: its id there, empty where it has none; changed_on:
-- the day of the last change that the source states; run: the import that last met it, null for one from before.
create table foreign_record (
    record text primary key references record (id),
    origin text not null,
    source_id text not null,
    changed_on text,
    seen_at timestamptz not null,
    run bigint
);
create index foreign_record_origin on foreign_record (origin, source_id);

insert into foreign_record (record, origin, source_id, seen_at)
select
    r.id, r.origin, coalesce(s.value::jsonb #>> '{}', ''), v.published_at
from record as r
inner join version as v on v.record = r.id and v.version = r.version
left join section as s on s.record = r.id and s.version = r.version and s.key = 'source_id'
where r.origin is not null;

-- Entries that say that a record is no longer in its source, or is there again; a later version is there too.
create table source_event (
    entry bigint primary key references log_entry (index),
    record text not null references record (id),
    version integer not null,
    state text not null check (state in ('gone', 'present')),
    day date not null,
    at timestamptz not null
);
-- squawk-ignore require-concurrent-index-creation
create index source_event_record on source_event (record, entry);
create trigger source_event_append_only before update or delete or truncate on source_event
for each statement execute function refuse_change();

-- Null of a foreign record that states nothing of what accountability asks for.
-- squawk-ignore ban-drop-not-null
alter table version alter column accountability drop not null;
-- squawk-ignore ban-drop-not-null
alter table figure alter column accountability drop not null;

-- Of versions of foreign records. moved_from: the agency before, where it is another; changed_on: the day of the
-- change that the source states; undated: the source changed it without moving that day; run: the import.
alter table version add column moved_from text;
alter table version add column changed_on text;
alter table version add column undated boolean not null default false;
alter table version add column run bigint;

-- The row that a version was made from is replaced by a later one of the same meaning. whole: JSON, by pointer the
-- texts that the version has in part.
alter table source_row add column whole text not null default '{}';
-- squawk-ignore ban-drop-column
alter table source_row drop column truncated;
drop trigger source_row_append_only on source_row;
create trigger source_row_append_only before delete or truncate on source_row
for each statement execute function refuse_change();

-- Where a version of a foreign record stands at its source, as known when the entry as_of was the last: JSON.
create function at_source(of_record text, of_version integer, as_of bigint) returns text language sql stable as $$
    select json_build_object(
        'id', f.source_id, 'state', coalesce(e.state, 'present'), 'state_since', e.day, 'changed_on', v.changed_on,
        'undated', v.undated, 'moved_from', v.moved_from, 'run', v.run, 'register', o.document::json
    )::text
    from foreign_record as f
    inner join version as v on v.record = f.record and v.version = of_version
    left join origin as o on o.code = f.origin
    left join lateral (
        select s.state, s.day from source_event as s
        where s.record = f.record and s.version = of_version and s.entry <= as_of
        order by s.entry desc
        limit 1
    ) as e on true
    where f.record = of_record
$$;

-- What a search index is made of. until_entry: what put the version out of force; published, raised, lowered:
-- the entries of its record's versions up to it, and of those that raised or lowered the risk level; source: the
-- entries up to there that say whether it is still at its source, in turn that it is gone and that it is back.
create or replace view indexed_version as
select s.*, f.until_entry, h.published, h.raised, h.lowered, n.source
from search_version as s
inner join figure as f on f.entry = s.ord
cross join lateral (
    select
        array_agg(o.entry order by o.entry) as published,
        coalesce(array_agg(o.entry order by o.entry) filter (where o.risk_change = 'raised'), '{}') as raised,
        coalesce(array_agg(o.entry order by o.entry) filter (where o.risk_change = 'lowered'), '{}') as lowered
    from figure as o where o.record = f.record and o.entry <= f.entry
) as h
cross join lateral (
    select coalesce(array_agg(e.entry order by e.entry), '{}') as source
    from source_event as e
    where e.record = f.record and e.entry > f.entry and (f.until_entry is null or e.entry < f.until_entry)
) as n;
