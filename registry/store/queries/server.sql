-- name: server
select
    current_setting('server_version') as version,
    current_setting('server_version_num')::integer as number,
    current_setting('server_encoding') as encoding,
    current_user::text as role,
    (select r.rolsuper from pg_roles as r where r.rolname = current_user) as is_superuser,
    pg_is_in_recovery() as is_standby,
    clock_timestamp() as clock,
    current_setting('fsync') = 'on' as fsync,
    current_setting('full_page_writes') = 'on' as full_page_writes,
    current_setting('synchronous_commit') as synchronous_commit,
    current_setting('max_connections')::integer as max_connections,
    inet_server_addr() is not null and not inet_server_addr() <<= any(array['127.0.0.0/8', '::1/128']::inet [])
        as is_remote,
    coalesce((select s.ssl from pg_stat_ssl as s where s.pid = pg_backend_pid()), false) as is_encrypted

-- name: rights
-- Of the role that serves: this session's where it does not own the tables, else the one of grants.sql.
with serving as (
    select r.oid, r.rolname::text as role
    from pg_roles as r inner join pg_class as c on c.oid = 'log_entry'::regclass
    where r.rolname = case when pg_has_role(c.relowner, 'usage') then 'serving' else current_user end
)

select
    s.role, c.relname::text as table,
    array(
        select p.name || coalesce(' (' || a.attname || ')', '')
        from unnest('{select,insert,update,delete,truncate,references,trigger}'::text []) as p (name)
        left join pg_attribute as a
            on
                c.oid = a.attrelid and a.attnum > 0 and not a.attisdropped
                and p.name in ('select', 'insert', 'update') and not has_table_privilege(s.oid, c.oid, p.name)
        where case
            when a.attnum is null then has_table_privilege(s.oid, c.oid, p.name)
            else has_column_privilege(s.oid, c.oid, a.attnum, p.name)
        end
    ) as rights
from serving as s inner join pg_class as c on c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')

-- name: be_impatient
set lock_timeout = '2s'

-- name: vacuum
-- Into new files: a page keeps what was deleted of it until the space is used again.
vacuum (
    full
) section, entry_section, version, source_row, search_version, draft, answer, blocking_key, pending_act, redaction, kept_form

-- name: new_wal_segment
select pg_switch_wal()

-- name: checkpoint
checkpoint

-- name: wal_settings
-- What keeps files of the write-ahead log that a checkpoint would delete.
select name, setting from pg_settings
where
    (name = 'wal_recycle' and setting = 'on')
    or (name = 'wal_keep_size' and setting <> '0')
    or (name = 'archive_mode' and setting <> 'off')
order by name
