-- Redactions: asked for by one, confirmed by another, in the log; then what they name is destroyed.

-- versions, pointers: what is to be erased; entry: null until it is confirmed.
create table redaction (
    id bigint generated always as identity primary key,
    record text not null references record (id),
    versions integer [] not null,
    pointers text [] not null,
    basis text not null,
    authority text not null,
    reference text,
    requested_by text not null,
    requested_at timestamptz not null,
    confirmed_by text check (confirmed_by <> requested_by),
    entry bigint unique references log_entry (index),
    check ((confirmed_by is null) = (entry is null))
);

-- The redactions that were carried out: what entries they changed the content of, and whether the
-- files of these were written anew since.
create table erasure (
    redaction bigint primary key references log_entry (index),
    entries bigint [] not null,
    settled boolean not null default false
);

-- squawk-ignore require-concurrent-index-creation
create index log_entry_redaction on log_entry (index) where kind = 'redaction';

-- What was erased of the content of entries: JSON, a list of members by pointer, and why.
create view redacted (entry, members) as
select
    m.entry,
    json_agg(
        json_build_object(
            'pointer', m.pointer, 'basis', convert_from(e.bytes, 'UTF8')::json ->> 'basis',
            'authority', s.value::json, 'entry', m.redaction, 'redacted_at', e.at
        ) order by m.pointer collate "C"
    )::text as members
from erased_member as m
inner join log_entry as e on e.index = m.redaction
left join entry_section as s on s.entry = m.redaction and s.key = 'authority'
group by m.entry;

-- A redaction as the log has it; what is not in a published checkpoint erases nothing.
create function published_redaction(redaction bigint) returns jsonb language plpgsql stable as $$
declare
    said jsonb;
begin
    select convert_from(e.bytes, 'UTF8')::jsonb into said
    from log_entry as e
    where e.index = redaction and e.kind = 'redaction' and exists (select from checkpoint as c where c.size > e.index);
    if said is null then
        raise exception 'entry % is no redaction in a published checkpoint', redaction
            using errcode = 'integrity_constraint_violation';
    end if;
    return said;
end
$$;

-- What is published stays as it was, but for what `erase_members` and `erase_findings` do.
create or replace function refuse_change() returns trigger language plpgsql as $$
declare
    redaction text := current_setting('registry.redaction', true);
begin
    if redaction <> '' and tg_op <> 'TRUNCATE' and tg_table_name in ('section', 'version', 'source_row') then
        perform published_redaction(redaction::bigint);
        return null;
    end if;
    raise exception '% is append-only', tg_table_name using errcode = 'integrity_constraint_violation';
end
$$;

-- The value of a section without some of its members: an item of an array is null after it.
create function without_members(key text, value jsonb, gone text []) returns jsonb language plpgsql immutable as $$
declare
    pointer text;
    name text;
begin
    foreach pointer in array gone loop
        if pointer = '/' || key then
            return 'null';
        end if;
        name := replace(replace(split_part(pointer, '/', 3), '~1', '/'), '~0', '~');
        if jsonb_typeof(value) = 'object' then
            value := value - name;
        else
            value := jsonb_set(value, array[name], 'null');
        end if;
    end loop;
    return value;
end
$$;

-- The only way to change what was published: it destroys members of one version, with their salts and
-- the row that the version was made from, if a published redaction names them; nothing else may differ
-- from what was there. left_values, left_salts: of the sections named by keys, what is left of them.
create function erase_members(
    redaction bigint, of_record text, of_version integer,
    keys text [], left_values text [], left_salts bytea [],
    of_keys text [], pointers text [], commitments text [],
    left_note text
) returns void language plpgsql as $$
declare
    said jsonb := published_redaction(redaction);
    its_entry bigint;
begin
    select v.entry into strict its_entry from version as v where v.record = of_record and v.version = of_version;
    if said ->> 'id' <> of_record or not said -> 'versions' @> to_jsonb(of_version) or exists (
        select from unnest(pointers) as p (pointer)
        where not (said -> 'pointers' ? p.pointer or said -> 'pointers' ? ('/' || split_part(p.pointer, '/', 2)))
    ) then
        raise exception 'the redaction % does not name this', redaction using errcode = 'integrity_constraint_violation';
    end if;
    if exists (
        select from unnest(keys, left_values, left_salts) as now (key, value, salts)
        left join section as s on s.record = of_record and s.version = of_version and s.key = now.key
        cross join lateral (
            select array_agg(g.pointer) as pointers
            from unnest(of_keys, pointers) as g (key, pointer)
            where g.key = now.key
        ) as gone
        where
            s.key is null
            or now.value::jsonb is distinct from without_members(s.key, s.value::jsonb, gone.pointers)
            or octet_length(now.salts) <> octet_length(s.salts) - 32 * cardinality(gone.pointers)
    ) or exists (
        select from version as v
        where v.record = of_record and v.version = of_version and left_note is not null and left_note is distinct from v.change_note
    ) then
        raise exception 'the redaction % would change more than it erases', redaction
            using errcode = 'integrity_constraint_violation';
    end if;
    perform set_config('registry.redaction', redaction::text, true);
    update section as s set value = now.value, salts = now.salts
    from unnest(keys, left_values, left_salts) as now (key, value, salts)
    where s.record = of_record and s.version = of_version and s.key = now.key;
    update version as v set change_note = left_note where v.record = of_record and v.version = of_version;
    delete from source_row as r where r.record = of_record and r.version = of_version;
    perform set_config('registry.redaction', '', true);
    insert into erased_member (entry, key, pointer, commitment, redaction)
    select its_entry, g.key, g.pointer, g.commitment, erase_members.redaction
    from unnest(of_keys, pointers, commitments) as g (key, pointer, commitment);
end
$$;

-- Findings quote what they are about: those that quote what a published redaction erases are dropped.
create function erase_findings(
    redaction bigint, of_record text, of_version integer, left_findings text
) returns void language plpgsql as $$
begin
    perform published_redaction(redaction);
    if exists (
        select from version as v cross join jsonb_array_elements(left_findings::jsonb) as f (finding)
        where v.record = of_record and v.version = of_version and not v.findings::jsonb @> jsonb_build_array(f.finding)
    ) then
        raise exception 'the redaction % would change more than it erases', redaction
            using errcode = 'integrity_constraint_violation';
    end if;
    perform set_config('registry.redaction', redaction::text, true);
    update version as v set findings = left_findings where v.record = of_record and v.version = of_version;
    perform set_config('registry.redaction', '', true);
end
$$;
