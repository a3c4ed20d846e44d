-- name: latest
-- The moment of now: of an empty log there is none.
select index, at from log_entry order by index desc limit 1

-- name: at_entry
select index, at from log_entry where index = $1

-- name: at_time
select index, at from log_entry where at <= $1 order by at desc, index desc limit 1

-- name: first
select at from log_entry where index = 0

-- name: window
-- The last entries before $1 and until $2, -1 where there is none.
select
    coalesce((select index from log_entry where at < $1 order by at desc, index desc limit 1), -1) as after,
    coalesce((select index from log_entry where at <= $2 order by at desc, index desc limit 1), -1) as last
