-- name: server
select current_setting('server_version_num')::integer / 10000

-- name: tables
select count(*) from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')

-- name: export_snapshot
select pg_export_snapshot()
