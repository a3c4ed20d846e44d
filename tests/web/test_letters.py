"""Letters that were filled in, given back by the register as a page, as text and as dates."""

import datetime as dt
import html
import re

import pytest

from registry.record.pack import load_pack
from registry.text.dates import day_after

GRANTS = "records/demo-education/attribution-bourses"
FORM = {"content-type": "application/x-www-form-urlencoded"}
WRITTEN = {
    "about": "daughter",
    "name": "Fatima <b>Zahra</b> & fils",
    "identity": "AB123456",
    "address": "Douar Aït 3\r\nAzilal",
    "phone": "+212 600 000000",
    "email": "f@exemple.example",
    "place": "Azilal",
    "day": "28/11/2026",
    "number": "B-77",
    "dated": "2 novembre 2026",
    "file": "G138877665",
    "son": "",
    "daughter": "ليلى",
    "received": "12/11/2026",
    "reasons": "La note est fausse.\r\n\r\nLe relevé est joint.",
}


@pytest.fixture
def client(reader):
    return reader


async def sent(client, path, button, **more):
    return await client.post(f"/{path}/letter", data=WRITTEN | {"then": button} | more)


@pytest.mark.parametrize("tag", ["fr", "ar"])
async def test_a_filled_letter_comes_back_as_text_and_as_a_page_to_print(client, tag):
    answer = await sent(client, f"{tag}/{GRANTS}", "text")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    text = answer.text.removeprefix("\ufeff")
    assert "[" not in text
    for value in WRITTEN.values():
        assert all(line in text for line in value.splitlines() if value != "daughter")
    assert "\nDouar Aït 3\nAzilal\n" in text
    assert "\nLa note est fausse.\n\nLe relevé est joint.\n" in text
    wanted = {
        "fr": "Objet : recours gracieux contre votre décision n° B-77 du 2 novembre 2026\n",
        "ar": "الموضوع: تظلم من قراركم رقم B-77 بتاريخ 2 novembre 2026\n",
    }
    assert wanted[tag] in re.sub("[\u00a0\u202f]", " ", text)
    asked = {"fr": "vous demande de la retirer ou de la modifier", "ar": "وألتمس سحبه أو تعديله"}
    assert asked[tag] in text
    minor = {"fr": "ma fille mineure ليلى, dont", "ar": "ابنتي القاصر ليلى التي"}
    assert minor[tag] in text
    answer = await sent(client, f"{tag}/{GRANTS}", "print")
    assert answer.headers["cache-control"] == "no-store"
    page = html.unescape(re.sub(r"<[^>]+>", " ", answer.text))
    assert "Fatima <b>Zahra</b> & fils" in page
    assert "<b>Zahra" not in answer.text
    assert "<input" not in answer.text
    assert "<script" not in answer.text


async def test_the_name_of_the_agency_stands_once(client):
    for tag, name in (("fr", "Agence de démonstration – Éducation"), ("ar", "وكالة")):
        text = (await sent(client, f"{tag}/{GRANTS}", "text")).text
        head = text.partition("B-77")[0]
        assert head.count(name) == 1, head


async def test_what_is_left_empty_is_left_out_or_marked(client):
    empty = dict.fromkeys(WRITTEN, "") | {"about": "me"}
    blank = (await sent(client, f"fr/{GRANTS}", "text", **empty)).text
    assert blank.count("[") == 12
    begun = (await sent(client, f"fr/{GRANTS}", "text", **{**empty, "name": "Fatima"})).text
    assert "Téléphone" in blank
    assert "Téléphone" not in begun
    assert "recours gracieux contre votre décision\n" in begun
    assert "[jour où vous l’avez reçue]" in begun


async def test_the_dates_of_the_country_come_as_a_calendar(client):
    for tag in ("fr", "ar"):
        answer = await sent(client, f"{tag}/{GRANTS}", "calendar")
        assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        assert "Fatima" not in answer.text
        lines = answer.content.split(b"\r\n")
        assert all(len(line) <= 75 for line in lines)
        unfolded = answer.text.replace("\r\n ", "")
        days = re.findall(r"DTSTART;VALUE=DATE:(\d+)", unfolded)
        assert days == ["20261212", "20261227", "20270111"]
        assert unfolded.count("BEGIN:VEVENT") == unfolded.count("END:VALARM") == 3
        assert len(set(re.findall(r"UID:(\w+)", unfolded))) == 3
    general = await sent(client, "en", "calendar", received="1 December 2025")
    assert "DTSTART;VALUE=DATE:20260130" in general.text


