-- name: beat
insert into heartbeat (process, host, at, figures)
values ($1, $2, clock_timestamp(), $3::jsonb)
on conflict (process, host) do update set at = excluded.at, figures = excluded.figures

-- name: all
select process, host, at, clock_timestamp() - at as age, figures::text as figures
from heartbeat
order by process, host

-- name: forget
-- Servers that have not told anything for a week; what a `work` and a command told last stays.
delete from heartbeat where process = 'serve' and at < clock_timestamp() - interval '7 days'

-- name: standing
-- What waits for people, and what ends soon.
select
    (select max(signed_at) from checkpoint) as signed_at,
    (select count(*) from draft where state = 'in_review')
    + (select count(*) from pending_act where state = 'in_review') as reviews,
    least(
        (select min(submitted_at) from draft where state = 'in_review'),
        (select min(requested_at) from pending_act where state = 'in_review')
    ) as oldest_review_at,
    (
        select count(*) from token
        where revoked_at is null and expires_at > $1 and expires_at <= $1 + interval '30 days'
    ) as tokens_expiring
