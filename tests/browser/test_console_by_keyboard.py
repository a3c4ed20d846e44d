"""What people do in the console, in a real browser that runs no script, by keyboard alone."""

from __future__ import annotations

import copy

import httpx
import pytest

from tests.browser.console_office import bilingual
from tests.browser.keyboard import Keyboard

pytestmark = pytest.mark.xdist_group("browser-console")

PLAIN = {"java_script_enabled": False}


@pytest.fixture
def people(console):
    """Ways to sign people in by keyboard; afterwards all that had the focus was visible."""
    unseen = set()
    contexts = []

    def sign_in(person, language="fr"):
        window = console.window(**PLAIN)
        keys = Keyboard(window.__enter__())
        contexts.append((window, keys))
        keys.open(console.link(person, language))
        keys.act(tag="button", name="")
        assert keys.page.locator("form[action$=sign-out]").count() == 1
        return keys

    yield sign_in
    for window, keys in contexts:
        unseen |= keys.unseen
        window.__exit__(None, None, None)
    assert not unseen


def published(console, record):
    answer = httpx.get(f"{console.url}/api/v1/records/{record}")
    return answer.json()["record"] if answer.is_success else None


def begin(keys, document):
    """Begin a record from the list of the agency."""
    keys.act(href="records/new")
    keys.go_to(id="name")
    keys.type(document["name"][document["languages"]["source"]])
    keys.choose(keys.go_to(name="source"), document["languages"]["source"])
    while (here := keys.stop())["id"] != "slug":
        stated = here["value"] in document["languages"]["translation_status"]
        if here["name"] == "language" and here["is_checked"] != stated:
            keys.press("Space")
        elif here["folded"] == "more":
            keys.press("Enter")
    keys.type(document["id"].partition("/")[2])
    # Enter in a line sends the form, as everywhere.
    keys.enter()


def file_all(keys, document):
    begin(keys, document)
    while not keys.page.url.endswith("/"):
        keys.fill(document, then="next")


def decide(reviewer, document, **button):
    reviewer.act(href="review/")
    reviewer.act(href=f"review/{document['id']}")
    reviewer.act(tag="button", **button)


def test_a_record_is_filed_returned_mended_approved_and_amended(console, people):
    """Of high risk, of which all is asked, in two languages; tests/console has the others."""
    document = bilingual("high", "a-la-main")
    editor, reviewer = people("editor", "ar"), people("reviewer")
    file_all(editor, document)
    # What may be said besides, where a page asked nothing.
    editor.act(href=f"{document['id']}/publication")
    editor.fill(document, then="list")
    editor.act(href=f"{document['id']}/submit")
    editor.act(tag="button", text="إرسال للمراجعة")
    assert published(console, document["id"]) is None

    reviewer.act(href="review/")
    reviewer.act(href=f"review/{document['id']}")
    reviewer.go_to(tag="summary", id="rest-purpose")
    reviewer.press("Enter")
    summary = "Commenter ce champ: Objectif"
    reviewer.go_to(tag="summary", text=summary)
    reviewer.press("Enter")
    reviewer.go_to(name="comment:/purpose/goal")
    reviewer.type("Dites pour qui.")
    reviewer.act(tag="button", text="Renvoyer à l’organisme")

    editor.page.reload()
    editor.act(href="#f-purpose-goal")
    beside = editor.page.locator("#f-purpose-goal")
    assert "Dites pour qui." in beside.inner_text()
    document["purpose"]["goal"] = {"ar": "لفائدة المرضى.", "fr": "Aider les patients."}
    editor.fill(document, then="list")
    editor.act(href=f"{document['id']}/submit")
    editor.act(tag="button", text="إرسال للمراجعة")
    decide(reviewer, document, text="Approuver et publier")
    assert published(console, document["id"]) == document

    changed = copy.deepcopy(document)
    changed["system_version"] = "2.0"
    changed["publication"]["change_note"] = {
        "ar": "ذكر رقم الإصدار الجديد",
        "fr": "Le numéro de version est dit.",
    }
    for page in ("about", "publication"):
        editor.page.reload()
        editor.act(href=f"{document['id']}/{page}")
        editor.fill(changed, then="list")
    editor.act(tag="button", text="إرسال للمراجعة")
    decide(reviewer, document, text="Approuver et publier")
    assert published(console, document["id"]) == changed


def test_two_people_withdraw_a_record_and_say_how_many_systems_there_are(console, people):
    record = "demo-services/objets-trouves"
    editor, reviewer = people("neighbour"), people("reviewer")
    editor.open(f"/office/fr/records/{record}/")
    editor.act(href=f"{record}/withdraw")
    editor.choose(editor.go_to(name="reason"), "filed_in_error")
    editor.go_to(name="note-fr")
    editor.type("Déposée deux fois.")
    editor.act(tag="button")
    waiting = [editor.page.url]
    editor.act(href="review/acts")
    editor.act(href="attestation")
    editor.go_to(name="systems_total")
    editor.type("40")
    editor.go_to(name="contact")
    editor.type("registre@demo-services.example")
    editor.act(tag="button")
    waiting.append(editor.page.url)
    for address in waiting:
        editor.open(address)
        assert editor.page.locator("button[value=approve]").count() == 0
        reviewer.act(href="review/")
        reviewer.act(href="/".join(address.rsplit("/", 3)[1:]))
        reviewer.act(name="do", value="approve")
        editor.page.reload()
        assert "Approuvé" in editor.page.locator("main").inner_text()
    assert published(console, record) is None
    said = httpx.get(f"{console.url}/api/v1/attestations", params={"agency": "demo-services"})
    assert said.json()["items"][0]["systems_total"] == 40
