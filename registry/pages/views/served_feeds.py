"""The items of feeds that are made when asked: of one record's history, and of a question."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from urllib.parse import urlsplit

from registry.log.register import VersionLine, Withdrawal
from registry.pages.reader import Reader, label, say, translated
from registry.pages.views.events import KINDS
from registry.pages.views.feeds import MOST_ITEMS, Item, unnamed
from registry.record.model import LangText
from registry.record.search_document import RecordSummary


def record_items(
    reader: Reader,
    base_url: str,
    record: str,
    *,
    name: LangText | None,
    versions: Sequence[VersionLine],
    withdrawals: Sequence[Withdrawal],
) -> list[Item]:
    """Return the items of a record's feed, the latest first; versions and withdrawals are all."""
    called = record_name(reader, name)
    items = [
        _event_item(
            reader,
            base_url,
            record,
            name=called,
            kind="new" if one.version == 1 else "version",
            version=one.version,
            at=one.published_at,
            said=one.change_note,
        )
        for one in versions
    ] + [
        _event_item(
            reader,
            base_url,
            record,
            name=called,
            kind="withdrawal",
            version=None,
            at=one.withdrawn_at,
            said=one.note,
            reason=label(reader, "withdrawal_reason", one.reason).text,
        )
        for one in withdrawals
    ]
    return sorted(items, key=lambda item: item.at, reverse=True)[:MOST_ITEMS]


def found_item(reader: Reader, base_url: str, card: RecordSummary) -> Item:
    """Return the item of a version that a question finds."""
    summary = say(reader, card.summary)
    kind = translated(reader, KINDS["new" if card.version == 1 else "version"]).text
    return Item(
        id=_id(reader, base_url, card.id, card.published_at, str(card.version)),
        url=f"{base_url}/{reader.tag}/records/{card.id}",
        title=f"{record_name(reader, card.name)} – {kind}",
        text=summary.text if summary else kind,
        at=card.published_at.isoformat(),
        tags=[
            label(reader, "risk_level", card.risk).text,
            label(reader, "sector", card.sector).text,
        ],
    )


def record_name(reader: Reader, name: LangText | None) -> str:
    """Return what a record is called in a feed."""
    said = say(reader, name)
    return said.text if said else unnamed(reader)


def _event_item(
    reader: Reader,
    base_url: str,
    record: str,
    *,
    name: str,
    kind: str,
    version: int | None,
    at: dt.datetime,
    said: LangText | None,
    reason: str = "",
) -> Item:
    note = say(reader, said)
    words = translated(reader, KINDS[kind]).text
    return Item(
        id=_id(reader, base_url, record, at, str(version or kind)),
        url=f"{base_url}/{reader.tag}/records/{record}"
        + (f"/versions/{version}" if version else ""),
        title=f"{name} – {words}",
        text="\n".join(part for part in (reason, note.text if note else "") if part) or words,
        at=at.isoformat(),
        tags=[],
    )


def _id(reader: Reader, base_url: str, record: str, at: dt.datetime, what: str) -> str:
    host = urlsplit(base_url).hostname
    return f"tag:{host},{at.date().isoformat()}:records/{record}/{what}/{reader.tag}"
