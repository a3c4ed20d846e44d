-- Withdrawals and attestations that wait for a second person, where review is required.

-- statement: JSON, null once it is published: the log has it. base: the leaf hash of what the act
-- follows, a record's version or an agency's last attestation. requested_agency: null for the authority.
-- comment: JSON, a text or texts by language.
create table pending_act (
    id bigint generated always as identity primary key,
    kind text not null check (kind in ('withdrawal', 'attestation')),
    subject text not null,
    agency text not null,
    statement text,
    base bytea,
    requested_agency text,
    requested_by text not null,
    requested_person text not null,
    requested_at timestamptz not null,
    state text not null default 'in_review' check (state in ('in_review', 'returned', 'approved')),
    comment text,
    decided_by text,
    decided_person text check (state <> 'approved' or decided_person <> requested_person),
    decided_at timestamptz,
    entry bigint unique references log_entry (index),
    check ((state = 'in_review') = (decided_by is null)),
    check ((state = 'approved') = (entry is not null)),
    check (state = 'approved' or statement is not null)
);

-- One of a kind waits for each record and each agency.
create unique index pending_act_in_review on pending_act (kind, subject) where state = 'in_review';
create index pending_act_agency on pending_act (agency, id);
