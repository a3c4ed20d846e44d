-- The office: review, withdrawals, attestations, who did what, answers to repeat, allowances.

-- A draft in review waits for somebody else; a returned one is a draft again, with a comment.
-- comment: JSON, a text or texts by language.
alter table draft add column state text not null default 'draft' check (state in ('draft', 'in_review'));
alter table draft add column submitted_by text;
alter table draft add column submitted_at timestamptz;
alter table draft add column comment text;
alter table draft add column returned_by text;
alter table draft add column returned_at timestamptz;

-- Who approved it, where the policy asks for four eyes; a role, never a person.
alter table version add column approved_by text;

-- What an entry that is no version commits to: a withdrawal's note, an attestation's contact.
-- value, salts, commitment: as in section.
create table entry_section (
    entry bigint not null references log_entry (index),
    key text not null,
    value text not null,
    salts bytea not null,
    commitment text not null,
    primary key (entry, key)
);

-- version: the one that was in force until then.
create table withdrawal (
    entry bigint primary key references log_entry (index),
    record text not null references record (id),
    version integer not null,
    withdrawn_at timestamptz not null,
    reason text not null,
    actor text not null
);
create index withdrawal_record on withdrawal (record, entry desc);

-- How many systems an agency says that it runs on a day; 0 says that it uses none.
create table attestation (
    entry bigint primary key references log_entry (index),
    agency text not null references agency (id),
    day date not null,
    systems_total integer not null check (systems_total >= 0),
    filed_at timestamptz not null,
    actor text not null
);
create index attestation_agency on attestation (agency, day desc, entry desc);

-- Who did what: every write, and every refusal of authority. before: the version or tag that the
-- act began from; result: done, or the slug of the refusal. No text of a document.
create table audit (
    id bigint generated always as identity primary key,
    at timestamptz not null,
    request text not null,
    actor text,
    token bigint,
    action text not null,
    subject text,
    before text,
    result text not null
);
create index audit_subject on audit (subject, id);

-- What a request with an Idempotency-Key was answered, for a day. digest: SHA-256 of the salt and
-- the request, so that nobody can test guesses at a text with it; content: without document text.
create table answer (
    token bigint not null references token (id),
    key text not null,
    salt bytea not null,
    digest bytea not null,
    content text not null,
    at timestamptz not null,
    primary key (token, key)
);
create index answer_at on answer (at);

-- How much of a kind somebody may still do at once; a crash may forget it.
create unlogged table allowance (
    kind text not null,
    who text not null,
    remaining double precision not null,
    at timestamptz not null,
    primary key (kind, who)
);
create index allowance_at on allowance (at);

create trigger entry_section_append_only before update or delete or truncate on entry_section
for each statement execute function refuse_change();
create trigger withdrawal_append_only before update or delete or truncate on withdrawal
for each statement execute function refuse_change();
create trigger attestation_append_only before update or delete or truncate on attestation
for each statement execute function refuse_change();
create trigger audit_append_only before update or delete or truncate on audit
for each statement execute function refuse_change();
