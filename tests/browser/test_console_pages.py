"""Every page of the console, in a real browser: no barrier, nothing beside a phone's screen."""

from __future__ import annotations

import re
import zlib

import pytest

from registry.console.form_layout import PAGES
from registry.workbooks.file import read_sheets
from tests.browser.conftest import EVERY_STATE
from tests.browser.console_office import PUBLISHED, WITHDRAWN_SOON
from tests.workbooks.sheet_edits import edited, place

pytestmark = pytest.mark.xdist_group("browser-console")

LANGUAGES = ("ar", "fr", "en") if EVERY_STATE else ("ar", "fr")
"""English has the direction of French, and shorter words."""

_OF_ONE = re.compile(r"\d+|[\w-]{40,}|/(?:ar|fr|en)$")
"""What addresses of one page differ in: numbers, secrets, the language."""

PHONE = {"width": 320, "height": 640}
FULL, EMPTY = (f"records/demo-sante/{name}/" for name in ("complete", "begun"))

SLUGS = [page.slug for page in PAGES]
# The full form has all elements of the empty one.
_SLUGS_EMPTY = SLUGS if EVERY_STATE else ["system", "data"]
# What is wrong stands beside each kind of control: a line, a text, a choice, a date, an entry.
_SLUGS_REFUSED = SLUGS if EVERY_STATE else ["system", "about", "purpose", "data"]
BY_PERSON = {
    None: ["sign-in", "sign-in/link/used", "nothing"],
    "editor": [
        "",
        "records/new",
        *(f"{FULL}{slug}" for slug in SLUGS),
        *(f"{EMPTY}{slug}" for slug in _SLUGS_EMPTY),
        *(f"{record}{path}" for record in (FULL, EMPTY) for path in ("", "delete")),
        "records/demo-sante/returned/",
        "records/demo-sante/returned/purpose",
        "records/demo-sante/waits/",
        "records/demo-sante/waits/purpose",
        f"records/{PUBLISHED}/",
        f"{FULL}preview/{{lang}}",
        f"{FULL}preview-links",
        f"{FULL}submit",
        f"{EMPTY}submit",
        "settings",
        f"records/{WITHDRAWN_SOON}/withdraw",
        f"records/{PUBLISHED}/withdraw",
        "attestation",
        "review/acts",
        "notices",
        "workbooks",
        "records/demo-sante/nowhere/",
        "tokens",
    ],
    "admin": ["members", "tokens", "review/", f"review/{PUBLISHED}", "review/demo-sante/waits"],
    "reviewer": ["review/", "review/demo-sante/waits", "review/acts", "members", "privacy"],
    "neighbour": [""],
    "officer": ["privacy"],
}
"""The pages that people only open."""

REFUSED = {
    "editor": [
        "records/new",
        *(f"{FULL}{slug}" for slug in _SLUGS_REFUSED),
        f"records/{PUBLISHED}/withdraw",
    ],
    "admin": ["members", "tokens", "review/demo-sante/waits"],
    "neighbour": ["attestation"],
}
"""Forms that are sent with what cannot be taken."""


def _break(page):
    """Fill the form of a page with what it cannot take."""
    page.evaluate(
        """() => {
          for (const one of document.querySelectorAll("main form :is(textarea, input)"))
            if (!one.matches("[type=hidden], [type=checkbox], [type=radio]")) one.value = "<b>";
          const list = document.querySelector(".filing select[name*=sector]");
          if (list) { list.selectedOptions[0].value = "nowhere"; }
        }"""
    )


