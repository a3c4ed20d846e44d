"""Notices that the time brings, and the e-mails of all of them and of links to sign in."""

from __future__ import annotations

import asyncio
import datetime as dt
import smtplib
from collections.abc import Callable
from functools import cache

import structlog

from registry.clock import utc_now
from registry.errors import Unavailable
from registry.pages.notices import link_mail, notice_mail
from registry.services.context import ServiceContext
from registry.services.operations.mail import Mail, send
from registry.services.people import mailed_links, notices
from registry.settings import Settings
from registry.store import mail_requests
from registry.store import notices as store
from registry.store.notices import MemberNotice
from registry.text.catalogues import SOURCE, Catalogue, load_catalogues

_REFUSED_FOR_GOOD = 500

_log = structlog.get_logger()


async def tell_due(context: ServiceContext, *, now: dt.datetime) -> None:
    """Notify members of reviews that are due, and delete notices that have expired."""
    await notices.tell_due_reviews(context.database, now=now)
    await notices.delete_expired(context.database, now=now)


async def send_due(
    settings: Settings,
    context: ServiceContext,
    *,
    clock: Callable[[], dt.datetime] = utc_now,
) -> int:
    """Send every e-mail that is due, one by one, and return how many were sent.

    Whatever happens to one it is tried again later, and sent no more once the server has taken it.
    Raises `Unavailable` where the server cannot be reached.
    """
    pack, sent = context.pack, 0
    while True:
        async with context.database.connection() as connection:
            due = await store.claim_mail(connection, clock())
        if due is None:
            return sent
        told: list[MemberNotice] = [due]
        if due.daily_digest:
            async with context.database.connection() as connection:
                told += await store.claim_others(connection, due, clock())
        catalogues = _catalogues(pack.languages)
        subject, text = notice_mail(told, due.language, pack, catalogues, settings.base_url)
        mail = Mail(id=f"notice-{due.id}", to=due.email, subject=subject, text=text)
        if not await _deliver(settings, mail, due.member):
            continue
        async with context.database.connection() as connection:
            await store.mark_mailed(connection, [one.id for one in told], clock())
        sent += 1


async def send_links(
    settings: Settings,
    context: ServiceContext,
    *,
    clock: Callable[[], dt.datetime] = utc_now,
) -> int:
    """Make and send the links that were asked for, and return how many were sent.

    Raises `Unavailable` where the server cannot be reached; those not sent are made anew later.
    """
    pack, sent = context.pack, 0
    while True:
        async with context.database.connection() as connection:
            asked = await mail_requests.claim(connection, clock())
        if asked is None:
            return sent
        catalogues = _catalogues(pack.languages)
        made = await mailed_links.make_links(
            context.database, asked, now=clock(), random=context.random
        )
        try:
            for member, secret in made:
                subject, text = link_mail(
                    asked.kind,
                    asked.language,
                    secret=secret,
                    member=member.name,
                    pack=pack,
                    catalogues=catalogues,
                    base_url=settings.base_url,
                )
                identity = f"link-{asked.id}-{member.id}"
                mail = Mail(id=identity, to=asked.email, subject=subject, text=text)
                sent += await _deliver(settings, mail, member.id)
        except Unavailable:
            # Each try would leave another link that signs in.
            await mailed_links.drop_links(context.database, made)
            raise
        async with context.database.connection() as connection:
            await mail_requests.delete(connection, asked.id)


async def _deliver(settings: Settings, mail: Mail, member: int) -> bool:
    """Return whether the server took a message: one that cannot be sent is one address's affair.

    Raises `Unavailable` where the server cannot be reached.
    """
    try:
        await asyncio.to_thread(send, settings, mail)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError) as error:
        _log.error("an e-mail was refused", member=member, why=_reason(error))
        return False
    except OSError as error:
        if isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= _REFUSED_FOR_GOOD:
            _log.error("an e-mail was refused", member=member, why=_reason(error))
            return False
        raise Unavailable(_reason(error)) from error
    except Exception as error:  # noqa: BLE001  no address keeps the mails of others waiting
        _log.error("an e-mail could not be written", member=member, why=type(error).__name__)
        return False
    return True


@cache
def _catalogues(tags: tuple[str, ...]) -> dict[str, Catalogue]:
    return load_catalogues("site", [tag for tag in tags if tag != SOURCE])


def _reason(error: OSError) -> str:
    """Return why something failed, without the server's own words, which may name an address."""
    codes = ""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = " ".join(sorted({str(code) for code, _ in error.recipients.values()}))
    elif isinstance(error, smtplib.SMTPResponseException):
        codes = str(error.smtp_code)
    return f"{type(error).__name__} {codes or error.strerror or ''}".strip()
