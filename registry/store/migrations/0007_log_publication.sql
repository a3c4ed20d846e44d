-- What was signed of the log and published, who else has signed it, and what was erased of entries.

-- Each checkpoint names the one before it, and no two the same: whoever signs on an older state than
-- the last has lost. note: the signed note, with the log's own signature alone.
create table checkpoint (
    size bigint primary key check (size > 0),
    previous bigint unique nulls not distinct references checkpoint (size) check (previous < size),
    root bytea not null check (octet_length(root) = 32),
    note text not null,
    signed_at timestamptz not null
);

-- Witnesses' signatures of checkpoints. verifier: the key as it is configured; line: as it stands in
-- the note.
create table cosignature (
    size bigint not null references checkpoint (size),
    verifier text not null,
    line text not null,
    signed_at timestamptz not null,
    primary key (size, verifier)
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

create trigger checkpoint_append_only before update or delete or truncate on checkpoint
for each statement execute function refuse_change();
create trigger cosignature_append_only before update or delete or truncate on cosignature
for each statement execute function refuse_change();
create trigger erased_member_append_only before update or delete or truncate on erased_member
for each statement execute function refuse_change();
