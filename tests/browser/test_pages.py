"""Every kind of page in every language: light and dark, on a phone and on a desktop."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import CHROMIUM, DESKTOP, EVERY_STATE, PHONE

LANGUAGES = {"ar": "rtl", "fr": "ltr", "zgh": "rtl", "en": "ltr"}

KINDS = {
    "home": "",
    "finder": "search?q=a&risk=high",
    "record": "records/demo-sante/triage-radiographies",
    "version": "records/demo-sante/triage-radiographies/versions/2",
    "compare": "records/demo-sante/triage-radiographies/compare",
    "foreign": "records/us.demo/letter-sorting",
    "restricted": "records/demo-securite/restricted",
    "withdrawn": "records/demo-sante/gone",
    "browse": "browse",
    "regions": "regions/",
    "agencies": "agencies/",
    "agency": "agencies/demo-sante",
    "level": "risk/high",
    "levels": "risk/",
    "sectors": "sectors/",
    "statistics": "statistics",
    "observations": "observations",
    "suppliers": "suppliers",
    "changes": "changes",
    "changes-all": "changes/all",
    "registers": "registers/",
    "register": "registers/us-demo",
    "words": "contest",
    "life": "life/school",
    "letter": "records/demo-education/attribution-bourses/letter",
    "format": "format/risk",
    "api": "api",
    "guide": "filing/console",
    "notice": "records/demo-education/attribution-bourses/notice",
    "code": "code",
    "embed": "records/demo-education/attribution-bourses/embed",
    "embed-figures": "statistics/levels/embed",
    "translation": "translation",
    "agency-letter": "agencies/cnss/letter",
    "questions": "questions",
    "questions-of-section": "questions/evaluation",
}
if EVERY_STATE:
    # What differs from these only in its words.
    KINDS |= {
        "nothing": "search?q=qqqqqq&risk=high",
        "withheld": "records/demo-services/ciblage-controles-subventions",
        "sector": "sectors/health",
        "status": "status/in_use",
        "statuses": "status/",
        "both": "risk/high/health",
        "about": "about",
        "glossary": "glossary",
        "limits": "limits",
        "for-agencies": "for-agencies",
        "accessibility": "accessibility",
        "guide-workbook": "filing/workbook",
        "formats": "format/",
        "lists": "format/code-lists",
        "lives": "life/",
        "region": "regions/MA-06",
        "letter-of-none": "letter",
        "witnesses": "witnesses",
        "feeds": "feeds",
        "faq": "faq",
        "contact": "contact",
        "legal": "legal",
        "privacy": "privacy",
        "planned": "records/demo-sante/stocks-medicaments",
    }
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"

OPEN = "document.querySelectorAll('main details').forEach((one) => (one.open = true))"

# Shapes of a level of risk that have the colour of what they stand on.
UNSEEN = """() => {
  const ground = getComputedStyle(document.body).backgroundColor;
  const shapes = [...document.querySelectorAll(".shape")];
  return shapes.filter((one) => getComputedStyle(one).backgroundColor === ground)
    .map((one) => one.parentElement.textContent);
}"""


STATES = [(scheme, screen) for scheme in ("light", "dark") for screen in (DESKTOP, PHONE)]
# Each kind in light in one direction and in dark in the other, in each language by turns.
JUDGED = (("ar", "en"), ("fr", "zgh"), ("zgh", "fr"), ("en", "ar"))


def kinds_in(lang):
    """The kinds of page that are opened in a language: all in the two that the site is written in;
    the others, of the same directions, have one half each."""
    if EVERY_STATE or lang in {"ar", "fr"}:
        return list(KINDS)
    return [kind for number, kind in enumerate(KINDS) if lang in JUDGED[number % len(JUDGED)]]


def states(kind, lang):
    """The states in which axe looks at a page: each kind once in light and once in dark, on both
    screens by turns; every state of every page with EVERY_STATE set."""
    if EVERY_STATE:
        return STATES
    turn, place = divmod(list(KINDS).index(kind), len(JUDGED))
    return [
        (scheme, (DESKTOP, PHONE)[(turn + number) % 2])
        for number, scheme in enumerate(("light", "dark"))
        if JUDGED[place][number] == lang
    ]


def visit(page, host, lang, kind):
    assert page.goto(f"{host}/{lang}/{KINDS[kind]}").ok
    if kind == "finder":
        page.wait_for_selector("#hits .record")
    if kind == "nothing":
        page.wait_for_selector("#nothing:not([hidden])")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_is_accessible_and_fits_every_screen(opened, host, axe, lang):
    wrong = {}
    with opened() as page:
        for kind in kinds_in(lang):
            is_forced = EVERY_STATE or (
                list(LANGUAGES)[list(KINDS).index(kind) % len(LANGUAGES)] == lang
            )
            page.emulate_media(
                color_scheme="light", forced_colors="active" if is_forced else "none"
            )
            visit(page, host, lang, kind)
            if is_forced:
                if unseen := page.evaluate(UNSEEN):
                    wrong[f"{kind}, shapes"] = unseen
                page.emulate_media(forced_colors="none")
            if page.evaluate("document.documentElement.dir") != LANGUAGES[lang]:
                wrong[kind] = "the other direction"
            for screen in (PHONE, DESKTOP):
                page.set_viewport_size(screen)
                if page.evaluate(WIDE) > 0:
                    wrong[f"{kind}, {screen['width']}"] = "wider than the screen"
                for scheme in [one for one, width in states(kind, lang) if width == screen]:
                    page.emulate_media(color_scheme=scheme)
                    # A page has the same elements in dark: only colours differ.
                    if found := axe(page, only_colours=scheme == "dark"):
                        wrong[f"{kind}, {scheme}, {screen['width']}"] = found
    assert wrong == {}


def test_the_pages_outside_the_languages(opened, host, axe):
    with opened(viewport=PHONE) as page:
        for path in ("", "problems/", "problems/invalid-record", "404"):
            page.emulate_media(color_scheme="light")
            page.goto(f"{host}/{path}")
            assert axe(page) == [], path
            page.emulate_media(color_scheme="dark")
            assert axe(page, only_colours=True) == [], path
            assert page.evaluate(WIDE) <= 0, path


@pytest.mark.parametrize("lang", LANGUAGES if EVERY_STATE else ["ar", "fr"])
def test_text_twice_and_four_times_as_large_loses_nothing(opened, host, lang):
    few = ["home", "finder", "record", "statistics", "levels", "sectors", "regions"]
    few += ["agency", "words", "compare", "embed-figures", "agency-letter"]
    wrong = {}
    # A browser's zoom of 200 % on a window of 1280 pixels leaves 640 of CSS, of 400 % a quarter.
    # One may also enlarge the letters alone.
    sizes = [((640, 450), ""), ((320, 225), "")]
    sizes += [((1280, 900), "200%"), ((1280, 900), "400%"), ((390, 844), "200%")]
    with opened() as page:
        page.set_content("<p>One<p style='margin-top: -2em'>Other<p>Third")
        assert page.evaluate(OVERLAPS) == ["One | Other"]
        for kind in KINDS if EVERY_STATE else few:
            for number, ((width, height), letters) in enumerate(sizes):
                page.set_viewport_size({"width": width, "height": height})
                if not number:
                    visit(page, host, lang, kind)
                page.evaluate(f"document.documentElement.style.fontSize = '{letters}'")
                page.evaluate(OPEN)
                found = page.evaluate(OVERLAPS)
                if page.evaluate(WIDE) > 0:
                    found.append("wider than the window")
                if not page.locator("h1").is_visible():
                    found.append("no heading")
                if found:
                    wrong[f"{kind}, {width}, {letters}"] = found
    assert wrong == {}


@pytest.mark.parametrize("setting", ["defaultFontSize=32", "minimumFontSize=24"])
def test_letters_of_the_size_that_a_browser_is_set_to_lose_nothing(chromium, host, setting):
    """Which counts for the widths at which a page changes its columns, too."""
    wrong = {}
    browser = chromium.browser_type.launch(
        executable_path=CHROMIUM, args=["--no-sandbox", f"--blink-settings={setting}"]
    )
    page = browser.new_page()
    for lang in ("ar", "fr"):
        for kind in ("home", "finder", "record", "statistics", "levels", "words"):
            visit(page, host, lang, kind)
            size = page.evaluate(
                "parseFloat(getComputedStyle(document.querySelector('p')).fontSize)"
            )
            assert size >= 24, "the setting is kept"
            for screen in (PHONE, DESKTOP):
                page.set_viewport_size(screen)
                found = page.evaluate(OVERLAPS)
                # Sizes of letters are rounded, up to a pixel.
                if page.evaluate(WIDE) > 1:
                    found.append("wider than the window")
                if found:
                    wrong[f"{kind}, {lang}, {screen['width']}"] = found
    browser.close()
    assert wrong == {}


OVERLAPS = """() => {
  const rows = [];
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const edges = new Map();
  const edge = (one) => {
    if (!one || one === document.body) return { left: -1e6, right: 1e6, top: -1e6, bottom: 1e6 };
    if (edges.has(one)) return edges.get(one);
    let { left, right, top, bottom } = edge(one.parentElement);
    const style = getComputedStyle(one);
    if (style.overflow !== "visible" || style.clipPath !== "none") {
      const box = one.getBoundingClientRect();
      [left, right] = [Math.max(left, box.left), Math.min(right, box.right)];
      [top, bottom] = [Math.max(top, box.top), Math.min(bottom, box.bottom)];
    }
    edges.set(one, { left, right, top, bottom });
    return edges.get(one);
  };
  for (let node; (node = words.nextNode()); ) {
    if (!node.data.trim() || !node.parentElement.checkVisibility()) continue;
    const cut = edge(node.parentElement);
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      const third = box.height / 3; // letters leave room above and below them
      const [left, right] = [Math.max(box.left, cut.left) + 2, Math.min(box.right, cut.right) - 2];
      const top = Math.max(box.top, cut.top) + third;
      const bottom = Math.min(box.bottom, cut.bottom) - third;
      if (right > left && bottom > top) rows.push({ left, right, top, bottom, node });
    }
  }
  rows.sort((one, other) => one.top - other.top);
  const found = [];
  rows.forEach((one, at) => {
    for (let next = at + 1; next < rows.length && rows[next].top < one.bottom; next++) {
      const other = rows[next];
      if (other.node === one.node || other.left >= one.right || one.left >= other.right) continue;
      found.push(`${one.node.data.trim().slice(0, 30)} | ${other.node.data.trim().slice(0, 30)}`);
    }
  });
  return found.slice(0, 5);
}"""
"""Texts that lie one over the other."""

LINES = """Array.from(document.querySelectorAll("article > .cols > *, .facts > div > *"), (one) => {
  const { left, right, width } = one.getBoundingClientRect();
  return width && (left < 0 || right > innerWidth + 1 || one.scrollWidth > one.clientWidth + 1)
    ? one.textContent.trim().slice(0, 60) : "";
}).filter(Boolean)"""
"""What goes over its own edge, or that of the window."""


def test_a_record_in_letters_twice_and_four_times_as_large_is_one_column(opened, host):
    with opened() as page:
        for lang in ("ar", "fr"):
            visit(page, host, lang, "record")
            for size, screen in (("200%", DESKTOP), ("400%", DESKTOP), ("200%", PHONE)):
                page.evaluate("document.documentElement.style.fontSize = ''")
                page.set_viewport_size(screen)
                assert page.locator(".toc").is_visible() == (screen == DESKTOP)
                page.evaluate(f"document.documentElement.style.fontSize = '{size}'")
                assert page.evaluate(WIDE) <= 0, (lang, size, screen)
                assert page.evaluate(LINES) == [], (lang, size, screen)
                # What stands beside the text has gone before it.
                assert not page.locator(".toc").is_visible()
                assert page.locator(".jump-to summary").is_visible()
                text = page.locator(".text").bounding_box()["width"]
                assert text > 0.8 * (screen["width"] - 100), (lang, size, screen)


@pytest.mark.parametrize("lang", ["ar", "fr", "en"])
def test_the_fullest_record_takes_six_pages_of_paper_and_loses_nothing(opened, host, lang):
    with opened() as page:
        visit(page, host, lang, "record")
        # What is not printed: the site's frame, what terms mean, and the steps of every record.
        hidden = page.evaluate(
            """() => { const said = document.querySelector("main").cloneNode(true);
            const left = ".term > p, .jump-to, .side, .to-letter, .embed-this, #proof-start"
                + ", .law-steps, [hidden], template";
            said.querySelectorAll(left).forEach((one) => one.remove());
            return said.textContent.replace(/\\s+/g, ""); }"""
        )
        page.emulate_media(media="print")
        shown = page.evaluate("document.querySelector('main').innerText.replace(/\\s+/g, '')")
        missing = [part for part in hidden.split(".") if len(part) > 30 and part not in shown]
        assert missing == []
        for place in ("answers", "points", "meta"):
            assert page.locator(f".{place}").first.is_visible(), place
        for mark in (".head .shape", ".meter"):
            adjust = page.locator(mark).first.evaluate(
                "one => getComputedStyle(one).printColorAdjust"
            )
            assert adjust == "exact", mark
        pdf = page.pdf(format="A4", print_background=False)
        assert len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf)) <= 6


def test_without_a_script_a_page_says_all_it_has_to_say(opened, host):
    with opened(java_script_enabled=False) as page:
        # What is there in each language is asked of the pages themselves: styles are the same. A
        # page that has no script is seen so by the other tests.
        scripted = 0
        for number, place in enumerate(KINDS.values()):
            address = f"{host}/{('ar', 'fr')[number % 2]}/{place}"
            if re.search("<script[^>]* src=", page.request.get(address).text()):
                scripted += 1
                page.goto(address)
                assert page.locator("h1").is_visible(), place
        assert scripted > 5
        page.goto(f"{host}/fr/search")
        # The register answers the box; that a copy cannot is said beside it.
        assert page.locator("#finder").is_visible()
        assert page.locator(".finder ~ noscript p").is_visible()
        page.locator("#browse a").first.click()
        assert page.url == f"{host}/fr/sectors/"
        page.locator(".counts a").first.click()
        assert page.locator(".record").count()


def test_without_a_script_the_first_page_s_box_leads_to_the_lists(opened, host):
    with opened(java_script_enabled=False) as page:
        page.goto(f"{host}/fr/")
        page.locator("#q").fill("santé")
        page.locator("#q").press("Enter")
        page.locator("#browse").wait_for()
        assert page.url.startswith(f"{host}/fr/search?q=")


def test_by_keyboard_one_gets_from_the_first_page_to_a_record_and_sees_where_one_is(opened, host):
    with opened() as page:
        page.goto(f"{host}/fr/")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "q"
        page.keyboard.type("radiographies")
        page.keyboard.press("Enter")
        page.wait_for_selector("#hits .record")
        for _ in range(80):
            page.keyboard.press("Tab")
            ring = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
            assert ring == "3px"
            if page.evaluate("document.activeElement.matches('#hits h3 a')"):
                break
        page.keyboard.press("Enter")
        page.wait_for_url("**/records/demo-sante/triage-radiographies")


def test_nothing_moves_where_people_want_no_motion(opened, host):
    with opened(reduced_motion="reduce") as page:
        page.goto(f"{host}/fr/search?q=a")
        page.wait_for_selector("#hits .record")
        assert page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("lang", ["ar", "fr"])
def test_on_paper_there_is_no_navigation_and_nothing_is_cut(opened, host, lang):
    parts = ("nav.sections", "nav.languages", "footer.site", ".jump-to", ".toc", "#choose")
    with opened(viewport={"width": 720, "height": 1000}) as page:
        for kind in ("record", "foreign", "withdrawn", "version", "compare", "words"):
            page.emulate_media(media="screen")
            visit(page, host, lang, kind)
            page.emulate_media(media="print")
            for part in parts:
                assert not page.locator(part).is_visible(), (kind, part)
            assert page.locator("h1").is_visible(), kind
            assert page.evaluate(WIDE) <= 0, kind
            if kind in {"record", "foreign", "version"}:
                assert page.locator(".address-line").first.is_visible(), kind
