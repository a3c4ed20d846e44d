-- Expand: the first migration, before which there is nothing.
-- The parts: the log and its publication, agencies and records, the office, imports and peers, redactions, and what is
-- derived from versions. No statistics are kept of columns whose content can be erased (`set statistics 0`): the
-- server's samples of them would outlive the rows.

-- What is published stays as it was, but for what `erase_content` and `erase_findings` do: nobody changes or removes an
-- entry or a version.
create function refuse_change() returns trigger language plpgsql as $$
declare
    redaction text := current_setting('registry.redaction', true);
begin
    if
        redaction <> '' and tg_op <> 'TRUNCATE'
        and tg_table_name in ('section', 'entry_section', 'version', 'source_row')
    then
        perform published_redaction(redaction::bigint);
        return null;
    end if;
    raise exception '% is append-only', tg_table_name using errcode = 'integrity_constraint_violation';
end
$$;


-- The log -------------------------------------------------------------------------------------------------------------

-- One row: how far the log has come. It is locked for update by whoever appends, so that indexes are dense and times
-- never decrease. erasures: how often something that was published was destroyed, which adds no entry but changes what
-- there is to be read. pack: the country pack that the register began with: a command that is told another one must not
-- mix the agencies of two countries. replaced: how often whole texts of published versions were replaced, which adds no
-- entry but changes pages. fault: what the last check of the rows by the log found; null while it found nothing.
-- incarnation: the database in which the log was last compared with what was signed of it; where it is another, nothing
-- is appended. stopped: why nothing is, as the publisher of the log found. discards: how often entries that had been
-- acknowledged were given up. dated_ahead: the time up to which somebody accepted that entries are dated though the
-- database's clock is behind it.
create table log_state (
    only_row boolean primary key default true check (only_row),
    size bigint not null,
    peaks bytea not null,
    last_at timestamptz not null,
    erasures bigint not null default 0,
    pack text,
    replaced bigint not null default 0,
    fault text,
    incarnation text,
    stopped text,
    discards bigint not null default 0,
    dated_ahead timestamptz
);

-- Which database this is: PostgreSQL's cluster, its timeline, and the table of the log. Another one after a
-- failover, after a recovery from archived write-ahead log and after a restore of a dump; a part that the server
-- does not tell is '-'. The timeline is that of the write-ahead log itself, which is the new one at once after a
-- promotion; that of the last checkpoint follows minutes later.
create function database_incarnation() returns text language plpgsql as $$
declare
    cluster text := '-';
    timeline text := '-';
begin
    begin
        select s.system_identifier into cluster from pg_control_system() as s;
    exception when others then null;
    end;
    begin
        timeline := left(pg_walfile_name(pg_current_wal_lsn()), 8);
    exception when others then null;
    end;
    return concat_ws('/', cluster, timeline, 'log_state'::regclass::oid);
end
$$;

create table log_entry (
    index bigint primary key,
    kind text not null,
    record text,
    at timestamptz not null,
    bytes bytea not null,
    leaf bytea not null
);
create index log_entry_record on log_entry (record, index);
-- The way from a time to the entry that was the last then.
create index log_entry_at on log_entry (at, index);
-- The few entries that are no versions can be read alone.
create index log_entry_kind on log_entry (kind, index) where kind <> 'version';
create index log_entry_redaction on log_entry (index) where kind = 'redaction';
-- The policy in force is that of the last entry which has one.
create index log_entry_policy on log_entry (index) where kind = 'policy';
-- The entries that name a key of the log are read before each signature.
create index log_entry_keys on log_entry (index) where kind in ('genesis', 'key');
create trigger log_entry_append_only before update or delete or truncate on log_entry
for each statement execute function refuse_change();

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
alter table entry_section alter column value set statistics 0;
create trigger entry_section_append_only before update or delete or truncate on entry_section
for each statement execute function refuse_change();

-- What was decided about the log that its entries do not say, and /log/incidents.json does. document: JSON.
create table log_incident (
    id bigint generated always as identity primary key,
    kind text not null check (kind in ('discarded', 'dated_ahead')),
    at timestamptz not null,
    document text not null
);
create trigger log_incident_append_only before update or delete or truncate on log_incident
for each statement execute function refuse_change();


-- The log's publication -----------------------------------------------------------------------------------------------

-- Each checkpoint names the one before it, and no two the same: whoever signs on an older state than
-- the last has lost. note: the signed note, with the log's own signature alone.
create table checkpoint (
    size bigint primary key check (size > 0),
    previous bigint unique nulls not distinct references checkpoint (size) check (previous < size),
    root bytea not null check (octet_length(root) = 32),
    note text not null,
    signed_at timestamptz not null
);
create trigger checkpoint_append_only before update or delete or truncate on checkpoint
for each statement execute function refuse_change();

