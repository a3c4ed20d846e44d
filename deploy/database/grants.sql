-- What the role of `registry serve` may do, table by table: in the register's database, as the role
-- that owns the tables, after the first start of `registry work` and after each update:
--     psql --single-transaction --set ON_ERROR_STOP=1 --file grants.sql "$REGISTRY_DATABASE_URL"
-- With the console, or programs that sign in by an identity provider, grants-console.sql follows.
grant usage on schema public to serving;
revoke all on all tables in schema public from serving;
grant select on all tables in schema public to serving;
alter default privileges in schema public grant select on tables to serving;

-- No secret but the digests of tokens, by which requests are told from each other.
revoke select on
    address_change, console_secret, console_session, kept_form, mail_request, sign_in_attempt, sign_in_link
from serving;

-- The log and what follows from it: added to, never changed or removed.
grant insert on
    agency_entry, attestation, audit, entry_section, figure, foreign_record, log_entry, record, search_version, section,
    short_code, source_event, source_row, version, withdrawal
to serving;
-- Each start makes sure that the one row of log_state is there, and takes the country pack's agencies over.
grant insert (size, peaks, last_at, incarnation) on log_state to serving;
grant insert, update on agency to serving;
grant update (size, peaks, last_at, pack) on log_state to serving;
grant update (agency, state, version, entry) on record to serving;
grant update (source_id, changed_on, seen_at, run) on foreign_record to serving;
grant update (until_entry, until_at) on figure to serving;
grant insert, delete on blocking_key to serving;

-- What is not published yet, and what each request leaves.
grant insert, update, delete on allowance, answer, draft, heartbeat, pending_act, preview_link to serving;
grant insert, update (number, read_at, mail_at) on notice to serving;
grant insert, delete on redaction to serving;
grant update (confirmed_by, confirmed_person, entry, replaced, verdicts) on redaction to serving;

-- A token's day of use, and nothing else of it: who breaks into the API makes and prolongs none.
grant update (last_used_on) on token to serving;

-- Written by `registry work`, imports and the owner's other commands alone: audit_link, audit_unchained,
-- checkpoint, cosignature, erased_member, erasure, import_run, link_state, log_incident, migration, origin, peer,
-- peer_checkpoint, peer_evidence, peer_quarantine, peer_subject, published_file, publishing_target, purge_waiting,
-- search_state, witness.
