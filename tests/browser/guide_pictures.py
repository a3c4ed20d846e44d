"""The pictures of `docs/filing-guide`: the console as a member sees it, in three languages.

French on a phone, Arabic and English on a desk. People and record are fictitious, and the same each
time; only the days are those on which the pictures are taken.
"""

from __future__ import annotations

import base64
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page

from registry import resources
from registry.pages.assets import read_assets
from tests.served import Served, served

OUT = Path("docs/filing-guide/pictures")
AGENCY = "demo-sante"
RECORD = f"{AGENCY}/tri-scanners"
_PHONE = {"width": 390, "height": 844}
_DESK = {"width": 900, "height": 640}
READERS = {
    "en": (_DESK, "Salma Bennani", "Omar Tazi"),
    "fr": (_PHONE, "Salma Bennani", "Omar Tazi"),
    "ar": (_DESK, "سلمى بناني", "عمر التازي"),
}
"""The window, the editor and the reviewer of each language."""

_NAME = {
    "ar": "فرز صور الأشعة المقطعية المستعجلة",
    "fr": "Tri des scanners urgents",
    "en": "Triage of urgent CT scans",
}
_WORDS = {
    "comment": {
        "ar": "البطاقة شبه جاهزة. بقيت ملاحظة واحدة بجانب أحد الحقول.",
        "fr": "Presque prête : une remarque à côté d’un champ.",
        "en": "Nearly ready: one remark beside a field.",
    },
    "remark": {
        "ar": "اذكروا من يقرأ الصور ليلا.",
        "fr": "Dites qui lit les images la nuit.",
        "en": "Say who reads the images at night.",
    },
    "note": {
        "ar": "أودعت البطاقة مرتين خطأ.",
        "fr": "Fiche déposée deux fois par erreur.",
        "en": "Filed twice by mistake.",
    },
}
_QUALITY = 48
_TALLEST = 1080
_ABOVE = 16
_BOTTOM = "document.querySelector('footer').getBoundingClientRect().top + window.scrollY"


def take_guide_pictures(browser: Browser) -> None:
    """Take all pictures, in a register of its own for each language."""
    OUT.mkdir(parents=True, exist_ok=True)
    for language in READERS:
        with served(load=True, review="required", console="on", site_build="manual") as running:
            # The styles and fonts of the site, without its pages, of which none is shown.
            for name, content in read_assets(resources.SITE).files.items():
                path = running.register.data / "site" / name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
            _Photographer(browser, running, language).take_all()


