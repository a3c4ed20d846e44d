"""The records of a published log, as a folder of files that can be loaded."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from registry.errors import ConfigurationError
from registry.log.files import LogRefused
from registry.log.register import RegisterReplay
from registry.record.ids import is_id, split_id
from registry.tlog.keys import Verifier
from registry.verify.log import ReadFile, verify_log

_WITHDRAWALS = "withdrawals.csv"
_CODES = "codes.csv"
_NOTE = "note_"


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
    replay = RegisterReplay(until=until)
    log = verify_log(read, verifier=verifier, progress=progress, replay=replay)
    if until is not None and until > log.checkpoint.size:
        raise ConfigurationError(f"the log has {log.checkpoint.size} entries, not {until}")
    # They name files, none of which may lie elsewhere.
    if strange := [record for record in replay.versions if not is_id(record)]:
        raise LogRefused(f"the log has a record {strange[0]!r}, which is no identifier")
    filed = {
        record: versions
        for record, versions in sorted(replay.versions.items())
        if versions[0].origin is None
    }
    withdrawals: list[dict[str, object]] = []
    for record, versions in filed.items():
        agency, slug = split_id(record)
        (folder / agency).mkdir(parents=True, exist_ok=True)
        for one in versions:
            number = "" if one is versions[-1] else f".{one.version}"
            pretty = msgspec.json.format(one.document, indent=2)
            (folder / agency / f"{slug}{number}.json").write_bytes(pretty + b"\n")
        withdrawals += [
            {"id": record, "reason": one.reason, "after_version": one.version}
            | ({"successor": one.successor} if one.successor else {})
            | {f"{_NOTE}{tag}": text for tag, text in (one.note or {}).items()}
            for one in replay.withdrawals(record)
        ]
    if withdrawals:
        notes = sorted({name for row in withdrawals for name in row if name.startswith(_NOTE)})
        named = ["successor"] if any("successor" in row for row in withdrawals) else []
        columns = ["id", "reason", *notes, "after_version", *named]
        _write_table(folder / _WITHDRAWALS, columns, withdrawals)
    codes = [
        {"id": one, "code": code} for one in filed if (code := replay.codes.get(one)) is not None
    ]
    if codes:
        _write_table(folder / _CODES, ["id", "code"], codes)
    return len(filed)


def _write_table(path: Path, columns: list[str], rows: Sequence[Mapping[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, columns, restval="")
        table.writeheader()
        table.writerows(rows)
