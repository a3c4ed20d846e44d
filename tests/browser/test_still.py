"""Nothing moves while a page is read: what comes late has its place kept, or waits."""

from __future__ import annotations

import pytest

from tests.browser.conftest import PHONE

PLACES = {
    "home": "",
    "finder": "search?q=a&risk=high",
    "nothing": "search?q=qqqqqq",
    "record": "records/demo-sante/triage-radiographies",
    "version": "records/demo-sante/triage-radiographies/versions/3",
    "compare": "records/demo-sante/triage-radiographies/compare",
    "statistics": "statistics",
    "changes": "changes",
    "words": "contest",
}
STILL = 0.001  # of the screen, for a hair's breadth within a line
# Written down from the page's first moment: a shift that nobody's hand brought about.
_OBSERVED = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const moved = entry.sources.map(({ node }) => node?.id || node?.className || node?.nodeName);
    window.shifts.push([entry.value, moved.join(" ")]);
  }
}).observe({ type: "layout-shift", buffered: true });
"""
_FONTS = "**/assets/*.woff2"


def shifts(page):
    """What has moved up to now, the last frame included."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)))")
    return page.evaluate("window.shifts")


def moved(page):
    return sum(value for value, _ in shifts(page))


@pytest.mark.parametrize("lang", ["ar", "fr"])
def test_nothing_moves_while_a_page_comes(opened, host, lang):
    moving, fonts = {}, []
    with opened(viewport=PHONE, fresh=True) as page:
        # Each page comes as to somebody who has seen none.
        network = page.context.new_cdp_session(page)
        network.send("Network.enable")
        network.send("Network.setCacheDisabled", {"cacheDisabled": True})
        page.add_init_script(_OBSERVED)
        page.on("request", lambda request: fonts.append(request.url.endswith(".woff2")))
        for kind, place in PLACES.items():
            page.goto(f"{host}/{lang}/{place}")
            page.wait_for_load_state("networkidle")
            page.evaluate("document.fonts.ready")
            if moved(page) >= STILL:
                moving[kind] = shifts(page)
    assert moving == {}
    # Latin letters are those of the reader's machine.
    assert lang == "fr" or sum(fonts) >= len(PLACES)


@pytest.mark.parametrize("lang", ["ar", "zgh"])
@pytest.mark.parametrize("kind", ["home", "record"])
def test_a_font_that_comes_late_moves_nothing(opened, host, kind, lang):
    with opened(viewport=PHONE, fresh=True) as page:
        held = []
        page.add_init_script(_OBSERVED)

        def hold(route):
            held.append(route)

        page.route(_FONTS, hold)
        page.goto(f"{host}/{lang}/{PLACES[kind]}", wait_until="domcontentloaded")
        while not held:
            page.wait_for_timeout(50)
        # Longer than the tenth of a second for which a browser waits for a font.
        page.wait_for_timeout(400)
        for route in held:
            route.continue_()
        page.evaluate("document.fonts.ready")
        page.wait_for_load_state("load")
        assert moved(page) < STILL, shifts(page)


def test_what_moves_is_seen(opened, host):
    with opened(viewport=PHONE, fresh=True) as page:
        page.add_init_script(_OBSERVED)
        page.goto(f"{host}/fr/about")
        page.evaluate("document.querySelector('h1').style.paddingBlockStart = '300px'")
        assert moved(page) > STILL


def test_a_page_in_latin_letters_fetches_no_arabic_font(opened, host):
    with opened(viewport=PHONE, fresh=True) as page:
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{host}/fr/contest")
        page.evaluate("document.fonts.ready")
        assert not [url for url in asked if "noto-sans-arabic" in url]
