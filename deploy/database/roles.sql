-- Two roles, as a superuser, once. Peer authentication (pg_ident.conf) needs no password; else \password sets it.
create role register login;
create role serving login;
create database register owner register encoding 'UTF8' template template0;

-- What a redaction asks of the server, so that no file keeps what it erased (docs/operating.md).
grant pg_checkpoint to register;
\connect register
grant execute on function pg_switch_wal() to register;
