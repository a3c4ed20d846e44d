-- name: receipts
-- What was acknowledged from entry $1 on: an attestation's subject is its agency.
select
    e.index as entry, e.kind, coalesce(e.record, a.agency, n.agency) as subject,
    coalesce(v.version, w.version, s.version) as version, e.at, e.leaf as hash
from log_entry as e
left join version as v on v.entry = e.index
left join withdrawal as w on w.entry = e.index
left join attestation as a on a.entry = e.index
left join source_event as s on s.entry = e.index
left join agency_entry as n on n.entry = e.index
where e.index >= $1
order by e.index

-- name: records
-- The records that entries from $1 on are about.
select distinct record from log_entry where index >= $1 and record is not null

-- name: discard
-- Entries from $1 on, with all that follows from them; $2: the tree before, $3: how often entries were given up.
-- What is left of their records is written again afterwards. Foreign keys are looked at when all of it is done.
with unlogged as (
    delete from log_entry where index >= $1
),

unsearched as (
    delete from search_version where ord >= $1
),

-- each: figure version entry_section withdrawal attestation agency_entry short_code source_event pending_act
old_{} as (
    delete from {} where entry >= $1
),

-- end
-- each: section source_row
old_{} as (
    delete from {} as s using version as v where v.entry >= $1 and s.record = v.record and s.version = v.version
),

-- end
unserved as (
    delete from published_file
),

unanswered as (
    delete from answer where (content::jsonb ->> 'entry')::bigint >= $1
),

gone as (
    select distinct e.record as id from log_entry as e
    where e.index >= $1 and e.record is not null
        and not exists (select from version as v where v.record = e.record and v.entry < $1)
),

-- each: blocking_key foreign_record redaction
old_{} as (
    delete from {} where record in (select g.id from gone as g)
),

-- end
-- The rest of it follows when it is written again.
stood as (
    update record as r set entry = (
        select max(e.index) from log_entry as e
        where e.record = r.id and e.index < $1 and e.kind in ('version', 'withdrawal')
    )
    where r.entry >= $1 and r.id not in (select g.id from gone as g)
),

unconfirmed as (
    update redaction as r
    set
        confirmed_by = null, confirmed_person = null, entry = null, verdicts = null,
        -- The log had it since it was confirmed.
        replaced = (select s.value from entry_section as s where s.entry = r.entry and s.key = 'replaced')
    where r.entry >= $1 and (r.agency is not null or r.record not in (select g.id from gone as g))
),

origins as (
    select distinct r.origin as code
    from log_entry as e inner join record as r on r.id = e.record
    where e.index >= $1 and r.origin is not null
),

-- The log of a peer of which something is given up is taken in again from its beginning.
unharvested as (
    update peer set applied = 0, peaks = '', applied_at = '' where code in (select o.code from origins as o)
),

-- each: peer_subject peer_quarantine
old_{} as (
    delete from {} where code in (select o.code from origins as o)
),

-- end
unrecorded as (
    delete from record where id in (select g.id from gone as g)
)

update log_state
set size = $1, peaks = $2, last_at = (select e.at from log_entry as e where e.index = $1 - 1), discards = $3
