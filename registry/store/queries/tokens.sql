-- name: insert
insert into token (digest, actor, agency, scopes, created_at, expires_at, member)
values ($1, $2, $3, $4, $5, $6, $7)
returning id

-- name: find
select id, digest, actor, agency, scopes, created_at, expires_at, revoked_at, last_used_on, member from token where digest = $1

-- name: one
select id, digest, actor, agency, scopes, created_at, expires_at, revoked_at, last_used_on, member from token where id = $1

-- name: mark_used
update token set last_used_on = $2 where id = $1 and last_used_on is distinct from $2

-- name: all
select id, digest, actor, agency, scopes, created_at, expires_at, revoked_at, last_used_on, member from token order by id

-- name: actors
select distinct actor from token

-- name: in_force
select id, digest, actor, agency, scopes, created_at, expires_at, revoked_at, last_used_on, member from token
where actor = $1 and agency is not distinct from $2 and revoked_at is null and expires_at > $3
order by id

-- name: revoke
update token set revoked_at = $2 where id = $1 and revoked_at is null returning id
