-- name: insert
-- For the members with role $5 of agency $6, and with $7 for those of the authority; not for member $8. Those who
-- want one mail a day get it at $9.
-- What one request submits is counted in one notice, whose e-mail waits for what follows.
insert into notice as n (member, kind, subject, about, made_at, mail_at)
select
    m.id, $1, $2, $3, $4,
    case when m.email is null then null
        when m.daily_digest then $9
        else $4::timestamptz + case when $1 = 'reviews_wait' then interval '1 minute' else interval '0' end
    end
from member as m
where
    m.ended_at is null
    and $5 = any(m.roles)
    and (m.agency = $6 or ($7::boolean and m.agency is null))
    and m.id is distinct from $8::bigint
on conflict (member, kind, subject, about) do update
set number = n.number + 1, read_at = null, mail_at = case when n.mailed_at is null then excluded.mail_at end
where n.kind = 'reviews_wait'

-- name: insert_due
-- For the editors of agencies whose records in force are to be reviewed by day $3; a digest is due at $4.
insert into notice (member, kind, subject, about, made_at, mail_at)
select m.id, $1, f.record, f.next_review_on::text, $2,
    case when m.email is null then null when m.daily_digest then $4 else $2::timestamptz end
from figure as f inner join member as m on m.agency = f.agency
where
    f.origin is null
    and f.until_entry is null
    and f.status <> 'retired'
    and f.next_review_on <= $3
    and m.ended_at is null
    and 'editor' = any(m.roles)
on conflict do nothing

-- name: of_member
select id, kind, subject, about, number, made_at, read_at from notice where member = $1 order by id desc limit $2

-- name: unread
select count(*) from notice where member = $1 and read_at is null

-- name: mark_read
update notice set read_at = $2, mail_at = null
where
    member = $1 and read_at is null and ($3::text is null or subject = $3) and ($4::bigint is null or id <= $4)
    and ($5::text is null or about = $5)

-- name: claim_mail
-- One whose e-mail is due, and when it is tried again: by then, whoever has claimed it has sent it or failed.
update notice as n
set mail_at = $1::timestamptz + least(greatest($1::timestamptz - n.made_at, interval '5 minutes'), interval '6 hours')
from member as m
where
    n.id = (
        select due.id
        from notice as due inner join member as known on known.id = due.member
        where due.mail_at <= $1 and known.ended_at is null and known.email is not null
        order by due.mail_at, due.id
        limit 1
        for update of due skip locked
    )
    and m.id = n.member
returning
    n.id, n.kind, n.subject, n.about, n.number, n.made_at, n.read_at, n.member, m.email, m.language, m.daily_digest

-- name: claim_others
-- What else is due for the member of a digest.
update notice
set mail_at = $1::timestamptz + least(greatest($1::timestamptz - made_at, interval '5 minutes'), interval '6 hours')
where id in (select id from notice where member = $2 and id <> $3 and mail_at <= $1 for update skip locked)
returning id, kind, subject, about, number, made_at, read_at

-- name: mark_mailed
update notice set mail_at = null, mailed_at = $2 where id = any($1::bigint [])

-- name: give_up_mail
update notice set mail_at = null where mail_at is not null and made_at < $1

-- name: drop_before
delete from notice where made_at < $1
