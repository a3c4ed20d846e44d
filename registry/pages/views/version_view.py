"""The page of one version of a record, and the comparison of two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from registry.log.register import StoredRecord, VersionLine
from registry.pages.reader import Reader, Text, as_it_is, label, say
from registry.pages.site import Site
from registry.pages.views.diff_view import changes_view
from registry.pages.views.lists import APPROVED_BY, change_view
from registry.pages.views.record_view import (
    public_before,
    read_document,
    read_languages,
    record_view,
)
from registry.record.model import NOT_STATED
from registry.record.pack import Agency


def version_view(
    reader: Reader, versions: Sequence[StoredRecord], number: int, site: Site
) -> dict[str, Any]:
    """Build the page of version `number` of a record; `versions` are all, oldest first.

    Of the version in force only what it changed stands here: the rest is the record's own page.
    """
    latest, shown = versions[-1], versions[number - 1]
    before = versions[number - 2] if number > 1 else None
    view = record_view(reader, msgspec.structs.replace(shown, versions=latest.versions), site)
    view["r"]["public_before"] = public_before(reader, versions[:number])
    register = shown.register
    # What is late is late today: a version that others followed promised nothing for today.
    view["r"]["overdue"] &= shown is latest
    levels = [
        (read_document(one.document).get("risk") or {}).get("level", NOT_STATED)
        for one in (before or shown, shown)
    ]
    view["v"] = {
        "number": number,
        "last": latest.register.version,
        "withdrawn": latest.register.state == "withdrawn",
        "in_force": shown is latest and latest.register.state != "withdrawn",
        "superseded_on": register.superseded_at and register.superseded_at.date().isoformat(),
        "note": say(reader, latest.versions[number - 1].change_note),
        "changed_on": latest.versions[number - 1].changed_on or None,
        "approved_by": APPROVED_BY.get(latest.versions[number - 1].approved_by),
        "risk": [label(reader, "risk_level", level) for level in levels]
        if levels[0] != levels[1]
        else None,
        "agencies": before and _agencies(reader, (before, shown), site.snapshot.agencies),
        "sections": changes_view(reader, before.document, shown.document) if before else [],
    }
    return view


def compare_view(
    reader: Reader,
    latest: StoredRecord,
    lines: Sequence[VersionLine],
    pair: tuple[StoredRecord, StoredRecord] | None,
    missing: Sequence[str] = (),
    *,
    agencies: Mapping[str, Agency],
) -> dict[str, Any]:
    """Build the comparison of two versions, the earlier first; `lines` are all, oldest first.

    One version twice is no pair to compare. `missing` are numbers that were asked for and that no
    version has; then there is no pair, and the latest two are proposed. `agencies` has those of the
    pair that have names.
    """
    if pair is None:
        numbers = [line.version for line in lines[-2:]]
    else:
        numbers = [one.register.version for one in pair]
    return {
        "r": {
            "id": latest.id,
            "origin": latest.register.origin,
            "name": say(
                reader, read_document(latest.document).get("name"), read_languages(latest.document)
            ),
        },
        "lines": [change_view(reader, line) for line in reversed(lines)],
        "numbers": numbers,
        "missing": missing,
        "pair": {
            "before": numbers[0],
            "after": numbers[1],
            "agencies": _agencies(reader, pair, agencies),
            "sections": changes_view(reader, *(one.document for one in pair)),
        }
        if pair is not None and numbers[0] != numbers[1]
        else None,
    }


def _agencies(
    reader: Reader, pair: tuple[StoredRecord, StoredRecord], agencies: Mapping[str, Agency]
) -> list[Text] | None:
    """Return the names of the agencies of two versions, None where it is one."""
    before, after = (one.agency for one in pair)
    if before == after:
        return None
    return [
        ((known := agencies.get(name)) and say(reader, known.name)) or as_it_is(reader, name)
        for name in (before, after)
    ]
