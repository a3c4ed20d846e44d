-- By what the published records of this country are found that another may be the same as: hashes of the
-- words of their names, of whole names, of what these look like, and of source ids. Made anew from the records.
create table blocking_key (
    key bigint not null,
    record text not null,
    primary key (key, record)
);
create index blocking_key_record on blocking_key (record);
