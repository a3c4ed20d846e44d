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
