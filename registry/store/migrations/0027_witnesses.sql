-- Witnesses are asked for each checkpoint, and again while the log is quiet: they sign it anew, with the time.

-- time: POSIX seconds that the witness has signed, the 8 bytes behind the 4 of the key's id in the line.
alter table cosignature add column time bigint;
alter table cosignature disable trigger cosignature_append_only;
update cosignature set
    time = ('x' || encode(substring(decode(split_part(line, ' ', 3), 'base64') from 5 for 8), 'hex'))::bit(64)::bigint;
alter table cosignature enable trigger cosignature_append_only;
-- squawk-ignore ban-drop-constraint
alter table cosignature drop constraint cosignature_pkey;
-- squawk-ignore constraint-missing-not-valid, adding-serial-primary-key-field
alter table cosignature add primary key (size, verifier, time);

-- Where the asking of witnesses stands, by their address. asked: the size that was asked for last; size: the one
-- that it cosigned last, as far as is known; answer: what it answered. alarm: what it answered that a witness
-- answers to a log of two histories, until it cosigns again; alarms: how often that was.
create table witness (
    url text primary key,
    asked bigint not null,
    asked_at timestamptz not null,
    size bigint not null default 0,
    answer text not null default '',
    alarm text,
    alarms bigint not null default 0
);

-- The policy in force is that of the last entry which has one.
-- squawk-ignore require-concurrent-index-creation
create index log_entry_policy on log_entry (index) where kind = 'policy';
