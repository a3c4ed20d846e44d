-- Expand: a function does the same without calling itself, which many redactions of one text made too deep.

-- What redactions commit to be shown in the place of members of a version, by pointer: JSON. An item of the array
-- `replaced` that another redaction erased is null, and what that one commits to counts.
create or replace function replaced_members(redaction bigint, of_version integer) returns jsonb language sql stable as $$
    with recursive following (redaction) as (
        select replaced_members.redaction
        union
        select m.redaction from following as f inner join erased_member as m on m.entry = f.redaction and m.key = 'replaced'
    )

    select coalesce(jsonb_object_agg(listed.one ->> 'pointer', listed.one -> 'value' order by s.entry, listed.number), '{}')
    from following as f
    inner join entry_section as s on s.entry = f.redaction and s.key = 'replaced'
    cross join lateral jsonb_array_elements(s.value::jsonb) with ordinality as listed (one, number)
    where
        listed.one -> 'versions' @> to_jsonb(replaced_members.of_version)
        and not exists (
            select from erased_member as m
            where m.entry = s.entry and m.key = s.key and m.pointer = '/replaced/' || (listed.number - 1)
        )
$$;
