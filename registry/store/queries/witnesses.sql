-- name: states
select url, asked, asked_at, size, answer, alarm, alarms from witness order by url

-- name: claim
-- Nobody asks one address more than once in a span $4, whatever process has asked it.
insert into witness as w (url, asked, asked_at) values ($1, $2, $3)
on conflict (url) do update set asked = excluded.asked, asked_at = excluded.asked_at
where w.asked_at <= excluded.asked_at - $4::interval
returning url, asked, asked_at, size, answer, alarm, alarms

-- name: keep_answer
-- size: null where it is not known that the witness has another now.
update witness
set
    size = coalesce($2, size),
    answer = $3,
    alarm = $4,
    alarms = alarms + case when $4::text is null then 0 else 1 end
where url = $1

-- name: alarms
select coalesce(sum(alarms), 0)::bigint as alarms, count(alarm) as alarmed from witness

-- name: keep_cosignature
insert into cosignature (size, verifier, time, line, signed_at) values ($1, $2, $3, $4, $5)
on conflict do nothing

-- name: cosignatures
-- Of each key the newest, and the one that was there first where two have the same time.
select distinct on (verifier) verifier, time, line from cosignature where size = $1 order by verifier, time desc

-- name: cosigned
-- The checkpoints below the size $1 that somebody has cosigned, the newest first.
select k.size, k.root, convert_to(k.note, 'UTF8') as note, k.signed_at
from checkpoint as k
where k.size < $1 and exists (select from cosignature as c where c.size = k.size)
order by k.size desc
limit $2

-- name: newest
-- Of each key the newest checkpoint that it has cosigned, and the last of its signatures of it.
select distinct on (c.verifier) c.verifier, c.time, c.line, c.size, convert_to(k.note, 'UTF8') as note
from cosignature as c
join checkpoint as k on k.size = c.size
order by c.verifier, c.size desc, c.time desc
