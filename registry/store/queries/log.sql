-- name: lock_state
select size, peaks, last_at, erasures from log_state for update

-- name: state
select size, peaks, last_at, erasures from log_state

-- name: note_erasure
update log_state set erasures = erasures + 1

-- name: begin_state
insert into log_state (size, peaks, last_at) values (0, '', '-infinity')
on conflict do nothing

-- name: keep_pack
update log_state set pack = $1 where pack is null

-- name: pack
select pack from log_state

-- name: append
with reached as (
    update log_state set size = $1::bigint + 1, peaks = $2, last_at = $3::timestamptz
),

logged as (
    insert into log_entry (index, at, kind, record, bytes, leaf)
    values ($1, $3, $4, $5, $6, $7)
)

insert into entry_section (entry, key, value, salts, commitment)
select $1, key, value, salts, commitment
from unnest($8::text [], $9::text [], $10::bytea [], $11::text []) as new (key, value, salts, commitment)

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

-- name: lines
-- The entries from index $1 on in order, without their bytes; an attestation's subject is its agency.
select e.index, e.at, e.kind, coalesce(e.record, a.agency) as subject, f.risk_change, f.risk_before, f.risk
from log_entry as e
left join attestation as a on a.entry = e.index
left join figure as f on f.entry = e.index and f.risk_change is not null
where e.index >= $1
order by e.index
