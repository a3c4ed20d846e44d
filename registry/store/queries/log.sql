-- name: lock_state
select size, peaks, last_at from log_state for update

-- name: state
select size, peaks, last_at from log_state

-- name: begin_state
insert into log_state (size, peaks, last_at) values (0, '', '-infinity')
on conflict do nothing

-- name: save_state
update log_state set size = $1, peaks = $2, last_at = $3

-- name: insert_entries
insert into log_entry (index, kind, record, at, bytes, leaf)
select index, kind, record, at, bytes, leaf
from unnest($1::bigint [], $2::text [], $3::text [], $4::timestamptz [], $5::bytea [], $6::bytea [])
    as new (index, kind, record, at, bytes, leaf)

-- name: insert_sections
insert into entry_section (entry, key, value, salts, commitment)
select $1, key, value, salts, commitment
from unnest($2::text [], $3::text [], $4::bytea [], $5::text []) as new (key, value, salts, commitment)

-- name: entries
-- After index $1 and up to $2; of those that moved a risk level one of the ways of $4 may be asked for.
select e.index, e.at, e.bytes, e.leaf, f.risk_change, f.risk_before, f.risk
from log_entry as e left join figure as f on f.entry = e.index and f.risk_change is not null
where e.index > $1 and e.index <= $2 and ($4::text [] is null or f.risk_change = any($4))
order by e.index
limit $3
