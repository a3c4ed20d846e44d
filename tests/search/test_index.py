"""What one process knows of the index: it keeps up, and mends what was misspelt."""

import asyncio
import copy
import datetime as dt
import json
import random
import threading
from contextlib import asynccontextmanager, suppress

import msgspec
import pytest

from registry.errors import InvalidParameter, Unavailable
from registry.record.facets import SINGLE
from registry.search import engine, highlights, ranking
from registry.search.engine import SearchIndex
from registry.search.index import IndexDamagedError, IndexDirectory
from registry.search.query import PagePosition, SearchQuery
from registry.services.filing.drafts import Precondition
from registry.services.people.access import Actor
from registry.services.statements import withdrawal
from registry.store import search_rows
from registry.store.as_of import LogWindow
from registry.store.database import connect
from registry.store.search_rows import rewrite_outdated
from registry.text.arabizi import ArabiziIndex
from registry.text.query_parser import Vocabulary
from registry.text.tokens import token_text

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 24)
SYNONYMS = Vocabulary([["CNSS", "caisse nationale de sécurité sociale"], ["IA", "AI"]])
AGENCY = Actor(name="demo-sante", agency="demo-sante", scopes=frozenset({"file"}), token=1)


class Counted:
    """Lends connections and counts what they are asked."""

    def __init__(self, database):
        self.database = database
        self.times = 0

    @asynccontextmanager
    async def __call__(self):
        async with self.database.connection() as connection:
            with connection.query_logger(self._count):
                yield connection
            # The driver tells of a query in the loop's next turn.
            await asyncio.sleep(0)

    def _count(self, _):
        self.times += 1


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "search"


@pytest.fixture
def index(database, folder):
    return SearchIndex(database.connection, folder, vocabulary=SYNONYMS)


@pytest.fixture
def find(index):
    """The slugs that words find, with what they were mended to."""

    async def slugs(text=None, **more):
        answer = await index.answer(SearchQuery(text=text, **more))
        assert answer.total == len(answer.hits)
        return [slug(hit) for hit in answer.hits], answer.mended

    return slugs


@pytest.fixture
def most(index):
    """The slugs that most of the words find, those words, and what is missing."""

    async def found(text, **more):
        answer = await index.answer(SearchQuery(text=text, **more))
        part = answer.partial
        return part and ([slug(hit) for hit in part.hits], part.words, [*part.missing])

    return found


def slug(hit):
    return json.loads(hit.card)["id"].split("/")[1]


def named(name, at="t", lang="fr", **more):
    """A record with nothing to find in it but what is given."""
    texts = {key: {lang: text} for key, text in more.items()}
    goal = texts.pop("goal", None)
    return {
        "id": f"demo-sante/{at}",
        "schema_version": "1.0",
        "name": {lang: name},
        **texts,
        **({} if goal is None else {"purpose": {"goal": goal}}),
    }


# --- keeping up


async def test_a_process_learns_of_every_change(find, context, publish, database):
    assert await find() == ([], None)
    await publish(named("Cadastre ancien"))
    assert await find("ancien") == (["t"], None)
    await publish(named("Cadastre nouveau"), named("Autre", at="u"))
    assert await find("ancien", mends=False) == ([], None)
    assert await find("cadastre") == (["t"], None)
    assert await find() == (["u", "t"], None)
    assert await find("cadastre") == (["t"], None)
    await withdraw(context, "demo-sante/t")
    assert await find() == (["u"], None)
    await publish(named("Cadastre revenu"))
    assert await find("cadastre") == (["t"], None)


async def withdraw(context, record):
    async with context.database.connection() as connection:
        leaf = await connection.fetchval(
            "select e.leaf from record r join log_entry e on e.index = r.entry where r.id = $1",
            record,
        )
    await withdrawal.withdraw(
        context,
        AGENCY,
        record,
        {"reason": "filed_in_error", "note": {"fr": "Erreur", "ar": "خطأ"}},
        precondition=Precondition(tag=leaf.hex()[:16]),
        now=NOW,
    )


async def test_while_nothing_is_published_the_database_is_asked_for_the_size_of_the_log_alone(
    database, publish, folder
):
    lend = Counted(database)
    index = SearchIndex(lend, folder)
    await publish(named("Cadastre"))
    assert (await index.answer(SearchQuery(text="cadastre"))).total == 1
    asked = lend.times
    assert (await index.answer(SearchQuery(text="cadastre", facets=SINGLE))).total == 1
    assert lend.times == asked + 1
    await publish(named("Cadastre", at="u"))
    assert (await index.answer(SearchQuery(text="cadastre"))).total == 2
    asked = lend.times
    many = [index.answer(SearchQuery(text="cadastre")) for _ in range(5)]
    assert {found.total for found in await asyncio.gather(*many)} == {2}
    assert lend.times - asked <= 2


