"""What happens to people: an event leads to the systems that may have had a part in it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

import msgspec

from registry.record.model import LangText
from registry.resources import SCHEMAS


class SystemKind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Systems by sector, function and groups affected; a member that is empty takes all."""

    sector: tuple[str, ...] = ()
    function: tuple[str, ...] = ()
    affected: tuple[str, ...] = ()

    def covers(self, sector: str, function: str, affected: Sequence[str]) -> bool:
        """Return whether a system is of this kind."""
        return (
            (not self.sector or sector in self.sector)
            and (not self.function or function in self.function)
            and (not self.affected or not set(self.affected).isdisjoint(affected))
        )


class LifeEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event, and the kinds of systems that take part in decisions about it."""

    code: str
    name: LangText = msgspec.field(name="label")
    description: LangText
    systems: tuple[SystemKind, ...]

    @property
    def sectors(self) -> list[str]:
        """The sectors that it is about, each once."""
        return list(dict.fromkeys(code for kind in self.systems for code in kind.sector))

    def covers(self, sector: str, function: str, affected: Sequence[str]) -> bool:
        """Return whether a system may have had a part in the event."""
        return any(kind.covers(sector, function, affected) for kind in self.systems)


@lru_cache(maxsize=4_096)
def events_of(sector: str, function: str, affected: tuple[str, ...]) -> tuple[str, ...]:
    """Return the codes of the events that a system may have had a part in."""
    return tuple(one.code for one in life_events() if one.covers(sector, function, affected))


@cache
def life_events() -> tuple[LifeEvent, ...]:
    """Return all events, in the order of `schemas/life_events.json`."""
    content = (SCHEMAS / "life_events.json").read_bytes()
    return msgspec.json.decode(content, type=tuple[LifeEvent, ...])
