"""Search on a real database: words in every language, filters, exact counts, steady paging."""

import copy
import datetime as dt
import itertools
import random
from collections import Counter

import pytest

from registry.record.facets import SINGLE
from registry.search.query import SearchQuery
from tests.searched import search

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
AGENCIES = ["demo-sante", "demo-education", "demo-agriculture"]
RISKS = ["high", "limited", "minimal", None]
SECTORS = ["health", "education"]
STATUSES = ["in_use", "planned", "retired"]


@pytest.fixture
def ask(database):
    async def answer(text=None, **question):
        async with database.connection() as connection:
            return await search(connection, SearchQuery(text=text, **question))

    return answer


@pytest.fixture
def found(ask):
    """The slugs that words find, with where the words stood."""

    async def find(text, **question):
        answer = await ask(text, sort="relevance", limit=100, **question)
        assert answer.total == len(answer.hits)
        return [(slug(hit), hit.match) for hit in answer.hits]

    return find


def slug(hit):
    return hit.card.split('"id":"', 1)[1].split('"', 1)[0].split("/")[1]


@pytest.fixture
def texts(record):
    """A record with nothing to find in it but the given name, summary and goal."""

    def make(name, summary="—", goal="—", lang="fr", at="demo-sante/t"):
        return {
            "id": at,
            "schema_version": "1.0",
            "name": {lang: name},
            "summary": {lang: summary},
            "purpose": {"goal": {lang: goal}},
            "risk": copy.deepcopy(record["risk"]) | {"rationale": {lang: "—"}},
        }

    return make


def corpus(record, size=60):
    """Records over all combinations, and what an independent count should make of them."""
    kinds = itertools.cycle(itertools.product(AGENCIES, RISKS, SECTORS, STATUSES))
    made = []
    for number, (agency, risk, sector, status) in zip(range(size), kinds, strict=False):
        document = copy.deepcopy(record)
        document["id"] = f"{agency}/number-{number}"
        document["name"] = {"fr": f"Système {number % 7}"}
        document["sector"]["primary"] = sector
        document["lifecycle"]["status"] = status
        document["lifecycle"]["next_review_on"] = f"2027-0{number % 9 + 1}-01"
        if number % 5 == 0:
            del document["lifecycle"]["next_review_on"]
        if risk is None:
            del document["risk"]
        else:
            document["risk"]["level"] = risk
        made.append(document)
    return made


def codes(document):
    return {
        "agency": document["id"].split("/")[0],
        "risk": document.get("risk", {}).get("level", "not_stated"),
        "sector": document["sector"]["primary"],
        "status": document["lifecycle"]["status"],
    }


def matching(documents, filters, leave_out=None):
    return [
        document
        for document in documents
        if all(
            codes(document)[name] in wanted for name, wanted in filters.items() if name != leave_out
        )
    ]


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"risk": ["high"]},
        {"risk": ["high", "not_stated"]},
        {"risk": ["high"], "agency": ["demo-sante", "demo-education"]},
        {"risk": ["limited"], "sector": ["health"], "status": ["in_use", "retired"]},
        {"agency": ["demo-services"]},
        {"risk": []},
    ],
    ids=str,
)
async def test_totals_and_facets_are_those_of_an_independent_count(ask, publish, record, filters):
    documents = corpus(record)
    await publish(*documents)
    wanted = ["agency", "risk", "sector", "status"]
    answer = await ask(filters=filters, facets=wanted, limit=5)
    assert answer.total == len(matching(documents, filters))
    assert len(answer.hits) == min(5, answer.total)
    for name in wanted:
        counts = Counter(codes(one)[name] for one in matching(documents, filters, leave_out=name))
        given = [(facet.code, facet.count) for facet in answer.facets[name]]
        assert given == sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


async def test_every_filter_can_be_a_facet_and_none_comes_unasked(ask, publish, record):
    await publish(record)
    assert (await ask()).facets == {}
    answer = await ask(facets=SINGLE)
    assert set(answer.facets) == set(SINGLE)
    assert all([count.count for count in facet] == [1] for facet in answer.facets.values())


@pytest.mark.parametrize("sort", ["newest", "name", "completeness", "review_due", "relevance"])
async def test_paging_gives_every_record_once_while_others_are_published(
    ask, publish, record, sort
):
    documents = corpus(record, 40)
    random.Random(1).shuffle(documents)
    for document in documents:
        await publish(document)
    first = {document["id"].split("/")[1] for document in documents}
    text = "système" if sort == "relevance" else None
    seen, place, pages = [], None, 0
    while True:
        answer = await ask(text, sort=sort, limit=7, after=place)
        seen += [slug(hit) for hit in answer.hits]
        extra = copy.deepcopy(documents[pages])
        extra["id"] = f"demo-services/extra-{pages}"
        await publish(extra)
        pages += 1
        place = answer.next
        if place is None:
            break
        assert len(answer.hits) == 7
    assert len(seen) == len(set(seen))
    assert first <= set(seen)


async def test_each_order_is_the_order_it_says(ask, publish, record):
    documents = corpus(record, 20)
    for document in documents:
        await publish(document)
    by_slug = {document["id"].split("/")[1]: document for document in documents}

    async def order(sort):
        return [by_slug[slug(hit)] for hit in (await ask(sort=sort, limit=100)).hits]

    assert await order("newest") == documents[::-1]
    names = [document["name"]["fr"] for document in await order("name")]
    assert names == sorted(names)
    late = "9999-12-31"
    due = [
        document["lifecycle"].get("next_review_on", late) for document in await order("review_due")
    ]
    assert due == sorted(due)


