-- name: insert
insert into console_session (digest, member, begun_at, seen_at, whole_day) values ($1, $2, $3, $3, $4)

-- name: one
select digest, member, begun_at, seen_at, notice, ended_at, whole_day, is_stale from console_session where digest = $1

-- name: mark_seen
update console_session set seen_at = $2, is_stale = is_stale or $3 where digest = $1 and seen_at < $2

-- name: set_notice
update console_session set notice = $2 where digest = $1

-- name: set_whole_day
update console_session set whole_day = $2 where digest = $1

-- name: end
update console_session set ended_at = $2 where digest = $1 and ended_at is null

-- name: end_all
update console_session set ended_at = $2 where member = $1 and ended_at is null

-- name: forget
delete from console_session where begun_at < $1

-- name: keep_form
insert into kept_form (digest, member, address, fields, kept_at) values ($1, $2, $3, $4, $5)

-- name: kept_address
select address from kept_form where digest = $1 and member = $2 and kept_at > $3

-- name: take_form
delete from kept_form where digest = $1 and member = $2 and address = $3 returning fields, kept_at

-- name: forget_forms
delete from kept_form where kept_at < $1

-- name: set_secret
insert into console_secret (secret) values ($1) on conflict do nothing

-- name: secret
select secret from console_secret
