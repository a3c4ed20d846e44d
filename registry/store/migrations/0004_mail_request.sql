-- Expand: links that are mailed; the release before knows nothing of the table and mails none.

-- Mails with a link that the background runner makes and sends. Whoever asks for one by an address is only noted here,
-- so that nobody learns whether it is a member's. kind: what the link is for. member: null where an address alone was
-- given.
create table mail_request (
    id bigint generated always as identity primary key,
    kind text not null,
    email text not null,
    member bigint references member (id),
    language text not null,
    made_at timestamptz not null,
    mail_at timestamptz not null
);
create index mail_request_mail_at on mail_request (mail_at);
