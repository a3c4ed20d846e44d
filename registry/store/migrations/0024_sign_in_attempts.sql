-- Signing in by an identity provider: what is kept while somebody is there, for ten minutes.

-- digest: SHA-256 of the state; invitation: the digest of the link by which a member binds her identity.
create table sign_in_attempt (
    digest bytea primary key,
    nonce text not null,
    verifier text not null,
    next_page text,
    invitation bytea,
    begun_at timestamptz not null
);
create index sign_in_attempt_begun_at on sign_in_attempt (begun_at);
