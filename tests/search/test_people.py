"""Questions as citizens type them, and what has to be among the first three answers."""

import csv
import json

from registry.record.codelists import codelists
from registry.record.life_events import life_events
from registry.search.query import SearchQuery
from registry.text.tokens import words
from tests.conftest import ROOT

FIRST = 3


def questions():
    path = ROOT / "tests" / "data" / "search" / "people.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


async def first(index, row):
    """Return what the finder shows first: agencies and sectors, records filed here, or others."""
    asked = SearchQuery(
        text=row["question"],
        reader=row["lang"],
        sort="relevance",
        limit=FIRST,
        filters={"origin": ["local"]},
    )
    answer = await index.answer(asked)
    hits = [*answer.hits, *([] if answer.partial is None else answer.partial.hits)]
    found = [("record", json.loads(hit.card)["id"]) for hit in hits[:FIRST]]
    return answer, [(one.kind, one.code) for one in answer.named], found


async def test_what_citizens_ask_is_found(large_index):
    missed = []
    asked = [row for row in questions() if row["kind"] in {"record", "agency", "sector"}]
    for row in asked:
        answer, named, records = await first(large_index, row)
        wanted = {(row["kind"], one) for one in row["expected"].split("|")}
        if not wanted & {*named[:FIRST], *records}:
            told = [code for _, code in [*named, *records]]
            missed.append((row["question"], row["lang"], row["expected"], answer.mended, told))
    assert len(asked) >= 120
    assert not missed, "\n".join(map(str, missed))


async def test_what_a_register_has_nothing_of_is_not_answered(large_index):
    for row in questions():
        if row["kind"] == "nothing":
            answer, named, records = await first(large_index, row)
            assert (named, records) == ([], []), (row["question"], answer.mended)


async def test_every_tamazight_word_for_a_code_is_found(large_index):
    """Tiles, facets and badges show them: whoever types one finds what it stands for."""
    labels = [
        (name, one.code, one.label) for name, codes in codelists().items() for one in codes.values()
    ]
    labels += [("event", one.code, one.name) for one in life_events()]
    known = [(name, code, label["zgh"]) for name, code, label in labels if "zgh" in label]
    missed = []
    for name, code, word in known:
        _, named, records = await first(large_index, {"question": word, "lang": "zgh"})
        if not (named or records) or (name == "sector" and (name, code) not in named):
            missed.append((name, code, named, records))
    assert len(known) >= 9
    assert missed == []


async def test_a_local_match_stands_before_every_foreign_one(large_index):
    for row in questions():
        asked = SearchQuery(text=row["question"], reader=row["lang"], sort="relevance", limit=100)
        answer = await large_index.answer(asked)
        for hits in (answer.hits, [] if answer.partial is None else answer.partial.hits):
            origins = [json.loads(hit.card)["origin"] is None for hit in hits]
            assert not any(origins) or origins[0], row


async def test_no_question_is_mended_into_another_meaning(large_index):
    for row in questions():
        if row["kind"] == "never":
            for origin in ({}, {"origin": ["local"]}):
                asked = SearchQuery(text=row["question"], reader=row["lang"], filters=origin)
                answer = await large_index.answer(asked)
                told = {*words(answer.mended or ""), *words(answer.suggestion or "")}
                assert not told & {*words(row["expected"])} - {*words(row["question"])}, row
