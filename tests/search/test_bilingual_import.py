"""Both languages of a bilingual source are found, each by its own words."""

import json
import secrets
from functools import partial

import pytest

from registry.imports.convert import convert_file
from registry.imports.crosswalk import load_crosswalk
from registry.imports.identity import record_key
from registry.search.engine import SearchIndex
from registry.search.query import SearchQuery
from registry.services.context import ServiceContext
from tests.conftest import NOW
from tests.imported import import_filings
from tests.published import given_times

CROSSWALK = {
    "origin": "example-country",
    "title": "Register of Example Country",
    "publisher": "Example Country",
    "homepage": "https://country.example/",
    "licence": "CC0-1.0",
    "country": "XC",
    "read": "csv",
    "language": "en",
    "over_long": "refuse",
    "agency": {"prefix": "xc", "name": "body"},
    "id": {"own": "id", "of": ["agency", "/name"]},
    "mappings": [
        {"column": "name_en", "to": "/name", "transform": "line"},
        {"column": "name_fr", "to": "/name/fr", "transform": "line"},
        {"column": "goal_en", "to": "/purpose/goal", "transform": "text"},
        {"column": "goal_fr", "to": "/purpose/goal/fr", "transform": "text"},
    ],
    "unmapped": [],
}
ROWS = """id,body,name_en,name_fr,goal_en,goal_fr
1,Parks,Chatbot,Robot conversationnel,Answers questions.,Répond aux questions sur les arbres.
2,Parks,Translation,Traduction,Translates letters.,Traduit les lettres.
3,Parks,,Détecteur de fuites,,Trouve les fuites d'eau.
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("traduction", {"2"}),
        ("robot conversationnel", {"1"}),
        ("fuites d'eau", {"3"}),
        ("chatbot", {"1"}),
        ("translates letters", {"2"}),
    ],
)
async def test_a_second_language_is_searched(database, pack, tmp_path, text, found):
    (tmp_path / "country.json").write_text(json.dumps(CROSSWALK), encoding="utf-8")
    (tmp_path / "rows.csv").write_text(ROWS, encoding="utf-8")
    crosswalk = load_crosswalk(tmp_path / "country.json")
    outcomes = list(convert_file(crosswalk, tmp_path / "rows.csv", pack=pack, today=NOW.date()))
    context = ServiceContext(
        database=database, pack=pack, random=secrets.token_bytes, guard=given_times()
    )
    await import_filings(context, outcomes, key_of=partial(record_key, crosswalk))

    index = SearchIndex(database.connection, tmp_path / "index")
    answer = await index.answer(SearchQuery(text=text, sort="relevance", limit=5))

    assert {json.loads(hit.card)["id"].split("/")[1] for hit in answer.hits} == found
