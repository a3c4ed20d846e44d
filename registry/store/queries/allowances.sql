-- name: spend
-- A bucket that holds `capacity` and fills by `rate` a second: take `cost` out of it, or tell what
-- there is. One statement, so that it is right across all processes. The table is not logged: a
-- statement that writes nothing else commits without waiting for a disk.
with asked as (
    select
        $3::double precision as capacity, $4::double precision as rate,
        $5::double precision as cost, $6::timestamptz as at
),

taken as (
    insert into allowance as a (kind, who, remaining, at)
    select $1, $2, capacity - cost, at from asked
    on conflict (kind, who) do update
        set
            remaining = least($3, a.remaining + $4 * greatest(0, extract(epoch from $6 - a.at)::double precision)) - $5,
            at = greatest(a.at, $6)
        where least($3, a.remaining + $4 * greatest(0, extract(epoch from $6 - a.at)::double precision)) >= $5
    returning remaining
)

select true as granted, remaining from taken
union all
select
    false as granted,
    least(b.capacity, a.remaining + b.rate * greatest(0, extract(epoch from b.at - a.at)::double precision)) as remaining
from allowance as a cross join asked as b
where a.kind = $1 and a.who = $2 and not exists (select from taken)

-- name: forget
delete from allowance where at < $1
