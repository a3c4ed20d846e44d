"""Notices to members, in the transaction of what they are about, and e-mail."""

from __future__ import annotations

import datetime as dt
import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

import msgspec

from registry.clock import utc_now
from registry.errors import NotFound
from registry.record.ids import agency_of
from registry.services.context import ServiceContext
from registry.services.people.access import Actor
from registry.settings import Settings, is_loopback
from registry.store import notices
from registry.store.database import Connection, Database, retried
from registry.store.notices import MemberNotice, NoticeKind

SHOWN = 100
"""Notices on a member's page."""

_FOR_REVIEWERS: frozenset[NoticeKind] = frozenset(("review_waits", "reviews_wait", "act_waits"))
_DUE_WITHIN = dt.timedelta(days=30)
_MAILED_WITHIN = dt.timedelta(days=3)
_RETENTION = dt.timedelta(days=400)


async def tell(
    connection: Connection,
    actor: Actor,
    kind: NoticeKind,
    subject: str,
    *,
    about: str,
    now: dt.datetime,
    agency: str | None = None,
) -> None:
    """Notify members of what an actor did to a subject, a record unless it is of an `agency`."""
    waits = kind in _FOR_REVIEWERS
    await notices.insert(
        connection,
        kind,
        subject,
        about=about,
        at=now,
        role="reviewer" if waits else "editor",
        agency=agency or agency_of(subject),
        authority=waits,
        but=actor.member,
    )


async def tell_submitted(
    connection: Connection,
    actor: Actor,
    record: str,
    *,
    now: dt.datetime,
    request: str | None = None,
) -> None:
    """Notify reviewers of a submission, or once of all that a request has submitted."""
    if request is None:
        await tell(connection, actor, "review_waits", record, about=now.isoformat(), now=now)
        return
    agency = agency_of(record)
    await tell(connection, actor, "reviews_wait", agency, about=request, now=now, agency=agency)


@retried
async def tell_due_reviews(database: Database, *, now: dt.datetime) -> None:
    """Notify editors of records that are to be reviewed within 30 days, or should have been."""
    async with database.transaction() as connection:
        await notices.insert_due(connection, "review_due", at=now, by=(now + _DUE_WITHIN).date())


async def list_notices(context: ServiceContext, actor: Actor) -> list[MemberNotice]:
    """Return the latest notices of the member who acts, the last first."""
    member = _member(actor)
    async with context.database.connection() as connection:
        return await notices.read_all(connection, member, limit=SHOWN)


async def count_unread(context: ServiceContext, actor: Actor) -> int:
    """Return how many notices the member who acts has not read; 0 for a token."""
    if actor.member is None:
        return 0
    async with context.database.connection() as connection:
        return await notices.count_unread(connection, actor.member)


@retried
async def mark_read(
    context: ServiceContext,
    actor: Actor,
    *,
    now: dt.datetime,
    subject: str | None = None,
    about: str | None = None,
    until: int | None = None,
) -> None:
    """Mark notices of the member who acts as read: all, or of a subject, or up to a number."""
    member = _member(actor)
    async with context.database.transaction() as connection:
        await notices.mark_read(
            connection, member, at=now, subject=subject, about=about, until=until
        )


async def delete_expired(database: Database, *, now: dt.datetime) -> None:
    """Stop mailing what could not be sent for 3 days, and delete notices of 400 days ago."""
    async with database.transaction() as connection:
        await notices.give_up_mail(connection, now - _MAILED_WITHIN)
        await notices.drop_before(connection, now - _RETENTION)


def _member(actor: Actor) -> int:
    if actor.member is None:
        raise NotFound("notices are a member's, and this token is of none")
    return actor.member


TIMEOUT_SECONDS = 20.0
_PORTS = {"smtp": 25, "smtps": 465}


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A message in plain text; one with the same `id` is the same message to who gets it twice."""

    id: str
    to: str
    subject: str
    text: str


def send(settings: Settings, mail: Mail | None) -> None:
    """Hand a message to the server, or only sign in there; blocks.

    Raises `OSError`, of which `SMTPException` is one.
    """
    url = urlsplit(settings.smtp_url or "")
    host, port = url.hostname or "", url.port or _PORTS[url.scheme]
    tls = ssl.create_default_context()
    is_safe = url.scheme == "smtps"
    with (
        smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=tls)
        if is_safe
        else smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    ) as server:
        server.ehlo()
        if not is_safe and server.has_extn("starttls"):
            server.starttls(context=tls)
            server.ehlo()
            is_safe = True
        if url.username:
            if not (is_safe or is_loopback(host)):
                raise smtplib.SMTPNotSupportedError("no password is sent without TLS")
            server.login(unquote(url.username), unquote(url.password or ""))
        if mail is not None:
            server.send_message(_message(settings, mail))


def _message(settings: Settings, mail: Mail) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    domain = urlsplit(settings.base_url).hostname
    message["From"] = settings.mail_from or f"no-reply@{domain}"
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(utc_now())
    message["Message-ID"] = f"<{mail.id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    return message
