"""Loading: the records of a folder, each version in its turn."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from registry.errors import (
    ConfigurationError,
    Finding,
    InvalidRecord,
    PayloadTooLarge,
    RegistryError,
    UnreadableDocument,
)
from registry.office.filing import Receipt, local_agency, publish_local
from registry.record.parse import parse
from registry.store import records

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from registry.office.filing import Office

_FILE = re.compile(r"(?P<slug>[a-z0-9-]+?)(?:\.(?P<version>[1-9][0-9]*))?\.json")


class RecordFiles(msgspec.Struct, frozen=True, kw_only=True):
    """One record's files, oldest version first: `slug.1.json`, `slug.2.json`, …, `slug.json`."""

    record: str
    paths: list[Path]


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one record's files: the receipts of new versions, or why it was refused."""

    record: str
    receipts: list[Receipt]
    refused: RegistryError | None


def find_files(folder: Path) -> list[RecordFiles]:
    """List a folder's records in the layout `<agency>/<slug>.json`."""
    if not folder.is_dir():
        raise ConfigurationError(
            f"{folder} is not a folder; records lie in DIR/<agency>/<slug>.json"
        )
    found: dict[str, list[tuple[float, Path]]] = {}
    for path in sorted(folder.glob("*/*.json")):
        match = _FILE.fullmatch(path.name)
        if match is None:
            raise ConfigurationError(
                f"{path} is named neither <slug>.json nor <slug>.<version>.json; "
                "a slug is lower-case letters, digits and hyphens"
            )
        version = float(match["version"] or "inf")
        found.setdefault(f"{path.parent.name}/{match['slug']}", []).append((version, path))
    return [
        RecordFiles(record=record, paths=[path for _, path in sorted(paths)])
        for record, paths in sorted(found.items())
    ]


async def load(
    office: Office, folder: Path, *, now: Callable[[], dt.datetime], known_only: bool = False
) -> list[Loaded]:
    """Publish a folder's records, one transaction each; what is refused stops nothing else.

    A new record brings all its versions; of one that is there already only the latest file
    counts, and only if it differs. `known_only` leaves out folders that are not named after an
    agency of this register.
    """
    return [
        await _load(office, files, now=now)
        for files in find_files(folder)
        if not known_only or files.record.split("/")[0] in office.pack.agencies
    ]


async def _load(office: Office, files: RecordFiles, *, now: Callable[[], dt.datetime]) -> Loaded:
    receipts: list[Receipt] = []
    try:
        agency = local_agency(office, files.record)
        async with office.database.transaction() as connection:
            await records.take_turn(connection, files.record)
            known = await records.is_published(connection, files.record)
            for path in files.paths[-1:] if known else files.paths:
                document = _read(path, files.record)
                receipt = await publish_local(
                    connection, office, document, agency=agency, actor=agency.id, now=now()
                )
                receipts.append(receipt)
    except RegistryError as error:
        return Loaded(record=files.record, receipts=[], refused=error)
    return Loaded(record=files.record, receipts=receipts, refused=None)


def _read(path: Path, record: str) -> dict[str, object]:
    try:
        document = parse(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except (UnreadableDocument, PayloadTooLarge) as error:
        raise type(error)(f"{path}: {error.detail}") from error
    if not isinstance(document, dict) or document.get("id") != record:
        raise InvalidRecord(
            f"{path} is not the record {record}",
            [
                Finding(
                    pointer="/id",
                    rule="id",
                    severity="error",
                    message=f"The id must be {record}, as the file's place says.",
                )
            ],
        )
    return document
