-- What an operator's accidents do to the log is told by the row that whoever appends locks.

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

-- incarnation: the database in which the log was last compared with what was signed of it; where it is another,
-- nothing is appended. stopped: why nothing is, as the publisher of the log found. discards: how often entries that
-- had been acknowledged were given up. dated_ahead: the time up to which somebody accepted that
-- entries are dated though the database's clock is behind it.
alter table log_state add column incarnation text;
alter table log_state add column stopped text;
alter table log_state add column discards bigint not null default 0;
alter table log_state add column dated_ahead timestamptz;

-- What was decided about the log that its entries do not say, and /log/incidents.json does. document: JSON.
create table log_incident (
    id bigint generated always as identity primary key,
    kind text not null check (kind in ('discarded', 'dated_ahead')),
    at timestamptz not null,
    document text not null
);
create trigger log_incident_append_only before update or delete or truncate on log_incident
for each statement execute function refuse_change();

update log_state set incarnation = database_incarnation();
