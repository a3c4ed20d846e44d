"""Registers of any size to search in: real uses, multiplied with variation, really published.

Each record has the name, the summary and the facts of one real use, and the texts of it and four
others in the fields that hold texts, filled up to about 11 KB; every tenth has French and Arabic
texts as well. The American inventory is used where it lies beside the project, otherwise the
demonstration corpus. Past `MODELS` records these come again, each under an id of its own.
"""

import asyncio
import datetime as dt
import gc
import json
import multiprocessing
import os
import random
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import msgspec

from registry.exchange.convert import convert_file
from registry.exchange.crosswalk import load_crosswalk
from registry.exchange.outcome import ForeignRecord
from registry.exchange.report import ImportReport
from registry.ledger.append import Publication, SealedDocument, publish, seal_document
from registry.record.fast_validator import FastValidator
from registry.record.pack import Agency, load_pack
from registry.record.pointers import dig
from registry.record.search_text import search_texts
from registry.record.sections import seal
from registry.record.validate import Verdict, validate
from registry.search.facets import Facets
from registry.search.fold import save
from registry.search.postings import NewTerms
from registry.services.startup import open_register
from registry.settings import Settings
from registry.store import agencies
from registry.store.database import Database, connect
from registry.store.search_rows import NewRow, lock_state
from registry.store.search_rows import _words as stored_words
from registry.store.sql import statement
from registry.text import tokens
from registry.tlog.compact import CompactRange, unpack
from tests.bench.documents import local_documents

SHARED = Path(__file__).parents[3] / "shared" / "data"
US = SHARED / "us-omb-2025" / "2025_individually_reported_AI_use_cases.csv"
MODELS = 6_000
BATCH = 500
FAST = FastValidator()
PART = 125_000
"""Records that a process publishes before it folds them: the sets of their terms are in memory."""

PROCESSES = int(os.environ.get("BENCH_PROCESSES", os.cpu_count() or 1))
TODAY = dt.date(2026, 11, 24)
NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
OTHERS = 4
CHARACTERS = 560
"""Of each text that is filled in; the fields hold 1,000 at least."""

FILLED = (
    *(("purpose", name) for name in ("goal", "public_benefit", "proportionality")),
    *(("purpose", name) for name in ("alternatives_considered", "previous_process")),
    ("purpose", "out_of_scope_uses"),
    ("risk", "rationale"),
    ("lifecycle", "status_reason"),
    *(("decision", name) for name in ("description", "human_oversight")),
    *(("decision", name) for name in ("operator_training", "fallback")),
    *(("data", name) for name in ("description", "representativeness")),
    *(("technical", name) for name in ("description", "inputs", "outputs", "explainability")),
    ("procurement", "data_access_terms"),
    ("evaluation", "monitoring"),
)

TEXTS = (
    "data",
    "machine learning",
    "fraud",
    "hydrologic",
    "veterans benefits",
    "image classification",
    "chatbot",
    "natural language processing",
    "cybersecurity threats",
    "passport",
    "weather forecast",
    "fraude fiscale",
    "hôpital",
    "المعطيات",
    "predictive maintenance",
    "drug -adverse",
)
FILTERS: tuple[dict[str, list[str]], ...] = (
    {},
    {"risk": ["high"]},
    {"status": ["in_use"], "sector": ["health"]},
    {"risk": ["minimal", "limited"], "personal_data": ["yes"]},
    {"agency": ["us.va", "us.doi", "demo-sante"]},
)
FACETS = ("risk", "sector", "status", "agency")

