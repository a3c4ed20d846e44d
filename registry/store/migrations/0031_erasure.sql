-- Redactions of withdrawals, attestations and redactions, and of words in a text that stays.

-- A redaction names versions of a record, or entries that are none: of a record, or of an agency's attestations.
-- replaced: JSON, what is shown in the place of erased members, until it is confirmed: the log commits to it then.
-- squawk-ignore ban-drop-not-null
alter table redaction alter column record drop not null;
-- squawk-ignore adding-foreign-key-constraint
alter table redaction add column agency text references agency (id);
alter table redaction add column entries bigint [] not null default '{}';
alter table redaction add column replaced text;
-- squawk-ignore constraint-missing-not-valid
alter table redaction add constraint redaction_subject check ((record is null) <> (agency is null));

-- What is published stays as it was, but for what `erase_content` and `erase_findings` do.
create or replace function refuse_change() returns trigger language plpgsql as $$
declare
    redaction text := current_setting('registry.redaction', true);
begin
    if
        redaction <> '' and tg_op <> 'TRUNCATE'
        and tg_table_name in ('section', 'entry_section', 'version', 'source_row')
    then
        perform published_redaction(redaction::bigint);
        return null;
    end if;
    raise exception '% is append-only', tg_table_name using errcode = 'integrity_constraint_violation';
end
$$;

-- What redactions commit to be shown in the place of members of a version, by pointer: JSON. An item of the array
-- `replaced` that another redaction erased is null, and what that one commits to counts.
create function replaced_members(redaction bigint, of_version integer) returns jsonb language plpgsql stable as $$
declare
    shown jsonb := '{}';
    item record;
begin
    for item in
        select listed.one, m.redaction as erased_by
        from entry_section as s
        cross join lateral jsonb_array_elements(s.value::jsonb) with ordinality as listed (one, number)
        left join erased_member as m
            on m.entry = s.entry and m.key = s.key and m.pointer = '/replaced/' || (listed.number - 1)
        where s.entry = replaced_members.redaction and s.key = 'replaced'
    loop
        if item.erased_by is not null then
            shown := shown || replaced_members(item.erased_by, of_version);
        elsif item.one -> 'versions' @> to_jsonb(of_version) then
            shown := shown || jsonb_build_object(item.one ->> 'pointer', item.one -> 'value');
        end if;
    end loop;
    return shown;
end
$$;

-- squawk-ignore ban-drop-function
drop function erase_members(bigint, text, integer, text [], text [], bytea [], text [], text [], text [], text);
-- squawk-ignore ban-drop-function
drop function without_members(text, jsonb, text []);

-- The value of a section without the members that are gone, or with what is shown in their place: an item of an
-- array that is gone is null.
create function without_members(key text, value jsonb, gone text [], shown jsonb) returns jsonb
language plpgsql immutable as $$
declare
    pointer text;
    name text;
begin
    foreach pointer in array gone loop
        if pointer = '/' || key then
            return coalesce(shown -> pointer, 'null');
        end if;
        name := replace(replace(split_part(pointer, '/', 3), '~1', '/'), '~0', '~');
        if jsonb_typeof(value) = 'array' then
            value := jsonb_set(value, array[name], coalesce(shown -> pointer, 'null'));
        else
            value := value - name;
            if shown ? pointer then
                value := value || jsonb_build_object(name, shown -> pointer);
            end if;
        end if;
    end loop;
    return value;
end
$$;

-- The only way to change what was published: it destroys members of what one entry commits to, with their salts and
-- the row that a version was made from, if a published redaction names them, and puts what redactions commit to in
-- their place; nothing else may differ from what was there. left_values, left_salts: of the sections named by keys,
-- what is left of them; of_keys, pointers, commitments: the members that are destroyed now.
create function erase_content(
    redaction bigint, of_entry bigint,
    keys text [], left_values text [], left_salts bytea [],
    of_keys text [], pointers text [], commitments text [],
    left_note text
) returns void language plpgsql as $$
declare
    said jsonb := published_redaction(redaction);
    whole version%rowtype;
    subject text;