async def test_words_are_found_although_who_brought_the_index_up_gave_up(publish, index):
    await publish(named("Cadastre"))
    first = asyncio.create_task(index.warm_up())
    while index._rising is None:  # noqa: ASYNC110  nobody sets an event for it
        await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    await index._rising
    assert (await index.answer(SearchQuery(text="cadastre"))).total == 1


async def test_what_another_query_brought_up_is_not_taken_for_what_came_later(
    publish, index, monkeypatch
):
    bring_up = IndexDirectory.bring_up
    done, goes_on = asyncio.Event(), asyncio.Event()

    async def held(*given):
        log = await bring_up(*given)
        done.set()
        await goes_on.wait()
        return log

    monkeypatch.setattr(IndexDirectory, "bring_up", held)
    await publish(named("Cadastre"))
    first = asyncio.create_task(index.answer(SearchQuery(text="cadastre")))
    await done.wait()
    first.cancel()
    await asyncio.wait([first])
    await publish(named("Cadastre", at="u"))
    second = asyncio.create_task(index.answer(SearchQuery(text="cadastre")))
    await asyncio.sleep(0.1)
    goes_on.set()
    assert (await second).total == 2


async def test_the_index_is_kept_up_while_many_are_filing(database, publish, folder, monkeypatch):
    monkeypatch.setattr(engine, "_EVERY_SECONDS", 0.001)
    looked = []

    @asynccontextmanager
    async def lend():
        await publish(
            named("Cadastre", at=f"n{len(looked)}"), named("Cadastre", at=f"m{len(looked)}")
        )
        looked.append(None)
        async with database.connection() as connection:
            yield connection

    index = SearchIndex(lend, folder)
    await index.warm_up()
    before = index._directory.state.size
    keeping = asyncio.create_task(index.keep_current())
    while len(looked) < 20:  # noqa: ASYNC110  nobody sets an event for it
        await asyncio.sleep(0.001)
    keeping.cancel()
    await asyncio.wait([keeping])
    assert index._directory.state.size > before


async def test_the_newest_versions_are_met_before_anybody_asks_for_them(database, publish, folder):
    lend = Counted(database)
    index = SearchIndex(lend, folder)
    await index.warm_up()
    await publish(named("Cadastre", goal="Mesurer les parcelles"))
    index = SearchIndex(lend, folder)
    await index.warm_up()
    question = SearchQuery(text="parcelle", sort="relevance")
    assert [hit.match for hit in (await index.answer(question)).hits] == ["text"]
    asked = lend.times
    question = msgspec.structs.replace(question, highlights=True)
    [hit] = (await index.answer(question)).hits
    assert hit.highlights
    # How long the log is by now.
    assert lend.times == asked + 1


async def test_a_log_of_a_size_is_looked_at_to_its_end(database, publish, folder):
    index = SearchIndex(database.connection, folder)
    await publish(named("Cadastre"))
    assert await index.find(SearchQuery(), size=2) == ([1], None)
    await publish(named("Cadastre", at="u"), named("Autre", at="v"))
    assert await index.find(SearchQuery(text="cadastre"), size=4) == ([1, 2], None)
    assert await index.find(SearchQuery(), size=4) == ([1, 2, 3], None)
    assert await index.find(SearchQuery(), size=2) == ([1], None)
    assert await index.find(SearchQuery(as_of=2), size=4) == ([1, 2], None)


async def test_who_waits_too_long_for_another_is_told_so(database, monkeypatch, folder):
    monkeypatch.setattr("registry.search.engine._WAIT_SECONDS", 0.01)
    index = SearchIndex(database.connection, folder)
    async with database.transaction() as connection:
        await connection.execute("lock table search_state in access exclusive mode")
        first = asyncio.create_task(index.answer(SearchQuery()))
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="busy"):
            await index.answer(SearchQuery())
        first.cancel()
        with suppress(asyncio.CancelledError, Unavailable):
            await first
    monkeypatch.undo()
    assert (await index.answer(SearchQuery())).total == 0


async def test_an_index_that_another_process_has_mended_meanwhile_is_brought_up(
    publish, index, monkeypatch
):
    await publish(named("Cadastre"))
    assert (await index.answer(SearchQuery(text="cadastre"))).total == 1
    await publish(named("Cadastre", at="u"))
    read, looks = IndexDirectory.read, iter(range(2))

    def damaged_at_first(directory):
        if next(looks, None) is None:
            return read(directory)
        directory.searcher = directory.state = None
        raise IndexDamagedError("amid a merge")

    monkeypatch.setattr(IndexDirectory, "read", damaged_at_first)
    assert (await index.answer(SearchQuery(text="cadastre"))).total == 2


