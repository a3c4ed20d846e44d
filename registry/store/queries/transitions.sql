-- name: before_and_after
-- Of the records of versions $1 the versions in force before and at the end of a window that differ: of what was filed
-- here by the entries $2 and $3, of other registers by the day that they state for the change, or of the import, which
-- is before $4 and until $5. No entry after $6 counts.
with day as (
    select
        v.record, v.entry, f.until_entry, f.origin,
        rpad(coalesce(v.changed_on, to_char(v.published_at at time zone 'UTC', 'YYYY-MM-DD')), 10, '-01-01') as day
    from version as v
    inner join figure as f on f.entry = v.entry
    where v.record = any(array(select w.record from version as w where w.entry = any($1::bigint [])))
        and v.entry <= $6::bigint
)

select record, before, after
from (
    select
        record,
        max(entry) filter (where case
            when origin is null then entry <= $2::bigint and coalesce(until_entry > $2, true)
            else day < $4::text
        end) as before,
        max(entry) filter (where case
            when origin is null then entry <= $3::bigint and coalesce(until_entry > $3, true)
            else day <= $5::text
        end) as after
    from day
    group by record
) as found
where after is not null and after is distinct from before
order by record
