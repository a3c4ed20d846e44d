-- name: insert
insert into preview_link (digest, record, member, made_at, expires_at) values ($1, $2, $3, $4, $5)
returning id

-- name: opened
-- The record of a link that is in force, as is the member who made it.
select l.record, l.expires_at
from preview_link as l inner join member as m on m.id = l.member
where l.digest = $1 and l.expires_at > $2 and l.ended_at is null and m.ended_at is null

-- name: in_force
select l.id, l.member, m.name as made_by, l.made_at, l.expires_at
from preview_link as l inner join member as m on m.id = l.member
where l.record = $1 and l.expires_at > $2 and l.ended_at is null and m.ended_at is null
order by l.id

-- name: end
update preview_link set ended_at = $3 where id = $1 and record = $2 and ended_at is null returning id

-- name: drop_expired
delete from preview_link where expires_at <= $1