async def test_questions_amid_publications_and_folds_are_of_one_state(database, publish, folder):
    index = SearchIndex(database.connection, folder)
    await publish(named("Zellige 0", at="n0"))

    async def write():
        for number in range(1, 25):
            await publish(named(f"Zellige {number}", at=f"n{number}"))

    async def ask():
        for _ in range(40):
            answer = await index.answer(
                SearchQuery(text="zellige", facets=["agency"], limit=100, sort="relevance")
            )
            assert answer.total == answer.size - 1 == len(answer.hits)
            assert answer.facets["agency"][0].count == answer.total

    await asyncio.gather(write(), ask(), ask())
    assert (await index.answer(SearchQuery(text="zellige"))).total == 25


# --- time


def ask_everything(record):
    return [
        SearchQuery(facets=SINGLE, today=TODAY),
        SearchQuery(text="prevision", sort="relevance", facets=["risk"], highlights=True),
        SearchQuery(text="previsoin lits", sort="relevance"),
        SearchQuery(text='"besoins en lits"'),
        SearchQuery(text="hospi*", sort="name", limit=3),
        SearchQuery(filters={"risk": ["high"]}, facets=["risk"], sort="completeness"),
        SearchQuery(filters={"overdue": ["true"]}, today=dt.date(2029, 1, 1), sort="review_due"),
        SearchQuery(filters={"risk_change": ["raised"]}, facets=["risk_change", "lacks"]),
    ]


async def test_an_answer_as_of_an_entry_is_what_was_answered_then(
    database, context, publish, record, folder
):
    chance = random.Random(5)
    index = SearchIndex(database.connection, folder)
    questions, told = ask_everything(record), {}
    for number in range(40):
        document = copy.deepcopy(record)
        document["id"] = f"demo-sante/n{chance.randrange(8)}"
        document["name"]["fr"] = f"Prévision {chance.choice(['lits', 'salles', 'gardes'])} {number}"
        document["risk"]["level"] = chance.choice(["high", "limited", "minimal"])
        await publish(document)
        if number % 5 == 4:
            await withdraw(context, document["id"])
        answers = [await index.answer(question) for question in questions]
        assert answers[0].size == answers[-1].size
        told[answers[0].size - 1] = msgspec.json.encode(answers)
    assert any(b'"mended":"prevision lits"' in answers for answers in told.values())
    for each in (index, SearchIndex(database.connection, folder)):
        for entry, answers in told.items():
            again = [
                await each.answer(msgspec.structs.replace(question, as_of=entry))
                for question in questions
            ]
            assert msgspec.json.encode(again) == answers


@pytest.mark.parametrize("sort", ["newest", "relevance", "name", "completeness", "review_due"])
async def test_later_pages_are_of_the_log_that_the_first_was_of(index, publish, record, sort):
    for number in range(30):
        document = copy.deepcopy(record)
        document["id"] = f"demo-sante/n{number}"
        document["name"]["fr"] = f"Prévision {number * 7 % 5}"
        document["lifecycle"]["next_review_on"] = f"2028-0{number % 4 + 1}-01"
        await publish(document)
    question = SearchQuery(text="prevision", sort=sort, limit=4)
    whole = await index.answer(msgspec.structs.replace(question, limit=100))
    seen, after = [], None
    while True:
        answer = await index.answer(msgspec.structs.replace(question, after=after))
        assert answer.total == 30
        seen += [hit.ord for hit in answer.hits]
        # What comes meanwhile, and what is amended, does not show.
        await publish(named("Prévision", at=f"new-{len(seen)}"), record | {"id": "demo-sante/n3"})
        after = answer.next
        if after is None:
            break
    assert seen == [hit.ord for hit in whole.hits]


async def test_a_page_is_of_the_log_of_the_first_in_a_process_that_is_behind(
    database, publish, folder
):
    there = SearchIndex(database.connection, folder)
    behind = SearchIndex(database.connection, folder)
    question = SearchQuery(text="cadastre", limit=1)
    await publish(named("Cadastre"))
    assert (await behind.answer(question)).total == 1
    await publish(named("Cadastre", at="u"), named("Cadastre", at="v"))
    first = await there.answer(question)
    second = await behind.answer(msgspec.structs.replace(question, after=first.next))
    assert (first.total, second.total) == (3, 3)
    assert [slug(hit) for hit in (*first.hits, *second.hits)] == ["v", "u"]


async def test_a_place_in_a_longer_log_is_refused(index, publish):
    await publish(named("Cadastre"))
    for size in (3, 2**32 - 1):
        place = PagePosition(number=0, ord=1, size=size)
        with pytest.raises(InvalidParameter, match=r"cursor: it goes on in a log of .* has 2;"):
            await index.answer(SearchQuery(text="cadastre", after=place))


