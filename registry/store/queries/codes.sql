-- name: taken
select code from short_code where code = any($1::text [])

-- name: coded
select s.code, s.record as id, r.agency, s.entry
from short_code as s inner join record as r on r.id = s.record
where s.code = $1
