"""Filing by the form, without a script: begun, filled page by page, refused, mended, published."""

from __future__ import annotations

import json
import secrets

import msgspec
import pytest

from registry.clock import utc_now
from registry.console.form_layout import PAGES
from registry.services.people import members
from registry.services.people.access import OPERATOR
from registry.store import drafts
from tests.console.conftest import opened_office
from tests.typed import Typist, begin, file_all, for_agency


async def typist(office, *roles, agency="demo-services", language="fr"):
    browser, _ = await office.member(*(roles or ("editor",)), agency=agency, language=language)
    return Typist(browser, language)


async def draft_of(office, record):
    async with office.database.connection() as connection:
        draft = await drafts.read(connection, record)
    return None if draft is None else msgspec.json.decode(draft.document)


async def published(office, record):
    rows = await office.run(
        "select document from content where record = $1 order by version desc limit 1", record
    )
    return json.loads(rows[0]["document"]) if rows else None


@pytest.mark.parametrize("name", ["minimal", "limited", "high"])
async def test_a_record_is_filed_by_the_form_alone(office, name):
    document = for_agency(name)
    someone = await typist(office)
    await file_all(someone, document)
    if name == "minimal":
        assert len(someone.answered) <= 24
        assert someone.pages <= 8
    for page in PAGES:
        # What is not asked may be said all the same.
        await someone.open(f"records/{document['id']}/{page.slug}")
        await someone.fill(document, page.slug, then="list")
        assert someone.answer.status_code == 200, someone.text
    assert await draft_of(office, document["id"]) == document
    await someone.open(f"records/{document['id']}/submit")
    await someone.send(someone.form("submit"))
    assert "Publié" in someone.text
    assert await published(office, document["id"]) == document


async def test_nobody_goes_on_before_what_her_answers_ask_for_besides_was_shown(office):
    document = for_agency("minimal")
    someone = await typist(office)
    await begin(someone, document)
    await someone.open(f"records/{document['id']}/risk")
    # Without any other answer the level is minimal, and the form says so before it is saved.
    form = someone.form("risk")
    form.set("/risk/level", "high")
    # The script has saved it by itself meanwhile, as it does after some seconds.
    fields = [pair for pair in form.fields if pair[0] != "_csrf_token"]
    saved = await someone.browser.post(form.action, [*fields, ("then", "stay")])
    form.set("seen", saved.json()["seen"])
    await someone.send(form, then="next")
    assert str(someone.answer.url).partition("#")[0].endswith("/risk")
    assert "appellent d’autres précisions" in someone.text
    await someone.send(someone.form("risk"), then="next")
    assert str(someone.answer.url).endswith("/about")


async def test_two_people_on_one_page_see_both_versions(office):
    document = for_agency("minimal")
    one, other = await typist(office), await typist(office, language="ar")
    await file_all(one, document)
    page = f"records/{document['id']}/purpose"
    await one.open(page)
    await other.open(page)
    hers, his = one.form("purpose"), other.form("purpose")
    hers.set("/purpose/goal/fr", "Le texte de la première.")
    his.set("/purpose/goal/fr", "Le texte du second.")
    his.set("/purpose/public_benefit/fr", "Ce que lui seul a changé.")
    await one.send(hers, then="list")
    await other.send(his, then="list")
    assert other.answer.status_code == 409
    assert "Le texte de la première." in other.text
    again = other.form("purpose")
    assert again.get("/purpose/goal/fr") == ["Le texte du second."]
    assert again.get("/purpose/public_benefit/fr") == ["Ce que lui seul a changé."]
    draft = await draft_of(office, document["id"])
    assert draft["purpose"]["goal"]["fr"] == "Le texte de la première."
    await other.send(again, then="list")
    draft = await draft_of(office, document["id"])
    assert draft["purpose"]["goal"]["fr"] == "Le texte du second."


async def test_two_people_on_two_pages_do_not_meet(office):
    document = for_agency("minimal")
    one, other = await typist(office), await typist(office)
    await begin(one, document)
    await one.open(f"records/{document['id']}/purpose")
    await other.open(f"records/{document['id']}/data")
    await one.fill(document, "purpose")
    await other.fill(document, "data")
    draft = await draft_of(office, document["id"])
    assert draft["purpose"]["goal"] == document["purpose"]["goal"]
    assert draft["data"]["description"] == document["data"]["description"]