async def test_a_place_from_outside_is_no_fault(index, publish):
    await publish(named("Cadastre"))
    for place in (
        PagePosition(number=-(2**31), ord=0, size=0),
        PagePosition(number=2**31 - 1, ord=2**32 - 1, size=2),
        PagePosition(number=0, ord=0, size=2),
    ):
        for sort in ("newest", "relevance", "name", "completeness", "review_due"):
            answer = await index.answer(SearchQuery(text="cadastre", after=place, sort=sort))
            assert answer.total in {0, 1}


# --- misspelt words


@pytest.mark.parametrize(
    ("typed", "mended"),
    [
        ("cadatsre", "cadastre"),
        ("cadastr", None),
        ("le cadasttre royal", "le cadastre royal"),
        ("Cadesstre", "cadastre"),
        ("fonceir", "foncier"),
        ("مستشفا", "مستشفي"),
        ("المستشغى", "المستشفي"),
        ("reconaisance", "reconnaissance"),
        ("rayal cadastre", "royal cadastre"),
        # Both are there, but not together: the likelier of the two slips is put right.
        ("foncier hopitaux", "foncier hopital"),
        ("zzzzz", None),
        ("2027", None),
        ("ab", None),
        ("cadatsre inconnue", None),
        ("lcadastre", "cadastre"),
        ("lhopital", "hopital"),
    ],
)
async def test_what_was_misspelt_is_put_right(find, publish, typed, mended):
    await publish(
        named("Cadastre royal", at="cadastre", summary="reconnaissance foncière"),
        named("Hôpital foncier", at="hopital"),
        named("المستشفى الجامعي", at="arabic", lang="ar"),
        named("Hôpitaux 2026", at="others"),
    )
    slugs, told = await find(typed)
    if typed == "cadastr":
        # It has the stem of a word that is there.
        assert (slugs, told) == (["cadastre"], None)
    elif typed == "foncier hopitaux":
        # And so has this.
        assert (slugs, told) == (["hopital"], None)
    else:
        assert told == mended
        assert bool(slugs) is (mended is not None)
    assert (await find(typed, mends=False))[1] is None


async def test_words_that_are_there_but_not_together_are_mended_too(find, publish):
    await publish(
        named("Gestion des routes", at="roads"),
        named("Gestion", at="other"),
        named("Gestation animale", at="animals"),
    )
    assert await find("gestation routes", mends=False) == ([], None)
    assert await find("gestation routes") == (["roads"], "gestion routes")


async def test_of_several_words_the_one_that_finds_most_is_meant(find, publish):
    await publish(
        named("Dosage", at="a"), named("Dosage fin", at="b"), named("Dopage", at="c"),
        named("Doxage", at="d", lang="nl"),
    )  # fmt: skip
    assert (await find("dozage"))[1] == "dosage"
    assert (await find("dozage", lang="nl"))[1] == "doxage"


async def test_a_letter_that_keyboards_lack_is_found_by_either_spelling(find, publish):
    await publish(named("Thɔk ŋuɔt", at="a", lang="nus"), named("Autre", at="b"))
    assert await find("nguot") == (["a"], None)
    assert await find("nuot") == (["a"], "nguot")


async def test_only_what_finds_nothing_is_mended(find, index, publish):
    await publish(named("Cadastre"), named("Cadastré", at="u"))
    assert (await find("cadastre", filters={"risk": ["high"]})) == ([], None)
    assert (await find("cadatsre", filters={"risk": ["high"]})) == ([], None)
    asked = SearchQuery(text="cadatsre", filters={"risk": ["high"]})
    assert (await index.answer(asked)).suggestion == "cadastre"
    assert (await find("-cadatsre"))[1] is None
    assert await find('"cadatsre"') == ([], None)


async def test_an_acronym_of_the_country_is_no_slip(find, publish):
    await publish(
        named("GNSS, suivi des satellites", at="satellites"),
        named("Caisse nationale de sécurité sociale, prévision", at="fund"),
    )
    assert await find("gnsss") == (["satellites"], "gnss")
    assert await find("cnss prevsion") == (["fund"], "cnss prevision")
    await publish(named("Autre nom", at="fund"))
    assert await find("cnss") == ([], None)


async def test_the_arabic_article_does_not_make_a_word_longer(find, publish):
    await publish(named("انطلاق الطلاب", at="a", lang="ar"), named("المستشفى", at="b", lang="ar"))
    # Without it these are three and four letters, of which another one is another word.
    for typed in ("الطلاق", "طلاق"):
        assert await find(typed, reader="ar") == ([], None)
    assert await find("للمستشغى", reader="ar") == (["b"], "المستشفي")


