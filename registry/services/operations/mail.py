"""E-mail: messages handed to the SMTP server of the settings, one connection each.

`smtps://` speaks TLS from the first byte, `smtp://` begins it where the server offers it
(RFC 3207). Certificates are checked against the system's authorities, and a password never goes
over a connection without TLS, except to this machine.
"""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

import msgspec

from registry.clock import utc_now
from registry.settings import Settings, is_loopback

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
