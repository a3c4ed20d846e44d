"""A real browser over the site of the small corpus, on a static host and with the register's API.

The browser is Debian's chromium, or its headless shell; where there is none these tests are
skipped. Whatever a page asks of another host, and every error it writes, fails the test.
Playwright's loop would be in the way of asyncio's, so it ends with this folder: what fixtures do in
asyncio, they do in another thread.

A new window costs a second of work, another page in it a fifth: tests share those of one kind, one
after the other.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from registry.api.app import describe_api
from registry.imports.crosswalk import load_crosswalk
from registry.imports.crosswalk_model import columns_read
from registry.settings import Settings
from tests.browser.console_office import console_office, fill
from tests.browser.static_host import static_host
from tests.built import build
from tests.pages.conftest import make_corpus
from tests.served import records, served

# The shell draws the same pages; without the windows of a desktop that is a third less work.
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}
VERSIONED = "demo-sante/many"
VERSIONS = 4
EVERY_STATE = bool(os.environ.get("EVERY_STATE"))
"""Whether all that is said of pages here holds for each in each state: it takes half an hour."""

expect.set_options(timeout=60_000)

# The probe for a register, which a static host answers so.
_NO_REGISTER = "404 (File not found)"


@pytest.fixture(scope="package")
def chromium():
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine; on Debian: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def host(tmp_path_factory):
    """The address of a static host that has the whole site."""
    out = tmp_path_factory.mktemp("browser") / "site"
    with static_host(out) as url:
        settings = Settings(base_url=url, console="on")
        build(make_corpus(), out=out, settings=settings, description=describe_api(settings))
        yield url


def _inventory():
    """Return a file of two fictitious rows, as the American inventory has them."""
    known = load_crosswalk("us-omb-2025")
    columns = [name for names in columns_read(known) for name in names]
    columns += [one.column for one in known.unmapped]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, restval="")
    writer.writeheader()
    agency = {"agency": "DWX", "agency_name": "Department of Weather"}
    for number, name in enumerate(("Radar Sandbox", "Radiography Sandbox"), start=1):
        writer.writerow({**agency, "id": f"DWX-{number}", "use_case_name": name})
    return out.getvalue().encode("utf-8-sig")


@pytest.fixture(scope="session")
def register(tmp_path_factory, warm):
    """A register that serves the demonstration records, their log, and a site made of them.

    A record more, `VERSIONED`, has four versions, each of which says nearly all anew. Two records
    come from another register.
    """
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    folder = tmp_path_factory.mktemp("register")
    (folder / "demo-sante").mkdir()
    documents = records("demo-sante", "demo-securite", "demo-services", "demo-agriculture")
    for number, document in enumerate(documents[:VERSIONS], start=1):
        ending = ".json" if number == VERSIONS else f".{number}.json"
        document |= {"id": VERSIONED, "source_id": f"many-{number}"}
        document["publication"]["change_note"] = {"fr": f"Voici la version {number}."}
        file = folder / "demo-sante" / f"many{ending}"
        file.write_text(json.dumps(document), encoding="utf-8")
    with served(load=True, site_build="manual") as running:
        shutil.rmtree(running.register.data / "site")
        (folder / "inventory.csv").write_bytes(_inventory())
        for command in (
            ("load", folder),
            ("import", "us-omb-2025", folder / "inventory.csv"),
            ("log", "publish"),
            ("site", "build"),
        ):
            told = warm.run(
                [*map(str, command)], cwd=folder, environment=running.register.environment
            )
            assert told.returncode == 0, told.stderr
        yield running


@pytest.fixture(scope="package")
def windows(chromium):
    """The windows that tests share, by their options."""
    kept = {}
    yield kept
    for page in kept.values():
        page.context.close()


@pytest.fixture
def opened(chromium, windows, request):
    """A way to open a browser's window, at the host if not elsewhere; what goes wrong fails a test.

    A `fresh` one has fetched nothing before, and what scripts and protocols do to it ends with it.
    """
    wrong = []

    @contextmanager
    def window(url=None, *, expected=_NO_REGISTER, fresh=False, **options):
        url = url or request.getfixturevalue("host")
        given = {"viewport": DESKTOP} | options
        kind = repr(sorted(given.items()))
        page = None if fresh else windows.pop(kind, None)
        if page is None:
            page = chromium.new_context(**given).new_page()
            page.set_default_timeout(60_000)
        listeners = _listeners(url, expected, wrong)
        for event, listener in listeners.items():
            page.on(event, listener)
        # A window in which a test fails is not used again.
        yield page
        assert not page.context.cookies()
        if fresh:
            page.context.close()
            return
        for event, listener in listeners.items():
            page.remove_listener(event, listener)
        _clear(page, given)
        windows[kind] = page

    yield window
    assert not wrong


def _listeners(url, expected, wrong):
    """Note what goes wrong in a window at an address."""

    def note(message):
        asked = message.location["url"]
        is_expected = expected in message.text and any(
            part in asked for part in ("/api/v1/", "/proofs/", "/search?", "/r/")
        )
        if message.type in {"error", "warning"} and not is_expected:
            wrong.append(message.text)

    def note_error(error):
        wrong.append(str(error))

    def note_request(request):
        if not request.url.startswith(url):
            wrong.append(request.url)

    return {"console": note, "pageerror": note_error, "request": note_request}


def _clear(page, given):
    """Leave a window as it was opened."""
    page.unroute_all()
    page.goto("about:blank")
    page.context.clear_permissions()
    page.set_viewport_size(given["viewport"])
    page.mouse.move(0, 0)
    page.emulate_media(
        media="screen",
        color_scheme=given.get("color_scheme", "light"),
        forced_colors="none",
        reduced_motion=given.get("reduced_motion", "no-preference"),
    )


@pytest.fixture(scope="session")
def served_console():
    """A register with the console, opened before the browser's loop is in asyncio's way."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    with console_office() as office:
        office.work(fill)
        yield office


