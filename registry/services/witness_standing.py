"""How the witnesses of this register's log stand: who has cosigned what, and what they answer."""

from __future__ import annotations

import datetime as dt

import msgspec

from registry.store import checkpoints, log, witnesses
from registry.store.database import Connection
from registry.tlog.policy import Policy, readable_policy


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
    newest = await witnesses.read_newest(connection)
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
