-- part: act
select
    id, kind, subject, agency, statement, base, requested_agency, requested_by, requested_person, requested_at,
    state, comment, decided_by, decided_person, decided_at, entry
from pending_act

-- name: insert
insert into pending_act
    (kind, subject, agency, statement, base, requested_agency, requested_by, requested_person, requested_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
returning id

-- name: lock
{act}
where id = $1
for update

-- name: lock_waiting
{act}
where kind = $1 and subject = $2 and state = 'in_review'
for update

-- name: waiting
{act}
where kind = $1 and subject = $2 and state = 'in_review'

-- name: one
{act}
where id = $1

-- name: all
{act}
where ($1::text is null or agency = $1) and ($2::text is null or state = $2)
order by id desc

-- name: risks
-- In force: of the record $1, or of all that the agency $1 has filed.
select distinct risk from figure where (record = $1 or agency = $1) and origin is null and until_entry is null

-- name: approve
update pending_act
set state = 'approved', statement = null, decided_by = $2, decided_person = $3, decided_at = $4, entry = $5
where id = $1

-- name: give_back
update pending_act
set state = 'returned', comment = $2, decided_by = $3, decided_person = $4, decided_at = $5
where id = $1

-- name: delete
delete from pending_act where id = $1

-- name: delete_returned
delete from pending_act where kind = $1 and subject = $2 and state = 'returned'
