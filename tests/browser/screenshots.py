"""Pictures of every kind of page, in Arabic and French, on a phone and a desktop, light and dark.

`make screenshots` takes all, `ONLY="home record"` those kinds; they are to be looked at, not
compared. English and Tamazight are taken once, on a phone. `ONLY=guide` takes those of the filing
guide, which are kept with it, in `docs/filing-guide/pictures`, and `ONLY=readme` two of the three
of the README, in `docs/pictures`. But `card.png` and `favicon.ico` are
what `site/icons/` has of `card.svg`, for those who show a link to the site, and of `icon.svg`, for
those who ask for no other name: copy them there when a drawing has changed.
"""

from __future__ import annotations

import os
import shutil
import struct
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from registry import resources
from registry.api.app import describe_api
from registry.settings import Settings
from tests.browser.guide_pictures import take_guide_pictures
from tests.browser.static_host import static_host
from tests.built import build
from tests.pages.conftest import make_corpus
from tests.served import Served, served

OUT = Path("var/screenshots")
_PICTURES = Path("docs/pictures")
SCREENS = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 900}}
SCHEMES = ("light", "dark")

_RECORD = "records/demo-sante/triage-radiographies"
PAGES = {
    "home": "",
    "finder": "search?q=demande&risk=high",
    "finder-all": "search",
    "finder-nothing": "search?q=qqqqqq&sector=health",
    "finder-most": "search?q=olivier+satellite+xqz",
    "record": _RECORD,
    "record-foreign": "records/us.demo/letter-sorting",
    "record-restricted": "records/demo-securite/restricted",
    "record-withheld": "records/demo-services/ciblage-controles-subventions",
    "record-withdrawn": "records/demo-sante/gone",
    "notice": f"{_RECORD}/notice",
    "code": "code",
    "version": f"{_RECORD}/versions/3",
    "compare": f"{_RECORD}/compare",
    "statistics": "statistics",
    "browse": "browse",
    "regions": "regions/",
    "region": "regions/MA-06",
    "agency": "agencies/demo-sante",
    "agencies": "agencies/",
    "level": "risk/high",
    "levels": "risk/",
    "sector": "sectors/health",
    "sectors": "sectors/",
    "statuses": "status/",
    "changes": "changes",
    "changes-all": "changes/all",
    "registers": "registers/",
    "register": "registers/us-demo",
    "about": "about",
    "glossary": "glossary",
    "contest": "contest",
    "life": "life/",
    "life-event": "life/grant",
    "letter": "records/demo-education/attribution-bourses/letter",
    "limits": "limits",
    "for-agencies": "for-agencies",
    "accessibility": "accessibility",
    "guide-console": "filing/console",
    "guide-workbook": "filing/workbook",
    "format": "format/",
    "format-part": "format/risk",
    "api": "api",
    "questions": "questions",
    "questions-of-section": "questions/evaluation",
}
"""Every kind of page of a language."""

OUTSIDE = {
    "choice": "",
    "problems": "problems/",
    "problem": "problems/invalid-record",
    "404": "404",
}
"""The pages outside the languages."""

_GUIDE, _README = "guide", "readme"
_SHOWN = {"home-ar": ("phone", "ar/"), "record-fr": ("desktop", f"fr/{_RECORD}")}
"""The pictures of the README by name: the screen, and the page, of which it shows the beginning."""

_ON_PAPER = ("record", "compare", "contest")
_ASKED = {
    "finder-register": "search?q=demande&risk=high",
    "finder-missing": "search?missing=/evaluation/fairness_tested",
    "finder-finding": "search?finding=below_floor",
    "proof": _RECORD,
    "suggestions": "",
    "finder-refused": "search?risk=hgh&q=demande",
    "finder-agency": "search?q=CNSS",
}
"""What only a register that answers can show."""


