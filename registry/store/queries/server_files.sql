-- name: be_impatient
set lock_timeout = '2s'

-- name: vacuum
-- Into new files: a page keeps what was deleted of it until the space is used again.
vacuum (
    full
) section, entry_section, version, source_row, search_version, draft, answer, blocking_key, pending_act, redaction, kept_form

-- name: new_wal_segment
select pg_switch_wal()

-- name: checkpoint
checkpoint

-- name: wal_settings
-- What keeps files of the write-ahead log that a checkpoint would delete.
select name, setting from pg_settings
where
    (name = 'wal_recycle' and setting = 'on')
    or (name = 'wal_keep_size' and setting <> '0')
    or (name = 'archive_mode' and setting <> 'off')
order by name
