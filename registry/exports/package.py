"""The package: the whole register as of one entry of the log, as tables with keys and types.

Each table is a CSV file, of which DuckDB writes the Parquet file: `registry.exports.package_tables`
says what they are. The same entry gives the same bytes on any machine with the locked versions of
the libraries, but for the checkpoint's signatures, what was erased since, and agencies, of whose
names today's are there.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from registry.errors import ConfigurationError
from registry.exports.columns import Cell, write_cell
from registry.exports.package_descriptions import PackageFacts, describe
from registry.exports.package_tables import (
    RECORDS,
    VERSIONS,
    ColumnType,
    PackageTable,
    Row,
    list_tables,
    record_columns,
    tables,
)
from registry.exports.spreadsheets import cell_text
from registry.log.register import SourceFacts, StoredRecord
from registry.record.codelists import codelists
from registry.record.facts import answer_kinds
from registry.record.pack import Pack
from registry.record.pointers import dig
from registry.store import agencies, attestations, exports, log, redactions
from registry.store.as_of import AsOf
from registry.store.database import Database
from registry.text.catalogues import SOURCE
from registry.work import in_thread

CHECKPOINT, DIGESTS, _MADE = "checkpoint", "digests", ".made.json"
UNFINISHED = ".package-"
"""The beginning of the name of a folder that is being written."""

_BATCH = 200
_ENTRIES = 1000
_ROWS_IN_GROUP = 100_000
_MEMORY = "256MB"
_SQL_TYPES: Mapping[ColumnType, str] = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "datetime": "TIMESTAMPTZ",
}


class _Writers:
    """An open CSV file a table."""

    def __init__(
        self, folder: Path, described: Mapping[str, PackageTable], stack: ExitStack
    ) -> None:
        self._writers: dict[str, Any] = {}
        for table in described.values():
            file = stack.enter_context(
                (folder / f"{table.name}.csv").open("w", encoding="utf-8", newline="")
            )
            self._writers[table.name] = csv.writer(file, lineterminator="\n")
            self._writers[table.name].writerow(column.name for column in table.columns)

    def write(self, table: str, rows: Iterable[Row]) -> None:
        """Write rows; an empty cell is one without a value."""
        self._writers[table].writerows([cell_text(cell) for cell in row] for row in rows)


async def write_package(
    database: Database,
    folder: Path,
    moment: AsOf,
    *,
    pack: Pack,
    site: str,
    checkpoint: bytes | None,
    progress: Callable[[int, int], None] | None = None,
) -> PackageFacts:
    """Write the package of a moment into a folder, which is there when it is complete.

    Of each version a number is held in memory, and no more. Raises `ConfigurationError` for a
    folder that holds something else. `checkpoint` is a published one of a log that
    has the entry; `progress` is called with the number of versions read, and of all.
    """
    described = tables(pack.languages)
    async with database.connection() as connection:
        state = PackageState(at=moment.at, erasures=await redactions.count(connection))
    unfinished = await in_thread(_begin, folder, state)
    try:
        with ExitStack() as stack:
            writers = _Writers(unfinished, described, stack)
            facts = await _write_tables(database, writers, moment, pack, progress)
        await in_thread(_write_parquet, unfinished, described)
        await in_thread(_finish, unfinished, folder, described, facts, pack, site, checkpoint)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return facts


def packages(folder: Path) -> list[int]:
    """Return the entries of which there are packages in a folder, in order."""
    return sorted(int(one.name) for one in folder.glob("*") if one.name.isdigit())


class PackageState(msgspec.Struct, frozen=True, kw_only=True):
    """What a package was made from: the time of its last entry, and the redactions carried out."""

    at: dt.datetime
    erasures: int


def state_of(folder: Path) -> PackageState | None:
    """Return what a package was made from; None of a folder that is no package."""
    try:
        return msgspec.json.decode((folder / _MADE).read_bytes(), type=PackageState)
    except FileNotFoundError:
        return None


def _begin(folder: Path, state: PackageState) -> Path:
    """Return a new folder beside the one that it will be, which is none yet or a package."""
    if folder.exists() and state_of(folder) is None:
        raise ConfigurationError(f"{folder} is there and holds no package; name a new folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    begun = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=folder.parent))
    (begun / _MADE).write_bytes(msgspec.json.encode(state))
    return begun


def _finish(  # noqa: PLR0917  of one caller
    unfinished: Path,
    folder: Path,
    described: Mapping[str, PackageTable],
    facts: PackageFacts,
    pack: Pack,
    site: str,
    checkpoint: bytes | None,
) -> None:
    """Add what describes the tables, and put the folder in its place."""
    for name, content in describe(described, facts, pack, site, _files(unfinished)).items():
        (unfinished / name).write_bytes(content)
    digests = "".join(f"{digest}  {name}\n" for name, (_, digest) in _files(unfinished).items())
    (unfinished / DIGESTS).write_text(digests, encoding="ascii")
    if checkpoint is not None:
        (unfinished / CHECKPOINT).write_bytes(checkpoint)
    _compress(unfinished)
    unfinished.chmod(0o755)
    if folder.exists():
        shutil.rmtree(folder)
    unfinished.rename(folder)


async def _write_tables(
    database: Database,
    writers: _Writers,
    moment: AsOf,
    pack: Pack,
    progress: Callable[[int, int], None] | None,
) -> PackageFacts:
    async with database.transaction() as connection:
        panel = await exports.select_versions(connection, moment)
        known = [counted.agency for counted in await agencies.read_all(connection)]
        attested = await attestations.read_latest(connection, as_of=moment.entry)
    current = {entry for entry, end in panel if end is None}
    done = 0
    async for batch in _read(database, [entry for entry, _ in panel], moment):
        until = [end for _, end in panel[done : done + len(batch)]]
        await in_thread(_write_versions, writers, batch, until, current, pack)
        done += len(batch)
        if progress is not None:
            progress(done, len(panel))
    writers.write(
        "agencies",
        (
            (
                *(one.id,),
                *(one.name.get(tag) for tag in pack.languages),
                _others(one.name, pack.languages),
                *(one.kind, one.parent, one.region, one.website, one.fictitious, one.origin),
            )
            for one in sorted(known, key=lambda one: one.id)
        ),
    )
    writers.write(
        "attestations",
        (
            (one.entry, one.agency, one.day, one.systems_total, one.filed_at)
            for one in sorted(attested, key=lambda one: one.entry)
            if one.entry <= moment.entry
        ),
    )
    writers.write("codes", _code_rows(pack))
    async for rows in _change_rows(database, moment):
        writers.write("changes", rows)
    async with database.connection() as connection:
        first = await log.read_entries(connection, since=-1, until=0, limit=1)
        leaf = await exports.read_leaf(connection, moment.entry)
    return PackageFacts(
        entry=moment.entry,
        at=moment.at,
        began=msgspec.json.decode(first[0].content)["at"],
        leaf=leaf.hex(),
        records=len(current),
        writer=f"duckdb {duckdb.__version__}",
    )


async def _read(
    database: Database, entries: Sequence[int], moment: AsOf
) -> AsyncIterator[list[StoredRecord]]:
    for start in range(0, len(entries), _BATCH):
        async with database.connection() as connection:
            yield await exports.read(
                connection, entries[start : start + _BATCH], as_of=moment.entry
            )


def _write_versions(
    writers: _Writers,
    batch: Sequence[StoredRecord],
    until: Sequence[int | None],
    current: set[int],
    pack: Pack,
) -> None:
    languages = pack.languages
    columns = record_columns(languages)
    lists = list_tables(languages)
    for one, end in zip(batch, until, strict=True):
        document: dict[str, Any] = msgspec.json.decode(one.document)
        register = one.register
        source = dig(document, "languages", "source")
        stated = [write_cell(column, languages, document, source) for column in columns]
        of_register = [*_register_cells(one, pack.licence)]
        writers.write(VERSIONS, [(one.id, register.version, *of_register, end, *stated)])
        if register.entry not in current:
            continue
        writers.write(RECORDS, [(one.id, register.version, *of_register, *stated)])
        for table in lists:
            writers.write(
                table.table.name, table.rows(one.id, register.version, document, languages)
            )
        writers.write(
            "findings",
            (
                (
                    *(one.id, register.version, number),
                    *(found.rule, found.severity, found.pointer, found.message),
                )
                for number, found in enumerate(register.noticed(), 1)
            ),
        )
        kinds = answer_kinds(document, [gone.pointer for gone in register.redacted])
        writers.write(
            "kinds",
            ((one.id, register.version, fact, kind) for fact, kind in sorted(kinds.items())),
        )


def _register_cells(one: StoredRecord, licence: str | None) -> Iterator[Cell]:
    register = one.register
    source = register.source if isinstance(register.source, SourceFacts) else None
    origin = source.register if source else None
    yield from (one.agency, register.origin, register.fictitious, register.published_at)
    yield from (register.entry, register.hash, register.completeness, register.accountability)
    yield register.code
    if origin is not None:
        yield from (origin.country, origin.publisher, origin.licence)
    else:
        yield from (None, None, licence if register.origin is None else None)
    yield from ((source.state, source.changed_on) if source else (None, None))


def _others(texts: Mapping[str, str], languages: Sequence[str]) -> Cell:
    others = {tag: text for tag, text in texts.items() if tag not in languages}
    return msgspec.json.encode(others, order="sorted").decode() if others else None


def _code_rows(pack: Pack) -> Iterator[Row]:
    tags = [*dict.fromkeys((*pack.languages, SOURCE))]
    lists = {**codelists(), **{f"pack/{name}": held for name, held in pack.lists.items()}}
    for name in sorted(lists):
        for code in lists[name].values():
            yield (name, code.code, *(code.label.get(tag) for tag in tags))


async def _change_rows(database: Database, moment: AsOf) -> AsyncIterator[list[Row]]:
    since = -1
    while since < moment.entry:
        async with database.connection() as connection:
            found = await log.read_entries(
                connection, since=since, until=moment.entry, limit=_ENTRIES
            )
        rows: list[Row] = []
        for one in found:
            entry = msgspec.json.decode(one.content)
            risk = one.risk
            rows.append(
                (
                    one.index,
                    *(entry.get(name) for name in ("kind", "at", "id", "version", "actor")),
                    *((risk.change, risk.before, risk.after) if risk else (None,) * 3),
                    one.leaf.hex(),
                )
            )
        yield rows
        since = found[-1].index


def _write_parquet(folder: Path, described: Mapping[str, PackageTable]) -> None:
    """Write a Parquet file of each table, in one thread and the order of its rows: same bytes."""
    with duckdb.connect(config={"threads": 1, "memory_limit": _MEMORY}) as connection:
        connection.execute("SET preserve_insertion_order = true")
        connection.execute("SET TimeZone = 'UTC'")
        for table in described.values():
            columns = {column.name: _SQL_TYPES[column.type] for column in table.columns}
            path = str(folder / table.name).replace("'", "''")
            types = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
            connection.execute(
                f"""
                COPY (
                    SELECT * FROM read_csv(
                        ?, auto_detect = false, header = true,
                        delim = ',', quote = '"', escape = '"', nullstr = '',
                        new_line = '\\n', columns = {{{types}}}, max_line_size = 16777216
                    )
                ) TO '{path}.parquet' (
                    FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROWS_IN_GROUP}
                )
                """,  # noqa: S608  names are those of the format
                [str(folder / f"{table.name}.csv")],
            )


def _compress(folder: Path) -> None:
    """Write beside each text file its form for clients that take gzip."""
    for path in sorted(folder.iterdir()):
        if path.suffix in {".csv", ".json", ".jsonld"}:
            with (
                path.open("rb") as plain,
                (folder / f"{path.name}.gz").open("wb") as file,
                gzip.GzipFile("", "wb", 6, file, mtime=0) as packed,
            ):
                shutil.copyfileobj(plain, packed)


def _files(folder: Path) -> dict[str, tuple[int, str]]:
    """Return size and SHA-256 of the files of a folder by name, in order."""
    found = {}
    for path in sorted(folder.glob("[a-z]*")):
        with path.open("rb") as file:
            digest = sha256()
            while part := file.read(1 << 20):
                digest.update(part)
        found[path.name] = (path.stat().st_size, digest.hexdigest())
    return found