@pytest.fixture(scope="package")
def console(served_console, chromium):
    """The console, with a browser to open windows at it."""
    return served_console.on(chromium)


# Texts and controls, the first of each look: what its contrast depends on is equal in all others.
_LOOKS = """() => {
  const grounds = new Map();
  const ground = (one) => {
    if (!one) return "";
    if (!grounds.has(one)) {
      const drawn = ["", "::before", "::after"].map((part) => {
        const style = getComputedStyle(one, part);
        return part && style.content === "none" ? "" : [
          style.backgroundColor, style.backgroundImage, style.opacity, style.filter,
          style.mixBlendMode, style.position, style.zIndex, style.transform, style.clipPath,
        ].join();
      });
      grounds.set(one, `${ground(one.parentElement)}|${drawn}`);
    }
    return grounds.get(one);
  };
  const looks = new Map();
  for (const one of document.body.querySelectorAll("*")) {
    const isText = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!(isText || one.matches("input, select, textarea")) || !one.checkVisibility()) continue;
    const style = getComputedStyle(one);
    const look = [
      one.localName, Boolean(one.closest(":disabled, [aria-disabled=true]")), style.color,
      style.fontSize, style.fontWeight, style.textShadow, style.webkitTextStroke, ground(one),
    ].join();
    if (!looks.has(look)) looks.set(look, one);
  }
  return [...looks.values()];
}"""

_VIOLATIONS = f"""async ([runOnly, isEvery]) => {{
  const options = {{ resultTypes: ["violations"], preload: false }};
  const rules = {{ "color-contrast": {{ enabled: false }} }};
  const contrast = {{ type: "rule", values: ["color-contrast"] }};
  const include = isEvery ? [document] : ({_LOOKS})();
  const found = [
    await axe.run(document, {{ ...options, runOnly, rules }}),
    await axe.run({{ include }}, {{ ...options, runOnly: contrast }}),
  ];
  return found.flatMap(({{ violations }}) => violations).map(({{ id, nodes }}) =>
    [id, nodes.slice(0, 3).map(({{ html }}) => html.slice(0, 200))]);
}}"""


@pytest.fixture(scope="session")
def axe():
    """Look for violations of WCAG on a page, by all rules or by those of colours alone.

    Contrast, most of the work, is judged once for each look that texts have on the page; for each
    text with EVERY_STATE set.
    """
    script = Axe().axe_script
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

    def violations(page, *, only_colours=False):
        others = {"type": "rule", "values": ["link-in-text-block"]}
        run_only = others if only_colours else {"type": "tag", "values": tags}
        page.evaluate(script)
        return page.evaluate(_VIOLATIONS, [run_only, EVERY_STATE])

    return violations