Use = tuple[dict[str, Any], Agency]
Random = Callable[[int], bytes]


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A document of the corpus, ready to be published under any id."""

    document: dict[str, Any]
    agency: Agency
    verdict: Verdict
    ready: SealedDocument


def real_uses() -> list[Use]:
    """The real uses, or the demonstration records, and whose they are."""
    if not US.exists():
        return _local()
    crosswalk = load_crosswalk("us-omb-2025")
    report = ImportReport(origin=crosswalk.origin)
    outcomes = convert_file(crosswalk, US, pack=load_pack("ma"), today=TODAY, report=report)
    return [(one.document, one.agency) for one in outcomes if isinstance(one, ForeignRecord)]


def _local() -> list[Use]:
    pack = load_pack("ma")
    return [
        (document, pack.agencies[str(document["id"]).split("/")[0]])
        for document in local_documents(300)
    ]


def models(count: int) -> list[Model]:
    """Make so many documents out of real ones, at most `MODELS`."""
    chance = random.Random(count)
    uses, local = real_uses(), _local()
    made = []
    for number in range(min(count, MODELS)):
        document, agency = uses[number % len(uses)]
        filled = _filled(document, [document, *(one for one, _ in chance.choices(uses, k=OTHERS))])
        if number % 10 == 0:
            filled = _with_translations(filled, chance.choice(local)[0])
        filled["id"] = f"{agency.id}/{_ANY}"
        made.append(
            Model(
                document=filled,
                agency=agency,
                verdict=validate(
                    filled, profile="foreign", pack=load_pack("ma"), today=TODAY, fast=FAST
                ),
                ready=seal_document(filled, agency, secrets.token_bytes),
            )
        )
    return made


def _filled(document: dict[str, Any], sources: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Put the texts of several documents into the fields for texts, again until all are full."""
    texts = cycle(
        [text for source in sources for field, tag, text in search_texts(source) if tag and text]
    )
    filled = {
        key: dict(value) if isinstance(value, dict) else value for key, value in document.items()
    }
    for key, name in FILLED:
        text = ""
        while len(text) < CHARACTERS:
            text = f"{text} {next(texts)}".strip()
        cut = text[:CHARACTERS].rpartition(" ")[0].strip()
        filled.setdefault(key, {})[name] = {"en": cut}
    return filled


