"""A record's history: its versions, and its withdrawals between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from registry.pages.reader import Reader, label, say
from registry.store.records import StoredRecord, VersionLine
from registry.store.withdrawals import Withdrawal


def change_view(reader: Reader, change: VersionLine | Withdrawal) -> dict[str, Any]:
    """Say what one change was; a withdrawal has a `reason`, a version has none."""
    if isinstance(change, Withdrawal):
        at, note = change.withdrawn_at, change.note
        reason = label(reader, "withdrawal_reason", change.reason)
    else:
        at, note, reason = change.published_at, change.change_note, None
    return {
        "version": change.version,
        "entry": change.entry,
        "day": at.date().isoformat(),
        "note": say(reader, note),
        "reason": reason,
    }


def history_view(
    reader: Reader, record: StoredRecord, withdrawals: Sequence[Withdrawal]
) -> list[dict[str, Any]]:
    """List everything that became of a record, newest first."""
    changes: list[VersionLine | Withdrawal] = [*record.versions, *withdrawals]
    changes.sort(key=lambda change: -change.entry)
    return [change_view(reader, change) for change in changes]
