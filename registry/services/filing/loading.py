"""Loading: the records of a folder, each version in its turn, and their withdrawals."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Container, Sequence
from functools import partial
from pathlib import Path

import msgspec

from registry.errors import (
    ConfigurationError,
    Finding,
    InvalidRecord,
    InvalidStatement,
    PayloadTooLarge,
    RegistryError,
    Unavailable,
    UnreadableDocument,
)
from registry.record.codelists import read_rows
from registry.record.ids import agency_of
from registry.record.model import Document
from registry.record.parse import parse
from registry.record.short_code import is_code
from registry.record.statements import check_withdrawal
from registry.services.context import ServiceContext
from registry.services.filing.drafts import local_agency
from registry.services.filing.pipeline import BATCH_SIZE, Command, execute_group, execute_in
from registry.services.filing.publication import Publish
from registry.services.filing.receipts import Receipt, unchanged_receipt
from registry.services.filing.register_context import check_document
from registry.services.people.access import Actor
from registry.services.statements.withdrawal import Withdraw
from registry.store import records
from registry.store.database import Connection

WITHDRAWALS = "withdrawals.csv"
"""One row a withdrawal: `id`, `reason`, `note_<language>`, `after_version`, `successor`."""

CODES = "codes.csv"
"""One row a record, with its short `code` in the log that is continued: `id`, `code`."""

_FILE = re.compile(r"(?P<slug>[a-z0-9-]+?)(?:\.(?P<version>[1-9][0-9]*))?\.json")
_NOTE = "note_"


class RecordFiles(msgspec.Struct, frozen=True, kw_only=True):
    """One record's files, oldest version first: `slug.1.json`, `slug.2.json`, …, `slug.json`.

    `withdrawals` are statements by the number of the version that they end. `code` is the short
    code that a new record keeps, None where it gets one.
    """

    record: str
    paths: list[Path]
    withdrawals: dict[int, Document] = {}
    code: str | None = None


class LoadCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one record's files: the receipts of new versions, or why it was refused."""

    record: str
    receipts: Sequence[Receipt]
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
        number = float(match["version"] or "inf")
        found.setdefault(f"{path.parent.name}/{match['slug']}", []).append((number, path))
    counts = {record: len(paths) for record, paths in found.items()}
    withdrawals = _read_withdrawals(folder / WITHDRAWALS, counts)
    codes = _read_codes(folder / CODES)
    return [
        RecordFiles(
            record=record,
            paths=[path for _, path in sorted(paths)],
            withdrawals=withdrawals.get(record, {}),
            code=codes.get(record),
        )
        for record, paths in sorted(found.items())
    ]