begin
    select * into whole from version as v where v.entry = of_entry;
    select coalesce(e.record, a.agency, r.agency) into strict subject
    from log_entry as e
    left join attestation as a on a.entry = e.index
    left join redaction as r on r.entry = e.index
    where e.index = of_entry;
    if
        subject is distinct from coalesce(said ->> 'id', said ->> 'agency')
        or not coalesce(
            case when whole.entry is null
                then said -> 'entries' @> to_jsonb(of_entry)
                else said -> 'versions' @> to_jsonb(whole.version)
            end,
            false
        )
        or exists (
            select from unnest(pointers) as p (pointer)
            where not (said -> 'pointers' ? p.pointer or said -> 'pointers' ? ('/' || split_part(p.pointer, '/', 2)))
        )
    then
        raise exception 'the redaction % does not name this', redaction using errcode = 'integrity_constraint_violation';
    end if;
    insert into erased_member (entry, key, pointer, commitment, redaction)
    select of_entry, g.key, g.pointer, g.commitment, erase_content.redaction
    from unnest(of_keys, pointers, commitments) as g (key, pointer, commitment);
    if exists (
        select from unnest(keys, left_values, left_salts) as now (key, value, salts)
        left join (
            select s.key, s.value, s.salts from section as s
            where s.record = whole.record and s.version = whole.version
            union all
            select s.key, s.value, s.salts from entry_section as s
            where s.entry = of_entry
        ) as s on s.key = now.key
        cross join lateral (
            select
                array_agg(m.pointer) as pointers,
                count(*) filter (where m.redaction = erase_content.redaction and m.pointer = any(erase_content.pointers))
                    as number,
                coalesce(
                    jsonb_object_agg(m.pointer, m.replaced -> m.pointer) filter (where m.replaced ? m.pointer), '{}'
                ) as shown
            from (
                select m.pointer, m.redaction, replaced_members(m.redaction, whole.version) as replaced
                from erased_member as m
                where m.entry = of_entry and m.key = now.key
            ) as m
        ) as gone
        where
            s.key is null or gone.pointers is null
            or now.value::jsonb is distinct from without_members(s.key, s.value::jsonb, gone.pointers, gone.shown)
            or octet_length(now.salts) <> octet_length(s.salts) - 32 * gone.number
    ) or (left_note is not null and left_note is distinct from whole.change_note) then
        raise exception 'the redaction % would change more than it erases', redaction
            using errcode = 'integrity_constraint_violation';
    end if;
    perform set_config('registry.redaction', redaction::text, true);
    update section as s set value = now.value, salts = now.salts
    from unnest(keys, left_values, left_salts) as now (key, value, salts)
    where s.record = whole.record and s.version = whole.version and s.key = now.key;
    update entry_section as s set value = now.value, salts = now.salts
    from unnest(keys, left_values, left_salts) as now (key, value, salts)
    where s.entry = of_entry and s.key = now.key;
    update version as v set change_note = left_note where v.entry = of_entry;
    delete from source_row as r where r.record = whole.record and r.version = whole.version;
    perform set_config('registry.redaction', '', true);
end
$$;

-- The server keeps samples of what columns hold, which outlive the rows: none any more of what can be erased.
do $$
declare
    one record;
begin
    for one in
        select c.relname, a.attname, c.oid, a.attnum
        from (values
            ('section', '{value}'::text []),
            ('entry_section', '{value}'),
            ('version', '{findings,change_note}'),
            ('source_row', '{content,whole}'),
            ('search_version', '{card,name,summary,rest}'),
            ('draft', '{document,comment,comments}'),
            ('answer', '{content}'),
            ('pending_act', '{statement,comment}'),
            ('redaction', '{authority,reference,replaced}'),
            ('kept_form', '{fields}')
        ) as named (relname, columns)
        inner join pg_class as c on c.oid = named.relname::regclass
        inner join pg_attribute as a on a.attrelid = c.oid and a.attname = any(named.columns)
    loop
        execute format('alter table %I alter column %I set statistics 0', one.relname, one.attname);
        begin
            delete from pg_statistic as s where s.starelid = one.oid and s.staattnum = one.attnum;
        exception when insufficient_privilege then
            -- Only a superuser may; `docs/operating.md` says what to do.
            null;
        end;
    end loop;
end
$$;