async def test_letters_of_another_script_are_of_another_language(database, folder, publish):
    await publish(named("Photographie"), named("Photographed", at="en", lang="en"))
    index = SearchIndex(database.connection, folder, languages=["ar", "fr"])
    for reader, mended in (("ar", "photographie"), ("fr", "photographie"), ("en", None)):
        answer = await index.answer(SearchQuery(text="photografie", reader=reader))
        assert answer.mended == mended


async def test_a_question_of_stop_words_is_not_mended(find, publish):
    await publish(named("Salaam"))
    assert await find("salam") == ([], None)


# --- fewer words


async def test_what_has_not_all_words_is_found_by_those_that_say_most(find, most, publish):
    await publish(
        named("Permis de construire", at="permit", summary="dossier"),
        named("Dossier refusé", at="file"),
        *(named(f"Dossier {number}", at=f"d{number}") for number in range(12)),
    )
    for typed, found in (
        # Nobody has one of the words.
        ("villa construire", (["permit"], "construire", ["villa"])),
        ("Permis lyon", (["permit"], "Permis", ["lyon"])),
        # All are there, but not together: the most frequent go first, and of others the last.
        ("dossier 3 construire", (["d3"], "3", ["dossier", "construire"])),
        ("construire refusé dossier", (["permit"], "construire", ["refusé", "dossier"])),
    ):
        assert await most(typed) == found
        # Nothing has all words, and no other question is answered in its place.
        assert await find(typed) == ([], None)
        assert await most(typed, mends=False) is None
    # The one word that is there says too little, and so it is with what is negated or quoted.
    for typed in (
        "dossier inconnu",
        "permis sans recours",
        '"permis" recours',
        "permis -recours x",
    ):
        assert await find(typed) == ([], None), typed
        assert await most(typed) is None, typed


async def test_less_than_half_of_the_words_have_to_be_told_in_name_or_summary(most, publish):
    await publish(
        named("Comptage de foules", at="crowd", summary="densité par caméra", goal="un match"),
        named("Foules", at="other"),
    )
    assert await most("match rouge vert") is None
    assert await most("densité rouge vert") is None
    assert await most("comptage rouge vert") == (["crowd"], "comptage", ["rouge", "vert"])
    assert await most("densité caméra rouge vert") == (
        ["crowd"],
        "densité caméra",
        ["rouge", "vert"],
    )
    # What was misspelt is put right beside words that nobody has.
    assert await most("comptagge rouge vert") == (["crowd"], "comptage", ["rouge", "vert"])


async def test_words_of_the_country_stay_longest(most, publish):
    await publish(
        named("Recours à la CNSS", at="fund"), named("CNSS", at="other"), named("Ville", at="town")
    )
    assert await most("ville cnss") == (["other", "fund"], "cnss", ["ville"])


async def test_what_is_called_by_a_word_is_shown_beside_what_has_all_in_its_text(most, publish):
    await publish(
        named("Attribution des bourses", at="grants"),
        named("Aide au chauffage", at="heating", goal="si la bourse est refusée"),
    )
    answer = await most("bourse refusée")
    assert answer == (["grants"], "bourse", ["refusée"])
    # One name has all: nothing is added.
    assert await most("attribution bourse") is None


async def test_a_short_arabic_word_is_never_another(find, most, publish):
    await publish(
        named("توزيع المنح", at="grants", lang="ar"),
        named("إعانة التدفئة", at="heating", lang="ar", goal="أحيل على المنحة"),
    )
    slugs, words, missing = await most("لم أحصل على المنحة", reader="ar")
    assert (slugs[0], words, missing) == ("grants", "المنحة", ["أحصل"])
    assert await find("لم أحصل على المنحة", reader="ar") == ([], None)


async def test_every_word_of_a_long_question_is_found_or_missing(most, publish):
    await publish(named("Comptage de foules", at="crowd"))
    others = [f"mot{number}" for number in range(20)]
    found = await most(" ".join(["foules", *others]))
    assert found == (["crowd"], "foules", others)


async def test_a_long_misspelt_question_is_answered_as_it_was_asked(find, publish):
    typed = ("gestion", "animale", "national", "prevision", "chauffage", "hospital")
    await publish(named(" ".join(typed)))
    slips = [word[:3] + "q" + word[4:] for word in typed]
    assert await find(" ".join((*typed[:2], *slips[2:]))) == (["t"], " ".join(typed))
    assert await find(" ".join((*typed[:1], *slips[1:]))) == ([], None)


