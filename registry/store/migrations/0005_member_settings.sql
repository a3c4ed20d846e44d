-- Expand: what members choose for themselves; the release before mails each notice at once, and ends each session that
-- was idle for half an hour.

alter table member add column daily_digest boolean not null default false;

-- An e-mail address that a member wants, until she opens the link that was mailed there. digest: SHA-256 of its secret.
create table address_change (
    digest bytea primary key,
    member bigint not null references member (id),
    email text not null,
    expires_at timestamptz not null
);
create index address_change_member on address_change (member);

-- whole_day: its member asked not to be signed out when idle; is_stale: it was idle for half an hour since she signed in,
-- so that she signs in again before what is for ever.
alter table console_session
add column whole_day boolean not null default false,
add column is_stale boolean not null default false;
