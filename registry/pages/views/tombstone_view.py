"""The page of a withdrawn record: what it was, when it left, and why."""

from __future__ import annotations

from typing import Any

import msgspec

from registry.log.register import StoredRecord
from registry.pages.reader import Reader, say
from registry.pages.site import Site
from registry.pages.views.document_view import show
from registry.pages.views.lists import agency_view, has_letter, history_view
from registry.pages.views.record_view import kit_of, links, register_notices


def tombstone_view(reader: Reader, record: StoredRecord, site: Site) -> dict[str, Any]:
    """Build the tombstone; the last version's name and contact stand in it, and nothing else."""
    document = msgspec.json.decode(record.document)
    contact = {"contact": document.get("contact") or {}}
    written = site.cards[record.id].written
    withdrawals = site.records[record.id].withdrawals
    last, *before = history_view(reader, site, record)
    successor = site.cards.get(withdrawals[-1].successor or "")
    known = {
        "id": record.id,
        "name": say(reader, document.get("name"), written),
        "shown": reader.tag,
        "agency": agency_view(reader, site, record.agency),
        "notices": register_notices(reader, record, site),
        "withdrawal": last | {"hash": withdrawals[-1].hash, "successor": withdrawals[-1].successor},
        "contact": show(reader, contact, {}, written)["contact"],
        "successor": successor and say(reader, successor.name, successor.written),
        "compared": record.register.version > 1,
        "links": links(reader, record, document, site.base_url),
        "kit": kit_of(site, record),
        "letter": has_letter(site, site.cards[record.id]),
        "history": [last | {"note": None}, *before],  # its note stands above
    }
    return {"r": known}
