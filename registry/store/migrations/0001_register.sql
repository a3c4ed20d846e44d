-- The register: agencies, tokens, the log's entries, records in versions, drafts, search rows.

create table agency (
    id text primary key,
    document text not null,
    origin text,
    fictitious boolean not null
);

create table token (
    id bigint generated always as identity primary key,
    digest bytea not null unique,
    actor text not null,
    agency text references agency (id),
    scopes text [] not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    last_used_on date
);

-- One row: how far the log has come. It is locked for update by whoever appends, so that indexes
-- are dense and times never decrease.
create table log_state (
    only_row boolean primary key default true check (only_row),
    size bigint not null,
    peaks bytea not null,
    last_at timestamptz not null
);

create table log_entry (
    index bigint primary key,
    kind text not null,
    record text,
    at timestamptz not null,
    bytes bytea not null,
    leaf bytea not null
);
create index log_entry_record on log_entry (record, index);

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

create table version (
    record text not null references record (id) deferrable initially deferred,
    version integer not null,
    entry bigint not null unique references log_entry (index),
    published_at timestamptz not null,
    schema_version text not null,
    rule_set text not null,
    actor text not null,
    completeness smallint not null,
    accountability smallint not null,
    missing text [] not null,
    findings text not null,
    change_note text,
    primary key (record, version)
);

-- value: canonical JSON of one top-level key; salts: 32 bytes for each member, in pointer order.
create table section (
    record text not null,
    version integer not null,
    key text not null,
    value text not null,
    salts bytea not null,
    commitment text not null,
    primary key (record, version, key),
    foreign key (record, version) references version (record, version)
);
alter table section alter column value set storage external;

-- The row that a foreign record was made from, untouched, and what was cut to fit.
create table source_row (
    record text not null,
    version integer not null,
    content text not null,
    truncated text [] not null,
    primary key (record, version),
    foreign key (record, version) references version (record, version)
);

-- base: the leaf of the published version that this draft amends; tag: random, changes on every save.
create table draft (
    record text primary key,
    agency text not null references agency (id),
    document text not null,
    tag text not null,
    base bytea,
    actor text not null,
    saved_at timestamptz not null
);
create index draft_agency on draft (agency, record);

-- What lists and search show of each published record's latest version; can be made anew from it.
create table search_row (
    record text primary key references record (id),
    ord bigint not null unique,
    agency text not null,
    origin text not null,
    risk text not null,
    sector text not null,
    function text not null,
    status text not null,
    role text not null,
    area text not null,
    personal_data text not null,
    name_key text not null,
    completeness smallint not null,
    next_review_on date,
    card text not null,
    words tsvector not null
);
create index search_row_words on search_row using gin (words);
create index search_row_name on search_row (name_key, ord desc);

-- What is published stays as it was: nobody changes or removes an entry or a version.
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'integrity_constraint_violation';
end
$$;

create trigger log_entry_append_only before update or delete or truncate on log_entry
for each statement execute function refuse_change();
create trigger version_append_only before update or delete or truncate on version
for each statement execute function refuse_change();
create trigger section_append_only before update or delete or truncate on section
for each statement execute function refuse_change();
create trigger source_row_append_only before update or delete or truncate on source_row
for each statement execute function refuse_change();
