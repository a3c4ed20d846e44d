"""The records of a published log, as a folder of files that can be loaded."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from registry.errors import ConfigurationError
from registry.log.blob import Content, replaced_items, shown
from registry.log.entry import LogEntry, RedactionEntry, VersionEntry, WithdrawalEntry
from registry.log.erasure import REPLACED
from registry.log.files import LogRefused
from registry.log.replay import LogReplay
from registry.record.canonical import canonical
from registry.record.ids import is_id, split_id
from registry.record.model import Document
from registry.tlog.keys import Verifier
from registry.verify.log import ReadFile, verify_log

_WITHDRAWALS = "withdrawals.csv"
_CODES = "codes.csv"
_NOTE = "note_"


class _FiledVersion(msgspec.Struct, frozen=True):
    """A version as its content has it, without erased members."""

    said: VersionEntry
    document: Document
    erased: Sequence[tuple[str, int]]


class _FiledReplay(LogReplay):
    """The versions and withdrawals of the first entries `until` a size, else of all."""

    def __init__(self, until: int | None) -> None:
        super().__init__()
        self.versions: dict[str, list[_FiledVersion]] = {}
        self.withdrawals: dict[str, list[dict[str, object]]] = {}
        self._until = until
        self._replaced: dict[int, list[Any] | None] = {}

    def take(self, index: int, entry: LogEntry, content: Content) -> None:
        if self._until is not None and index >= self._until:
            return
        whole = content.values
        match entry:
            case VersionEntry():
                erased = sorted((one.pointer, one.redaction) for one in content.erased)
                version = _FiledVersion(entry, whole, erased)
                self.versions.setdefault(entry.id, []).append(version)
            case WithdrawalEntry():
                row: dict[str, object] = {"id": entry.id, "reason": entry.reason}
                row["after_version"] = entry.version
                if successor := whole.get("successor"):
                    row["successor"] = successor
                row |= {f"{_NOTE}{tag}": text for tag, text in (whole.get("note") or {}).items()}
                self.withdrawals.setdefault(entry.id, []).append(row)
            case RedactionEntry():
                self._replaced[index] = replaced_items(content.sections.get(REPLACED))

    def shown(self, one: _FiledVersion) -> Document:
        """Return the document of a version, with what stands in the place of erased members."""
        return shown(one.document, one.erased, self._replaced.get, version=one.said.version)


def write_records(
    read: ReadFile,
    folder: Path,
    *,
    verifier: Verifier | None,
    until: int | None,
    progress: Callable[[int, int], None],
) -> int:
    """Write what was filed in the first entries of a log, and return the number of records.

    The whole log is verified first. The layout is that of `registry load`: `<agency>/<slug>.json`,
    earlier versions as `<slug>.1.json` and on, `withdrawals.csv`, and the short codes in
    `codes.csv`. Raises `ConfigurationError` for a folder that is not empty, `LogRefused` for a log
    that is not in order, or names what is no record.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(f"{folder} is there already; name a new folder")
    replay = _FiledReplay(until)
    log = verify_log(read, verifier=verifier, progress=progress, replay=replay)
    if until is not None and until > log.checkpoint.size:
        raise ConfigurationError(f"the log has {log.checkpoint.size} entries, not {until}")
    # They name files, none of which may lie elsewhere.
    if strange := [record for record in replay.versions if not is_id(record)]:
        raise LogRefused(f"the log has a record {strange[0]!r}, which is no identifier")
    filed = {
        record: versions
        for record, versions in sorted(replay.versions.items())
        if versions[0].said.origin is None
    }
    withdrawals: list[dict[str, object]] = []
    for record, versions in filed.items():
        agency, slug = split_id(record)
        (folder / agency).mkdir(parents=True, exist_ok=True)
        for one in versions:
            number = "" if one is versions[-1] else f".{one.said.version}"
            pretty = msgspec.json.format(canonical(replay.shown(one)), indent=2)
            (folder / agency / f"{slug}{number}.json").write_bytes(pretty + b"\n")
        withdrawals += replay.withdrawals.get(record, ())
    if withdrawals:
        notes = sorted({name for row in withdrawals for name in row if name.startswith(_NOTE)})
        named = ["successor"] if any("successor" in row for row in withdrawals) else []
        columns = ["id", "reason", *notes, "after_version", *named]
        _write_table(folder / _WITHDRAWALS, columns, withdrawals)
    codes = [
        {"id": record, "code": code}
        for code, record in sorted(replay.codes.items(), key=lambda one: one[1])
        if record in filed
    ]
    if codes:
        _write_table(folder / _CODES, ["id", "code"], codes)
    return len(filed)


def _write_table(path: Path, columns: list[str], rows: Sequence[Mapping[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, columns, restval="")
        table.writeheader()
        table.writerows(rows)