-- Witnesses' signatures of checkpoints. They sign one anew, with the time, while the log is quiet. verifier: the key as
-- it is configured; line: as it stands in the note; time: POSIX seconds that the witness has signed, the 8 bytes behind
-- the 4 of the key's id in the line.
create table cosignature (
    size bigint not null references checkpoint (size),
    verifier text not null,
    line text not null,
    signed_at timestamptz not null,
    time bigint not null,
    primary key (size, verifier, time)
);
create trigger cosignature_append_only before update or delete or truncate on cosignature
for each statement execute function refuse_change();

-- Where the asking of witnesses stands, by their address. asked: the size that was asked for last; size: the one
-- that it cosigned last, as far as is known; answer: what it answered. alarm: what it answered that a witness
-- answers to a log of two histories, until it cosigns again; alarms: how often that was.
create table witness (
    url text primary key,
    asked bigint not null,
    asked_at timestamptz not null,
    size bigint not null default 0,
    answer text not null default '',
    alarm text,
    alarms bigint not null default 0
);

-- The files of the published log that entries do not give: checkpoint, witnessed, policy and the proofs of keys, as
-- the publisher wrote them last. size: the log's when it did. Whoever serves reads them here, on whichever host.
create table published_file (
    path text primary key,
    size bigint not null check (size > 0),
    content bytea not null
);

-- The object stores that log and site are published to: how many entries of each are there, since when no more are
-- reached, and why not; when the cache in front was told last, and why it was not since.
create table publishing_target (
    address text primary key,
    log_size bigint not null default 0,
    site_size bigint not null default 0,
    reached_at timestamptz not null,
    fault text,
    purged_at timestamptz,
    purge_fault text
);

-- Files in the store that were published over or removed, of which the cache in front of it was not told yet.
create table purge_waiting (
    path text primary key,
    since timestamptz not null
);


-- Agencies and records ------------------------------------------------------------------------------------------------

create table agency (
    id text primary key,
    document text not null,
    origin text,
    fictitious boolean not null
);

-- What the log says of agencies: the row of each entry of the kind agency. document: JSON, as in the table agency,
-- whose row is that of the last entry; of agencies that have none yet the log says nothing.
create table agency_entry (
    entry bigint primary key references log_entry (index),
    agency text not null references agency (id),
    document text not null
);
create index agency_entry_agency on agency_entry (agency, entry);
create trigger agency_entry_append_only before update or delete or truncate on agency_entry
for each statement execute function refuse_change();

-- How many systems an agency says that it runs on a day; 0 says that it uses none. approved_by: as the log's entry says
-- it, 'authority' or 'agency', null where nobody approved it; so are those of version and withdrawal.
create table attestation (
    entry bigint primary key references log_entry (index),
    agency text not null references agency (id),
    day date not null,
    systems_total integer not null check (systems_total >= 0),
    filed_at timestamptz not null,
    actor text not null,
    approved_by text
);
create index attestation_agency on attestation (agency, day desc, entry desc);
create trigger attestation_append_only before update or delete or truncate on attestation
for each statement execute function refuse_change();

create table record (
    id text primary key,
    agency text not null references agency (id),
    origin text,
    state text not null check (state in ('published', 'withdrawn')),
    version integer not null,
    entry bigint not null references log_entry (index)
);
create index record_agency on record (agency);
create index record_origin on record (origin);
create index record_withdrawn on record (agency, entry) where state = 'withdrawn' and origin is null;

-- accountability: null of a foreign record that states nothing of what accountability asks for. approved_by: who
-- approved it, where the policy asks for four eyes; a role, never a person. verdict_salt: of the verdict that the
-- version's entry commits to, or the redaction's that dropped findings last, verdict_redaction. Of foreign records alone:
-- moved_from: the agency before, where it is another; changed_on: the day of the change that the source states;
-- undated: the source changed it without moving that day; run: the import; source_log: JSON of the entry of the peer's
-- log that a harvested version follows from: index, leaf, time and version there.
create table version (
    record text not null references record (id) deferrable initially deferred,
    version integer not null,
    entry bigint not null unique references log_entry (index),
    published_at timestamptz not null,
    schema_version text not null,
    rule_set text not null,
    actor text not null,
    completeness smallint not null,
    accountability smallint,
    missing text [] not null,
    findings text not null,
    change_note text,
    approved_by text,
    moved_from text,
    changed_on text,
    undated boolean not null default false,
    run bigint,
    verdict_salt bytea not null check (octet_length(verdict_salt) = 32),
    verdict_redaction bigint,
    source_log text,
    primary key (record, version)
);
alter table version
alter column findings set statistics 0,
alter column change_note set statistics 0;
create trigger version_append_only before update or delete or truncate on version
for each statement execute function refuse_change();

