-- name: since
-- What the records of agencies came to be called from an entry of each on, and those that were withdrawn,
-- without a name; in the order of the log. However many there are, few are asked for: each is looked up
-- alone.
with known as (
    select agency, entry from unnest($1::text [], $2::bigint []) as given (agency, entry)
),

changed as (
    select known.agency, f.record, f.entry, f.entry as named
    from known
    cross join lateral (
        select record, entry from figure
        where
            figure.agency = known.agency and figure.entry >= known.entry
            and figure.until_entry is null and figure.origin is null
        order by figure.entry
    ) as f
    union all
    select known.agency, w.record, w.entry, null
    from known
    inner join withdrawal as w on w.entry >= known.entry and split_part(w.record, '/', 1) = known.agency
),

numbered as (
    select agency, record, entry, (select v.version from version as v where v.entry = changed.named) as version
    from changed
)

select
    agency, record, entry,
    (
        select s.value from section as s
        where s.record = numbered.record and s.version = numbered.version and s.key = 'name'
    ) as name,
    (
        select s.value from section as s
        where s.record = numbered.record and s.version = numbered.version and s.key = 'source_id'
    ) as source_id
from numbered
order by entry
