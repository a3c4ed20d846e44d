"""Notices that the time brings, and the e-mails of all of them."""

from __future__ import annotations

import asyncio
import datetime as dt
import smtplib
from collections.abc import Callable
from functools import cache

import structlog

from registry import resources
from registry.clock import utc_now
from registry.errors import Unavailable
from registry.pages.notices import notice_mail
from registry.services.context import ServiceContext
from registry.services.operations.mail import Mail, send
from registry.services.people import notices
from registry.settings import Settings
from registry.store import notices as store
from registry.text.catalogues import SOURCE, Catalogue, load_catalogues

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
        catalogues = _catalogues(pack.languages)
        subject, text = notice_mail(due, due.language, pack, catalogues, settings.base_url)
        mail = Mail(id=f"notice-{due.id}", to=due.email, subject=subject, text=text)
        try:
            await asyncio.to_thread(send, settings, mail)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError) as error:
            # One address's affair: the others go on.
            _log.error("an e-mail was refused", member=due.member, why=_reason(error))
            continue
        except OSError as error:
            raise Unavailable(_reason(error)) from error
        async with context.database.connection() as connection:
            await store.mark_mailed(connection, due.id, clock())
        sent += 1


@cache
def _catalogues(tags: tuple[str, ...]) -> dict[str, Catalogue]:
    return load_catalogues(resources.SITE / "locale", [tag for tag in tags if tag != SOURCE])


def _reason(error: OSError) -> str:
    """Return why something failed, without the server's own words, which may name an address."""
    codes = ""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = " ".join(sorted({str(code) for code, _ in error.recipients.values()}))
    elif isinstance(error, smtplib.SMTPResponseException):
        codes = str(error.smtp_code)
    return f"{type(error).__name__} {codes or error.strerror or ''}".strip()
