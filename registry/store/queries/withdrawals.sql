-- name: of_record
select
    w.record, w.entry, w.version, w.withdrawn_at, w.reason, w.approved_by, s.value as note, t.value as successor, e.leaf,
    (select x.members from redacted as x where x.entry = w.entry) as redacted
from withdrawal as w
inner join log_entry as e on e.index = w.entry
left join entry_section as s on s.entry = w.entry and s.key = 'note'
left join entry_section as t on t.entry = w.entry and t.key = 'successor'
where ($1::text [] is null or w.record = any($1)) and w.entry <= $2
order by w.entry
