-- name: take_turn
select pg_advisory_xact_lock(hashtextextended($2, $1))

-- name: one
select token, key, salt, digest, content, at from answer where token = $1 and key = $2

-- name: insert
insert into answer (token, key, salt, digest, content, at) values ($1, $2, $3, $4, $5, $6)
on conflict (token, key) do nothing

-- name: delete_before
delete from answer where at < $1
