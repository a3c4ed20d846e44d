-- Expand: a new table, which code before does not know.
-- The last sign of life of each process on each host, and the last run of a command there: what other processes show
-- of it. figures: numbers, and sentences on what fails.
create table heartbeat (
    process text not null,
    host text not null,
    at timestamptz not null,
    figures jsonb not null,
    primary key (process, host)
);
