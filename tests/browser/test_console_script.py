"""The script of the form: it saves, adds entries, counts, and warns before anything is lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.xdist_group("browser-console")

RECORD = "records/demo-sante/complete/"


@pytest.fixture(scope="module")
def signed_in(console):
    with console.window("editor", viewport={"width": 390, "height": 800}) as page:
        page.clock.install()
        yield page.context


@pytest.fixture
def form(signed_in):
    """Open a page of the form, whose script waits for nothing before it saves."""
    page = signed_in.new_page()
    page.set_default_timeout(60_000)

    def opened(slug):
        page.goto(f"/office/fr/{RECORD}{slug}")
        return page

    yield opened
    page.close()


def wait_for_save(page):
    """Let the time pass after which the form saves by itself."""
    with page.expect_response(lambda answer: answer.request.method == "POST") as answer:
        page.clock.fast_forward(6_000)
    return answer.value


def leaves_at_once(page):
    """Whether the page lets go of a person without a question."""
    asked = []

    def note(dialog):
        asked.append(dialog.type)
        dialog.accept()

    page.once("dialog", note)
    page.goto("about:blank")
    page.remove_listener("dialog", note) if not asked else None
    return asked != ["beforeunload"]


def test_what_is_typed_is_saved_by_itself(form):
    page = form("purpose")
    goal = page.locator("[name='/purpose/goal/fr']")
    told = page.locator("[data-told]")
    for words in ("Enregistré tout seul.", "Et encore une fois."):
        goal.fill(words)
        assert wait_for_save(page).status == 200
        told.filter(has_text="Enregistré.").wait_for()
    assert leaves_at_once(page)
    assert form("purpose").locator("[name='/purpose/goal/fr']").input_value() == words


def test_nobody_leaves_unsaved_words_without_a_warning(form):
    page = form("purpose")
    page.locator("[name='/purpose/goal/fr']").press_sequentially("Pas encore ")
    assert not leaves_at_once(page)
    page = form("purpose")
    goal = page.locator("[name='/purpose/goal/fr']")
    goal.press_sequentially("<b>")
    assert wait_for_save(page).status == 422
    page.locator("[data-told]").filter(has_text="Pas encore enregistré").wait_for()
    assert not leaves_at_once(page)


def test_an_entry_is_added_and_saved_without_leaving(form):
    page = form("data")
    before = page.locator("[id^='f-data-sources-'].entry").count()
    page.locator("button[value='/data/sources']").press("Enter")
    added = page.locator(f"#f-data-sources-{before}")
    assert page.url.endswith("/data")
    name = added.locator("input, textarea").first
    assert name.evaluate("one => one === document.activeElement")
    assert added.locator("h2").inner_text() == f"Élément {before + 1}"
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))
    page.locator(f"[name='/data/sources/{before}/name/fr']").fill("Un fichier de plus")
    assert wait_for_save(page).status == 200
    saved = form("data").locator(f"[name='/data/sources/{before}/name/fr']")
    assert saved.input_value() == "Un fichier de plus"


def test_the_characters_that_are_left_are_counted(form):
    page = form("about")
    name = page.locator("[name='/name/fr']")
    longest = int(name.get_attribute("data-longest"))
    name.fill("é" * (longest - 3))
    left = page.locator("[id$='-left']")
    assert left.inner_text() == "Il reste 3 caractères"
    name.fill("é" * (longest + 2))
    assert left.inner_text() == "2 caractères de trop"
    name.fill("Court")
    assert left.count() == 0


def test_a_submit_waits_until_the_register_answers(form):
    page = form("purpose")
    goal = page.locator("[name='/purpose/goal/fr']")
    goal.fill("Écrit sans réseau.")
    page.context.set_offline(True)
    page.locator("button.main").click()
    expect(page.locator("[data-told]")).to_contain_text("injoignable")
    assert goal.input_value() == "Écrit sans réseau."
    page.context.set_offline(False)
    with page.expect_navigation():
        page.locator("button.main").click()
    page.goto(f"/office/fr/{RECORD}purpose")
    assert goal.input_value() == "Écrit sans réseau."


def test_who_comes_back_finds_her_words(console):
    # Without a clock of the test's own, which hides how a page was come to.
    with console.window("editor") as page:
        address = f"/office/fr/{RECORD}evaluation"
        page.goto(address)
        words = page.locator("main textarea").first
        before = words.input_value()
        words.fill("Pas encore enregistré.")
        page.on("dialog", lambda dialog: dialog.accept())
        page.goto(f"/office/fr/{RECORD}")
        page.go_back()
        assert words.input_value() == "Pas encore enregistré."
        page.reload()
        expect(page.locator("[data-told]")).to_contain_text("de retour")
        assert words.input_value() == "Pas encore enregistré."
        # Whoever loads the page by its address sees what is saved.
        page.goto(f"/office/fr/{RECORD}")
        page.goto(address)
        assert words.input_value() == before
