"""Records as the file of another register: its crosswalk read backwards.

What that file cannot hold is told by reading it again: whatever the crosswalk does not give back.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from registry.errors import ImportRefused
from registry.imports.convert import convert_file
from registry.imports.crosswalk_model import Crosswalk, columns_read
from registry.imports.crosswalk_model import Mapping as FieldMapping
from registry.imports.report import Refusal
from registry.record.diff import DifferenceKind, differences
from registry.record.model import Document
from registry.record.pack import Agency, Pack
from registry.record.pointers import dig, parts, pointer
from registry.record.schema import broader
from registry.text.catalogues import SOURCE
from registry.text.locales import pick

_EXAMPLES = 3
_AS_THERE = ("id", "schema_version")
"""Members that the other register gives itself."""

_BETWEEN = {"lines": "\n", "\n": "\n", "<br>": "<br>", "addresses": " ", "companies": "; "}


class RecordToWrite(msgspec.Struct, frozen=True, kw_only=True):
    """A record with its agency, and the day of its last change."""

    document: Document
    agency: Agency
    changed_on: str | None


class FieldLost(msgspec.Struct, frozen=True, kw_only=True):
    """A field that the file does not give back as it was, and of how many records."""

    pointer: str
    kind: DifferenceKind
    records: int
    examples: list[str]


class RowRefusedThere(msgspec.Struct, frozen=True, kw_only=True):
    """A record that the crosswalk would not take again, and why."""

    id: str
    reason: str


class BackwardsReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a file of another register's form does not hold of the records in it."""

    crosswalk: str
    records: int
    lost: list[FieldLost]
    refused: list[RowRefusedThere]


def write_file(crosswalk: Crosswalk, records: Iterable[RecordToWrite]) -> bytes:
    """Return the file of another register with a row a record, in the columns that it has today.

    Raises `ImportRefused` for one whose files are neither CSV nor JSON.
    """
    columns = list(
        dict.fromkeys(
            [
                *(names[0] for names in columns_read(crosswalk)),
                *(one.column for one in crosswalk.unmapped),
            ]
        )
    )
    rows = [_row(crosswalk, one) for one in records]
    if crosswalk.read.kind == "csv":
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, columns, delimiter=crosswalk.read.delimiter, restval="")
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue().encode(crosswalk.read.encoding)
    if crosswalk.read.kind != "json" or crosswalk.document is not None:
        raise ImportRefused(f"no file of the form of {crosswalk.origin} can be written")
    whole: Any = [dict.fromkeys(columns, "") | row for row in rows]
    for name in reversed(parts(crosswalk.read.rows or "")):
        whole = {name: whole}
    return msgspec.json.format(msgspec.json.encode(whole), indent=1) + b"\n"


def read_again(
    crosswalk: Crosswalk,
    content: bytes,
    records: Sequence[RecordToWrite],
    *,
    pack: Pack,
    today: dt.date,
) -> BackwardsReport:
    """Return what a file that was written of records does not give back of them."""
    lost: dict[tuple[str, DifferenceKind], list[str]] = defaultdict(list)
    refused = []
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        path = Path(folder) / f"rows.{crosswalk.read.kind}"
        path.write_bytes(content)
        outcomes = convert_file(crosswalk, path, pack=pack, today=today) if records else iter(())
        for record, outcome in zip(records, outcomes, strict=True):
            own = record.document["id"]
            if isinstance(outcome, Refusal):
                refused.append(RowRefusedThere(id=own, reason=outcome.reason))
                continue
            before, after = (
                {name: value for name, value in one.items() if name not in _AS_THERE}
                for one in (record.document, outcome.document)
            )
            found = {(_field(one.pointer), one.kind) for one in differences(before, after)}
            for one in found:
                lost[one].append(own)
    return BackwardsReport(
        crosswalk=crosswalk.origin,
        records=len(records),
        lost=[
            FieldLost(pointer=place, kind=kind, records=len(ids), examples=ids[:_EXAMPLES])
            for (place, kind), ids in sorted(lost.items())
        ],
        refused=refused,
    )


def _field(place: str) -> str:
    """Return the pointer of a field, with `-` for any item of a list."""
    return pointer(["-" if part.isdecimal() else part for part in parts(place)])


def _row(crosswalk: Crosswalk, record: RecordToWrite) -> dict[str, str]:
    document, agency, source = record.document, record.agency, crosswalk.agency
    row: dict[str, str] = {}
    for mapping in crosswalk.mappings:
        if mapping.column is None or mapping.when is not None or mapping.part or mapping.pattern:
            continue
        cell = _cell(crosswalk, mapping, document)
        if cell:
            row.setdefault(mapping.column[0], cell)
    known = {
        language: name
        for language, reading in ({crosswalk.language: source.name} | source.names).items()
        if reading is not None
        for name in [_text(agency.name, language)]
        if row.setdefault(reading.column[0], name)
    }
    if source.code is not None:
        code = agency.id.removeprefix(f"{source.prefix}.").upper()
        row.setdefault(source.code.column[0], code if known else agency.id)
    own = crosswalk.id.own
    if own is not None and own.part is None:
        here = "" if agency.origin else document["id"]
        row.setdefault(own.column[0], document.get("source_id") or here)
    if crosswalk.changed_on is not None and record.changed_on:
        row.setdefault(crosswalk.changed_on.column[0], record.changed_on)
    return row


def _cell(crosswalk: Crosswalk, mapping: FieldMapping, document: Document) -> str:
    """Return the cell that a mapping would read as what the record has; empty if there is none."""
    names = mapping.to.split("/")[1:]
    if "-" not in names:
        holder = dig(document, *names[:-1]) if names[:-1] else document
        is_meant = all(dig(holder, name) == value for name, value in mapping.beside.items())
        found = [dig(document, *names)] if is_meant else []
    else:
        at = names.index("-")
        found = [
            dig(item, *names[at + 1 :]) if names[at + 1 :] else item
            for item in dig(document, *names[:at]) or []
            if all(_is_beside(item, *one, crosswalk) for one in mapping.beside.items())
        ]
    said = [one for value in found if (one := _said(crosswalk, mapping, value))]
    if mapping.list is None:
        return said[0] if said else ""
    if mapping.list == "python":
        return repr(said) if said else ""
    if mapping.list == "json":
        return msgspec.json.encode(said).decode() if said else ""
    between = ";" if mapping.list == "semicolon" else mapping.list
    return _BETWEEN.get(mapping.list, between).join(said)


def _is_beside(item: Any, name: str, value: Any, crosswalk: Crosswalk) -> bool:
    there = dig(item, name)
    return bool(
        there == value or (isinstance(there, dict) and there == {crosswalk.language: value})
    )


def _said(crosswalk: Crosswalk, mapping: FieldMapping, value: Any) -> str:
    """Return how the source says a value; empty where it has no word for it."""
    if value is None:
        return ""
    text = _text(value, crosswalk.language) if isinstance(value, dict) else value
    if isinstance(text, str) and mapping.label:
        if not text.startswith(mapping.label):
            return ""
        text = text.removeprefix(mapping.label)
    # Of a country's own code the other register may know the broader one.
    for code in (text, broader(text)) if isinstance(text, str) else (text,):
        for said, meant in mapping.values.items():
            if meant == code and type(meant) is type(code):
                return said
    if mapping.transform == "code" or isinstance(text, list):
        return ""
    if mapping.transform == "boolean":
        return "yes" if text else "no"
    return str(text)


def _text(texts: Mapping[str, str], language: str) -> str:
    found = pick(texts, language, (SOURCE, *sorted(texts)))
    return found[1] if found else ""