-- value: canonical JSON of one top-level key; salts: 32 bytes for each member, in pointer order. No foreign key: one
-- statement writes a version and its sections, and neither is ever removed; to look the version up again for each of
-- its sections takes as long as to write them.
create table section (
    record text not null,
    version integer not null,
    key text not null,
    value text not null,
    salts bytea not null,
    commitment text not null,
    primary key (record, version, key)
);
alter table section
alter column value set storage external,
alter column value set statistics 0;
create trigger section_append_only before update or delete or truncate on section
for each statement execute function refuse_change();

-- The documents of versions in canonical JSON, put together of their sections: the bytes, for as text
-- they would be decoded and encoded again by whoever passes them on.
create view content (record, version, document) as
select
    s.record,
    s.version,
    convert_to('{' || string_agg('"' || s.key || '":' || s.value, ',' order by s.key collate "C") || '}', 'utf8')
from section as s
group by s.record, s.version;

-- The row that a foreign record was made from, replaced by a later one of the same meaning. whole: JSON, by pointer the
-- texts that the version has in part; replaced_in: which replacement was the last of these (`log_state.replaced`).
create table source_row (
    record text not null,
    version integer not null,
    content text not null,
    whole text not null default '{}',
    replaced_in bigint,
    primary key (record, version),
    foreign key (record, version) references version (record, version)
);
alter table source_row
alter column content set statistics 0,
alter column whole set statistics 0;
create index source_row_replaced on source_row (replaced_in) where replaced_in is not null;
create trigger source_row_append_only before delete or truncate on source_row
for each statement execute function refuse_change();

-- version: the one that was in force until then.
create table withdrawal (
    entry bigint primary key references log_entry (index),
    record text not null references record (id),
    version integer not null,
    withdrawn_at timestamptz not null,
    reason text not null,
    actor text not null,
    approved_by text
);
create index withdrawal_record on withdrawal (record, entry desc);
create trigger withdrawal_append_only before update or delete or truncate on withdrawal
for each statement execute function refuse_change();

-- The short codes of records that were filed here, which letters carry: as the log says, one a record, and for ever.
create table short_code (
    entry bigint primary key references log_entry (index),
    record text not null unique references record (id) deferrable initially deferred,
    code text not null unique
);
create trigger short_code_append_only before update or delete or truncate on short_code
for each statement execute function refuse_change();


-- The office: people, tokens, sessions --------------------------------------------------------------------------------

-- Members with roles, who sign in to the console; what they do is named by their number. Personal data stand here and
-- nowhere else. agency: null for the authority's own. oidc_*: the identity that the government's identity provider
-- knows the person by, once she has signed in with it. vouched_by: the member who invited her, gave her roles, made her
-- a link to sign in or confirmed her, whichever was last; null for the command line.
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
    vouched_by bigint references member (id),
    check ((oidc_issuer is null) = (oidc_subject is null))
);
create index member_agency on member (agency, id);
create unique index member_identity on member (oidc_issuer, oidc_subject) where ended_at is null;

-- member: whose token it is, where a member made it; null for those of the command line.
create table token (
    id bigint generated always as identity primary key,
    digest bytea not null unique,
    actor text not null,
    agency text references agency (id),
    scopes text [] not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    last_used_on date,
    member bigint references member (id)
);

-- Links that sign in once. digest: SHA-256 of the secret in the link.
create table sign_in_link (
    digest bytea primary key,
    member bigint not null references member (id),
    expires_at timestamptz not null
);
create index sign_in_link_member on sign_in_link (member);

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

-- digest: SHA-256 of the secret in the cookie; notice: what the next page says once, JSON. ended_at: signed out, or
-- ended with the member or a role; deleted a day after it was begun, so that what was typed in it can be given back.
create table console_session (
    digest bytea primary key,
    member bigint not null references member (id),
    begun_at timestamptz not null,
    seen_at timestamptz not null,
    notice text,
    ended_at timestamptz
);
create index console_session_member on console_session (member);

-- What was typed when a session had ended, until its author has signed in again. member: whose words they are: only she
-- gets them back. fields: JSON.
create table kept_form (
    digest bytea primary key,
    member bigint not null references member (id),
    address text not null,
    fields text not null,
    kept_at timestamptz not null
);
alter table kept_form alter column fields set statistics 0;
create index kept_form_kept_at on kept_form (kept_at);
create index kept_form_member on kept_form (member);

-- One row: what signs the tokens of forms, the same for all workers and machines.
create table console_secret (
    one boolean primary key default true check (one),
    secret bytea not null
);

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
alter table answer alter column content set statistics 0;
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