def main() -> None:
    """Build the site of the small corpus, start a register, and take every picture."""
    OUT.mkdir(parents=True, exist_ok=True)
    only = set(os.environ.get("ONLY", "").split())
    chosen = [name for name in (*PAGES, *OUTSIDE, *_ASKED) if not only or name in only]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1200, "height": 630})
        page.goto((resources.SITE / "icons/card.svg").as_uri())
        page.screenshot(path=OUT / "card.png")
        (OUT / "favicon.ico").write_bytes(_icon(browser))
        if set(chosen) - set(_ASKED) or _README in only:
            with (
                tempfile.TemporaryDirectory() as folder,
                static_host(Path(folder) / "site") as url,
            ):
                settings = Settings(base_url=url, console="on")
                out = Path(folder) / "site"
                build(make_corpus(), out=out, settings=settings, description=describe_api(settings))
                _of_the_site(browser, url, chosen)
                for name, (screen, path) in _SHOWN.items() if not only or _README in only else ():
                    page = browser.new_page(viewport=SCREENS[screen])
                    page.goto(f"{url}/{path}")
                    page.screenshot(path=_PICTURES / f"{name}.png")
        if not only or _GUIDE in only:
            take_guide_pictures(browser)
        if set(chosen) & set(_ASKED):
            with served(load=True, site_build="manual") as running:
                _publish(running)
                _of_the_register(browser, running.url, chosen)
        browser.close()


def _icon(browser: Browser) -> bytes:
    """Draw the icon as a file of one image, as every browser has long read it."""
    page = browser.new_page(viewport={"width": 32, "height": 32})
    page.goto((resources.SITE / "icons/icon.svg").as_uri())
    drawn = page.screenshot(omit_background=True)
    return struct.pack("<3H4B2H2I", 0, 1, 1, 32, 32, 0, 0, 1, 32, len(drawn), 22) + drawn


def _of_the_site(browser: Browser, url: str, chosen: list[str]) -> None:
    for screen, scheme, page in _windows(browser):
        for name in chosen:
            for lang in ("ar", "fr") if name in PAGES else ():
                _take(page, f"{url}/{lang}/{PAGES[name]}", f"{name}-{lang}-{screen}-{scheme}")
            if name in OUTSIDE:
                _take(page, f"{url}/{OUTSIDE[name]}", f"{name}-{screen}-{scheme}")
            for lang in ("zgh", "en") if (screen, scheme) == ("phone", "light") else ():
                if name in PAGES:
                    _take(page, f"{url}/{lang}/{PAGES[name]}", f"{name}-{lang}")
    page = browser.new_page(viewport={"width": 720, "height": 1000})
    page.emulate_media(media="print")
    for name in chosen:
        for lang in ("ar", "fr") if name in _ON_PAPER else ():
            _take(page, f"{url}/{lang}/{PAGES[name]}", f"{name}-{lang}-print")


def _of_the_register(browser: Browser, url: str, chosen: list[str]) -> None:
    for screen, scheme, page in _windows(browser):
        for name in chosen:
            for lang in ("ar", "fr") if name in _ASKED else ():
                _take(page, f"{url}/{lang}/{_ASKED[name]}", f"{name}-{lang}-{screen}-{scheme}")


def _windows(browser: Browser) -> list[tuple[str, str, Page]]:
    return [
        (screen, scheme, browser.new_context(viewport=size, color_scheme=scheme).new_page())
        for screen, size in SCREENS.items()
        for scheme in SCHEMES
    ]


def _take(page: Page, address: str, name: str) -> None:
    page.goto(address)
    page.wait_for_load_state("networkidle")
    if name.startswith("proof-"):
        page.evaluate("document.getElementById('about-record').open = true")
        page.locator("#proof-start button").click()
        page.wait_for_selector("#proof-verdict .verdict")
    if name.startswith("suggestions-"):
        page.locator("#q").press_sequentially("الصح" if "-ar-" in name else "san")
        page.wait_for_selector("#suggestions a")
        page.keyboard.press("ArrowDown")
    if name.startswith("finder-missing-"):
        page.evaluate("document.getElementById('filters').open = true")
    page.screenshot(path=OUT / f"{name}.png", full_page=True)


def _publish(running: Served) -> None:
    """Publish the register's log, and the site that it makes of its records."""
    data = running.register.data
    for command in (("log", "publish"), ("site", "build", "--out", data / "built")):
        told = running.register.run(*command)
        assert told.returncode == 0, told.stderr
    shutil.copytree((data / "built").resolve(), data / "site", dirs_exist_ok=True)


if __name__ == "__main__":
    main()
