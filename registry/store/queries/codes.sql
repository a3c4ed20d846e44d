-- name: taken
select code from short_code where code = any($1::text [])

-- name: coded
select s.code, s.entry, s.record, r.agency
from short_code as s inner join record as r on r.id = s.record
where s.code = $1

-- name: uncoded
-- Those that were filed here and have no code yet, the first first, $1 at most.
select r.id
from record as r inner join version as v on v.record = r.id and v.version = 1
where r.origin is null and not exists (select from short_code as s where s.record = r.id)
order by v.entry
limit $1

-- name: count_uncoded
select count(*)
from record as r
where r.origin is null and not exists (select from short_code as s where s.record = r.id)