-- The office: drafts, review, notices ---------------------------------------------------------------------------------

-- base: the leaf of the published version that this draft amends; tag: random, changes on every save. A draft in review
-- waits for somebody else; a returned one is a draft again. comment: JSON, a text or texts by language; comments: the
-- same by JSON Pointer, of the latest return. submitted_person: who submitted, as a person: 'member 12', or 'actor
-- NAME' where no member is known. Four eyes compares persons, since one person may hold several tokens and roles.
create table draft (
    record text primary key,
    agency text not null references agency (id),
    document text not null,
    tag text not null,
    base bytea,
    actor text not null,
    saved_at timestamptz not null,
    state text not null default 'draft' check (state in ('draft', 'in_review')),
    submitted_by text,
    submitted_at timestamptz,
    comment text,
    returned_by text,
    returned_at timestamptz,
    comments text,
    submitted_person text
);
alter table draft
alter column document set statistics 0,
alter column comment set statistics 0,
alter column comments set statistics 0;
create index draft_agency on draft (agency, record);

-- Links by which somebody without an account reads the preview of a draft; they go with the draft.
-- digest: SHA-256 of the secret in the address. ended_at: when it was ended before its time.
create table preview_link (
    id bigint generated always as identity primary key,
    digest bytea not null unique,
    record text not null references draft (record) on delete cascade,
    member bigint not null references member (id),
    made_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz
);
create index preview_link_record on preview_link (record, id);
create index preview_link_expires_at on preview_link (expires_at);

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
alter table pending_act
alter column statement set statistics 0,
alter column comment set statistics 0;
-- One of a kind waits for each record and each agency.
create unique index pending_act_in_review on pending_act (kind, subject) where state = 'in_review';
create index pending_act_agency on pending_act (agency, id);

-- What members are told of: in the console, and by e-mail where that is configured.
-- about: what tells two notices of a kind on one subject apart: the time of a submission or a return, a
-- version, the day on which a review is due. mail_at: when an e-mail is next tried; null where none is due.
-- number: how many it counts: what one request submits is one notice to each reviewer.
create table notice (
    id bigint generated always as identity primary key,
    member bigint not null references member (id),
    kind text not null,
    subject text not null,
    about text not null,
    made_at timestamptz not null,
    read_at timestamptz,
    mail_at timestamptz,
    mailed_at timestamptz,
    number integer not null default 1,
    unique (member, kind, subject, about)
);
create index notice_unread on notice (member, id) where read_at is null;
create index notice_mail_at on notice (mail_at) where mail_at is not null;
create index notice_made_at on notice (made_at);


-- The audit trail -----------------------------------------------------------------------------------------------------

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
    result text not null,
    member bigint
);
create index audit_subject on audit (subject, id);
create trigger audit_append_only before update or delete or truncate on audit
for each statement execute function refuse_change();

-- The audit trail as a chain of hashes: each act at a position, without a gap, with the hash of the act before it and
-- its own content. The background runner appends it within a second of an act; writers do not wait for each other.
create table audit_link (
    position bigint primary key check (position > 0),
    act bigint not null unique references audit (id),
    hash bytea not null check (octet_length(hash) = 32)
);
create trigger audit_link_append_only before update or delete or truncate on audit_link
for each statement execute function refuse_change();

-- The acts that have no position yet.
create table audit_unchained (act bigint primary key);

-- A role that may add an act needs no right to this table.
create function note_unchained() returns trigger language plpgsql security definer set search_path from current as $$
begin
    insert into audit_unchained (act) values (new.id);
    return null;
end
$$;
create trigger audit_is_unchained after insert on audit
for each row execute function note_unchained();

-- The last sign of life of each process on each host, and the last run of a command there: what other processes show
-- of it. figures: numbers, and sentences on what fails.
create table heartbeat (
    process text not null,
    host text not null,
    at timestamptz not null,
    figures jsonb not null,
    primary key (process, host)
);


-- Imports and peers ---------------------------------------------------------------------------------------------------

-- The registers that records come from. document: JSON of its title, publisher, licence, homepage, country and
-- language.
create table origin (
    code text primary key,
    document text not null
);

-- One import of a file. as_of: the source's own date; ended_at: null while it runs, and of one that was killed;
-- counts: by what became of rows and records; report: JSON, all of it.
create table import_run (
    id bigint generated always as identity primary key,
    origin text not null references origin (code),
    begun_at timestamptz not null,
    ended_at timestamptz,
    file_name text not null,
    file_sha256 text not null,
    crosswalk_sha256 text not null,
    as_of date,
    complete boolean not null,
    counts text not null,
    report text not null
);
create index import_run_origin on import_run (origin, id);

