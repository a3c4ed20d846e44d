-- name: spend
-- A bucket that holds `capacity` and fills by `rate` a second: take `cost` out of it, or tell what
-- there is. One that was used in what is still to come, by a clock that was wrong, is full. One
-- statement, so that it is right across all processes. The table is not logged: a statement that
-- writes nothing else commits without waiting for a disk.
with asked as (
    select
        $1::text as kind, $2::text as who, $3::double precision as capacity,
        $4::double precision as rate, $5::double precision as cost, $6::timestamptz as at
),

taken as (
    insert into allowance as a (kind, who, remaining, at)
    select kind, who, capacity - cost, at from asked
    on conflict (kind, who) do update
        set
            remaining = least($3, a.remaining + $4 * case
                when a.at > $6 + interval '10 s' then 'infinity'
                else greatest(0, extract(epoch from $6 - a.at)::double precision)
            end) - $5,
            at = case when a.at > $6 + interval '10 s' then $6 else greatest(a.at, $6) end
        where least($3, a.remaining + $4 * case
            when a.at > $6 + interval '10 s' then 'infinity'
            else greatest(0, extract(epoch from $6 - a.at)::double precision)
        end) >= $5
    returning remaining
)

select true as granted, remaining from taken
union all
select
    false as granted,
    least(b.capacity, a.remaining + b.rate * greatest(0, extract(epoch from b.at - a.at)::double precision)) as remaining
from allowance as a inner join asked as b on a.kind = b.kind and a.who = b.who
where not exists (select from taken)

-- name: charge
-- Take `cost` out of a bucket whatever it holds, and tell what it has now: less than nothing is a
-- debt, of one capacity at most.
with asked as (
    select
        $1::text as kind, $2::text as who, $3::double precision as capacity,
        $4::double precision as rate, $5::double precision as cost, $6::timestamptz as at
)

insert into allowance as a (kind, who, remaining, at)
select kind, who, greatest(-capacity, capacity - cost), at from asked
on conflict (kind, who) do update
    set
        remaining = greatest((-1) * $3, least($3, a.remaining + $4 * case
            when a.at > $6 + interval '10 s' then 'infinity'
            else greatest(0, extract(epoch from $6 - a.at)::double precision)
        end) - $5),
        at = case when a.at > $6 + interval '10 s' then $6 else greatest(a.at, $6) end
returning remaining

-- name: forget
delete from allowance where at < $1::timestamptz - case kind when $2::text then interval '1 day' else interval '1 hour' end

-- name: has_spent
select exists (select from allowance where kind = $1 and who = $2)
