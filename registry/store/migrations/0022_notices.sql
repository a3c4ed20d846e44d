-- What members are told of: in the console, and by e-mail where that is configured.

-- about: what tells two notices of a kind on one subject apart: the time of a submission or a return, a
-- version, the day on which a review is due. mail_at: when an e-mail is next tried; null where none is due.
create table notice (
    id bigint generated always as identity primary key,
    member bigint not null references member (id),
    kind text not null,
    subject text not null,
    about text not null,
    made_at timestamptz not null,
    read_at timestamptz,
    mail_at timestamptz,
    mailed_at timestamptz,
    unique (member, kind, subject, about)
);
create index notice_unread on notice (member, id) where read_at is null;
create index notice_mail_at on notice (mail_at) where mail_at is not null;
create index notice_made_at on notice (made_at);