-- What is known of a foreign record at its source. source_id: its id there, empty where it has none; changed_on:
-- the day of the last change that the source states; run: the import that last met it, null where none did.
create table foreign_record (
    record text primary key references record (id),
    origin text not null,
    source_id text not null,
    changed_on text,
    seen_at timestamptz not null,
    run bigint
);
create index foreign_record_origin on foreign_record (origin, source_id);

-- Entries that say that a record is no longer in its source, or is there again; a later version is there too.
create table source_event (
    entry bigint primary key references log_entry (index),
    record text not null references record (id),
    version integer not null,
    state text not null check (state in ('gone', 'present')),
    day date not null,
    at timestamptz not null
);
create index source_event_record on source_event (record, entry);
create trigger source_event_append_only before update or delete or truncate on source_event
for each statement execute function refuse_change();

-- Other registers of this software that are harvested: every entry of their logs is verified before it is taken.
-- origin, key: the name of the peer's log and its verifier key; address: where it is, without /log; policy: the
-- witnesses that are asked for, as text. applied, peaks, applied_at: how far its log is taken in here, the compact
-- range over these entries, and the time of the last of them there. seen_at: when it was last found in order;
-- tried_at, failure: the last round, and why it failed; smaller_since: since when it shows a smaller log than before;
-- stopped_at, stopped: since when and why it is believed no more.
create table peer (
    code text primary key,
    origin text not null,
    key text not null,
    address text not null,
    policy text,
    added_at timestamptz not null,
    removed_at timestamptz,
    applied bigint not null default 0,
    peaks bytea not null default '',
    applied_at text not null default '',
    seen_at timestamptz,
    tried_at timestamptz,
    failure text,
    smaller_since timestamptz,
    stopped_at timestamptz,
    stopped text
);

-- The signed checkpoints of a peer that were seen here, to the byte.
create table peer_checkpoint (
    id bigint generated always as identity primary key,
    code text not null references peer (code),
    size bigint not null,
    root bytea not null,
    note bytea not null,
    seen_at timestamptz not null
);
create index peer_checkpoint_code on peer_checkpoint (code, id);
create trigger peer_checkpoint_append_only before update or delete or truncate on peer_checkpoint
for each statement execute function refuse_change();

-- What shows that a peer cannot be believed: the signed notes, to the byte, and the proof that they contradict.
create table peer_evidence (
    id bigint generated always as identity primary key,
    code text not null references peer (code),
    kind text not null,
    why text not null,
    notes bytea [] not null,
    proof text,
    found_at timestamptz not null
);
create trigger peer_evidence_append_only before update or delete or truncate on peer_evidence
for each statement execute function refuse_change();

-- The last entry of each record, agency and series of attestations in a peer's log. record: its id here, null of what
-- is not taken; is_withdrawn: whether it is withdrawn there; holes: list items that were erased there before they
-- came here, by version and pointer, after which the items that follow have other numbers here.
create table peer_subject (
    code text not null references peer (code),
    subject text not null,
    index bigint not null,
    leaf bytea not null,
    version integer not null,
    record text,
    is_withdrawn boolean not null default false,
    holes text [] not null default '{}',
    primary key (code, subject)
);

-- Records of a peer that cannot be taken as they are: the first of the entries that wait is at fault.
create table peer_quarantine (
    code text not null references peer (code),
    subject text not null,
    waiting bigint [] not null,
    why text not null,
    since timestamptz not null,
    primary key (code, subject)
);

-- Where a version of a foreign record stands at its source, as known when the entry as_of was the last: JSON.
create function at_source(of_record text, of_version integer, as_of bigint) returns text
language sql stable as $$
    select (jsonb_build_object(
        'id', f.source_id, 'state', coalesce(e.state, 'present'), 'state_since', e.day, 'changed_on', v.changed_on,
        'undated', v.undated, 'moved_from', v.moved_from, 'run', v.run, 'register', o.document::jsonb
    ) || case when v.source_log is null then '{}' else jsonb_build_object(
        'origin', p.origin, 'index', v.source_log::jsonb -> 'index', 'leaf', v.source_log::jsonb -> 'leaf',
        'version', v.source_log::jsonb -> 'version', 'published_at', v.source_log::jsonb -> 'at',
        'seen_at', v.published_at,
        'proof', p.address || '/log/proof/' || (v.source_log::jsonb ->> 'index') || '.tlog-proof'
    ) end)::text
    from foreign_record as f
    inner join version as v on v.record = f.record and v.version = of_version
    left join origin as o on o.code = f.origin
    left join peer as p on p.code = f.origin
    left join lateral (
        select s.state, s.day from source_event as s
        where s.record = f.record and s.version = of_version and s.entry <= as_of
        order by s.entry desc
        limit 1
    ) as e on true
    where f.record = of_record
