"""A code from a letter: it leads to its record, and what is none is said and never guessed."""

import pytest

from registry.record.short_code import candidates, with_check
from tests.pages.test_html import text_of
from tests.web.conftest import parse

UNKNOWN = with_check("ABC123")


@pytest.fixture
async def code(publish, record):
    found = next(candidates(record["id"]))
    await publish(record, code=found)
    return found


async def leads(client, path, **headers):
    answer = await client.get(path, headers=headers)
    assert answer.status_code == 303, path
    return answer.headers["location"]


async def test_a_code_leads_to_its_record_in_the_reader_s_language(client, code, record):
    here = f"records/{record['id']}"
    for accepted, tag in (("fr-FR,en;q=0.5", "fr"), ("ar", "ar"), ("de", "ar"), ("", "ar")):
        assert (
            await leads(client, f"/r/{code}", **{"accept-language": accepted}) == f"/{tag}/{here}"
        )
    answer = await client.get(f"/r/{code}")
    assert "accept-language" in answer.headers["vary"].lower()
    assert answer.headers["cache-control"] == "no-cache"
    full_width = "".join(chr(ord(one) + 0xFEE0) for one in code)
    for typed in (code.lower(), f"{code[:3]}-{code[3:]}", f"{code[:3]}%20{code[3:]}", full_width):
        assert await leads(client, f"/r/{typed}", **{"accept-language": "en"}) == f"/en/{here}"
        assert await leads(client, f"/fr/code?code={typed}") == f"/fr/{here}"
        assert await leads(client, f"/fr/search?q={typed}") == f"/fr/{here}"
    assert await leads(client, f"/fr/search?q={code}&sort=relevance") == f"/fr/{here}"
    assert (
        await leads(client, f"/zgh/code?code=https://register.example/r/{code}") == f"/zgh/{here}"
    )
    head = await client.head(f"/r/{code}")
    assert (head.status_code, head.content) == (303, b"")


async def test_what_is_no_code_is_said_in_the_reader_s_language(client, code):
    swapped = code[1] + code[0] + code[2:]
    for typed, said in (
        (swapped, "un caractère est faux, ou deux sont intervertis"),
        (code[:-1], "un code a sept caractères"),
        (f"{code[:-1]}%C3%A9", "un caractère qu’aucun code ne contient"),
        (UNKNOWN, f"Aucune fiche n’a le code {UNKNOWN}."),
    ):
        where = await leads(client, f"/r/{typed}", **{"accept-language": "fr"})
        assert where.startswith("/fr/code?code=")
        answer = await client.get(where)
        assert answer.status_code == 404
        page = parse(answer)
        [alert] = page.findall(".//div[@role='alert']")
        assert said in text_of(alert), typed
        form = page.find(".//form[@action='/fr/code']")
        assert form.find(".//input[@name='code']").get("aria-invalid") == "true"
        assert not list(page.iter("script"))
        assert code not in text_of(alert)
    page = parse(await client.get("/ar/code?code=8X5XXXX"))
    alert = text_of(page.find(".//div[@role='alert']"))
    assert "هذه الأحرف متشابهة" in alert
    assert [group in alert for group in ("5 S", "8 B", "2 Z")] == [True, True, False]
    assert (page.get("lang"), page.get("dir")) == ("ar", "rtl")
    page = parse(await client.get("/fr/code?code="))
    assert "Aucun code n’a été saisi." in text_of(page.find(".//div[@role='alert']"))
    page = parse(await client.get("/fr/code?code=%3Cb%3E%3Cscript%3E"))
    assert not list(page.iter("b"))


async def test_a_code_of_another_register_may_be_looked_for_there(client, code, database):
    async with database.connection() as connection:
        await connection.execute(
            "insert into peer (code, origin, key, address, added_at, removed_at) values"
            " ('sn', 'sn.example/log', 'k', 'https://sn.example', now(), null),"
            " ('xx', 'xx.example/log', 'k', 'https://xx.example', now(), now())"
        )
    page = parse(await client.get(f"/fr/code?code={UNKNOWN}"))
    alert = page.find(".//div[@role='alert']")
    assert [link.get("href") for link in alert.iter("a")] == [f"https://sn.example/r/{UNKNOWN}"]
    page = parse(await client.get(f"/fr/code?code={UNKNOWN[:-1]}"))
    assert not list(page.find(".//div[@role='alert']").iter("a"))


async def test_without_a_code_it_is_asked_for(client, code):
    assert await leads(client, f"/r/{code}/", **{"accept-language": "fr"})
    for path in ("/r", "/r/"):
        assert await leads(client, path, **{"accept-language": "fr"}) == "/fr/code"
    # The page itself is a file of the site, and so is the code as a picture.
    for path in ("/fr/code", f"/r/{code}.svg", f"/r/{code}/more", "/de/code?code=x"):
        assert (await client.get(path)).status_code == 404


async def test_words_that_are_no_code_are_searched_for(client, code):
    for words in ("lits", UNKNOWN, f"{code} lits", code[:-1]):
        assert (await client.get(f"/fr/search?q={words}")).status_code == 200, words
    assert (await client.get(f"/fr/search?q={code}&risk=high")).status_code == 200


async def test_the_api_finds_the_record_of_a_code(client, code, record):
    answer = await client.get(f"/api/v1/codes/{code[:3]}-{code[3:].lower()}")
    assert answer.json() == {
        "code": code,
        "id": record["id"],
        "agency": record["id"].split("/")[0],
        "entry": 1,
    }
    assert (await client.get(f"/api/v1/codes/{UNKNOWN}")).status_code == 404
    refused = await client.get(f"/api/v1/codes/{code[:-1]}")
    assert (refused.status_code, refused.json()["type"].split("/")[-1]) == (
        400,
        "invalid-parameter",
    )
    found = (await client.get(f"/api/v1/records/{record['id']}")).json()
    assert found["register"]["code"] == code