REFUSED = (
    ("purpose", "/purpose/scale/decisions_per_year", "douze", "purpose-scale-decisions_per_year"),
    ("about", "/lifecycle/deployed_on:y", "20x5", "lifecycle-deployed_on"),
    ("about", "/contact/email", "personne", "contact-email"),
    ("data", "/data/sources/0/url", "https://a.example/", "data-sources-0-name"),
    ("system", "/sector/primary", "ailleurs", "sector-primary"),
    ("about", "/name/fr", "<b>Nom</b>", "name"),
)


async def test_what_cannot_be_taken_is_said_beside_its_field_and_stays_typed(office, subtests):
    document = for_agency("limited")
    someone = await typist(office)
    await begin(someone, document)
    before = await draft_of(office, document["id"])
    for page, name, value, place in REFUSED:
        with subtests.test(name=name):
            await someone.open(f"records/{document['id']}/{page}")
            form = someone.form(page)
            form.set(name, value)
            await someone.send(form, then="next")
            assert someone.answer.status_code == 422
            assert await draft_of(office, document["id"]) == before
            assert someone.form(page).get(name) == [value]
            beside = someone.page.find(f".//*[@id='f-{place}']")
            assert "À corriger" in "".join(beside.itertext())
            linked = [link.get("href") for link in someone.page.iter("a")]
            assert any(href and href.startswith("#f-") for href in linked)


async def test_digits_spaces_and_lines_are_read_as_people_type_them(office):
    document = for_agency("limited")
    someone = await typist(office)
    await begin(someone, document)
    await someone.open(f"records/{document['id']}/purpose")
    form = someone.form("purpose")
    form.set("/purpose/scale/decisions_per_year", "١٢ ٥٠٠")
    form.set("/purpose/goal/fr", "  Une ligne.\r\n\r\nUne autre.  ")
    await someone.send(form, then="list")
    draft = await draft_of(office, document["id"])
    assert draft["purpose"]["scale"] == {"decisions_per_year": 12500}
    assert draft["purpose"]["goal"] == {"fr": "Une ligne.\n\nUne autre."}
    await someone.open(f"records/{document['id']}/about")
    form = someone.form("about")
    form.set("/website", "www.demo.example/outil?a=1")
    for part, words in (("d", "1"), ("m", "Févr."), ("y", "2026")):
        form.set(f"/lifecycle/last_reviewed_on:{part}", words)
    form.set("/lifecycle/in_use_from:m", "غشت")
    form.set("/lifecycle/in_use_from:y", "2025")
    await someone.send(form, then="list")
    draft = await draft_of(office, document["id"])
    assert draft["website"] == "https://www.demo.example/outil?a=1"
    assert draft["lifecycle"]["last_reviewed_on"] == "2026-02-01"
    assert draft["lifecycle"]["in_use_from"] == "2025-08"


@pytest.mark.parametrize("typed", ["450,000", "450.000", "٤٥٠٫٠٠٠", "٤٥٠،٠٠٠"])
async def test_a_number_that_can_be_read_in_two_ways_is_refused_and_stays_typed(office, typed):
    amount = "/procurement/contract/amount/value"
    document = for_agency("high")
    someone = await typist(office)
    await begin(someone, document)
    await someone.open(f"records/{document['id']}/technology")
    form = someone.form("technology")
    form.set(amount, typed)
    await someone.send(form, then="next")
    assert someone.answer.status_code == 422
    assert someone.form("technology").get(amount) == [typed]
    beside = someone.page.find(".//*[@id='f-procurement-contract']")
    assert "Écrivez 450000 ou 450.0000" in "".join(beside.itertext())
    form = someone.form("technology")
    form.set(amount, "450 000")
    form.set("/procurement/contract/amount/currency", "MAD")
    await someone.send(form, then="list")
    assert someone.answer.status_code == 200, someone.text
    draft = await draft_of(office, document["id"])
    assert draft["procurement"]["contract"]["amount"]["value"] == 450000


