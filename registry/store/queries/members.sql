-- name: insert
insert into member (name, email, agency, roles, language, invited_at) values ($1, $2, $3, $4, $5, $6)
returning id

-- name: one
select
    id, name, email, agency, roles, language, oidc_issuer, oidc_subject, invited_at, signed_in_at, ended_at
from member
where id = $1

-- name: lock
select
    id, name, email, agency, roles, language, oidc_issuer, oidc_subject, invited_at, signed_in_at, ended_at
from member
where id = $1
for update

-- name: all
select
    id, name, email, agency, roles, language, oidc_issuer, oidc_subject, invited_at, signed_in_at, ended_at
from member
where $1::text is null or agency = $1
order by id

-- name: set_roles
update member set roles = $2 where id = $1

-- name: set_language
update member set language = $2 where id = $1 and language <> $2

-- name: mark_signed_in
update member set signed_in_at = $2 where id = $1

-- name: end
update member set ended_at = $2 where id = $1

-- name: insert_link
insert into sign_in_link (digest, member, expires_at) values ($1, $2, $3)

-- name: read_link
select member, expires_at from sign_in_link where digest = $1

-- name: take_link
delete from sign_in_link where digest = $1 returning member, expires_at

-- name: drop_links
delete from sign_in_link where member = $1

-- name: drop_expired_links
delete from sign_in_link where expires_at <= $1

-- name: revoke_tokens
-- Those of a member that allow anything but $3.
update token set revoked_at = $2 where member = $1 and revoked_at is null and not scopes <@ $3::text [] returning id

-- name: by_identity
select
    id, name, email, agency, roles, language, oidc_issuer, oidc_subject, invited_at, signed_in_at, ended_at
from member
where oidc_issuer = $1 and oidc_subject = $2 and ended_at is null
for update

-- name: by_email
-- Those in force whom no identity is bound to yet.
select
    id, name, email, agency, roles, language, oidc_issuer, oidc_subject, invited_at, signed_in_at, ended_at
from member
where lower(email) = lower($1) and oidc_subject is null and ended_at is null
for update

-- name: bind
update member set oidc_issuer = $2, oidc_subject = $3 where id = $1 and oidc_subject is null returning id

-- name: insert_attempt
insert into sign_in_attempt (digest, nonce, verifier, next_page, invitation, begun_at) values ($1, $2, $3, $4, $5, $6)

-- name: take_attempt
delete from sign_in_attempt where digest = $1 returning nonce, verifier, next_page, invitation, begun_at

-- name: drop_attempts
delete from sign_in_attempt where begun_at <= $1
