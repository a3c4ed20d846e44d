"""Somebody who fills the forms of the console without a script: types, and presses a button."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import html5lib

from registry.record.pointers import parts, value_at
from registry.record.requirements import units
from registry.record.schema import SCHEMA_VERSION

DATA = Path(__file__).with_name("data") / "valid"
PERIOD = re.compile(r"P([0-9]+)([YMWD])")


class Form:
    """A form of a page: its address, its controls as a browser would send them, its buttons."""

    def __init__(self, element, page):
        self.action = urljoin(page, element.get("action") or page)
        self.fields = []
        self.choices = {}
        self.buttons = []
        self.texts = set()
        for control in element.iter():
            name, tag = control.get("name"), control.tag
            if tag == "button":
                self.buttons.append((name, control.get("value")))
            if not name or tag not in {"input", "select", "textarea"}:
                continue
            kind = control.get("type", "text") if tag == "input" else tag
            if kind in {"radio", "checkbox"}:
                self.choices.setdefault(name, []).append(control.get("value"))
                if control.get("checked") is not None:
                    self.fields.append((name, control.get("value")))
            elif kind == "select":
                options = list(control.iter("option"))
                self.choices[name] = [option.get("value") for option in options]
                chosen = [o for o in options if o.get("selected") is not None] or options[:1]
                self.fields += [(name, option.get("value")) for option in chosen]
            else:
                self.texts.add(name)
                text = control.get("value") or "" if tag == "input" else control.text or ""
                self.fields.append((name, text))

    @property
    def names(self):
        """The names of everything that can be typed or chosen."""
        return [name for name in dict.fromkeys([*self.texts, *self.choices]) if name[0] == "/"]

    @property
    def lists(self):
        """The places of the lists that another entry can be added to."""
        return [value for name, value in self.buttons if name == "add"]

    def lacks_entry(self, place, document):
        """Whether a document states more entries of a list than the form has."""
        inside = [
            name.removeprefix(f"{place}/") for name in self.names if name.startswith(f"{place}/")
        ]
        shown = {re.split("[/:]", name)[0] for name in inside}
        return len(value_at(document, parts(place)) or []) > len(shown)

    def get(self, name):
        return [value for given, value in self.fields if given == name]

    def set(self, name, *values):
        self.fields = [pair for pair in self.fields if pair[0] != name]
        self.fields += [(name, value) for value in values]


class Typist:
    """One person at a browser, which `get`s and `post`s as that of the tests of the console.

    `strokes` are the keys that were pressed, `pages` those that were sent, and `answered` the
    questions that were answered: units of the format, each once, in however many languages.
    """

    def __init__(self, browser, language="fr"):
        self.browser = browser
        self.root = f"/office/{language}/"
        self.strokes = 0
        self.pages = 0
        self.answered = set()
        self.answer = None
        self._parsed = None, None

    async def open(self, path):
        """Open a page of the console, following what leads on."""
        self.answer = await self.browser.get(urljoin(self.root, path))
        while self.answer.status_code == 303:
            self.answer = await self.browser.get(self.answer.headers["location"])
        return self.answer

    @property
    def page(self):
        """The page that is open, checked as HTML."""
        answer, page = self._parsed
        if answer is not self.answer:
            parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
            page = parser.parse(self.answer.text)
            self._parsed = self.answer, page
        return page

    @property
    def text(self):
        return " ".join("".join(self.page.find(".//main").itertext()).split())

    def form(self, ending=""):
        """The form of the page whose address ends so."""
        here = str(self.answer.url)
        made = [Form(element, here) for element in self.page.iter("form")]
        found = [form for form in made if urlsplit(form.action).path.endswith(ending)]
        return found[-1]

    async def send(self, form, **button):
        """Send a form by a button, and follow to the page that comes."""
        self.pages += 1
        self.strokes += 1
        fields = [pair for pair in form.fields if pair[0] != "_csrf_token"]
        answer = await self.browser.post(form.action, [*fields, *button.items()])
        self.answer = answer
        if answer.status_code == 303:
            await self.open(answer.headers["location"])
        return self.answer

    async def fill(self, document, slug, *, then="next"):
        """Type what a document states into the page that is open, and save it."""
        while True:
            form = self.form(slug)
            more = self._type(form, document)
            if more is None:
                break
            await self.send(form, add=more)
            self.pages -= 1
            assert self.answer.status_code == 200, self.text
        await self.send(form, then=then)

    def _type(self, form, document):
        """Fill a form; return the list that needs another entry."""
        for name in form.names:
            before = form.get(name)
            values = values_of(name, document, form)
            if values is None or values == before:
                continue
            self.answered.add(_question(name))
            self.strokes += 1 + (len(values[0]) if name in form.texts else len(values))
            form.set(name, *values)
        return next((place for place in form.lists if form.lacks_entry(place, document)), None)


def _question(name):
    """The unit of the format that a control belongs to."""
    place = name.partition(":")[0]
    return next(unit.pointer for unit in units() if f"{place}/".startswith(f"{unit.pointer}/"))


def values_of(name, document, form):  # noqa: PLR0911  a kind of control each
    """Return what a document states in a control, as it is typed or chosen."""
    place, _, part = name.partition(":")
    value = value_at(document, parts(place))
    above, _, tag = place.rpartition("/")
    if isinstance(line := value_at(document, parts(above)), str):
        # A line that stands alone is in the language of the record's source.
        value = line if tag == document["languages"]["source"] else None
    if part in {"y", "m", "d"}:
        pieces = [*str(value or "").split("-"), "", ""]
        return [pieces["ymd".index(part)]]
    if part in {"n", "unit"}:
        found = PERIOD.fullmatch(value or "")
        if found is None:
            return [value or "" if part == "unit" else ""]
        return [found[1 if part == "n" else 2]]
    if part == "none":
        return ["1"] if value == [] else []
    if part == "remove":
        return []
    if isinstance(value, bool):
        return [str(value).lower()]
    if isinstance(value, list):
        return [", ".join(value)] if name in form.texts else value
    if value is None:
        return [""] if name in form.texts or "" in form.choices.get(name, ()) else []
    return [str(value)]


def for_agency(name, agency="demo-services"):
    """A document of tests/data/valid, as an agency's record."""
    document = json.loads((DATA / f"{name}.json").read_text("utf-8"))
    # A form files what it makes as the newest.
    return {**document, "id": f"{agency}/par-formulaire", "schema_version": SCHEMA_VERSION}


async def begin(someone, document):
    """Begin a record that will say what a document says."""
    await someone.open("records/new")
    form = someone.form("new")
    form.set("name", document["name"][document["languages"]["source"]])
    someone.answered |= {"/id", "/name"}
    someone.strokes += 1 + len(form.get("name")[0])
    form.set("source", document["languages"]["source"])
    form.set("language", *document["languages"]["translation_status"])
    form.set("slug", document["id"].partition("/")[2])
    return await someone.send(form)


async def file_all(someone, document):
    """Fill page after page, as the form leads, until it leads to the overview."""
    await begin(someone, document)
    assert someone.answer.status_code == 200, someone.text
    while True:
        slug = urlsplit(str(someone.answer.url)).path.rpartition("/")[2]
        if not slug:
            return
        await someone.fill(document, slug)
        assert someone.answer.status_code == 200, someone.text