async def test_arabic_in_latin_letters_is_read(database, folder, publish):
    index = SearchIndex(
        database.connection, folder, arabizi=ArabiziIndex(["الضريبة", "رخصة البناء"])
    )
    await publish(
        named("احتساب الضريبة", at="tax", lang="ar"), named("رخصة بناء", at="b", lang="ar")
    )
    for typed, mended in (
        ("dariba", "ضريبة"), ("lbina rokhsat", "بناء رخصة"), ("ma dariba", "ضريبة"),
    ):  # fmt: skip
        for reader in ("ar", "fr"):
            answer = await index.answer(SearchQuery(text=typed, reader=reader))
            assert (answer.total, answer.mended) == (1, mended)
    # What is no Arabic word is missing: no sentence is half in other letters.
    answer = await index.answer(SearchQuery(text="ddariba casa", reader="fr"))
    assert (answer.total, answer.mended) == (0, None)
    assert (answer.partial.words, [*answer.partial.missing]) == ("ضريبة", ["casa"])
    # A word that a record has is what it is.
    await publish(named("Dariba", at="name"))
    assert (await index.answer(SearchQuery(text="dariba"))).mended is None


# --- synonyms, beginnings, words in a row


async def test_an_acronym_finds_what_it_stands_for_and_the_other_way_round(find, publish):
    await publish(
        named("Recouvrement de la CNSS", at="short"),
        named("Caisse nationale de la sécurité sociale", at="long"),
        named("Caisse nationale", at="half"),
    )
    for text in ("cnss", "CNSS", "caisse nationale de sécurité sociale"):
        assert sorted((await find(text))[0]) == ["long", "short"]
    assert (await find("cnss recouvrement"))[0] == ["short"]
    assert (await find('"cnss"'))[0] == ["short"]


async def test_a_beginning_finds_words_that_go_on(find, publish):
    await publish(
        named("Irrigation", at="a"),
        named("Irriguer", at="b"),
        named("Irritant", at="c"),
        named("المستشفى", at="d", lang="ar"),
    )
    assert sorted((await find("irri*"))[0]) == ["a", "b", "c"]
    assert sorted((await find("irrig*"))[0]) == ["a", "b"]
    assert (await find("irrigati*"))[0] == ["a"]
    assert (await find("مستش*"))[0] == (await find("المستش*"))[0] == ["d"]
    assert await find("irrigatx*") == ([], None)
    assert await find("ir*", mends=False) == ([], None)


async def test_a_word_that_begins_like_the_article_is_found_whichever_way_it_is_written(
    find, publish
):
    await publish(named("رعاية البالغين", at="a", lang="ar"), named("بالغين", at="b", lang="ar"))

    for asked in ("بالغين", "البالغين", "بالغي*"):
        assert sorted((await find(asked))[0]) == ["a", "b"], asked


async def test_words_in_a_row_are_found_as_they_are_written(find, publish):
    await publish(
        named("Eau potable", at="a", goal="l’oued"),
        named("Potable eau", at="b", goal="eaux potables"),
        named("Eau", at="c", summary="potable"),
        named("صحة عامة", at="d", lang="ar"),
    )
    assert (await find('"eau potable"'))[0] == ["a"]
    assert (await find('"EAU  PÔTABLE"'))[0] == ["a"]
    assert (await find('"eau"'))[0] == ["c", "b", "a"]
    assert (await find('eau -"eau potable"'))[0] == ["c", "b"]
    assert (await find('-"eau potable"'))[0] == ["d", "c", "b"]
    assert (await find('"صحة عامة"'))[0] == ["d"]
    assert (await find('"صحة عامة"', lang="fr"))[0] == []
    assert (await find('"l\'oued"'))[0] == ["a"]


# --- what comes with the hits


async def test_passages_show_what_was_found(index, publish, record):
    await publish(record)

    async def marked(text, **more):
        [hit] = (await index.answer(SearchQuery(text=text, highlights=True, **more))).hits
        return hit.match, {
            (one.field, one.lang): [one.text[start:end] for start, end in one.marks]
            for one in hit.highlights
        }

    assert await marked("prévision des lits") == (
        "name",
        {("/name", "fr"): ["Prévision", "lits"], ("/summary", "fr"): ["lits"]},
    )
    assert await marked("توقع", lang="ar") == ("name", {("/name", "ar"): ["توقع"]})
    where, found = await marked("grippe épidémie")
    assert where == "text"
    assert found == {
        ("/data/description", "fr"): ["grippe"],
        ("/risks/0/description", "fr"): ["épidémie"],
    }
    assert (await marked('"jours fériés"'))[1] == {
        ("/data/description", "fr"): ["jours fériés"],
    }
    assert await marked("-cadastre") == (None, {})
    assert (await index.answer(SearchQuery(text="lits"))).hits[0].highlights == []


