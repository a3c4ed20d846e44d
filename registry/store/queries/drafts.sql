-- part: draft
    record, agency, document, tag, base, actor, saved_at,
    state, submitted_by, submitted_at, comment, comments, returned_by, returned_at, submitted_person

-- name: lock
select {draft} from draft
where record = $1
for update

-- name: one
select {draft} from draft
where record = $1 and ($2::text is null or state = $2)

-- name: of_agency
select {draft} from draft
where ($1::text is null or agency = $1) and ($2::text is null or state = $2)
order by record

-- name: weight
select coalesce(sum(greatest(octet_length(document), $3)), 0) from draft where agency = $1 and record <> $2

-- name: save
insert into draft (record, agency, document, tag, base, actor, saved_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (record) do update
    set document = excluded.document, tag = excluded.tag, actor = excluded.actor, saved_at = excluded.saved_at
returning {draft}

-- name: submit
update draft set state = 'in_review', submitted_by = $2, submitted_person = $3, submitted_at = $4 where record = $1

-- name: give_back
update draft set state = 'draft', comment = $2, comments = $3, returned_by = $4, returned_at = $5 where record = $1

-- name: take_back
update draft set state = 'draft', submitted_by = null, submitted_person = null, submitted_at = null where record = $1

-- name: rename
-- A key is not updated where others refer to it: the row is copied, and what referred to the old one moves.
with moved as (
    insert into draft (
        record, agency, document, tag, base, actor, saved_at, comment, comments, returned_by, returned_at
    )
    select $2, agency, $3, $4, base, actor, $5, comment, comments, returned_by, returned_at from draft where record = $1
    returning record
),

links as (update preview_link set record = (select record from moved) where record = $1)

delete from draft where record = $1

-- name: delete
delete from draft where record = $1
