-- name: insert
insert into audit (at, request, actor, token, action, subject, before, result, member)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: after
select id, at, request, actor, token, action, subject, before, result, member from audit
where id > $1 and ($2::text is null or subject = $2)
order by id
limit $3
