-- Other registers of this software that are harvested: every entry of their logs is verified before it is taken.

-- origin, key: the name of the peer's log and its verifier key; address: where it is, without /log; policy: the
-- witnesses that are asked for, as text. applied, peaks, applied_at: how far its log is taken in here, the compact
-- range over these entries, and the time of the last of them there. seen_at: when it was last found in order;
-- tried_at, failure: the last round, and why it failed; smaller_since: since when it shows a smaller log than before;
-- stopped_at, stopped: since when and why it is believed no more.
create table peer (
    code text primary key,
    origin text not null,
    key text not null,
    address text not null,
    policy text,
    added_at timestamptz not null,
    removed_at timestamptz,
    applied bigint not null default 0,
    peaks bytea not null default '',
    applied_at text not null default '',
    seen_at timestamptz,
    tried_at timestamptz,
    failure text,
    smaller_since timestamptz,
    stopped_at timestamptz,
    stopped text
);

-- The signed checkpoints of a peer that were seen here, to the byte.
create table peer_checkpoint (
    id bigint generated always as identity primary key,
    code text not null references peer (code),
    size bigint not null,
    root bytea not null,
    note bytea not null,
    seen_at timestamptz not null
);
-- squawk-ignore require-concurrent-index-creation
create index peer_checkpoint_code on peer_checkpoint (code, id);
create trigger peer_checkpoint_append_only before update or delete or truncate on peer_checkpoint
for each statement execute function refuse_change();

-- What shows that a peer cannot be believed: the signed notes, to the byte, and the proof that they contradict.
create table peer_evidence (
    id bigint generated always as identity primary key,
    code text not null references peer (code),
    kind text not null,
    why text not null,
    notes bytea [] not null,
    proof text,
    found_at timestamptz not null
);
create trigger peer_evidence_append_only before update or delete or truncate on peer_evidence
for each statement execute function refuse_change();

-- The last entry of each record, agency and series of attestations in a peer's log. record: its id here, null of what
-- is not taken; is_withdrawn: whether it is withdrawn there; holes: list items that were erased there before they
-- came here, by version and pointer, after which the items that follow have other numbers here.
create table peer_subject (
    code text not null references peer (code),
    subject text not null,
    index bigint not null,
    leaf bytea not null,
    version integer not null,
    record text,
    is_withdrawn boolean not null default false,
    holes text [] not null default '{}',
    primary key (code, subject)
);

-- Records of a peer that cannot be taken as they are: the first of the entries that wait is at fault.
create table peer_quarantine (
    code text not null references peer (code),
    subject text not null,
    waiting bigint [] not null,
    why text not null,
    since timestamptz not null,
    primary key (code, subject)
);

-- JSON of the entry of the peer's log that a harvested version follows from: index, leaf, time and version there.
alter table version add column source_log text;

-- Where a version of a foreign record stands at its source, as known when the entry as_of was the last: JSON.
create or replace function at_source(of_record text, of_version integer, as_of bigint) returns text
language sql stable as $$
    select (jsonb_build_object(
        'id', f.source_id, 'state', coalesce(e.state, 'present'), 'state_since', e.day, 'changed_on', v.changed_on,
        'undated', v.undated, 'moved_from', v.moved_from, 'run', v.run, 'register', o.document::jsonb
    ) || case when v.source_log is null then '{}' else jsonb_build_object(
        'origin', p.origin, 'index', v.source_log::jsonb -> 'index', 'leaf', v.source_log::jsonb -> 'leaf',
        'version', v.source_log::jsonb -> 'version', 'published_at', v.source_log::jsonb -> 'at',
        'seen_at', v.published_at,
        'proof', p.address || '/log/proof/' || (v.source_log::jsonb ->> 'index') || '.tlog-proof'
    ) end)::text
    from foreign_record as f
    inner join version as v on v.record = f.record and v.version = of_version
    left join origin as o on o.code = f.origin
    left join peer as p on p.code = f.origin
    left join lateral (
        select s.state, s.day from source_event as s
        where s.record = f.record and s.version = of_version and s.entry <= as_of
        order by s.entry desc
        limit 1
    ) as e on true
    where f.record = of_record
$$;