async def test_what_a_version_has_of_each_further_kind(index, publish, record):
    record["procurement"] = {
        "origin": "purchased",
        "suppliers": [{"name": "Acme"}, {"name": "Acme"}, {"name": "Société X"}],
    }
    del record["evaluation"]
    await publish(record)
    record["risk"]["level"] = "high"
    await publish(record)
    record["risk"]["level"] = "limited"
    await publish(record)
    kinds = ["supplier", "technique", "territory", "risk_change", "overdue"]
    answer = await index.answer(SearchQuery(facets=[*kinds, "lacks"], today=dt.date(2030, 1, 1)))
    given = {kind: [one.code for one in counts] for kind, counts in answer.facets.items()}
    assert "evaluation.metrics" in given.pop("lacks")
    assert given == {
        "supplier": ["Acme", "Société X"],
        "technique": record["technical"]["techniques"],
        "territory": record["territory"],
        "risk_change": ["lowered", "raised"],
        "overdue": ["true"],
    }


async def test_what_changed_in_a_part_of_the_log_is_found_by_what_stands(
    index, context, publish, record
):
    def levelled(level, slug):
        document = copy.deepcopy(record)
        document["id"] = f"demo-sante/{slug}"
        document["risk"]["level"] = level
        return document

    await publish(*(levelled("high", slug) for slug in ("first", "other", "third")))
    await publish(levelled("limited", "first"))
    await publish(levelled("limited", "first"), levelled("unacceptable", "other"))
    await withdraw(context, "demo-sante/third")

    async def stands(after=-1, last=None, moved=(), as_of=None):
        filters = {"risk_change": moved} if moved else {}
        window = LogWindow(after=after, last=last)
        asked = SearchQuery(changed=window, filters=filters, facets=["risk_change"], as_of=as_of)
        answer = await index.answer(asked)
        assert answer.total == len(answer.hits)
        counted = {one.code: one.count for one in answer.facets["risk_change"]}
        return sorted(hit.ord for hit in answer.hits), counted

    both = {"lowered": 1, "raised": 1}
    assert await stands() == ([5, 6], both)
    assert await stands(as_of=6) == ([3, 5, 6], both)
    assert await stands(after=3) == ([5, 6], both)
    assert await stands(after=3, last=4) == ([5], {"lowered": 1})
    assert await stands(last=4, as_of=4) == ([2, 3, 4], {"lowered": 1})
    assert await stands(after=6) == ([], {})
    assert await stands(after=4, last=2) == ([], {})
    assert await stands(last=-1) == ([], {})
    assert await stands(moved=["lowered"]) == ([5], both)
    assert await stands(moved=["raised", "lowered"]) == ([5, 6], both)
    assert await stands(last=4, moved=["raised"]) == ([], {"lowered": 1})
    assert await stands(after=4, moved=["lowered"]) == ([], {"raised": 1})
    await publish(levelled("limited", "third"))
    assert await stands(after=2, last=3) == ([8], {})
    assert await stands(after=7) == ([8], {"lowered": 1})


# --- made anew


async def test_an_index_made_anew_is_the_same(database, context, publish, record, folder):
    for level in ("minimal", "high", "limited"):
        record["risk"]["level"] = level
        await publish(record)
    await publish(named("Cadastre"), named("Autre", at="u"))
    await withdraw(context, "demo-sante/u")
    before = await rows(database)
    index = SearchIndex(database.connection, folder)
    question = SearchQuery(text="prevision", facets=SINGLE, sort="relevance")
    answer = await index.answer(question)
    async with database.transaction() as connection:
        await search_rows.lock_state(connection)
        await search_rows.rewrite(connection, [row["ord"] for row in before])
        await search_rows.begin_epoch(connection)
    assert await index.answer(question) == answer
    assert await rows(database) == before
    assert await index.answer(question) == answer


async def test_rows_of_another_analysis_answer_nothing_and_are_written_anew(
    database, publish, folder, tmp_path, monkeypatch
):
    await publish(named("Cadastre"))
    await publish(named("Cadastre", summary="Ancien"), named("Autre", at="u"))
    before = await rows(database)
    async with database.connection() as connection:
        await connection.execute(
            "update search_version set codes = '{}', card = '{}', name = '{}', summary = 'x',"
            " rest = '', analysis = case ord when 1 then 'another' end where ord < 3"
        )
        epoch = await connection.fetchval("select epoch from search_state")
    answers = []
    for place in (folder, tmp_path / "further"):
        index = SearchIndex(database.connection, place)
        found = await index.answer(SearchQuery(text="cadastre", facets=SINGLE))
        assert [slug(hit) for hit in found.hits] == ["t"]
        answers.append(found)
        monkeypatch.setattr(search_rows, "_BATCH", 1)
        since = await rewrite_outdated(database)
        assert [since, await rewrite_outdated(database, since)] == (
            [2, 3] if place == folder else [4, 4]
        )
        assert await rows(database) == before
    assert answers[0] == answers[1]
    # What is in an index is what was written.
    async with database.connection() as connection:
        assert await connection.fetchval("select epoch from search_state") == epoch


