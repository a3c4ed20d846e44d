-- name: end
update figure set until_entry = $2, until_at = $3 where record = $1 and until_entry is null