async def load(
    context: ServiceContext,
    folder: Path,
    *,
    now: Callable[[], dt.datetime],
    known_only: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[LoadCounts]:
    """Publish a folder's records; what is refused stops nothing else.

    A new record brings all its versions, or none; of one that is there already only the latest
    file counts, and only if it differs. So loading again changes nothing, and goes on where it was
    stopped. `known_only` leaves out folders that are not named after an agency of this register.
    """
    found = [
        files
        for files in find_files(folder)
        if not known_only or agency_of(files.record) in context.pack.agencies
    ]
    # A successor has to be in force before it is named.
    found.sort(key=lambda files: any("successor" in one for one in files.withdrawals.values()))
    loaded: list[LoadCounts] = []
    for start in range(0, len(found), BATCH_SIZE):
        loaded += await _load(context, found[start : start + BATCH_SIZE], now=now())
        if progress is not None:
            progress(len(loaded), len(found))
    return loaded


async def _load(
    context: ServiceContext, group: Sequence[RecordFiles], *, now: dt.datetime
) -> list[LoadCounts]:
    async with context.database.connection() as connection:
        known = await records.read_current(connection, [files.record for files in group])
    commands: dict[str, list[Command[Receipt]]] = {}
    results: dict[str, Sequence[Receipt] | Exception] = {}
    for files in group:
        try:
            commands[files.record] = _commands(context, files, known, now=now)
        except RegistryError as error:
            results[files.record] = error
    works = [partial(_publish, context=context, commands=one, now=now) for one in commands.values()]
    loaded = await execute_group(context, list(commands), works)
    results |= dict(zip(commands, loaded, strict=True))
    return [_loaded(files.record, results[files.record]) for files in group]


async def _publish(
    connection: Connection,
    *,
    context: ServiceContext,
    commands: Sequence[Command[Receipt]],
    now: dt.datetime,
) -> list[Receipt]:
    """Publish what a record lacks of its versions and withdrawals.

    Of one that is there already only the end counts.
    """
    record = commands[0].subject
    current = (await records.read_current(connection, [record])).get(record)
    if current is not None:
        start, last = [(at, one) for at, one in enumerate(commands) if isinstance(one, Publish)][-1]
        if last.given is not None and last.given.content == current.document:
            start = start + 1 if current.state == "published" else len(commands)
        commands = commands[start:]
        if not commands:
            return [unchanged_receipt(record, current)]
    return [await execute_in(connection, context, one, now=now) for one in commands]


def _loaded(record: str, result: Sequence[Receipt] | Exception) -> LoadCounts:
    if not isinstance(result, Exception):
        return LoadCounts(record=record, receipts=result, refused=None)
    if isinstance(result, Unavailable) or not isinstance(result, RegistryError):
        raise result
    return LoadCounts(record=record, receipts=[], refused=result)


def read_version(
    context: ServiceContext, files: RecordFiles, number: int, *, today: dt.date
) -> Command[Receipt]:
    """Return the publication of a version; raises what its file cannot be read or taken for."""
    agency = local_agency(context, files.record)
    given = check_document(
        _read(files.paths[number - 1], files.record),
        profile="publication",
        pack=context.pack,
        today=today,
        fast=context.fast,
    )
    return Publish(
        actor=_actor(agency.id),
        subject=files.record,
        agency=agency,
        purpose="load",
        given=given,
        code=files.code,
    )


def read_end(context: ServiceContext, files: RecordFiles, number: int) -> Command[Receipt]:
    """Return the withdrawal that ends a version; raises `InvalidStatement`."""
    statement = files.withdrawals[number]
    findings = check_withdrawal(statement, context.pack, "en")
    if findings:
        raise InvalidStatement(
            f"{files.record} cannot be withdrawn as {WITHDRAWALS} says", findings
        )
    actor = _actor(local_agency(context, files.record).id)
    return Withdraw(actor=actor, subject=files.record, statement=statement)


def _actor(agency: str) -> Actor:
    return Actor(name=agency, agency=agency, scopes=frozenset({"file"}), token=None)


def _commands(
    context: ServiceContext, files: RecordFiles, known: Container[str], *, now: dt.datetime
) -> list[Command[Receipt]]:
    """Read a record's files; of one that is there already, the latest is enough."""
    commands: list[Command[Receipt]] = []
    for number in range(1, len(files.paths) + 1):
        if files.record in known and number < len(files.paths):
            continue
        commands.append(read_version(context, files, number, today=context.pack.day(now)))
        if number in files.withdrawals:
            commands.append(read_end(context, files, number))
    return commands


def _read_withdrawals(path: Path, counts: dict[str, int]) -> dict[str, dict[int, Document]]:
    """Read the table of withdrawals, if there is one; each must end a version that is there."""
    found: dict[str, dict[int, Document]] = {}
    for number, row in enumerate(read_rows(path) if path.exists() else (), start=2):
        record, after = row.get("id", ""), row.get("after_version", "")
        if record not in counts:
            raise ConfigurationError(f"{path}, row {number}: there are no files of {record!r}")
        if not (after.isdecimal() and 1 <= int(after) <= counts[record]):
            raise ConfigurationError(
                f"{path}, row {number}: after_version is {after!r}; {record} has the versions "
                f"1 to {counts[record]}"
            )
        if int(after) in found.setdefault(record, {}):
            raise ConfigurationError(f"{path}, row {number}: version {after} ends twice")
        note = {
            name.removeprefix(_NOTE): cell for name, cell in row.items() if name.startswith(_NOTE)
        }
        named = {"successor": row["successor"]} if "successor" in row else {}
        found[record][int(after)] = {"reason": row.get("reason", ""), "note": note, **named}
    return found


def _read_codes(path: Path) -> dict[str, str]:
    """Read the table of codes, if there is one: codes by record, each of one record alone."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for number, row in enumerate(read_rows(path) if path.exists() else (), start=2):
        record, code = row.get("id", ""), row.get("code", "")
        if not is_code(code):
            raise ConfigurationError(f"{path}, row {number}: {code!r} is no short code")
        if record in found or code in taken:
            raise ConfigurationError(f"{path}, row {number}: {record} or {code} is there twice")
        found[record] = code
        taken.add(code)
    return found


def read_document(path: Path) -> Document:
    """Read a file that holds one record; what is wrong with it is told with its name."""
    try:
        document = parse(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except (UnreadableDocument, PayloadTooLarge) as error:
        raise type(error)(f"{path}: {error.detail}") from error
    if not isinstance(document, dict):
        raise UnreadableDocument(f"{path}: a record is a JSON object: {{ … }}")
    return document


def _read(path: Path, record: str) -> Document:
    document = read_document(path)
    if document.get("id") != record:
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
