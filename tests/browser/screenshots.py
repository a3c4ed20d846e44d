"""Pictures of the main pages, in Arabic and French, on a phone and a desktop, light and dark.

`make screenshots`; they are to be looked at, not compared. But `card.png` is what `site/icons/` has
of `card.svg`, for those who show a link to the site: copy it there when the drawing has changed.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from registry import resources
from registry.api.app import describe_api
from registry.pages.build import build
from registry.settings import Settings
from tests.browser.static_host import static_host
from tests.pages.conftest import make_corpus

OUT = Path("var/screenshots")
SCREENS = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 900}}
PAGES = {
    "home": "",
    "finder": "search?q=a&risk=high",
    "record": "records/demo-sante/triage-radiographies",
    "version": "records/demo-sante/triage-radiographies/versions/3",
    "statistics": "statistics",
    "agency": "agencies/demo-sante",
    "contest": "contest",
}


def main() -> None:
    """Build the site of the small corpus and take every picture."""
    OUT.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        static_host(Path(folder) / "site") as url,
        sync_playwright() as playwright,
    ):
        settings = Settings(base_url=url)
        out = Path(folder) / "site"
        build(make_corpus(), out=out, settings=settings, description=describe_api(settings))
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1200, "height": 630})
        page.goto((resources.SITE / "icons/card.svg").as_uri())
        page.screenshot(path=OUT / "card.png")
        for screen, size in SCREENS.items():
            for scheme in ("light", "dark"):
                page = browser.new_context(viewport=size, color_scheme=scheme).new_page()
                for lang in ("ar", "fr"):
                    for name, place in PAGES.items():
                        page.goto(f"{url}/{lang}/{place}")
                        page.wait_for_load_state("networkidle")
                        file = OUT / f"{name}-{lang}-{screen}-{scheme}.png"
                        page.screenshot(path=file, full_page=True)
        browser.close()


if __name__ == "__main__":
    main()
