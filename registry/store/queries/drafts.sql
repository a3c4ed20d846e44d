-- name: lock
select record, agency, document, tag, base, actor, saved_at from draft where record = $1 for update

-- name: one
select record, agency, document, tag, base, actor, saved_at from draft where record = $1

-- name: of_agency
select record, agency, document, tag, base, actor, saved_at from draft
where $1::text is null or agency = $1
order by record

-- name: save
insert into draft (record, agency, document, tag, base, actor, saved_at)
values ($1, $2, $3, $4, $5, $6, $7)
on conflict (record) do update
    set document = excluded.document, tag = excluded.tag, actor = excluded.actor, saved_at = excluded.saved_at

-- name: delete
delete from draft where record = $1
