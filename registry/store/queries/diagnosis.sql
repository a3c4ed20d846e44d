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

-- name: doubtful_numbers
with number as (
    select
        s.record, s.version, '/procurement/contract/amount/value' as pointer,
        jsonb_path_query(s.value::jsonb, '$.contract.amount.value ? (@.type() == "number")')::numeric as value,
        0 as least_decimals
    from section as s
    where s.key = 'procurement'
    union all
    select s.record, s.version, format('/evaluation/metrics/%s/value', metric.number - 1), metric.value, 3
    from section as s
    cross join lateral (
        select one.number, jsonb_path_query(one.metric, '$.value ? (@.type() == "number")')::numeric as value
        from jsonb_path_query(s.value::jsonb, '$.metrics[*]') with ordinality as one (metric, number)
    ) as metric
    where s.key = 'evaluation'
)
select n.record, n.version, n.pointer, trim_scale(n.value)::text as value
from number as n
inner join record as r on r.id = n.record and r.version = n.version
where
    r.origin is null and r.state = 'published' and n.value >= 1 and n.value < 1000
    and scale(trim_scale(n.value)) between n.least_decimals and 3
order by n.record, n.pointer
