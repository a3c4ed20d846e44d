"""The policy of witnesses: read from the operator's file, in force once the log has it.

And how its witnesses stand: who has cosigned what, and what they answer.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from urllib.parse import urlsplit

import msgspec

from registry.errors import ConfigurationError
from registry.ledger.append import append
from registry.ledger.entries import StatedEntry
from registry.ledger.publish_files import holds
from registry.log.entry import PolicyEntry
from registry.services.context import ServiceContext
from registry.settings import PREFIX, Settings, is_loopback
from registry.store import checkpoints, log, witnesses
from registry.store.database import Connection
from registry.tlog.policy import Policy, parse_policy, readable_policy

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
        entry = StatedEntry(entry=PolicyEntry(actor=ROLE, policy=text))
        await append(connection, context.guard, state, [entry])
    return True


class WitnessStanding(msgspec.Struct, frozen=True, kw_only=True):
    """A witness of the policy in force: its name there, its key, and how the asking stands.

    `size` is the newest checkpoint that it has cosigned, at the time `cosigned_at`; `behind` how
    many entries the log has had since.
    """

    name: str
    key: str
    url: str | None
    asked_at: dt.datetime | None
    answer: str
    alarm: str | None
    size: int
    cosigned_at: dt.datetime | None
    behind: int

    @property
    def said(self) -> str:
        """All of it as a sentence."""
        if self.cosigned_at is None:
            has = "has cosigned nothing"
        else:
            behind = f", {self.behind:,} behind" if self.behind else ""
            has = f"cosigned {self.size:,} entries on {self.cosigned_at:%Y-%m-%dT%H:%M:%SZ}{behind}"
        if self.asked_at is None:
            return has
        return f"{has}; asked on {self.asked_at:%Y-%m-%dT%H:%M:%SZ}, it {self.answer}"


async def policy_in_force(connection: Connection) -> Policy | None:
    """Return the policy that the log names last; None without one that can be read here."""
    return readable_policy(await log.read_policy(connection))


async def read_standings(connection: Connection) -> list[WitnessStanding]:
    """Return how each witness of the policy in force stands."""
    policy = await policy_in_force(connection)
    last = await checkpoints.read_last(connection)
    states = {one.url: one for one in await witnesses.read_states(connection)}
    newest = {
        one.verifier: (one.size, time)
        for one in await witnesses.read_newest(connection)
        if (time := holds(one.note, one)) is not None
    }
    found = []
    for one in () if policy is None else policy.witnesses:
        key_text = one.verifier.to_text()
        state, cosigned = states.get((one.url or "").rstrip("/")), newest.get(key_text)
        size, time = (0, 0) if cosigned is None else cosigned
        found.append(
            WitnessStanding(
                name=one.verifier.name,
                key=key_text,
                url=one.url,
                asked_at=None if state is None else state.asked_at,
                answer="" if state is None else state.answer,
                alarm=None if state is None else state.alarm,
                size=size,
                cosigned_at=dt.datetime.fromtimestamp(time, dt.UTC) if time else None,
                behind=(last.size if last else 0) - size,
            )
        )
    return found
