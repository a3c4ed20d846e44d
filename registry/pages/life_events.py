"""The row of an event of people's lives, as tiles on several pages show it."""

from __future__ import annotations

from typing import Any

from registry.pages.reader import Reader, say
from registry.record.life_events import LifeEvent


def event_row(reader: Reader, event: LifeEvent) -> dict[str, Any]:
    """Return the name, description and address of an event."""
    return {
        "path": f"life/{event.code}",
        "name": say(reader, event.name),
        "description": say(reader, event.description),
    }