$$;


-- Redactions: asked for by one, confirmed by another, in the log; then what they name is destroyed --------------------

-- What is to be erased: versions of a record, or entries that are none, of a record or of an agency's attestations.
-- entry: null until it is confirmed. requested_person, confirmed_person: as in draft. replaced: JSON, what is shown in
-- the place of erased members, until it is confirmed: the log commits to it then. verdicts: JSON, what it leaves of
-- verdicts, by the entries of versions, from when it is confirmed until it is carried out.
create table redaction (
    id bigint generated always as identity primary key,
    record text references record (id),
    versions integer [] not null,
    pointers text [] not null,
    basis text not null,
    authority text not null,
    reference text,
    requested_by text not null,
    requested_at timestamptz not null,
    confirmed_by text,
    entry bigint unique references log_entry (index),
    requested_person text,
    confirmed_person text,
    agency text references agency (id),
    entries bigint [] not null default '{}',
    replaced text,
    verdicts text,
    constraint redaction_check1 check ((confirmed_by is null) = (entry is null)),
    constraint redaction_four_eyes check (confirmed_person <> requested_person),
    constraint redaction_subject check ((record is null) <> (agency is null))
);
alter table redaction
alter column authority set statistics 0,
alter column reference set statistics 0,
alter column replaced set statistics 0,
alter column verdicts set statistics 0;

-- The redactions that were carried out: what entries they changed the content of, and whether the
-- files of these were written anew since.
create table erasure (
    redaction bigint primary key references log_entry (index),
    entries bigint [] not null,
    settled boolean not null default false
);

-- Members whose values and salts are destroyed. entry: of whose content it was; commitment: base64url;
-- redaction: the entry that says so.
create table erased_member (
    entry bigint not null references log_entry (index),
    key text not null,
    pointer text not null,
    commitment text not null,
    redaction bigint not null references log_entry (index) check (redaction > entry),
    primary key (entry, key, pointer)
);
create trigger erased_member_append_only before update or delete or truncate on erased_member
for each statement execute function refuse_change();

-- What was erased of the content of entries: JSON, a list of members by pointer, and why.
create view redacted (entry, members) as
select
    m.entry,
    json_agg(
        json_build_object(
            'pointer', m.pointer, 'basis', convert_from(e.bytes, 'UTF8')::json ->> 'basis',
            'authority', s.value::json, 'entry', m.redaction, 'redacted_at', e.at
        ) order by m.pointer collate "C"
    )::text as members
from erased_member as m
inner join log_entry as e on e.index = m.redaction
left join entry_section as s on s.entry = m.redaction and s.key = 'authority'
group by m.entry;

-- A redaction as the log has it; what is not in a published checkpoint erases nothing.
create function published_redaction(redaction bigint) returns jsonb language plpgsql stable as $$
declare
    said jsonb;
begin
    select convert_from(e.bytes, 'UTF8')::jsonb into said
    from log_entry as e
    where e.index = redaction and e.kind = 'redaction' and exists (select from checkpoint as c where c.size > e.index);
    if said is null then
        raise exception 'entry % is no redaction in a published checkpoint', redaction
            using errcode = 'integrity_constraint_violation';
    end if;
    return said;
end
$$;

-- What redactions commit to be shown in the place of members of a version, by pointer: JSON. An item of the array
-- `replaced` that another redaction erased is null, and what that one commits to counts.
create function replaced_members(redaction bigint, of_version integer) returns jsonb language sql stable as $$
    with recursive following (redaction) as (
        select replaced_members.redaction
        union
        select m.redaction from following as f inner join erased_member as m on m.entry = f.redaction and m.key = 'replaced'
    )

    select coalesce(jsonb_object_agg(listed.one ->> 'pointer', listed.one -> 'value' order by s.entry, listed.number), '{}')
    from following as f
    inner join entry_section as s on s.entry = f.redaction and s.key = 'replaced'
    cross join lateral jsonb_array_elements(s.value::jsonb) with ordinality as listed (one, number)
    where
        listed.one -> 'versions' @> to_jsonb(replaced_members.of_version)
        and not exists (
            select from erased_member as m
            where m.entry = s.entry and m.key = s.key and m.pointer = '/replaced/' || (listed.number - 1)
        )
$$;

-- The value of a section without the members that are gone, or with what is shown in their place: an item of an
-- array that is gone is null.
create function without_members(key text, value jsonb, gone text [], shown jsonb) returns jsonb
language plpgsql immutable as $$
declare
    pointer text;
    name text;
