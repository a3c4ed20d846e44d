"""What a record does not tell, for whatever reason."""

from __future__ import annotations

from registry.record.model import Document
from registry.record.pointers import dig
from registry.record.requirement_status import requirement_status
from registry.record.requirements import restricted_units, units


def undisclosed(document: Document) -> list[str]:
    """Return the pointers of the units that a record does not tell, though they count for it.

    It does not state them, or withholds them. A restricted one tells nothing beyond what such a
    record may state: what would count depends on what it does not tell.
    """
    if dig(document, "publication", "visibility") == "restricted":
        told = {unit.pointer for unit in restricted_units()}
        return [unit.pointer for unit in units() if unit.pointer not in told]
    status = requirement_status(document)
    silent = {*status.absent, *status.withheld} & status.requirements.counted
    return [place for place in status.requirements.units if place in silent]