async def test_a_period_is_read_as_people_write_it(office):
    document = for_agency("high")
    someone = await typist(office)
    await begin(someone, document)
    for written, meant in (("5 ans", "P5Y"), ("١٨ شهرا", "P18M"), ("7", "7")):
        await someone.open(f"records/{document['id']}/data")
        form = someone.form("data")
        form.set("/data/retention/period:n", written)
        form.set("/data/retention/period:unit", "")
        await someone.send(form, then="list")
        if written == meant:
            assert "« 7 » n’a pas la forme voulue" in someone.text.replace("\u202f", "\u00a0")
            assert "« 5 ans »" in someone.text
        else:
            draft = await draft_of(office, document["id"])
            assert draft["data"]["retention"]["period"] == meant


async def test_what_was_typed_survives_the_end_of_a_session(office):
    document = for_agency("minimal")
    made = await office.invite("editor", agency="demo-services")
    browser = office.browser()
    await browser.sign_in(made.secret)
    someone = Typist(browser)
    await begin(someone, document)
    await someone.open(f"records/{document['id']}/purpose")
    form = someone.form("purpose")
    form.set("/purpose/goal/fr", "Tapé avant la fin de la session.")
    await office.run("update console_session set seen_at = seen_at - interval '31 minutes'")
    await someone.send(form, then="next")
    assert "sign-in" in str(someone.answer.url)
    link = await members.make_link(
        office.database, OPERATOR, made.member, now=utc_now(), random=secrets.token_bytes
    )
    await browser.sign_in(link.secret)
    await someone.open(f"records/{document['id']}/purpose")
    assert someone.form("purpose").get("/purpose/goal/fr") == ["Tapé avant la fin de la session."]


async def test_a_refused_submission_leads_to_every_fault(office):
    document = for_agency("minimal")
    someone = await typist(office)
    await begin(someone, document)
    await someone.open(f"records/{document['id']}/submit")
    assert someone.answer.status_code == 422
    summary = someone.page.find(".//*[@id='faults']")
    links = [link.get("href") for link in summary.iter("a")]
    assert len(links) > 10
    for href in links:
        path, _, anchor = href.partition("#")
        await someone.open(path)
        assert someone.page.find(f".//*[@id='{anchor}']") is not None, href


async def test_a_published_record_is_amended(office):
    document = for_agency("minimal")
    someone = await typist(office)
    await file_all(someone, document)
    await someone.open(f"records/{document['id']}/submit")
    await someone.send(someone.form("submit"))
    later = {
        **document,
        "system_version": "2.0",
        "publication": {
            "visibility": "public",
            "change_note": {"fr": "Le numéro de version est dit."},
        },
    }
    for page in ("about", "publication"):
        await someone.open(f"records/{document['id']}/{page}")
        await someone.fill(later, page, then="list")
    await someone.send(someone.form("submit"))
    assert await published(office, document["id"]) == later
    # Nothing is to be mended in what is in force.
    await someone.open(f"records/{document['id']}/")
    assert "à corriger" not in someone.text
    # The note is of that version, and the next one begins without it.
    await someone.open(f"records/{document['id']}/publication")
    assert someone.form("publication").get("/publication/change_note/fr") == [""]
    assert await draft_of(office, document["id"]) is None


async def test_an_arabic_name_gives_an_address_in_latin_letters(office):
    someone = await typist(office)
    for number, slug in enumerate(("nzam-lfrz-tlbat-almnh", "nzam-lfrz-tlbat-almnh-2")):
        await someone.open("records/new")
        form = someone.form("new")
        form.set("name", "نظام لفرز طلبات المنح")
        form.set("source", "ar")
        await someone.send(form)
        assert f"/records/demo-services/{slug}/" in str(someone.answer.url), number


