-- name: lock_state
-- With the leaf of the entry $1, which was committed before. The clock is read when the row is locked.
with locked as materialized (select * from log_state for update)

select
    l.size, l.peaks, l.last_at, l.erasures, l.replaced, l.stopped, l.fault, l.incarnation, l.discards, l.dated_ahead,
    database_incarnation() as database, clock_timestamp() as clock,
    (select e.leaf from log_entry as e where e.index = $1) as leaf
from locked as l

-- name: state
select size, peaks, last_at, erasures, replaced from log_state

-- name: guarded_state
-- The same as under the lock, without it.
select
    l.size, l.peaks, l.last_at, l.erasures, l.replaced, l.stopped, l.fault, l.incarnation, l.discards, l.dated_ahead,
    database_incarnation() as database, clock_timestamp() as clock,
    (select e.leaf from log_entry as e where e.index = $1) as leaf,
    (select e.leaf from log_entry as e where e.index = l.size - 1) as last_leaf
from log_state as l

-- name: stop
update log_state set stopped = $1 where stopped is distinct from $1

-- name: confirm
update log_state set incarnation = $1, stopped = null
where database_incarnation() = $1 and (incarnation is distinct from $1 or stopped is not null)

-- name: keep_discards
update log_state set discards = greatest(discards, $1)

-- name: accept_dates
update log_state set dated_ahead = last_at

-- name: insert_incident
insert into log_incident (kind, at, document) values ($1, clock_timestamp(), $2)

-- name: incidents
select kind, at, document from log_incident order by id

-- name: note_erasure
update log_state set erasures = erasures + 1

-- name: begin_state
insert into log_state (size, peaks, last_at, incarnation) values (0, '', '-infinity', database_incarnation())
on conflict do nothing

-- name: keep_pack
update log_state set pack = $1 where pack is null

-- name: pack
select pack from log_state

-- name: genesis
select bytes from log_entry where index = 0

-- name: policy
-- The last entry that has one, below the size $1 if that is given.
select bytes from log_entry
where kind = 'policy' and ($1::bigint is null or index < $1)
order by index desc
limit 1

-- name: configuration
select key, value from entry_section
where entry = (
    select e.index from log_entry as e where e.kind in ('genesis', 'configuration') order by e.index desc limit 1
)

-- name: append
-- Entries, the rows of other tables that follow from them, and the state of the log after them. $4: rows as
-- JSON objects with the names of the columns, by table. What an entry ends goes out of force. Rows that are
-- there already are found by arrays of their keys, for which the planner takes the index. The
-- planner must not know the rows: it would copy megabytes for each table.
with given as materialized (select $4::jsonb as tables),

reached as (
    update log_state set size = $1, peaks = $2, last_at = $3
),

recorded as (
    -- The type `record` is PostgreSQL's own.
    insert into record
    select new.*
    from jsonb_to_recordset((select tables -> 'record' from given))
        as new (id text, agency text, origin text, state text, version integer, entry bigint)
    on conflict (id) do update
        set
            agency = excluded.agency, state = excluded.state, version = excluded.version, entry = excluded.entry
),

-- each: log_entry entry_section version section source_row figure search_version withdrawal attestation agency_entry short_code source_event
new_{} as (
    insert into {} select new.* from jsonb_populate_recordset(null::{}, (select tables -> '{}' from given)) as new
),

-- end
ended as (
    update figure as f set (until_entry, until_at) = (
        select new.index, new.at
        from jsonb_populate_recordset(null::log_entry, (select tables -> 'log_entry' from given)) as new
        where new.record = f.record
    )
    where
        f.until_entry is null
        and f.record = any(array(select new.id
        from jsonb_to_recordset((select tables -> 'record' from given)) as new (id text)))
),

forgotten as (
    delete from blocking_key as b
    where
        b.record = any(array(select new.id
        from jsonb_to_recordset((select tables -> 'record' from given)) as new (id text)))
        and not exists (
            select
            from jsonb_populate_recordset(null::blocking_key, (select tables -> 'blocking_key' from given)) as kept
            where kept.key = b.key and kept.record = b.record
        )
),

keyed as (
    insert into blocking_key
    select new.* from jsonb_populate_recordset(null::blocking_key, (select tables -> 'blocking_key' from given)) as new
    on conflict do nothing
),

met as (
    insert into foreign_record
    select new.*
    from jsonb_populate_recordset(null::foreign_record, (select tables -> 'foreign_record' from given)) as new
    on conflict (record) do update
        set
            source_id = excluded.source_id, changed_on = excluded.changed_on, seen_at = excluded.seen_at,
            run = excluded.run
),

noted as (
    -- The trail numbers its acts by itself.
    insert into audit (at, request, actor, token, action, subject, before, result, member)
    select new.at, new.request, new.actor, new.token, new.action, new.subject, new.before, new.result, new.member
    from jsonb_populate_recordset(null::audit, (select tables -> 'audit' from given)) as new
)

update redaction as r set (confirmed_by, confirmed_person, entry, replaced, verdicts) = (
    -- The log has what is shown in the place of members now.
    select new.confirmed_by, new.confirmed_person, new.entry, null, new.verdicts
    from jsonb_populate_recordset(null::redaction, (select tables -> 'redaction' from given)) as new
    where new.id = r.id
)
where r.id = any(array(
    select new.id from jsonb_populate_recordset(null::redaction, (select tables -> 'redaction' from given)) as new
))