class _Photographer:
    """Two members of an agency at their windows, and pictures of what they see."""

    def __init__(self, browser: Browser, running: Served, language: str) -> None:
        self.running = running
        self.language = language
        self.size, *self.names = READERS[language]
        self.browser = browser
        self.here = f"records/{RECORD}/"
        self.token = self._told("token", "create", "--agency", AGENCY, "--scope", "file")

    def take_all(self) -> None:
        editor = self._member(self.names[0], "editor", "agency_admin", shown="sign-in")
        reviewer = self._member(self.names[1], "reviewer")
        self._fill(editor)
        self._return(editor, reviewer)
        self._open(editor, f"records/{AGENCY}/prevision-lits/withdraw")
        editor.locator("#reason-filed_in_error").check()
        editor.locator(f"#note-{self.language}").fill(_WORDS["note"][self.language])
        self._shoot(editor, "withdraw")
        self._open(editor, "attestation")
        self._shoot(editor, "attestation")
        self._open(editor, "members")
        self._shoot(editor, "members")
        self._send_workbook(editor)

    def _fill(self, page: Page) -> None:
        document = json.loads(
            (resources.RECORDS / AGENCY / "triage-radiographies.json").read_text()
        )
        document |= {"id": RECORD, "name": _NAME}
        document.pop("source_id", None)
        document["publication"].pop("change_note", None)
        self.complete = document
        begun = json.loads(json.dumps(document))
        for section, field in (
            ("risk", "rationale"),
            ("decision", "human_oversight"),
            ("decision", "fallback"),
            ("rights", "contestation"),
            ("rights", "notice"),
            ("lifecycle", "next_review_on"),
        ):
            del begun[section][field]
        del begun["evaluation"]
        self._open(page, "records/new")
        page.locator("#name").fill(_NAME[self.language])
        self._shoot(page, "new")
        level = begun["risk"].pop("level")
        self._save(begun)
        self._open(page, f"{self.here}system")
        self._shoot(page, "system", tallest=900)
        self._open(page, f"{self.here}risk")
        self._shoot(page, "risk", tallest=900)
        begun["risk"]["level"] = level
        self.begun = begun
        self._save(begun)
        self._open(page, self.here)
        self._shoot(page, "overview")
        self._open(page, "")
        self._shoot(page, "home", tallest=800)
        self._open(page, f"{self.here}about")
        page.locator("input[name='/contact/email']").fill("algorithmes@demo-sante")
        page.locator("main form.filing button.main").click()
        page.wait_for_selector("#faults")
        self._shoot(page, "finding", tallest=900)
        self._open(page, f"{self.here}rights")
        page.locator("details.asked").first.evaluate("one => { one.open = true }")
        self._shoot(page, "missing", tallest=900)

    def _return(self, editor: Page, reviewer: Page) -> None:
        self._save(self.complete)
        self._open(editor, f"{self.here}preview/{self.language}")
        self._shoot(editor, "preview", tallest=850)
        self._open(editor, f"{self.here}preview-links")
        self._shoot(editor, "preview-links", tallest=900)
        self._open(editor, self.here)
        self._open(editor, f"{self.here}submit")
        editor.locator("form.filing button").click()
        editor.wait_for_selector(".in_review")
        self._open(reviewer, f"review/{RECORD}")
        field = reviewer.locator("[id='comment-decision-human_oversight']")
        reviewer.locator("details", has=field).locator("summary").click()
        field.fill(_WORDS["remark"][self.language])
        reviewer.locator("#comment").fill(_WORDS["comment"][self.language])
        self._shoot(reviewer, "review", tallest=1000)
        self._shoot(reviewer, "decide", start="#decide", tallest=900)
        reviewer.locator("form#return button").click()
        reviewer.wait_for_load_state()
        self._open(editor, self.here)
        self._shoot(editor, "returned", tallest=900)

    def _send_workbook(self, page: Page) -> None:
        self._save(self.begun)
        self._open(page, "workbooks")
        self._shoot(page, "workbooks")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "workbook.xlsx"
            with page.expect_download() as taken:
                page.locator("#record").select_option(RECORD)
                page.locator("form[action$='record.xlsx'] button").click()
            taken.value.save_as(path)
            page.locator("#file").set_input_files(path)
            page.locator("form[enctype] button.main").click()
            page.wait_for_selector("ul.work")
            self._shoot(page, "workbook-result", tallest=900)

    def _save(self, document: dict[str, Any]) -> None:
        """Save a draft as an agency's program does."""
        headers = {"authorization": f"Bearer {self.token}"}
        address = f"/api/v1/filings/{RECORD}"
        known = self.running.client.get(address, headers=headers)
        tag = known.headers.get("etag")
        condition = {"if-match": tag} if tag and known.is_success else {"if-none-match": "*"}
        answer = self.running.client.put(address, headers=headers | condition, json=document)
        assert answer.status_code in {httpx.codes.OK, httpx.codes.CREATED}, answer.text

    def _member(self, name: str, *roles: str, shown: str | None = None) -> Page:
        told = self._told(
            *("member", "invite", name, "--agency", AGENCY, "--lang", self.language),
            *(part for role in roles for part in ("--role", role)),
        )
        [secret] = re.findall(r"/sign-in/link/(\S+)", told)
        page = self.browser.new_context(viewport=self.size, locale=self.language).new_page()
        self._open(page, f"sign-in/link/{secret}")
        if shown:
            self._shoot(page, shown)
        page.locator("main button").click()
        page.wait_for_selector("div.account")
        return page

    def _told(self, *command: str) -> str:
        done = self.running.register.run(*command)
        assert done.returncode == 0, done.stderr
        return str(done.stdout).strip()

    def _open(self, page: Page, path: str) -> None:
        page.goto(f"{self.running.url}/office/{self.language}/{path}")
        page.wait_for_load_state("networkidle")

    def _shoot(
        self, page: Page, name: str, *, start: str | None = None, tallest: int = _TALLEST
    ) -> None:
        """Keep what a page shows, from its head or an element on, as WebP."""
        page.evaluate("document.activeElement.blur()")
        top = 0.0
        if start is not None:
            box = page.locator(start).bounding_box()
            assert box is not None
            top = box["y"] + page.evaluate("window.scrollY") - _ABOVE
        height = page.evaluate(_BOTTOM) - top
        clip = {"x": 0, "y": top, "width": self.size["width"], "height": min(height, tallest)}
        session = page.context.new_cdp_session(page)
        taken = session.send(
            "Page.captureScreenshot",
            {
                "format": "webp",
                "quality": _QUALITY,
                "captureBeyondViewport": True,
                "clip": {**clip, "scale": 1},
            },
        )
        (OUT / f"{name}.{self.language}.webp").write_bytes(base64.b64decode(taken["data"]))
