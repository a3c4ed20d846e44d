-- name: files
select
    (select discards from log_state) as discards,
    (select content from published_file where path = 'checkpoint') as checkpoint,
    (select content from published_file where path = 'witnessed') as witnessed,
    (select content from published_file where path = 'policy') as policy

-- name: file
select content from published_file where path = $1

-- name: write
-- Files $1 with their contents $2 of the log of size $3, unless those of a larger one are there.
insert into published_file (path, content, size)
select path, content, $3 from unnest($1::text [], $2::bytea []) as f (path, content)
on conflict (path) do update set content = excluded.content, size = excluded.size
where published_file.size <= excluded.size

-- name: remove
delete from published_file where path = $1 and size <= $2

-- name: leaves
select leaf from log_entry where index >= $1 and index < $2 order by index
