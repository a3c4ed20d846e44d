-- People: members with roles, who sign in to the console; what they do is named by their number.

-- Personal data stand here and nowhere else. agency: null for the authority's own. oidc_*: the identity
-- that the government's identity provider knows the person by, once she has signed in with it.
create table member (
    id bigint generated always as identity primary key,
    name text not null,
    email text,
    agency text references agency (id),
    roles text [] not null
    check (cardinality(roles) > 0 and roles <@ array['editor', 'reviewer', 'agency_admin', 'register_admin']),
    language text not null,
    oidc_issuer text,
    oidc_subject text,
    invited_at timestamptz not null,
    signed_in_at timestamptz,
    ended_at timestamptz,
    check ((oidc_issuer is null) = (oidc_subject is null))
);
create index member_agency on member (agency, id);
create unique index member_identity on member (oidc_issuer, oidc_subject) where ended_at is null;

-- Links that sign in once. digest: SHA-256 of the secret in the link.
create table sign_in_link (
    digest bytea primary key,
    member bigint not null references member (id),
    expires_at timestamptz not null
);
create index sign_in_link_member on sign_in_link (member);

-- digest: SHA-256 of the secret in the cookie; notice: what the next page says once, JSON.
create table console_session (
    digest bytea primary key,
    member bigint not null references member (id),
    begun_at timestamptz not null,
    seen_at timestamptz not null,
    notice text
);
create index console_session_member on console_session (member);

-- What was typed when a session had ended, until its author has signed in again. fields: JSON.
create table kept_form (
    digest bytea primary key,
    address text not null,
    fields text not null,
    kept_at timestamptz not null
);
create index kept_form_kept_at on kept_form (kept_at);

-- Whose token it is, where a member made it; null for those of the command line.
-- squawk-ignore adding-foreign-key-constraint
alter table token add column member bigint references member (id);

-- Who submitted, as a person: 'member 12', or 'actor NAME' where no member is known. Four eyes compares
-- persons, since one person may hold several tokens and roles.
alter table draft add column submitted_person text;
alter table redaction add column requested_person text;
alter table redaction add column confirmed_person text;
-- squawk-ignore ban-drop-constraint
alter table redaction drop constraint redaction_check;
-- squawk-ignore constraint-missing-not-valid
alter table redaction add constraint redaction_four_eyes check (confirmed_person <> requested_person);

alter table audit add column member bigint;