async def test_before_it_is_public_for_ever_the_address_is_shown_and_can_be_changed(office):
    document = for_agency("minimal")
    someone = await typist(office)
    await file_all(someone, document)
    agency, _, slug = document["id"].partition("/")
    await someone.open(f"records/{document['id']}/submit")
    assert f"https://algorithms.example/fr/records/{agency}/" in someone.text
    assert await published(office, document["id"]) is None
    assert someone.form("submit").get("slug") == [slug]
    await begin(someone, {**document, "id": f"{agency}/pris"})
    for wrong in ("Été", "pris", "index", "x" * 200):
        await someone.open(f"records/{document['id']}/submit")
        form = someone.form("submit")
        form.set("slug", wrong)
        await someone.send(form)
        assert someone.answer.status_code == 422
        assert someone.form("submit").get("slug") == [wrong]
    form = someone.form("submit")
    form.set("slug", "autrement")
    await someone.send(form)
    assert "Publié" in someone.text
    assert await published(office, document["id"]) is None
    renamed = f"{agency}/autrement"
    first = await published(office, renamed)
    assert (first["id"], first["summary"]) == (renamed, document["summary"])
    assert await draft_of(office, document["id"]) is None
    # The way back leads to where it is now; a stranger and an address of nothing find nothing.
    for page in ("", "submit", "purpose"):
        answer = await someone.browser.get(f"/office/fr/records/{document['id']}/{page}")
        assert answer.headers["location"] == f"/office/fr/records/{renamed}/{page}"
    stranger = await typist(office, agency="demo-sante")
    for other, record in ((someone, f"{agency}/rien"), (stranger, document["id"])):
        await other.open(f"records/{record}/")
        assert other.answer.status_code == 404
    # Once it is public it keeps its address, whatever is sent.
    await someone.open(f"records/{renamed}/purpose")
    await someone.fill({**document, "id": renamed}, "purpose", then="list")
    answer = await someone.browser.post(
        f"/office/fr/records/{renamed}/submit", [("tag", "x"), ("slug", "encore")]
    )
    assert answer.status_code in {404, 409, 412}
    assert await published(office, renamed) == first


async def test_a_withdrawal_is_asked_again_before_it_is_for_ever(office):
    document = for_agency("minimal")
    someone = await typist(office)
    await file_all(someone, document)
    await someone.open(f"records/{document['id']}/submit")
    await someone.send(someone.form("submit"))
    await someone.open(f"records/{document['id']}/withdraw")
    form = someone.form("withdraw")
    form.set("reason", "filed_in_error")
    form.set("note-fr", "Déposée deux fois.")
    await someone.send(form)
    assert "La retirer définitivement" in someone.text
    assert await office.run("select from withdrawal") == []
    form = someone.form("withdraw")
    assert form.get("note-fr") == ["Déposée deux fois."]
    await someone.send(form, sure="1")
    assert len(await office.run("select from withdrawal")) == 1


async def test_a_record_begins_from_an_earlier_one(office):
    document = for_agency("limited")
    someone = await typist(office)
    await file_all(someone, document)
    for page in PAGES:
        await someone.open(f"records/{document['id']}/{page.slug}")
        await someone.fill(document, page.slug, then="list")
    await someone.open(f"records/{document['id']}/submit")
    await someone.send(someone.form("submit"))
    await someone.open("records/new")
    form = someone.form("new")
    form.set("name", "Un autre")
    form.set("from", document["id"])
    await someone.send(form)
    copied = await draft_of(office, "demo-services/un-autre")
    assert copied["technical"] == document["technical"]
    assert copied["name"] == {"fr": "Un autre"}
    assert copied["contact"] == document["contact"]


async def test_a_new_record_is_prefilled_in_its_own_languages_alone(office):
    someone = await typist(office)
    document = for_agency("minimal")
    document["contact"] = {
        "email": "contact@demo.example",
        "postal_address": {"ar": "شارع 12", "fr": "12, rue", "en": "12 Street"},
        "opening_hours": {"en": "Mondays"},
    }
    status = document["languages"]["translation_status"]
    document["languages"]["translation_status"] = status | {"en": "reviewed"}
    await file_all(someone, document)
    other = for_agency("minimal") | {"id": "demo-services/autre", "name": {"fr": "Tout autre"}}
    other["languages"] = {
        "source": "fr",
        "translation_status": {"fr": "authored", "ar": "authored"},
    }
    await begin(someone, other)
    draft = await draft_of(office, other["id"])
    assert draft["contact"] == {
        "email": "contact@demo.example",
        "postal_address": {"ar": "شارع 12", "fr": "12, rue"},
    }
    await someone.open(f"records/{other['id']}/")
    assert "en anglais" not in someone.text
    assert '"en"' not in someone.text