@pytest.mark.parametrize("day", ["", "hier", "31/02/2026", "12/11/2999", "1/1/0000"])
async def test_a_day_that_cannot_be_read_is_asked_for_with_what_was_typed(client, day):
    answer = await sent(client, f"fr/{GRANTS}", "calendar", received=day)
    assert answer.status_code == 422
    parser_page = answer.text
    assert 'value="AB123456"' in parser_page
    assert "Le relevé est joint.</textarea>" in parser_page
    assert 'id="fault"' in parser_page
    assert 'aria-invalid="true"' in parser_page


async def test_a_letter_goes_to_an_agency_that_filed_nothing(client, pack):
    name = pack.agencies["cnss"].name["fr"]
    text = (await sent(client, "fr/agencies/cnss", "text", agency="1, rue X\nRabat")).text
    assert f"\n{name}\n1, rue X\nRabat\n" in text
    assert (await sent(client, "fr", "text", agency="Ville de X")).text.count("Ville de X") == 1
    assert (await sent(client, "zgh", "text")).status_code == 200


async def test_only_a_letter_of_the_own_page_is_taken(client):
    for path in ("fr/records/demo-education/nothing", "fr/agencies/nobody", "xx"):
        assert (await sent(client, path, "text")).status_code == 404, path
    for more in ({"colour": "red"}, {"then": "mail"}, {"about": "boss"}, {"reasons": "x" * 9000}):
        answer = await sent(client, f"fr/{GRANTS}", "text", **more)
        assert answer.status_code == 400, more
    twice = await client.post("/fr/letter", content="name=a&name=b&then=text", headers=FORM)
    assert twice.status_code == 400
    assert (await client.post("/fr/letter", json={"then": "text"})).status_code == 415
    large = await client.post("/fr/letter", content="name=" + "a" * 70_000, headers=FORM)
    assert large.status_code == 413
    broken = await client.post("/fr/letter", content=b"name=%ff&then=text", headers=FORM)
    assert broken.status_code == 400
    foreign = {"sec-fetch-site": "cross-site"}
    answer = await client.post("/fr/letter", data={"then": "text"}, headers=foreign)
    assert answer.status_code == 403


def shown(answer):
    """The words of a page, on one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


@pytest.mark.parametrize("tag", ["fr", "ar", "en"])
async def test_the_dates_of_a_decision_are_counted_from_the_day_on_which_it_came(client, tag):
    pack = load_pack("ma")
    received = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=40)
    for typed in (received.isoformat(), f"{received:%d/%m/%Y}"):
        answer = await client.get(f"/{tag}/contest", params={"received": typed})
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        until = answer.text.partition('id="until"')[2].partition("</section>")[0]
        days = re.findall(r'<b><time datetime="([^"]+)">', until)
        assert days == [day_after(received, one.after).isoformat() for one in pack.deadlines]
        # Of three dates, after 30, 45 and 60 days, one is over.
        assert until.count('<span class="mark">') - len(pack.deadlines) - 1 == 1
        assert answer.text.count("<details open>") == 1
        # Beside the steps whose time begins with the decision, of which one may be kept by another.
        steps = answer.text.partition('id="bodies"')[2].partition("</section>")[0]
        last = (received + dt.timedelta(days=60)).isoformat()
        assert re.findall(r'<time datetime="([^"]+)">', steps) == [last, last]
    plain = await client.get(f"/{tag}/contest", params={"utm_source": "x"})
    assert plain.status_code in {200, 404}
    assert "<details open>" not in plain.text
    # As a file, it passes over what others ask it, and the last day counts.
    assert (await client.get(f"/{tag}/contest?ref=x")).status_code == plain.status_code
    twice = await client.get(f"/{tag}/contest?received=x&received={received}&ref=x")
    assert twice.status_code == 200
    assert twice.text.count("<details open>") == 1


async def test_a_day_that_is_none_says_so_and_loses_nothing(client):
    tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=3)
    for typed in ("hier <b>", tomorrow.isoformat(), "9" * 5000):
        answer = await client.get("/fr/contest", params={"received": typed})
        assert answer.status_code == 422
        assert 'aria-invalid="true" aria-describedby="fault"' in answer.text
        assert "saisissez le jour" in shown(answer)
        assert "<b>" not in answer.text.partition('name="received"')[2].partition(">")[0]
        assert "9" * 41 not in answer.text
    assert (await client.get("/xx/contest", params={"received": "x"})).status_code == 404
    over = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=90)
    told = shown(await client.get("/fr/contest", params={"received": over.isoformat()}))
    assert "le dernier jour était le" in told
    assert "ce qui vous reste ouvert" in told
