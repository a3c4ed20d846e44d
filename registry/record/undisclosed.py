"""The units that a record does not disclose, for whatever reason."""

from __future__ import annotations

from registry.record.model import Document
from registry.record.pointers import dig
from registry.record.requirement_status import requirement_status
from registry.record.requirements import restricted_units, units


def undisclosed(document: Document) -> list[str]:
    """Return the pointers of the units that count for a record and that it does not disclose.

    It does not state them, or withholds them. Of a restricted record these are all units that it
    may not state, since what would count depends on what it does not state.
    """
    if dig(document, "publication", "visibility") == "restricted":
        stated = {unit.pointer for unit in restricted_units()}
        return [unit.pointer for unit in units() if unit.pointer not in stated]
    status = requirement_status(document)
    silent = {*status.absent, *status.withheld} & status.requirements.counted
    return [place for place in status.requirements.units if place in silent]