def _with_translations(document: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    for key, name in FILLED:
        for tag in ("ar", "fr"):
            text = dig(other, key, name, tag)
            if text:
                document[key][name] = {**document[key][name], tag: text}
    return document


_ANY = "bench-any"


def publications(
    made: Sequence[Model], numbers: Iterable[int], random: Random = secrets.token_bytes
) -> Iterator[Publication]:
    """Give the records of some numbers, each a model under an id of its own."""
    for number in numbers:
        model = made[number % len(made)]
        identifier = model.document["id"].replace(_ANY, f"bench-{number}")
        [of_id] = seal({"id": identifier}, random)
        *texts, rest = model.ready.words[tokens.NEUTRAL]
        renamed = rest.removesuffix("any ") + f"{number} "
        yield Publication(
            document={**model.document, "id": identifier},
            agency=model.agency,
            actor="bench",
            verdict=model.verdict,
            ready=SealedDocument(
                sections=[of_id if one.key == "id" else one for one in model.ready.sections],
                words={**model.ready.words, tokens.NEUTRAL: (*texts, renamed)},
            ),
        )


def of_documents(documents: Sequence[Use], numbers: Iterable[int]) -> Iterator[Publication]:
    """Give the documents of some numbers, from 1, as they are."""
    pack = load_pack("ma")
    for number in numbers:
        document, agency = documents[number - 1]
        verdict = validate(document, profile="foreign", pack=pack, today=TODAY, fast=FAST)
        yield Publication(document=document, agency=agency, actor="bench", verdict=verdict)


def fill(url: str, folder: Path, count: int) -> None:
    """Make a register of so many records of the corpus, published and folded."""
    made = models(count)
    whose = {one.agency.id: one.agency for one in made}
    written(url, folder, partial(publications, made), count, whose=list(whose.values()))


def written(
    url: str,
    folder: Path,
    filings: Callable[[range], Iterable[Publication]],
    count: int,
    *,
    whose: Sequence[Agency],
) -> None:
    """Publish the records of numbers from 1 and fold them, a part of them in each process.

    All that is written is made by the office and the index: what differs is only that it is written
    by COPY, and that the size of the log is written at the end.
    """
    asyncio.run(opened(url, folder, whose))
    size = min(PART, -(-count // PROCESSES))
    parts = [range(at, min(at + size, count + 1)) for at in range(1, count + 1, size)]
    # They share the models, which take longer to make than to use.
    fork = multiprocessing.get_context("fork")
    processes = [
        fork.Process(target=_write_parts, args=(url, filings, parts[number::PROCESSES]))
        for number in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    if any(process.exitcode for process in processes):
        raise RuntimeError("a part of the corpus was not written")
    asyncio.run(_closed(url))


async def opened(url: str, folder: Path, known: Sequence[Agency]) -> None:
    database = await connect(url)
    await open_register(database, load_pack("ma"), Settings(data_dir=folder), now=NOW)
    async with database.connection() as connection:
        # What the log before each write costs is not what is measured here.
        await connection.execute("alter table section set unlogged")
        await connection.execute("alter table search_version set unlogged")
        await agencies.save(connection, known)
    await database.close()


def _write_parts(
    url: str, filings: Callable[[range], Iterable[Publication]], parts: Sequence[range]
) -> None:
    gc.freeze()

    async def write() -> None:
        database = await connect(url)
        for numbers in parts:
            await _write_part(database, filings(numbers), numbers)
        await database.close()

    asyncio.run(write())


async def _write_part(database: Database, filings: Iterable[Publication], numbers: range) -> None:
    facets, terms = Facets(), NewTerms()
    waiting = iter(filings)
    after = CompactRange(size=numbers.start, peaks=(bytes(32),) * numbers.start.bit_count())
    while batch := list(islice(waiting, BATCH)):
        async with database.transaction() as connection:
            # Nothing refers to what is not there: it is all written here.
            await connection.execute("set local session_replication_role = replica")
            copying = Copying(connection, after)
            await publish(copying, batch, now=NOW, random=secrets.token_bytes, standing={})
        after = copying.after
        for row in copying.rows:
            facets.add(row.ord, row.codes)
            terms.add(row.ord, row.words)
    while True:
        async with database.transaction() as connection:
            state = await lock_state(connection)
            if numbers.start in {1, state.folded + 1}:
                await save(connection, facets, terms, last=numbers.stop - 1)
                return
        await asyncio.sleep(0.1)


async def _closed(url: str) -> None:
    """Write how large the log has become, and let PostgreSQL look at what it has."""
    database = await connect(url)
    async with database.transaction() as connection:
        after = CompactRange()
        async for row in connection.cursor("select leaf from log_entry order by index"):
            after = after.append(row["leaf"])
        await connection.execute(
            "update log_state set size = $1, peaks = $2, last_at = $3",
            after.size,
            after.packed(),
            NOW,
        )
    async with database.connection() as connection:
        # Not the texts that lie apart: nobody deletes any.
        for table in ("search_version", "posting", "facet", "lexeme"):
            await connection.execute(f"vacuum (analyze, process_toast off) {table}", timeout=3600)
        await connection.execute("analyze", timeout=3600)
    await database.close()


class Copying:
    """A connection that writes new versions, of new records, by COPY: the same rows, sooner.

    The log is as large `after` others as it says; that is not written. `rows` are the search rows.
    """

    def __init__(self, connection: Any, after: CompactRange) -> None:
        self._connection = connection
        self.after = after
        self.rows: list[NewRow] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def fetchrow(self, query: str) -> Any:
        if query != statement("log", "lock_state"):
            raise ValueError(query)
        state = {"size": self.after.size, "peaks": self.after.packed(), "last_at": NOW}
        return state | {"erasures": 0}

    async def fetchval(self, query: str, *values: Any) -> int:
        if query != statement("versions", "insert"):
            raise ValueError(query)
        column = dict(zip(_COLUMNS, values, strict=False))
        _, _, size, peaks, *sections = values[len(_COLUMNS) :]
        sections = sections[: len(_SECTION)]
        self.after = unpack(size, peaks)
        self.rows = [
            NewRow(ord=row["entry"], codes=json.loads(row["codes"]), words=stored_words(row))
            for one in zip(*column.values(), strict=True)
            for row in [dict(zip(column, one, strict=True))]
        ]
        count = len(column["record"])
        column |= {"version_kind": ["version"] * count, "published": ["published"] * count}
        for name in ("missing", "rules", "withheld"):
            column[name] = [json.loads(one) for one in column[name]]
        for table, names in _TABLES.items():
            await self._connection.copy_records_to_table(
                table,
                records=zip(*(column[name] for name in names.values()), strict=True),
                columns=list(names),
            )
        await self._connection.copy_records_to_table(
            "section",
            records=zip(*sections, strict=True),
            columns=_SECTION,
        )
        return self.after.size


_COLUMNS = tuple(
    "record agency origin version entry published_at content leaf schema_version rule_set actor"  # noqa: SIM905
    " approved_by completeness accountability missing findings change_note source_row truncated"
    " risk risk_before risk_change sector status personal_data next_review_on rules withheld"
    " restricted name_key codes card name summary rest".split()
)
"""What the statement takes, in its order, before the log's state, and then of sections."""

_SECTION = ("record", "version", "key", "value", "salts", "commitment")


def _same(names: str, **others: str) -> dict[str, str]:
    return {name: name for name in names.split()} | others


_TABLES = {
    "log_entry": _same(
        "record leaf", index="entry", kind="version_kind", at="published_at", bytes="content"
    ),
    "record": _same("agency origin version entry", id="record", state="published"),
    "version": _same(
        "record version entry published_at schema_version rule_set actor approved_by completeness"
        " accountability missing findings change_note"
    ),
    "figure": _same(
        "entry record agency origin risk risk_before risk_change sector status personal_data"
        " completeness accountability next_review_on rules withheld restricted",
        at="published_at",
    ),
    "search_version": _same("name_key codes card name summary rest", ord="entry"),
}
"""The columns of each table, and from what they come."""
