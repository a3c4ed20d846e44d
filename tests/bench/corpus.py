"""Registers of any size to search in: real uses, multiplied with variation, imported as usual.

Each record has the name, the summary and the facts of one real use, and the texts of it and four
others in the fields that hold texts, filled up to about 11 KB; every tenth has French and Arabic
texts as well. The American inventory is used where it lies beside the project, otherwise the
demonstration corpus.
"""

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from registry.imports.convert import convert_file
from registry.imports.crosswalk import load_crosswalk
from registry.imports.report import ForeignRecord, ImportReport
from registry.ledger.append import publish
from registry.ledger.publication import Publication
from registry.record.fast_validator import FastValidator
from registry.record.pack import Agency, load_pack
from registry.record.pointers import dig
from registry.record.search_document import search_texts
from registry.record.validate import validate
from registry.services.context import ServiceContext
from registry.services.people.agencies import save_agencies
from tests.bench.documents import local_documents

SHARED = Path(__file__).parents[3] / "shared" / "data"
FOREIGN = {
    "us-omb-2025": SHARED / "us-omb-2025" / "2025_individually_reported_AI_use_cases.csv",
    "nl-algoritmeregister": SHARED / "nl" / "algoritmes_2026-08-08.json",
}
NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
PART = 2_000
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

Use = tuple[dict[str, Any], Agency]


def real_uses() -> list[Use]:
    """Return the real uses, or the demonstration records, and whose they are."""
    path = FOREIGN["us-omb-2025"]
    if not path.exists():
        return _local()
    crosswalk = load_crosswalk("us-omb-2025")
    report = ImportReport(origin=crosswalk.origin)
    outcomes = convert_file(crosswalk, path, pack=load_pack("ma"), today=NOW.date(), report=report)
    return [(one.document, one.agency) for one in outcomes if isinstance(one, ForeignRecord)]


def _local() -> list[Use]:
    agency = Agency(id="xx.bench", name={"en": "Bench"}, kind="foreign", origin="bench")
    return [(one, agency) for one in local_documents(300)]


def records(count: int) -> Iterator[Use]:
    """Make so many records out of real ones; the same each time."""
    chance = random.Random(count)
    uses, local = real_uses(), _local()
    for number in range(count):
        document, agency = uses[number % len(uses)]
        filled = _filled(document, [document, *(one for one, _ in chance.choices(uses, k=OTHERS))])
        if number % 10 == 0:
            filled = _with_translations(filled, chance.choice(local)[0])
        yield filled | {"id": f"{agency.id}/bench-{number}"}, agency


async def fill(context: ServiceContext, count: int) -> None:
    """Publish so many records of the corpus."""
    made = records(count)
    fast = FastValidator()
    while publications := [
        Publication(
            document=document,
            agency=agency,
            actor=context.pack.code,
            verdict=validate(
                document, profile="foreign", pack=context.pack, today=NOW.date(), fast=fast
            ),
        )
        for document, agency in islice(made, PART)
    ]:
        async with context.database.transaction() as connection:
            homes = {one.agency.id: one.agency for one in publications}
            guard, actor = context.guard, context.pack.code
            await save_agencies(connection, [*homes.values()], guard=guard, actor=actor, now=NOW)
            await publish(connection, publications, guard=guard, now=NOW, random=context.random)


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
