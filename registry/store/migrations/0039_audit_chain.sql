-- Expand: new tables, and a trigger that notes acts of code that does not know them.
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
insert into audit_unchained (act) select id from audit;

-- A role that may add an act needs no right to this table.
create function note_unchained() returns trigger language plpgsql security definer set search_path from current as $$
begin
    insert into audit_unchained (act) values (new.id);
    return null;
end
$$;
create trigger audit_is_unchained after insert on audit
for each row execute function note_unchained();
