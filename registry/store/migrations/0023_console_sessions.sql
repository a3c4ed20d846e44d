-- Sessions of the console end without being deleted, so that what was typed in one can be given back.

-- Deleted a day after they were begun; ended_at: signed out, or ended with the member or a role.
alter table console_session add column ended_at timestamptz;

-- Whose words they are: only she gets them back.
-- squawk-ignore ban-drop-table
drop table kept_form;
create table kept_form (
    digest bytea primary key,
    member bigint not null references member (id),
    address text not null,
    fields text not null,
    kept_at timestamptz not null
);
create index kept_form_kept_at on kept_form (kept_at);
create index kept_form_member on kept_form (member);

-- One row: what signs the tokens of forms, the same for all workers and machines.
create table console_secret (
    one boolean primary key default true check (one),
    secret bytea not null
);