begin
    foreach pointer in array gone loop
        if pointer = '/' || key then
            return coalesce(shown -> pointer, 'null');
        end if;
        name := replace(replace(split_part(pointer, '/', 3), '~1', '/'), '~0', '~');
        if jsonb_typeof(value) = 'array' then
            value := jsonb_set(value, array[name], coalesce(shown -> pointer, 'null'));
        else
            value := value - name;
            if shown ? pointer then
                value := value || jsonb_build_object(name, shown -> pointer);
            end if;
        end if;
    end loop;
    return value;
end
$$;

-- The only way to change what was published: it destroys members of what one entry commits to, with their salts and
-- the row that a version was made from, if a published redaction names them, and puts what redactions commit to in
-- their place; nothing else may differ from what was there. left_values, left_salts: of the sections named by keys,
-- what is left of them; of_keys, pointers, commitments: the members that are destroyed now.
create function erase_content(
    redaction bigint, of_entry bigint,
    keys text [], left_values text [], left_salts bytea [],
    of_keys text [], pointers text [], commitments text [],
    left_note text
) returns void language plpgsql as $$
declare
    said jsonb := published_redaction(redaction);
    whole version%rowtype;
    subject text;
begin
    select * into whole from version as v where v.entry = of_entry;
    select coalesce(e.record, a.agency, r.agency) into strict subject
    from log_entry as e
    left join attestation as a on a.entry = e.index
    left join redaction as r on r.entry = e.index
    where e.index = of_entry;
    if
        subject is distinct from coalesce(said ->> 'id', said ->> 'agency')
        or not coalesce(
            case when whole.entry is null
                then said -> 'entries' @> to_jsonb(of_entry)
                else said -> 'versions' @> to_jsonb(whole.version)
            end,
            false
        )
        or exists (
            select from unnest(pointers) as p (pointer)
            where not (said -> 'pointers' ? p.pointer or said -> 'pointers' ? ('/' || split_part(p.pointer, '/', 2)))
        )
    then
        raise exception 'the redaction % does not name this', redaction using errcode = 'integrity_constraint_violation';
    end if;
    insert into erased_member (entry, key, pointer, commitment, redaction)
    select of_entry, g.key, g.pointer, g.commitment, erase_content.redaction
    from unnest(of_keys, pointers, commitments) as g (key, pointer, commitment);
    if exists (
        select from unnest(keys, left_values, left_salts) as now (key, value, salts)
        left join (
            select s.key, s.value, s.salts from section as s
            where s.record = whole.record and s.version = whole.version
            union all
            select s.key, s.value, s.salts from entry_section as s
            where s.entry = of_entry
        ) as s on s.key = now.key
        cross join lateral (
            select
                array_agg(m.pointer) as pointers,
                count(*) filter (where m.redaction = erase_content.redaction and m.pointer = any(erase_content.pointers))
                    as number,
                coalesce(
                    jsonb_object_agg(m.pointer, m.replaced -> m.pointer) filter (where m.replaced ? m.pointer), '{}'
                ) as shown
            from (
                select m.pointer, m.redaction, replaced_members(m.redaction, whole.version) as replaced
                from erased_member as m
                where m.entry = of_entry and m.key = now.key
            ) as m
        ) as gone
        where
            s.key is null or gone.pointers is null
            or now.value::jsonb is distinct from without_members(s.key, s.value::jsonb, gone.pointers, gone.shown)
            or octet_length(now.salts) <> octet_length(s.salts) - 32 * gone.number
    ) or (left_note is not null and left_note is distinct from whole.change_note) then
        raise exception 'the redaction % would change more than it erases', redaction
            using errcode = 'integrity_constraint_violation';
    end if;
    perform set_config('registry.redaction', redaction::text, true);
    update section as s set value = now.value, salts = now.salts
    from unnest(keys, left_values, left_salts) as now (key, value, salts)
    where s.record = whole.record and s.version = whole.version and s.key = now.key;
    update entry_section as s set value = now.value, salts = now.salts
    from unnest(keys, left_values, left_salts) as now (key, value, salts)
    where s.entry = of_entry and s.key = now.key;
    update version as v set change_note = left_note where v.entry = of_entry;
    delete from source_row as r where r.record = whole.record and r.version = whole.version;
    perform set_config('registry.redaction', '', true);
end
$$;

-- Findings quote what they are about: those that quote what a published redaction erases are dropped, and the salt
-- with which the log commits to them is destroyed. The redaction commits to what is left, with another salt.
create function erase_findings(
    redaction bigint, of_entry bigint, left_findings text, left_salt bytea
) returns void language plpgsql as $$
declare
    said jsonb := published_redaction(redaction);