class Looker:
    """Somebody who looks at page after page, and notes what is wrong with each."""

    def __init__(self, axe, language):
        self.axe, self.language = axe, language
        self.found = []

    def is_chosen(self, path, what):
        """Whether axe looks at a page in this language: one template makes it in all of them."""
        chosen = zlib.crc32(f"{_OF_ONE.sub('', path)} {what}".encode()) % len(LANGUAGES)
        return self.language == LANGUAGES[chosen]

    def look(self, page, what=""):
        """Look in light and dark, on a narrow phone, and with letters of twice the size."""
        path = page.url.partition(f"/office/{self.language}/")[2]
        is_chosen = self.is_chosen(path, what)
        what = f"{self.language} {path} {what}"
        if is_chosen:
            page.emulate_media(color_scheme="dark")
            self.note(what, self.axe(page, only_colours=True), "dark")
            page.emulate_media(color_scheme="light")
            self.note(what, self.axe(page), "axe")
        self._fits(page, what, "320 px")
        page.set_viewport_size({"width": 640, "height": 640})
        self._fits(page, what, "zoom of 200 %")
        page.set_viewport_size({"width": 1280, "height": 640})
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        self._fits(page, what, "letters of 200 %")
        page.set_viewport_size(PHONE)

    def note(self, what, found, how):
        self.found += [f"{what}: {how}: {one}" for one in found]

    def _fits(self, page, what, how):
        beside = page.evaluate(
            """() => document.documentElement.scrollWidth <= innerWidth ? [] :
              [...document.querySelectorAll("body *")].filter((one) => {
                const box = one.getBoundingClientRect();
                return (box.right > innerWidth + 1 || box.left < -1) && !one.closest(".unseen");
              }).slice(0, 3).map((one) => one.outerHTML.slice(0, 150))"""
        )
        self.note(what, beside, how)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_can_be_read_by_everybody(console, axe, tmp_path, language):
    looker = Looker(axe, language)
    for person, paths in BY_PERSON.items():
        with console.window(person, language, viewport=PHONE) as page:
            for path in paths:
                page.goto(f"/office/{language}/{path.format(lang=language)}")
                looker.look(page)
            if person is None:
                page.goto(console.link("editor", language))
                looker.look(page, "link")
            for path in REFUSED.get(person, ()):
                if not (EVERY_STATE or looker.is_chosen(path, "refused")):
                    continue
                page.goto(f"/office/{language}/{path}")
                _break(page)
                page.locator("main form button:not(.unseen)").last.press("Enter")
                page.locator("[role=alert]").first.wait_for()
                looker.look(page, "refused")
            if person == "officer":
                page.fill("#query", "Agence")
                page.locator("main form button").first.press("Enter")
                page.locator("details.more").first.wait_for()
                looker.look(page, "found")
            if person == "admin":
                _made(page, looker)
            elif person == "editor":
                _sent(page, looker, tmp_path)
    assert not looker.found, "\n".join(looker.found)


def _made(page, looker):
    """Look at the pages that show a secret once, and at that of a member."""
    office = f"/office/{looker.language}/"
    page.goto(f"{office}members")
    page.fill("#name", "Brahim")
    page.check("#roles-reviewer")
    page.locator("main form button").last.press("Enter")
    page.locator(".secret code").wait_for()
    looker.look(page, "link")
    page.goto(f"{office}members")
    page.get_by_role("link", name="Brahim").last.press("Enter")
    page.locator("form[action$=end]").wait_for()
    looker.look(page, "member")
    page.goto(f"{office}tokens")
    page.check("#scopes-file")
    page.fill("#actor", f"bureau {looker.language}")
    page.locator("main form button").last.press("Enter")
    page.locator(".secret code").wait_for()
    looker.look(page, "token")


def _sent(page, looker, folder):
    """Look at what is said of a workbook that cannot be read, and of one that can."""
    address = f"/office/{looker.language}/workbooks"
    page.goto(address)
    with page.expect_download() as taken:
        page.locator("form[action$='new.xlsx'] button").press("Enter")
    raw = taken.value.path().read_bytes()
    begun = edited(raw, {place(read_sheets(raw)[0], "/name", "fr"): "Tri des demandes"})
    for name, content, shown in (("nothing", b"PK", ".error-summary"), ("begun", begun, "table")):
        file = folder / f"{name}.xlsx"
        file.write_bytes(content)
        page.goto(address)
        page.locator("#file").set_input_files(file)
        page.locator("button.main").press("Enter")
        page.locator(shown).first.wait_for()
        looker.look(page, name)


@pytest.mark.parametrize("screen", [{"width": 1280, "height": 800}, {"width": 390, "height": 844}])
def test_a_reviewer_reads_what_an_amendment_changes_within_three_screens(console, screen):
    with console.window("reviewer", viewport=screen) as page:
        page.goto(f"/office/fr/review/{PUBLISHED}")
        last = page.locator("#changes .item").last
        ends = last.evaluate("one => one.getBoundingClientRect().bottom + scrollY")
        assert ends <= 3 * screen["height"]
