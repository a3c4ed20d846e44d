"""Every kind of page in each language, judged by the Nu checker of the W3C: no error of HTML."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.browser.conftest import VERSIONED
from tests.browser.test_console_pages import BY_PERSON, LANGUAGES, PHONE
from tests.browser.test_pages import KINDS
from tests.prepared import fetch_program

ASKED = {
    "search": "search?q=eau&risk=high",
    "nothing": "search?q=qqqqqq&risk=unacceptable",
    "wrong": "search?nonsense=1",
    "compare": f"records/{VERSIONED}/compare?from=1&to=3",
    "compare-none": f"records/{VERSIONED}/compare?from=9&to=3",
    "contest": "contest?received=2026-01-05",
    "code": "code?code=nothing",
    "missing": "nowhere",
}
"""What the register makes when it is asked."""

# A page of the checker is none that is served: what its policy allows is of the site's address.
_OF_FILES = "Content Security Policy"


@pytest.fixture(scope="module")
def errors():
    """Return what is wrong with pages, each by its file and line."""
    if shutil.which("java") is None:
        pytest.skip("java is not on this machine; on Debian: apt-get install default-jre-headless")
    program = fetch_program(Path(__file__).parent / "markup")
    jar = program / "node_modules/vnu-jar/build/dist/vnu.jar"

    def look(*files):
        done = subprocess.run(
            ["java", "-Xss8m", "-jar", jar, "--format", "json", "--exit-zero-always",
             "--skip-non-html", *files],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        found = json.loads(done.stderr)["messages"]
        return [
            f"{one['url']}:{one.get('lastLine')}: {one['message']}"
            for one in found
            if one["type"] != "info" and _OF_FILES not in one["message"]
        ]

    return look


def test_every_page_of_the_site_is_valid_html(register, errors, tmp_path):
    site = (register.register.data / "site").resolve()
    files = [
        file
        for lang in ("ar", "fr", "zgh", "en")
        for place in KINDS.values()
        for name in (f"{lang}/{place.partition('?')[0]}",)
        for file in (site / f"{name}.html", site / name / "index.html")
        if file.is_file()
    ]
    assert len(files) > 80
    files += [*site.glob("*.html"), *site.glob("problems/*.html"), *site.glob("fr/agencies/*.html")]
    for lang in ("ar", "fr", "zgh", "en"):
        for name, path in ASKED.items():
            answer = httpx.get(
                f"{register.url}/{lang}/{path}",
                headers={"accept": "text/html"},
                timeout=60,
                follow_redirects=True,
            )
            (tmp_path / f"{lang}-{name}.html").write_text(answer.text, encoding="utf-8")
    assert errors(*files, tmp_path) == []


@pytest.mark.xdist_group("browser-console")
def test_every_page_of_the_console_is_valid_html(console, errors, tmp_path):
    number = 0
    for language in LANGUAGES:
        for person, paths in BY_PERSON.items():
            with console.window(person, language, viewport=PHONE) as page:
                for path in paths:
                    at = f"/office/{language}/{path.format(lang=language)}"
                    number += 1
                    (tmp_path / f"{number}-{at.replace('/', '_')}.html").write_text(
                        page.request.get(at).text(), encoding="utf-8"
                    )
    assert errors(tmp_path) == []