begin
    if not coalesce(said -> 'verdicts' ? of_entry::text, false) or exists (
        select from version as v cross join jsonb_array_elements(left_findings::jsonb) as f (finding)
        where v.entry = of_entry and not v.findings::jsonb @> jsonb_build_array(f.finding)
    ) then
        raise exception 'the redaction % would change more than it erases', redaction
            using errcode = 'integrity_constraint_violation';
    end if;
    perform set_config('registry.redaction', redaction::text, true);
    update version as v set
        findings = left_findings, verdict_salt = left_salt, verdict_redaction = erase_findings.redaction
    where v.entry = of_entry;
    perform set_config('registry.redaction', '', true);
end
$$;


-- What is derived from versions, and can be made anew from them -------------------------------------------------------

-- One row a version, codes and numbers only, for statistics. until_entry: the entry that put it out of force, a later
-- version or a withdrawal. risk_before: of the version before, null for a first one; risk_change: null also where one
-- of the two does not say. rules: one for each finding; withheld: one ground for each field; restricted: the ground on
-- which little more than the existence is published.
create table figure (
    entry bigint primary key references version (entry),
    record text not null,
    agency text not null,
    origin text,
    at timestamptz not null,
    until_entry bigint,
    until_at timestamptz,
    risk text not null,
    risk_before text,
    risk_change text check (risk_change in ('raised', 'lowered')),
    sector text not null,
    status text not null,
    personal_data text not null,
    completeness smallint not null,
    accountability smallint,
    next_review_on date,
    rules text [] not null,
    withheld text [] not null,
    restricted text
);
create index figure_record on figure (record, entry);
create index figure_agency on figure (agency, entry);
-- The last records of an agency at a level. until_entry: so that no other index has the order that is asked for.
create index figure_in_force on figure (agency, risk, until_entry, entry) where origin is null and until_entry is null;
create index figure_risk_change on figure (entry) where risk_change is not null;
-- What put versions out of force, in the order of the log.
create index figure_until on figure (until_entry, entry) where until_entry is not null;
-- The list of changes begins with what was filed here, which may be few of many entries.
create index figure_origin on figure (coalesce(origin, 'local'), entry);
create index figure_origin_sector on figure (coalesce(origin, 'local'), sector, entry);

-- What the search index, which is one of tantivy in the data folder, knows of one version. ord: the log index of its
-- entry; codes: JSON, by kind of facet; card: the JSON that lists show; name, summary, rest: JSON, by language the
-- words in order, apart so that a phrase is found where it stands, and not compressed, which takes as long as all else
-- that is written of a version. analysis: by which analysis it was derived (`registry.text.tokens.ANALYSIS`); a row of
-- another, or of none, answers nothing before it is derived anew.
create table search_version (
    ord bigint primary key references version (entry),
    codes text not null,
    card text not null,
    name text not null,
    summary text not null,
    rest text not null,
    analysis text
);
alter table search_version
alter column card set statistics 0,
alter column name set storage external,
alter column name set statistics 0,
alter column summary set storage external,
alter column summary set statistics 0,
alter column rest set storage external,
alter column rest set statistics 0;

-- One row. epoch: rises when indexes have to be made anew; analysis: what made the rows, empty before the first time.
create table search_state (
    only_row boolean primary key default true check (only_row),
    epoch bigint not null,
    analysis text not null
);
insert into search_state (epoch, analysis) values (2, '');

-- What a search index is made of. until_entry: what put the version out of force; published, raised, lowered:
-- the entries of its record's versions up to it, and of those that raised or lowered the risk level; source: the
-- entries up to there that say whether it is still at its source, in turn that it is gone and that it is back.
create view indexed_version as
select s.ord, s.codes, s.card, s.name, s.summary, s.rest, f.until_entry, h.published, h.raised, h.lowered, n.source
from search_version as s
inner join figure as f on f.entry = s.ord
cross join lateral (
    select
        array_agg(o.entry order by o.entry) as published,
        coalesce(array_agg(o.entry order by o.entry) filter (where o.risk_change = 'raised'), '{}') as raised,
        coalesce(array_agg(o.entry order by o.entry) filter (where o.risk_change = 'lowered'), '{}') as lowered
    from figure as o where o.record = f.record and o.entry <= f.entry
) as h
cross join lateral (
    select coalesce(array_agg(e.entry order by e.entry), '{}') as source
    from source_event as e
    where e.record = f.record and e.entry > f.entry and (f.until_entry is null or e.entry < f.until_entry)
) as n;

-- By what the published records of this country are found that another may be the same as: hashes of the
-- words of their names, of whole names, of what these look like, and of source ids.
create table blocking_key (
    key bigint not null,
    record text not null,
    primary key (key, record)
);
create index blocking_key_record on blocking_key (record);