async def test_a_draft_in_review_is_read_only_until_it_is_taken_back(settings, database_url):
    async with opened_office(settings, database_url, review="required") as office:
        document = for_agency("minimal")
        someone = await typist(office)
        await file_all(someone, document)
        await someone.open(f"records/{document['id']}/submit")
        await someone.send(someone.form("submit"))
        assert await published(office, document["id"]) is None
        await someone.open(f"records/{document['id']}/purpose")
        form = someone.form("purpose")
        form.set("/purpose/goal/fr", "Changé pendant la relecture.")
        await someone.send(form, then="list")
        assert someone.answer.status_code == 422
        assert someone.form("purpose").get("/purpose/goal/fr") == ["Changé pendant la relecture."]
        draft = await draft_of(office, document["id"])
        assert draft["purpose"] == document["purpose"]
        await someone.open(f"records/{document['id']}/")
        await someone.send(someone.form("take-back"))
        await someone.open(f"records/{document['id']}/purpose")
        await someone.fill(
            {**document, "purpose": {**document["purpose"], "goal": {"fr": "Après."}}}, "purpose"
        )
        draft = await draft_of(office, document["id"])
        assert draft["purpose"]["goal"] == {"fr": "Après."}


async def test_another_agencys_record_answers_as_what_does_not_exist(office):
    document = for_agency("minimal")
    someone, stranger = await typist(office), await typist(office, agency="demo-sante")
    await file_all(someone, document)
    before = await draft_of(office, document["id"])
    told = []
    for record in (document["id"], "demo-services/nothing", "nobody/nothing"):
        answers = []
        for path in ("", "purpose", "delete", "nowhere"):
            await stranger.open(f"records/{record}/{path}")
            answers.append((stranger.answer.status_code, stranger.page.find(".//h1").text))
        for path in ("submit", "take-back", "delete", "purpose"):
            answer = await stranger.browser.post(
                f"/office/fr/records/{record}/{path}", [("tag", "0")]
            )
            answers.append((answer.status_code, None))
        assert {status for status, _ in answers} <= {403, 404}
        told.append(answers)
    assert told[0] == told[1] == told[2]
    assert await draft_of(office, document["id"]) == before


HOSTILE = (
    [("/data/sources/999/name/fr", "Neuf cent")],
    [("/data/sources/1000000/name/fr", "Million")],
    [("/data/sources/0/name/" + "x" * 300, "Langue")],
    [("/risk/level", "high"), ("/risk/level", "minimal")],
    [("/data/hosting/country", ""), ("/data/hosting/kind", "on_premise")],
    [("//", "x"), ("/", "x"), ("", "x"), ("add", "/nowhere"), ("/data", "x")],
    [("/data/retention/period:unit", "Y"), ("/data/retention/period:n", "9" * 400)],
    [("/publication/withheld_fields/0/ground", "security")],
)


async def test_hostile_fields_are_refused_or_passed_over(office, subtests):
    document = for_agency("minimal")
    someone = await typist(office)
    await begin(someone, document)
    for fields in HOSTILE:
        for page in ("data", "risk", "publication"):
            with subtests.test(page=page, fields=fields):
                await someone.open(f"records/{document['id']}/{page}")
                form = someone.form(page)
                for name, _ in fields:
                    form.set(name)
                form.fields += fields
                await someone.send(form, then="list")
                assert someone.answer.status_code in {200, 422}
                assert someone.page is not None


async def test_nobody_without_the_role_files(office):
    reviewer = await typist(office, "reviewer")
    await reviewer.open("records/new")
    assert reviewer.answer.status_code == 403


async def test_each_role_begins_with_its_own_work(office, subtests):
    for role, page in (("editor", ""), ("reviewer", "review/"), ("agency_admin", "members")):
        with subtests.test(role=role):
            someone = await typist(office, role)
            await someone.open("")
            assert someone.answer.status_code == 200
            assert str(someone.answer.url).endswith(f"/office/fr/{page}")
