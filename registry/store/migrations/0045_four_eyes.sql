-- Expand: who vouches that a member is a person of her own, and for whom the second of two people approved.

-- vouched_by: the member who invited her, gave her roles, made her a link to sign in or confirmed her, whichever was
-- last; null for the command line.
-- squawk-ignore adding-foreign-key-constraint
alter table member add column vouched_by bigint references member (id);

-- As the log's entry says it: 'authority' or 'agency', null where nobody approved it; so is that of version.
alter table withdrawal add column approved_by text;
alter table attestation add column approved_by text;
