"""Known items: every real record looked for by its name, with a word left out or a letter wrong.

How many are found, or one of the same name, among the first ten.
"""

import asyncio
import json
import random
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from registry.exchange.convert import convert_file
from registry.exchange.crosswalk import load_crosswalk
from registry.exchange.outcome import ForeignRecord
from registry.exchange.report import ImportReport
from registry.record.pack import load_pack
from registry.search.engine import SearchIndex
from registry.search.query import SearchQuery
from registry.store import embedded
from registry.store.database import connect
from tests.bench.documents import RECORDS
from tests.bench.search_corpus import SHARED, TODAY, of_documents, written

FILES = {
    "us-omb-2025": SHARED / "us-omb-2025" / "2025_individually_reported_AI_use_cases.csv",
    "nl-algoritmeregister": SHARED / "nl" / "algoritmes_2026-08-08.json",
}
FIRST = 10
LATIN = "abcdefghijklmnopqrstuvwxyz"
ARABIC = "ابتثجحدرسعفقكلمنهوي"


def run() -> Iterator[str]:
    documents = list(_documents())
    with tempfile.TemporaryDirectory(prefix="rb", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = embedded.start(folder)
        try:
            whose = {agency.id: agency for _, agency in documents}
            filings = partial(of_documents, documents)
            written(server.url, folder, filings, len(documents), whose=list(whose.values()))
            found = asyncio.run(_found(server.url, documents))
        finally:
            server.release()
    for question, (hits, asked) in found.items():
        yield f"Known items, {question}: {hits} of {asked} found, {hits / asked:.1%}"


def _documents() -> Iterator[tuple[dict[str, object], object]]:
    pack = load_pack("ma")
    for name, path in FILES.items():
        if path.exists():
            crosswalk = load_crosswalk(name)
            outcomes = convert_file(
                crosswalk,
                path,
                pack=pack,
                today=TODAY,
                report=ImportReport(origin=crosswalk.origin),
            )
            for one in outcomes:
                if isinstance(one, ForeignRecord):
                    yield one.document, one.agency
    for path in sorted(RECORDS.glob("*/*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        if "." not in path.stem and "name" in document:
            yield document, pack.agencies[path.parent.name]


async def _found(
    url: str, documents: list[tuple[dict[str, object], object]]
) -> dict[str, tuple[int, int]]:
    database = await connect(url)
    index = SearchIndex(database.connection)
    names: dict[str, set[str]] = {}
    for document, _ in documents:
        for text in document["name"].values():
            names.setdefault(text.casefold(), set()).add(document["id"])
    chance = random.Random(7)
    counted = {kind: [0, 0] for kind in ("a word left out", "a letter wrong", "the other language")}
    for document, _ in documents:
        of_one_name = {one for text in document["name"].values() for one in names[text.casefold()]}
        for text in document["name"].values():
            words = text.split()
            if len(words) > 1:
                at = chance.randrange(len(words))
                slipped = [*words[:at], _slip(chance, words[at]), *words[at + 1 :]]
                questions = {
                    "a word left out": [*words[:at], *words[at + 1 :]],
                    "a letter wrong": slipped,
                }
                if len(document["name"]) > 1:
                    questions["the other language"] = words
                for kind, asked in questions.items():
                    answer = await index.answer(
                        SearchQuery(text=" ".join(asked), sort="relevance", limit=FIRST)
                    )
                    ids = {json.loads(hit.card)["id"] for hit in answer.hits}
                    counted[kind][0] += bool(ids & of_one_name)
                    counted[kind][1] += 1
    await database.close()
    return {kind: (hits, asked) for kind, (hits, asked) in counted.items() if asked}


def _slip(chance: random.Random, word: str) -> str:
    at = chance.randrange(len(word))
    letter = chance.choice(LATIN if word.isascii() else ARABIC)
    return chance.choice(
        [
            word[:at] + letter + word[at + 1 :],
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at:],
            word[:at] + word[at + 1 : at + 2] + word[at : at + 1] + word[at + 2 :],
        ]
    )
