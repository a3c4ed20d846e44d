-- name: insert
insert into mail_request (kind, email, member, language, made_at, mail_at) values ($1, $2, $3, $4, $5, $5)

-- name: claim
-- One that is due, which is tried again unless it is deleted by then: in a minute, and ever more rarely.
update mail_request
set mail_at = $1::timestamptz + least(greatest($1::timestamptz - made_at, interval '1 minute'), interval '6 hours')
where id = (select id from mail_request where mail_at <= $1 order by mail_at, id limit 1 for update skip locked)
returning id, kind, email, member, language, made_at

-- name: delete
delete from mail_request where id = $1

-- name: forget
delete from mail_request where made_at <= $1
