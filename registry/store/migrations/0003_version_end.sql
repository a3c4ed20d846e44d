-- Expand: what code of the release before writes is accepted.
-- A version is ended once, by the statement that appends the next entry of its record. The log is named by the table's
-- schema, since a temporary table of that name would be found first.
create function check_version_end() returns trigger language plpgsql as $$
declare
    ended bigint;
    ended_at timestamptz;
begin
    execute format(
        'select index, at from %I.log_entry where record = $1 and index > $2 and kind in (''version'', ''withdrawal'')
        order by index limit 1', tg_table_schema
    ) into ended, ended_at using new.record, new.entry;
    if old.until_entry is not null or (new.until_entry, new.until_at) is distinct from (ended, ended_at) then
        raise 'entry % does not end the version of entry %', new.until_entry, new.entry
        using errcode = 'integrity_constraint_violation';
    end if;
    return null;
end $$;
create trigger figure_ends_once after update of until_entry, until_at on figure
for each row execute function check_version_end();
