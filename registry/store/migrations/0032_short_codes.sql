-- The short codes of records that were filed here, which letters carry: as the log says, one a record, and for ever.
create table short_code (
    entry bigint primary key references log_entry (index),
    record text not null unique references record (id) deferrable initially deferred,
    code text not null unique
);
create trigger short_code_append_only before update or delete or truncate on short_code
for each statement execute function refuse_change();
