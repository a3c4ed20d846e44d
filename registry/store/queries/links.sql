-- name: next_record
select id from record where id > $1 collate "C" and state = 'published' and origin is null
order by id collate "C" limit 1

-- name: last_answers
-- The last answer of each address of a record, whichever record it was asked for.
select distinct on (digest) digest, asked_at, failed, since, why
from link_state where digest = any($1::bytea [])
order by digest, asked_at desc

-- name: keep
insert into link_state (record, version, digest, asked_at, failed, since, why) values ($1, $2, $3, $4, $5, $6, $7)
on conflict (record, digest) do update
    set version = excluded.version, asked_at = excluded.asked_at, failed = excluded.failed, since = excluded.since,
        why = excluded.why

-- name: forget
delete from link_state where record = $1 and digest <> all($2::bytea [])

-- name: broken
-- Of the versions in force of an agency, or of its record $2: what was not there when it was asked for $3 times.
select l.record, l.digest, l.asked_at, l.failed, l.since, l.why
from link_state as l
inner join record as r on r.id = l.record and r.version = l.version and r.state = 'published'
where r.agency = $1 and ($2::text is null or r.id = $2) and l.failed >= $3
