"""The guide for people, walked: what it quotes stands on the pages to which it leads."""

from __future__ import annotations

import io
import re
import zipfile
from html import unescape

import pytest

from registry.console.form_layout import PAGES
from tests.guide_words import LANGUAGES, bold, guide_text, plain
from tests.typed import Typist, file_all, for_agency

from .conftest import opened_office

AGENCY = "demo-services"
NOT_MET = ("Sign in with the government’s account", "Something went wrong on our side")
"""What takes an identity provider, or a fault: the catalogues have it."""

_SHOWN = (
    *("a", "button", "dt", "h1", "h2", "h3", "h4", "label", "legend"),
    *("option", "p", "span", "strong", "summary", "th"),
)


class Reader(Typist):
    """Somebody at a browser, who notes every word on every page."""

    def __init__(self, browser, language, seen):
        super().__init__(browser, language)
        self.seen = seen

    async def open(self, path):
        answer = await super().open(path)
        self.note()
        return answer

    async def send(self, form, **button):
        answer = await super().send(form, **button)
        self.note()
        return answer

    def note(self):
        if "html" in self.answer.headers["content-type"]:
            for element in self.page.iter():
                if element.tag in _SHOWN:
                    pieces = [element.text or "", *(inner.tail or "" for inner in element)]
                    self.seen |= {plain(piece.strip(" ·\n")) for piece in pieces}
                    self.seen.add(plain("".join(element.itertext())))


class Walk:
    """An editor who is admin too, and a reviewer, in one language; `seen` is all they read."""

    def __init__(self, language):
        self.language = language
        self.seen = set()

    async def arrive(self, office, name, *roles, agency=AGENCY):
        """Sign in by a link, which then is used up."""
        made = await office.invite(*roles, agency=agency, name=name)
        someone = Reader(office.browser(), self.language, self.seen)
        link = f"sign-in/link/{made.secret}"
        await someone.open(link)
        await someone.send(someone.form())
        await someone.open("")
        stranger = Reader(office.browser(), self.language, self.seen)
        await stranger.open(link)
        await stranger.open("sign-in")
        return someone, made.member

    async def file(self, editor, reviewer, document):
        """From nothing to a record that was reviewed, returned and amended."""
        here = f"records/{document['id']}"
        await file_all(editor, document)
        await editor.open(f"{here}/about")
        form = editor.form("about")
        form.set("/contact/email", "contact@")
        await editor.send(form, then="next")
        assert editor.answer.status_code == 422
        for page in PAGES:
            await editor.open(f"{here}/{page.slug}")
            await editor.fill(document, page.slug, then="list")
        await self.collide(editor, f"{here}/purpose")
        await editor.open(f"{here}/preview/{self.language}")
        await editor.open(f"{here}/preview-links")
        await editor.send(editor.form("preview-links"))
        await self.submit(editor, here)
        await editor.open(f"{here}/about")
        await reviewer.open("review/")
        await self.decide(reviewer, document["id"], act="return", comment="Presque.")
        await self.submit(editor, here)
        await self.decide(reviewer, document["id"], act="approve")
        amended = {**document, "website": "https://demo.example/nouveau"}
        amended["publication"] = {**document["publication"], "change_note": CHANGED}
        for slug in ("about", "publication"):
            await editor.open(f"{here}/{slug}")
            await editor.fill(amended, slug, then="list")
        await self.submit(editor, here)
        await self.decide(reviewer, document["id"], act="approve")

    async def collide(self, editor, path):
        """Save a page that somebody else has saved meanwhile."""
        await editor.open(path)
        mine, theirs = editor.form("purpose"), editor.form("purpose")
        for form, words in ((theirs, "Pour les agents."), (mine, "Pour les gens.")):
            form.set("/purpose/goal/fr", words)
            await editor.send(form, then="list")
        assert editor.answer.status_code == 409
        again = editor.form("purpose")
        await editor.send(again, then="list")
        assert editor.answer.status_code == 200

    async def submit(self, editor, here):
        await editor.open(f"{here}/")
        await editor.open(f"{here}/submit")
        await editor.send(editor.form("submit"))
        assert editor.answer.status_code == 200, editor.text

    async def decide(self, reviewer, record, **fields):
        await reviewer.open(f"review/{record}")
        form = reviewer.form(record)
        for name, value in fields.items():
            form.set(name, value)
        await reviewer.send(form)
        assert reviewer.answer.status_code == 200, reviewer.text

    async def look_around(self, editor, record, member):
        for path in (
            *(f"records/{record}/", f"records/{record}/withdraw", "attestation", "review/acts"),
            *("notices", "settings", "members", f"members/{member}", "tokens", "workbooks"),
            *("records/demo-sante/none/", "review/", ""),
        ):
            await editor.open(path)


CHANGED = {"fr": "Nouvelle adresse du site.", "ar": "عنوان جديد للموقع."}


def missing(name, language, seen):
    english = bold(guide_text(name, "en"))
    quoted = bold(guide_text(name, language))
    return [
        words
        for wording, words in zip(english, quoted, strict=True)
        if words not in seen and wording not in NOT_MET
    ]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_what_the_guide_quotes_stands_where_it_leads(settings, database_url, language):
    walk = Walk(language)
    document = for_agency("high", AGENCY)
    mailing = {"review": "required", "smtp_url": "smtp://127.0.0.1:9"}
    async with opened_office(settings, database_url, **mailing) as office:
        editor, _ = await walk.arrive(office, "Salma", "editor", "agency_admin")
        # At high risk the authority approves, whoever reviews in the agency.
        reviewer, _ = await walk.arrive(office, "Aziza", "reviewer", agency=None)
        _, other = await walk.arrive(office, "Omar", "reviewer")
        await walk.file(editor, reviewer, document)
        await walk.look_around(editor, document["id"], other)
    async with opened_office(settings, database_url) as office:
        editor, _ = await walk.arrive(office, "Salma", "editor", "agency_admin")
        minimal = for_agency("minimal", AGENCY)
        await file_all(editor, {**minimal, "id": f"{AGENCY}/second"})
        await editor.open(f"records/{document['id']}/about")
        await editor.fill({**document, "website": "https://demo.example/"}, "about", then="list")
        await walk.look_around(editor, document["id"], other)
        # The workbook, with every text that it has.
        found = await editor.browser.get(f"/office/{language}/workbooks/new.xlsx?risk=high")
        sheets = zipfile.ZipFile(io.BytesIO(found.content))
        texts = " | ".join(
            plain(unescape(re.sub("<[^>]*>", " | ", sheets.read(part).decode("utf-8"))))
            for part in sheets.namelist()
            if part.endswith(".xml")
        )
        empty = {"file": ("a.xlsx", b"not a workbook", "application/octet-stream")}
        for file in (empty, {"file": ("a.xlsx", found.content, "application/octet-stream")}):
            editor.answer = await editor.browser.client.post(
                f"/office/{language}/workbooks",
                data={"_csrf_token": editor.browser.token},
                files=file,
            )
            editor.note()
    assert missing("console", language, walk.seen) == []
    assert [one for one in missing("workbook", language, walk.seen) if one not in texts] == []
