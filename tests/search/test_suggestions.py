"""What may be meant while somebody types: agencies, sectors, and records by their names."""

import json

import pytest

from registry.search.engine import open_index


@pytest.fixture
def suggested(database, pack, tmp_path):
    index = open_index(database.connection, tmp_path / "search", pack)

    async def suggest(text, most=5, reader=None):
        named, cards = await index.suggest(text, most=most, reader=reader)
        ids = [json.loads(card)["id"].split("/")[1] for card in cards]
        return [one.code for one in named], ids

    return suggest


def named(name, at, lang="fr"):
    return {"id": f"demo-sante/{at}", "schema_version": "1.0", "name": {lang: name}}


async def test_a_begun_word_finds_names(suggested, publish):
    await publish(
        named("Cadastre national", at="long"),
        named("Cadastre", at="short"),
        named("Autre", at="other"),
    )
    assert (await suggested("ca"))[1] == ["short", "long"]
    assert (await suggested("cadastre nat"))[1] == ["long"]
    assert (await suggested("le cadastre nat"))[1] == ["long"]
    assert (await suggested("cada", most=1))[1] == ["short"]
    assert (await suggested("c")) == ([], [])
    assert (await suggested("")) == (await suggested("!?")) == ([], [])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("cns", "cnss"),
        ("CNSS", "cnss"),
        ("caisse nationale de sécu", "cnss"),
        ("impo", "finance_tax"),
        ("ضرا", "finance_tax"),
        ("الضرا", "finance_tax"),
        ("الصح", "health"),
    ],
)
async def test_agencies_and_sectors_are_suggested_whether_they_have_filed_or_not(
    suggested, text, code
):
    named_first, records = await suggested(text)
    assert code in named_first
    assert records == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("permis de cond", "narsa"),
        ("carte gri", "narsa"),
        ("التغطية الص", "health"),
        ("AMO", "cnss"),
    ],
)
async def test_what_people_come_for_is_suggested_while_it_is_typed(suggested, text, code):
    assert code in (await suggested(text))[0]


async def test_what_is_named_in_the_reader_s_language_comes_first(suggested, publish):
    await publish(
        named("Bourse", at="a"), named("Bourse", at="b", lang="en"), named("Bourse", at="c")
    )
    assert (await suggested("bour"))[1] == ["c", "b", "a"]
    assert (await suggested("bour", reader="en"))[1] == ["b", "c", "a"]
    assert (await suggested("bour", reader="ar"))[1] == ["c", "b", "a"]
    assert (await suggested("bour", most=1, reader="en"))[1] == ["b"]


async def test_a_slip_and_arabic_in_latin_letters_are_read(suggested, publish):
    await publish(
        named("Attribution des bourses", at="grant"), named("منح الدراسة", at="ar", lang="ar")
    )
    assert (await suggested("bouorses", reader="fr"))[1][0] == "grant"
    assert (await suggested("lminha", reader="ar"))[1][0] == "ar"
    assert "narsa" in (await suggested("الورقة الرمادي"))[0]
    assert (await suggested("xqzvvw", reader="fr")) == ([], [])


@pytest.mark.parametrize("asked", ["x-ray", "xray", "X ray", "XRAY", "radiographie"])
async def test_an_x_ray_is_found_however_it_is_written(suggested, publish, asked):
    await publish(named("Sorting of chest X-rays", at="rays", lang="en"))
    assert (await suggested(asked))[1] == ["rays"]
