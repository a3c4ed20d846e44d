-- part: member
select
    id, name, email, agency, roles, language, oidc_issuer, oidc_subject, invited_at, signed_in_at, ended_at,
    vouched_by, daily_digest
from member

-- name: insert
insert into member (name, email, agency, roles, language, invited_at, vouched_by) values ($1, $2, $3, $4, $5, $6, $7)
returning id

-- name: one
{member}
where id = $1

-- name: lock
{member}
where id = $1
for update

-- name: all
{member}
where $1::text is null or agency = $1
order by id

-- name: set_roles
update member set roles = $2 where id = $1

-- name: set_preferences
update member set language = $2, daily_digest = $3 where id = $1

-- name: set_email
update member set email = $2 where id = $1

-- name: insert_address_change
insert into address_change (digest, member, email, expires_at) values ($1, $2, $3, $4)

-- name: read_address_change
select email from address_change where digest = $1 and member = $2 and expires_at > $3

-- name: drop_address_changes
delete from address_change where member = $1

-- name: drop_expired_address_changes
delete from address_change where expires_at <= $1

-- name: vouch
-- Whoever is let in by $1 cannot in turn vouch for $1, and nobody does for herself.
with recursive line (id, vouched_by) as (
    select id, vouched_by from member where id = $2
    union
    select m.id, m.vouched_by from line as l inner join member as m on m.id = l.vouched_by
)

update member set vouched_by = $2 where id = $1 and id not in (select id from line)

-- name: are_one
-- The lines of members lead to who vouched for them, and so on. One is in the line of the other, or somebody of an
-- agency in both.
with recursive line (member, id, agency, vouched_by) as (
    select id, id, agency, vouched_by from member where id in ($1, $2)
    union
    select l.member, m.id, m.agency, m.vouched_by from line as l inner join member as m on m.id = l.vouched_by
)

select exists (
    select from line as a inner join line as b on b.id = a.id
    where a.member = $1 and b.member = $2 and (a.agency is not null or a.id in ($1, $2))
)

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
{member}
where oidc_issuer = $1 and oidc_subject = $2 and ended_at is null
for update

-- name: by_email
-- Those in force whom no identity is bound to yet.
{member}
where lower(email) = lower($1) and oidc_subject is null and ended_at is null
for update

-- name: in_force
{member}
where lower(email) = lower($1) and ended_at is null
order by id

-- name: bind
update member set oidc_issuer = $2, oidc_subject = $3 where id = $1 and oidc_subject is null returning id

-- name: insert_attempt
insert into sign_in_attempt (digest, nonce, verifier, next_page, invitation, begun_at) values ($1, $2, $3, $4, $5, $6)

-- name: take_attempt
delete from sign_in_attempt where digest = $1 returning nonce, verifier, next_page, invitation, begun_at

-- name: drop_attempts
delete from sign_in_attempt where begun_at <= $1
