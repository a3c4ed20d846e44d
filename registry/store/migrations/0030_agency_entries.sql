-- What the log says of agencies: the row of each entry of the kind agency. document: JSON, as in the table agency,
-- whose row is that of the last entry; of agencies that have none yet the log says nothing.
create table agency_entry (
    entry bigint primary key references log_entry (index),
    agency text not null references agency (id),
    document text not null
);
-- squawk-ignore require-concurrent-index-creation
create index agency_entry_agency on agency_entry (agency, entry);
create trigger agency_entry_append_only before update or delete or truncate on agency_entry
for each statement execute function refuse_change();
