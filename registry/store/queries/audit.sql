-- name: insert
insert into audit (at, request, actor, token, action, subject, before, result, member)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: after
select id, at, request, actor, token, action, subject, before, result, member from audit
where id > $1 and ($2::text is null or subject = $2)
order by id
limit $3

-- name: renamed_to
-- The draft that had an id was saved under it before it was moved, which bounds what is read.
select subject from audit
where id > (select max(id) from audit where subject = $1) and action = 'rename_draft' and before = $1
order by id
limit 1

-- name: lock_chain
-- One process at a time appends to the chain, where its role and its server let it; the others come later.
select
    not pg_is_in_recovery() and has_table_privilege('audit_unchained', 'delete')
    and has_table_privilege('audit_link', 'insert') and pg_try_advisory_xact_lock($1)

-- name: take_unchained
with taken as (
    delete from audit_unchained
    where act in (select act from audit_unchained order by act limit $1)
    returning act
)

select a.id, a.at, a.request, a.actor, a.token, a.action, a.subject, a.before, a.result, a.member
from audit as a inner join taken as t on t.act = a.id
order by a.id

-- name: last_link
select position, hash from audit_link order by position desc limit 1

-- name: link_at
select position, hash from audit_link where position = $1

-- name: insert_links
insert into audit_link (position, act, hash)
select * from unnest($1::bigint [], $2::bigint [], $3::bytea [])

-- name: chained
-- After position $1. An act that is gone leaves its position empty.
select
    l.position, l.hash, a.id, a.at, a.request, a.actor, a.token, a.action, a.subject, a.before, a.result, a.member
from audit_link as l left join audit as a on a.id = l.act
where l.position > $1
order by l.position
limit $2

-- name: unlinked
-- Acts that neither have a position nor wait for one.
select a.id from audit as a
where
    not exists (select from audit_link as l where l.act = a.id)
    and not exists (select from audit_unchained as u where u.act = a.id)
order by a.id
limit 1
