"""Somebody at a browser who has a keyboard and no pointer, on pages that run no script."""

from __future__ import annotations

import html5lib
from playwright.sync_api import Page

from tests.typed import Form, values_of

_FURTHEST = 700
"""More stops of the Tab key than any page has."""

_FOCUSED = """() => {
  const at = document.activeElement;
  const own = (name) => at.getAttribute(name);
  const among = at.name ? [...document.getElementsByName(at.name)] : [];
  return {
    tag: at.localName, name: at.name ?? "", value: at.value ?? "", type: at.type ?? "",
    href: own("href") ?? "", id: at.id, text: (at.textContent ?? "").trim(),
    folded: at.localName === "summary" && !at.parentElement.open ? at.parentElement.className : "",
    is_checked: at.checked ?? false,
    choices: at.options ? [...at.options].map((one) => one.value) : among.map((one) => one.value),
    chosen: at.options ? at.selectedIndex : among.findIndex((one) => one.checked),
    at: among.indexOf(at),
    is_seen: at.checkVisibility({opacityProperty: true, visibilityProperty: true}),
    rim: getComputedStyle(at).outlineStyle,
  };
}"""


class Keyboard:
    """Keys that are pressed on a page; `stops` without a visible focus are noted as `unseen`.

    `spelled` are values, by the name of their control, that are typed otherwise than they are kept.
    """

    def __init__(self, page: Page, spelled=None) -> None:
        self.page = page
        self.spelled = spelled or {}
        self.unseen = set()

    def open(self, address):
        """Type an address; it is where a link of a mail leads, or a bookmark."""
        self.page.goto(address)

    def press(self, key, times=1):
        for _ in range(times):
            self.page.keyboard.press(key)

    def stop(self):
        """Go on to the next thing that can be acted on, and return what it is."""
        self.press("Tab")
        here = self.page.evaluate(_FOCUSED)
        if here["tag"] != "body" and (here["rim"] == "none" or not here["is_seen"]):
            self.unseen.add((self.page.url, here["tag"], here["id"] or here["text"][:40]))
        return here

    def go_to(self, **wanted):
        """Press Tab until something like this has the focus."""
        for _ in range(_FURTHEST):
            here = self.stop()
            if all(str(here[name]).endswith(value) for name, value in wanted.items()):
                return here
        raise AssertionError(f"{self.page.url} has nothing {wanted} that Tab reaches")

    def act(self, **wanted):
        """Press Enter on a link or a button, and wait for the page that comes."""
        self.go_to(**wanted)
        self.enter()

    def enter(self):
        with self.page.expect_navigation():
            self.press("Enter")

    def type(self, text):
        """Put a text in the place of what stands in the field."""
        self.press("ControlOrMeta+a")
        self.press("Delete")
        if text.isascii() and len(text) < 40:
            self.page.keyboard.type(text)
        elif text:
            # As an input method does: no keyboard has all these letters.
            self.page.keyboard.insert_text(text)

    def choose(self, here, value):
        """Choose among radios by arrows, or in a list that is not unfolded."""
        if here["tag"] == "select":
            far = here["choices"].index(value) - here["chosen"]
            self.press("ArrowDown" if far > 0 else "ArrowUp", abs(far))
            return
        far = here["choices"].index(value) - here["at"]
        self.press("ArrowDown" if far > 0 else "ArrowUp", abs(far))
        if far == 0 and not here["is_checked"]:
            self.press("Space")

    def fill(self, document, *, then):
        """Fill the page of the form with what a document states, then press a button of it."""
        form = self._form()
        while True:
            here = self.stop()
            name = here["name"]
            if here["folded"] == "more":
                self.press("Enter")
            elif name == "add" and form.lacks_entry(here["value"], document):
                self.enter()
                form = self._form()
            elif name == "then" and here["value"] == then:
                self.enter()
                return
            elif name.startswith("/"):
                self._answer(here, values_of(name, document, form))

    def _answer(self, here, values):
        if values is None:
            return
        if here["type"] == "checkbox":
            if here["is_checked"] != (here["value"] in values):
                self.press("Space")
        elif here["type"] == "radio" or here["tag"] == "select":
            if values and values[0] != (
                here["choices"][here["chosen"]] if here["chosen"] >= 0 else None
            ):
                self.choose(here, values[0])
        elif here["value"].replace("\r\n", "\n") != values[0]:
            self.type(self.spelled.get(here["name"], values[0]))

    def _form(self):
        parser = html5lib.HTMLParser(namespaceHTMLElements=False)
        page = parser.parse(self.page.content())
        [found] = [
            Form(element, self.page.url)
            for element in page.iter("form")
            if "filing" in (element.get("class") or "")
        ]
        return found
