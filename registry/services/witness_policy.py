"""The policy of witnesses: read from the operator's file, and in force once the log has it."""

from __future__ import annotations

import asyncio
import datetime as dt
from urllib.parse import urlsplit

from registry.errors import ConfigurationError
from registry.ledger.append import append
from registry.ledger.entries import PolicyEntry
from registry.services.context import ServiceContext
from registry.settings import PREFIX, Settings, is_loopback
from registry.store import log
from registry.tlog.policy import parse_policy

ROLE = "operator"
"""Who names the witnesses, as the log says it."""

_LARGEST = 32 << 10


def configured_policy(settings: Settings) -> str | None:
    """Return the text of the policy that the settings name; None where they name none.

    Raises `ConfigurationError` where it cannot be read, is malformed, or has an address at which
    nobody can be asked.
    """
    path = settings.log_policy_file
    if path is None:
        return None
    where = f"{PREFIX}LOG_POLICY_FILE: {path}"
    try:
        content = path.read_bytes()
        text = content.decode()
        policy = parse_policy(text)
    except OSError as error:
        raise ConfigurationError(f"{where} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigurationError(f"{where} is no policy: {error}") from error
    if len(content) > _LARGEST:
        raise ConfigurationError(f"{where} has more than {_LARGEST:,} bytes")
    for one in policy.witnesses:
        if one.url is not None and not can_be_asked(one.url):
            raise ConfigurationError(
                f"{where}: the address of {one.name} does not begin with https://"
            )
    return text


def can_be_asked(url: str) -> bool:
    """Return whether an address is one of https, or of this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host or ""))
    return is_safe and bool(host) and not (parts.query or parts.fragment or parts.username)


async def take_policy(context: ServiceContext, settings: Settings, *, now: dt.datetime) -> bool:
    """Append the configured policy to the log where that has another; return whether it did.

    Where none is configured, the one in the log stays: a policy of `quorum none` ends it. Raises
    `ConfigurationError` as `configured_policy` does.
    """
    text = await asyncio.to_thread(configured_policy, settings)
    if text is None:
        return False
    async with context.database.connection() as connection:
        if await log.read_policy(connection) == text:
            return False
    async with context.transaction() as connection:
        state = await context.guard.lock(connection, now=now)
        if await log.read_policy(connection) == text:
            return False
        entry = PolicyEntry(actor=ROLE, policy=text)
        await append(connection, context.guard, state, [entry])
    return True
