-- name: all
select
    code, origin, key, address, policy, added_at, removed_at, applied, peaks, applied_at, seen_at, tried_at, failure,
    smaller_since, stopped_at, stopped
from peer
where $1::text is null or code = $1 order by code collate "C"

-- name: insert
-- A peer that was removed goes on where it was left, if it is the same log.
insert into peer (code, origin, key, address, policy, added_at) values ($1, $2, $3, $4, $5, $6)
on conflict (code) do update
    set address = excluded.address, key = excluded.key, policy = excluded.policy, removed_at = null

-- name: remove
update peer set removed_at = $2 where code = $1

-- name: last_checkpoint
select size, root, note, seen_at from peer_checkpoint where code = $1 order by id desc limit 1

-- name: insert_checkpoint
insert into peer_checkpoint (code, size, root, note, seen_at) values ($1, $2, $3, $4, $5)

-- name: seen
update peer set seen_at = $2, tried_at = $2, failure = null, smaller_since = null where code = $1

-- name: failed
update peer set tried_at = $2, failure = $3, smaller_since = case when $4 then coalesce(smaller_since, $2) else smaller_since end
where code = $1

-- name: stop
update peer set tried_at = $2, failure = $3, stopped = $3, stopped_at = coalesce(stopped_at, $2) where code = $1

-- name: insert_evidence
insert into peer_evidence (code, kind, why, notes, proof, found_at) values ($1, $2, $3, $4, $5, $6)

-- name: evidence
select code, kind, why, notes, proof, found_at from peer_evidence where $1::text is null or code = $1 order by id

-- name: applied
update peer set applied = $2, peaks = $3, applied_at = $4 where code = $1

-- name: subjects
select subject, index, leaf, version, record, is_withdrawn, holes from peer_subject
where code = $1 and subject = any($2::text [])

-- name: save_subjects
insert into peer_subject (code, subject, index, leaf, version, record, is_withdrawn, holes)
select $1, new.*
from jsonb_to_recordset($2::text::jsonb) as new (
    subject text, index bigint, leaf bytea, version integer, record text, is_withdrawn boolean, holes text []
)
on conflict (code, subject) do update
    set
        index = excluded.index, leaf = excluded.leaf, version = excluded.version, record = excluded.record,
        is_withdrawn = excluded.is_withdrawn, holes = excluded.holes

-- name: quarantined
select code, subject, waiting, why, since from peer_quarantine where $1::text is null or code = $1
order by code collate "C", subject collate "C"

-- name: quarantine
insert into peer_quarantine (code, subject, waiting, why, since) values ($1, $2, array[$3::bigint], $4, $5)
on conflict (code, subject) do update set waiting = peer_quarantine.waiting || $3::bigint

-- name: requarantine
update peer_quarantine set waiting = $3, why = $4 where code = $1 and subject = $2

-- name: release
delete from peer_quarantine where code = $1 and subject = $2

-- name: following
-- The withdrawals and redactions of a record that follow the entries $2 of the log at its source.
select index from log_entry
where
    record = $1 and kind in ('withdrawal', 'redaction')
    and (convert_from(bytes, 'UTF8')::json -> 'source' ->> 'index')::bigint = any($2::bigint [])
order by index

-- name: versions
-- The numbers here of versions of a record by their numbers at the source.
select version, (source_log::json ->> 'version')::integer as there from version
where record = $1 and source_log is not null order by version

-- name: followed
-- By record the last entry of its source's log that an entry here follows.
select record, max((convert_from(bytes, 'UTF8')::json -> 'source' ->> 'index')::bigint) as last
from log_entry
where record = any($1::text [])
group by record