async def test_a_row_that_cannot_be_read_answers_what_follows_from_the_log(
    database, publish, folder, tmp_path
):
    await publish(named("Cadastre"), named("Autre", at="u"))
    question = SearchQuery(text="cadastre", facets=SINGLE)
    answer = await SearchIndex(database.connection, folder).answer(question)
    for number, damage in enumerate(
        (
            "update search_version set card = '' where ord = 1",
            "update search_version set codes = '{' where ord = 1",
            "update search_version set rest = '[]' where ord = 1",
        )
    ):
        async with database.connection() as connection:
            await connection.execute(damage)
        index = SearchIndex(database.connection, tmp_path / str(number))
        assert await index.answer(question) == answer


async def test_what_another_analysis_wrote_of_no_version_is_left_out(database, publish, folder):
    await publish(named("Cadastre"), named("Autre", at="u"))
    async with database.connection() as connection:
        await connection.execute("set session_replication_role = replica")
        await connection.execute("update search_version set analysis = 'another' where ord = 1")
        await connection.execute("update figure set agency = 'nobody' where entry = 1")
        index = SearchIndex(database.connection, folder)
        found = await index.answer(SearchQuery())
        assert [slug(hit) for hit in found.hits] == ["u"]


async def test_labels_of_codes_are_found_by(database, folder, publish):
    await publish(named("Cadastre") | {"sector": {"primary": "agriculture"}})
    labels = {"sector": {"agriculture": {"fr": token_text(["Élevage bovin"])}}}
    index = SearchIndex(database.connection, folder, labels=labels)
    for text in ("élevages", '"élevage bovin"', "élev*", "bétail"):
        found = await index.answer(SearchQuery(text=text, mends=False))
        assert [hit.match for hit in found.hits] == ["label"] * (text != "bétail"), text


async def rows(database):
    async with database.connection() as connection:
        return await connection.fetch("select * from search_version order by ord")


async def test_the_loop_and_its_connections_are_free_while_a_question_is_worked_on(
    database, folder, publish, monkeypatch
):
    lent = []

    @asynccontextmanager
    async def lend():
        async with database.connection() as connection:
            lent.append(connection)
            yield connection
            lent.remove(connection)

    index = SearchIndex(lend, folder)
    await publish(named("Cadastre", goal="Savoir qui a de l’eau"))
    await index.warm_up()
    gone_on = threading.Event()
    held = []

    def slow(work):
        def worked(*args, **kwargs):
            held.append(len(lent))
            assert gone_on.wait(30), "the event loop stood still"
            gone_on.clear()
            return work(*args, **kwargs)

        return worked

    async def go_on():
        while True:
            await asyncio.sleep(0.001)
            gone_on.set()

    monkeypatch.setattr(ranking, "page", slow(ranking.page))
    monkeypatch.setattr(highlights, "mark", slow(highlights.mark))
    going = asyncio.create_task(go_on())
    found = await index.answer(SearchQuery(text="eau", highlights=True))
    going.cancel()
    assert found.total > 0
    assert held == [0, 0]


WRITTEN_ANEW = "lock table search_version, version, section, entry_section"


async def test_an_answer_needs_no_table_that_is_written_anew_after_an_erasure(
    database, index, find, publish, monkeypatch
):
    await publish(named("Cadastre", summary="parcelles", goal="Relever les bornes"))
    await find("cadastre")
    async with database.transaction() as connection:
        await connection.execute(WRITTEN_ANEW)
        monkeypatch.setattr(engine, "_PASSAGES_SECONDS", 0.2)
        for text, match in (("cadastre", "name"), ("parcelles", "summary"), ("bornes", "text")):
            answer = await index.answer(SearchQuery(text=text, highlights=True))
            [hit] = answer.hits
            assert (slug(hit), hit.match) == ("t", match)
            assert bool(hit.highlights) is (match != "text")
        assert (await index.suggest("cada", most=3))[1] == [answer.hits[0].card]
        monkeypatch.undo()
    [hit] = (await index.answer(SearchQuery(text="bornes", highlights=True))).hits
    assert hit.highlights


async def test_what_was_filed_before_a_table_is_written_anew_is_waited_for(
    database_url, folder, find, publish
):
    """A statement of the server ends after a time of its own; one that indexes goes on."""
    await publish(named("Cadastre"))
    impatient = await connect(database_url, patience=0.3)
    index = SearchIndex(impatient.connection, folder, vocabulary=SYNONYMS)
    async with asyncio.timeout(30), impatient.transaction() as connection:
        await connection.execute(WRITTEN_ANEW)
        asked = asyncio.create_task(index.answer(SearchQuery(text="cadastre")))
        await asyncio.sleep(1)
        assert not asked.done()
    assert (await asked).total == 1
    await impatient.close()