-- name: append_sources
-- Of the rows $1, as in `append`, those of other registers and imports, which a server has no right to write.
with described as (
    insert into origin select new.* from jsonb_populate_recordset(null::origin, $1::jsonb -> 'origin') as new
    on conflict (code) do update set document = excluded.document
)

insert into import_run overriding system value
select new.* from jsonb_populate_recordset(null::import_run, $1::jsonb -> 'import_run') as new
on conflict (id) do update set ended_at = excluded.ended_at, counts = excluded.counts, report = excluded.report

-- name: drop_derived
-- What is written again of the entries $1; other rows of them are written over.
with searched as (delete from search_version where ord = any($1::bigint []))

delete from figure where entry = any($1::bigint [])

-- name: entries
-- After index $1 and up to $2; those alone may be asked for that moved a risk level one of the ways of
-- $4, or are of a kind of $5.
select e.index, e.at, e.bytes, e.leaf, f.risk_change, f.risk_before, f.risk
from log_entry as e left join figure as f on f.entry = e.index and f.risk_change is not null
where
    e.index > $1 and e.index <= $2
    and ($4::text [] is null or f.risk_change = any($4))
    and ($5::text [] is null or e.kind = any($5))
order by e.index
limit $3

-- name: entries_about
-- The same, of the kinds $5, of those entries alone that are about the registers of origin $6 and, where given, the
-- agencies $7 and the primary sectors $8: versions by what they say; other entries of a record by its last version
-- before them; attestations by their agency. What is about none of these is of the register `local`. Each part
-- reads an index in the log's order as far as the limit, once for each code. Origin and entry are compared as one,
-- so that the planner, which cannot know how few are `local`, does not read all entries and leave out most.
with found as (
    (
        select f.entry as index from figure as f
        where
            $4::text [] is not null and 'version' = any($5::text [])
            and f.risk_change is not null and f.risk_change = any($4) and f.entry > $1 and f.entry <= $2
            and coalesce(f.origin, 'local') = any($6::text [])
            and ($7::text [] is null or f.agency = any($7)) and ($8::text [] is null or f.sector = any($8))
        order by f.entry
        limit $3
    )
    union all
    select f.entry
    from unnest($7) as of_agency (code)
    cross join lateral (
        select f.entry from figure as f
        where
            f.agency = of_agency.code and f.entry > $1 and f.entry <= $2
            and coalesce(f.origin, 'local') = any($6) and ($8 is null or f.sector = any($8))
        order by f.entry
        limit $3
    ) as f
    where $4 is null and 'version' = any($5)
    union all
    select f.entry
    from unnest($6) as of_origin (code)
    cross join unnest($8) as of_sector (code)
    cross join lateral (
        select f.entry from figure as f
        where
            coalesce(f.origin, 'local') = of_origin.code and f.sector = of_sector.code
            and f.entry > $1 and f.entry <= $2
        order by f.entry
        limit $3
    ) as f
    where $4 is null and $7 is null and 'version' = any($5)
    union all
    select f.entry
    from unnest($6) as of_origin (code)
    cross join lateral (
        select f.entry from figure as f
        where
            (coalesce(f.origin, 'local'), f.entry) > (of_origin.code, $1)
            and (coalesce(f.origin, 'local'), f.entry) <= (of_origin.code, $2)
        order by coalesce(f.origin, 'local'), f.entry
        limit $3
    ) as f
    where $4 is null and $7 is null and $8 is null and 'version' = any($5)
    union all
    select e.index
    from unnest($5) as of_kind (code)
    cross join lateral (
        select e.index
        from log_entry as e
        left join attestation as a on a.entry = e.index
        left join agency_entry as n on n.entry = e.index
        left join agency as g on g.id = n.agency
        left join lateral (
            select f.origin, f.agency, f.sector from figure as f
            where f.record = e.record and f.entry < e.index
            order by f.entry desc
            limit 1
        ) as f on true
        where
            e.kind = of_kind.code and e.kind <> 'version' and e.index > $1 and e.index <= $2
            and coalesce(f.origin, g.origin, 'local') = any($6)
            and ($7 is null or coalesce(f.agency, a.agency, n.agency) = any($7)) and ($8 is null or f.sector = any($8))
        order by e.index
        limit $3
    ) as e
    where $4 is null
)

select e.index, e.at, e.bytes, e.leaf, f.risk_change, f.risk_before, f.risk
from (select index from found order by index limit $3) as found
inner join log_entry as e on e.index = found.index
left join figure as f on f.entry = e.index and f.risk_change is not null
order by e.index

-- name: lines
-- The entries from index $1 on in order, without their bytes; an attestation's subject is its agency. Entries of
-- foreign records say themselves which import wrote them, and what their source did.
select
    e.index, e.at, e.kind, coalesce(e.record, a.agency, n.agency) as subject, f.risk_change, f.risk_before, f.risk,
    said.run, said.state, said.moved ->> 'from' as moved_from, coalesce(said.undated, false) as undated
from log_entry as e
left join attestation as a on a.entry = e.index
left join agency_entry as n on n.entry = e.index
left join figure as f on f.entry = e.index and f.risk_change is not null
left join record as r on r.id = e.record and r.origin is not null
left join lateral jsonb_to_record(case when r.id is not null then convert_from(e.bytes, 'UTF8')::jsonb end)
    as said (run bigint, state text, moved jsonb, undated boolean) on true
where e.index >= $1
order by e.index