async def test_a_new_version_takes_the_place_of_the_old_one(found, publish, texts):
    await publish(texts("Ancien nom"))
    await publish(texts("Nouveau nom"))
    assert await found("ancien") == []
    assert await found("nouveau") == [("t", "name")]


@pytest.mark.parametrize(
    "words",
    [
        ("fr", "Détection des fraudes à l’hôpital", "detection"),
        ("fr", "Détection des fraudes à l’hôpital", "DÉTECTION fraude"),
        ("fr", "Détection des fraudes à l’hôpital", "hôpital"),
        ("fr", "Detection des fraudes", "détections"),
        ("ar", "مُسَاعِد الطَّبِيب", "مساعد الطبيب"),
        ("ar", "مساعد الطبيب", "مُسَاعِد"),
        ("ar", "توقع الأسرة", "الاسرة"),
        ("ar", "المدرســة", "المدرسه"),
        ("ar", "إدارة ٢٠٢٦", "ادارة 2026"),
        ("zgh", "ⵜⴰⵎⴰⵣⵉⵖⵜ", "ⵜⴰⵎⴰⵣⵉⵖⵜ"),
        ("zgh", "ⵜⴰⵎⴰⵣⵉⵖⵜ", "tamazight"),
        ("zgh", "ⵜⴰⵎⴰⵣⵉⵖⵜ", "Tamaziɣt"),
        ("en", "Forecasting hospital beds", "forecast bed"),
        ("nl", "Uitkeringen controleren", "uitkeringen"),
        ("nus", "Thɔk ɣɔ̱ɔ̱k ŋuɔt", "thok nguot"),
        ("nus", "Thok nguot", "Thɔk ŋuɔt"),
        ("ee", "Eʋegbe ƒe nuŋlɔɖi", "evegbe nunglodi"),
        ("ha", "Ɗalibi mai ƙwarewa", "dalibi kwarewa"),
        ("am", "ሠላም ሐኪም", "ሰላም ሀኪም"),
    ],
)
async def test_words_are_found_however_they_are_written(found, publish, texts, words):
    lang, written, asked = words
    await publish(texts(written, lang=lang))
    assert await found(asked) == [("t", "name")]
    if lang in {"ar", "fr", "en", "zgh"}:
        assert await found(asked, lang=lang) == [("t", "name")]
    assert await found("zzzunknown") == []


async def test_where_the_words_stood_orders_and_is_told(found, publish, texts):
    await publish(
        texts("Irrigation", at="demo-sante/in-name"),
        texts("X", goal="irrigation", at="demo-sante/in-text"),
        texts("X", summary="irrigation", at="demo-sante/in-summary"),
        texts("X", at="demo-sante/irrigation"),
        texts("X", at="demo-sante/nowhere"),
    )
    assert await found("irrigation") == [
        ("in-name", "name"),
        ("in-summary", "summary"),
        ("irrigation", "text"),
        ("in-text", "text"),
    ]


async def test_all_words_must_be_there_wherever_they_stand(found, publish, texts):
    await publish(texts("Alerte", summary="précoce", goal="décrochage scolaire"))
    assert await found("alerte décrochage") == [("t", "text")]
    assert await found("alerte précoce") == [("t", "summary")]
    assert await found("alerte inconnue", mends=False) == []
    assert await found('"décrochage scolaire"') == [("t", "text")]
    assert await found('"scolaire décrochage"') == []
    assert await found("inconnue OR alerte") == [("t", "name")]


async def test_a_word_with_a_minus_is_kept_out_in_every_language(found, publish, texts):
    await publish(
        texts("Audit of taxes", lang="en", at="demo-sante/taxes"),
        texts("Audit of schools", lang="en", at="demo-sante/schools"),
    )
    assert await found("audit -taxes") == [("schools", "name")]
    assert await found("audit -tax") == [("schools", "name")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("le la les", []),
        ("the of and", []),
        ("في من على", []),
        # It stands in the agency's name.
        ("de", [("t", "text")]),
        ("une", [("t", "summary")]),
    ],
)
async def test_common_words_alone_are_words_like_others(found, publish, texts, text, expected):
    await publish(texts("Nom", summary="Une phrase", lang="fr"))
    assert await found(text, lang="fr", mends=False) == expected


@pytest.mark.parametrize(
    "text",
    [
        "'",
        '"',
        '"unclosed phrase',
        "''; drop table record; --",
        "%' or 1=1 --",
        "\\",
        "a & | ! ( ) : * <-> b",
        ":*",
        "!!!",
        "-",
        "- -",
        "or",
        "or or",
        "() AND",
        "$1 {} {0} %s %(x)s",
        "\u0640\u064b",
        "\u200f\u200b",
        "😀",
        "x" * 500,
        "a " * 250,
    ],
)
async def test_no_signs_are_an_error_or_find_everything(found, ask, publish, texts, text):
    await publish(texts("Zellige"))
    assert await found(text) == []
    assert (await ask()).total == 1


async def test_words_that_look_like_commands_find_what_has_them(found, publish, texts):
    await publish(texts("Table ; drop -- commentaires"))
    assert await found("'; drop table --") == [("t", "name")]
