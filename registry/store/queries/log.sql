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

-- name: entries
select index, at, bytes, leaf from log_entry
where index > $1
order by index
limit $2
