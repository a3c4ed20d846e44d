"""The five ways that people take through the site, on a phone: taps are counted.

With SLOW_LINE set, `pytest -s` prints the seconds that each takes at 400 kbit/s with 400 ms.
"""

from __future__ import annotations

import html
import os
import re
import time
from contextlib import contextmanager
from urllib.parse import urlencode

import pytest

from registry.record.pack import load_pack
from tests.browser.conftest import DESKTOP, VERSIONED

AID = "demo-services/aide-energie-hivernale"
GRANT = "demo-education/attribution-bourses"
MOST_FROM_HOME = 4
ACRONYM = 4
"""Letters of the longest id that is an acronym of its own."""

SLOW_LINE = bool(os.environ.get("SLOW_LINE"))
SLOW = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}


class Walk:
    """A reader on a page: follows what is there, and counts."""

    def __init__(self, page):
        self.page = page
        self.taps = 0
        if SLOW_LINE:
            network = page.context.new_cdp_session(page)
            network.send("Network.enable")
            network.send("Network.emulateNetworkConditions", SLOW)

    def begin(self, address):
        self.page.goto(address)

    def tap(self, selector, leads_to=None):
        """Tap the first of what a selector finds, and wait for the page that it leads to."""
        self.taps += 1
        self.page.locator(selector).first.click()
        if leads_to:
            self.page.wait_for_url(leads_to)

    def ask(self, words):
        """Type words into the box and send them, which is a tap."""
        self.page.locator("#q").fill(words)
        self.taps += 1
        self.page.locator("#q").press("Enter")
        self.page.wait_for_selector("#hits .record")


@pytest.fixture
def walking(opened, register):
    @contextmanager
    def walk(name, lang, **options):
        phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
        with opened(register.url, fresh=SLOW_LINE, **(phone | options)) as page:
            walker, begun = Walk(page), time.monotonic()
            yield walker
            took = time.monotonic() - begun
            print(f"{name} ({lang}): {walker.taps} taps, {took:.1f} s")  # noqa: T201

    return walk


def has_letter(walker, lang):
    """Whether the page is a letter with the agency's name in it, for the reader's language."""
    assert walker.page.url.endswith(f"/{lang}/records/{AID}/letter")
    assert walker.page.locator(".letter").is_visible()


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_who_was_refused_reaches_the_letter_in_four_taps(walking, register, lang):
    letter = f"**/{lang}/records/{AID}/letter"
    to_letter = ".to-letter a"
    with walking("refused, by words", lang) as walker:
        walker.begin(f"{register.url}/{lang}/")
        walker.ask({"fr": "aide chauffage", "ar": "دعم التدفئة"}[lang])
        walker.tap(f"#hits a[href$='/{AID}']", f"**/records/{AID}")
        walker.tap(to_letter, letter)
        has_letter(walker, lang)
        assert walker.taps <= MOST_FROM_HOME
    with walking("refused, by what happened", lang) as walker:
        walker.begin(f"{register.url}/{lang}/")
        walker.tap("main a[href$='/contest']", f"**/{lang}/contest")
        walker.tap("#happened a[href$='/life/benefit']", "**/life/benefit")
        walker.tap(f"main a[href$='/{AID}']", f"**/records/{AID}")
        walker.tap(to_letter, letter)
        has_letter(walker, lang)
        assert walker.taps <= MOST_FROM_HOME
    code = register.client.get(f"/api/v1/records/{AID}").json()["register"]["code"]
    with walking("refused, by the code of the decision", lang, locale=lang) as walker:
        walker.begin(f"{register.url}/r/{code}")
        assert walker.page.url.endswith(f"/{lang}/records/{AID}")
        walker.tap(to_letter, letter)
        has_letter(walker, lang)
        assert walker.taps == 1


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_every_agency_s_name_leads_to_a_letter_with_that_name_in_three_taps(register, lang):
    pack = load_pack("ma")
    for agency in pack.agencies.values():
        name = agency.name[lang]
        letter, missing = f"/{lang}/agencies/{agency.id}/letter", []
        for asked in (name, agency.id.upper()) if len(agency.id) <= ACRONYM else (name,):
            # One tap sends the words, one opens the agency, one its letter; no script is run.
            found = register.client.get(f"/{lang}/search", params={"q": asked}).text
            named = found.partition('id="named"')[2].partition("</ul>")[0]
            if f'href="/{lang}/agencies/{agency.id}"' not in named:
                missing.append(asked)
        assert missing == []
        assert f'href="{letter}"' in register.client.get(f"/{lang}/agencies/{agency.id}").text
        page = register.client.get(letter)
        assert page.status_code == 200
        addressee = page.text.partition('class="addressee"')[2].partition("</p>")[0]
        assert html.escape(name, quote=False) in addressee


@pytest.mark.parametrize(("lang", "asked"), [("fr", "CNSS"), ("ar", "الضمان الاجتماعي")])
def test_who_knows_the_agency_alone_reaches_its_letter_in_three_taps(
    walking, register, lang, asked
):
    with walking("an agency that filed nothing", lang, java_script_enabled=False) as walker:
        walker.begin(f"{register.url}/{lang}/")
        walker.page.locator("#q").tap()
        walker.page.keyboard.type(asked)
        walker.tap("form[role=search] button", "**/search?*")
        walker.tap("#named a[href$='/agencies/cnss']", "**/agencies/cnss")
        walker.tap("#decision a", "**/agencies/cnss/letter")
        assert load_pack("ma").agencies["cnss"].name[lang] in (
            walker.page.locator(".addressee").inner_text()
        )
        assert walker.taps == 3


@pytest.mark.parametrize(("lang", "asked"), [("fr", "radiographies"), ("ar", "دعم التدفئة")])
def test_on_a_phone_the_first_result_stands_on_the_first_screen(walking, register, lang, asked):
    for script in (True, False):
        small = {"viewport": {"width": 360, "height": 740}, "java_script_enabled": script}
        with walking("a question", lang, **small) as walker:
            walker.begin(f"{register.url}/{lang}/search?{urlencode({'q': asked})}")
            first = walker.page.locator("#hits .record h3").first.bounding_box()
            assert first["y"] + first["height"] <= 740


def test_who_reads_tamazight_is_led_to_a_record_by_tifinagh_words(walking, register):
    with walking("Tamazight", "zgh") as walker:
        walker.begin(f"{register.url}/")
        card = walker.page.locator("a[href$='/zgh/']")
        assert len(card.inner_text().split()) > 1
        walker.tap("a[href$='/zgh/']", "**/zgh/")
        walker.tap("main a[href$='/sectors/health']:has([lang=zgh])", "**/zgh/sectors/health")
        walker.tap("main .record h3 a", "**/zgh/records/**")
        assert walker.page.locator(".to-letter a").first.is_visible()
        assert walker.taps <= MOST_FROM_HOME


def test_by_keyboard_a_record_is_found_without_walking_through_the_filters(walking, register):
    with walking("keyboard", "fr", viewport=DESKTOP, is_mobile=False) as walker:
        page = walker.page
        walker.begin(f"{register.url}/fr/")
        page.keyboard.press("/")
        page.keyboard.type("aide chauffage")
        page.keyboard.press("Enter")
        page.wait_for_selector("#hits .record")
        walker.taps = 2
        while not page.evaluate("document.activeElement.matches('#hits h3 a')"):
            walker.taps += 1
            skips = page.evaluate("document.activeElement.matches('a[href=\"#results\"]')")
            page.keyboard.press("Enter" if skips else "Tab")
            assert walker.taps < 60
        page.keyboard.press("Enter")
        page.wait_for_url("**/fr/records/**")
        heads = page.locator("main h2").all_inner_texts()
        assert len(heads) <= 8, heads


def test_a_journalist_finds_high_risk_without_redress_in_two_ticks(walking, register):
    with walking("journalist", "fr", viewport=DESKTOP, is_mobile=False) as walker:
        walker.begin(f"{register.url}/fr/search")
        walker.page.wait_for_selector("#hits .record")
        walker.tap("#risk-high", "**risk=high**")
        box = walker.page.locator("#facet-contestation input").first
        said = box.get_attribute("value")
        walker.tap("#facet-contestation input", "**contestation=**")
        asked = {"origin": "local", "risk": "high", "contestation": said, "limit": 20}
        wanted = register.client.get("/api/v1/records", params=asked).json()["items"]
        walker.page.wait_for_function(
            "n => document.querySelectorAll('#hits .record').length === n", arg=len(wanted)
        )
        assert walker.taps == 2


@pytest.mark.parametrize("asked", ["lminha", "ma 3tawnich l'minha", "weldi ma 3tawhch lminha"])
def test_who_writes_darija_in_latin_letters_reaches_the_letter(walking, register, asked):
    with walking("darija", "ar") as walker:
        page = walker.page
        walker.begin(f"{register.url}/ar/")
        page.locator("#q").tap()
        page.keyboard.type(asked)
        walker.tap("form[role=search] button", "**/search?*")
        walker.tap(f":is(#hits, #parts) a[href$='/{GRANT}']", f"**/ar/records/{GRANT}")
        walker.tap(".to-letter a", f"**/ar/records/{GRANT}/letter")
        assert walker.taps <= MOST_FROM_HOME


def test_a_mother_with_a_letter_types_its_code_on_a_phone(walking, register):
    code = register.client.get(f"/api/v1/records/{GRANT}").json()["register"]["code"]
    with walking("a mother", "ar", java_script_enabled=False) as walker:
        page = walker.page
        walker.begin(f"{register.url}/ar/")
        walker.tap(".after-box a[href$='/code']", "**/ar/code")
        page.locator("main form input[name=code]").tap()
        # As one reads it off: in small letters, with a blank in the middle.
        page.keyboard.type(f"{code[:3]} {code[3:]}".lower())
        walker.tap("main form button", f"**/ar/records/{GRANT}")
        walker.tap(".to-letter a", f"**/ar/records/{GRANT}/letter")
        page.locator(".letter input:visible").first.tap()
        page.keyboard.type("فاطمة")
        assert page.locator(".letter input:visible").first.input_value() == "فاطمة"
        assert walker.taps <= MOST_FROM_HOME


def test_a_journalist_s_numbers_are_those_of_the_api_and_of_the_frame(walking, register):
    asked = {"origin": "local", "limit": 1, "status": ["in_use", "pilot"]}
    running = register.client.get("/api/v1/records", params=asked).json()["total"]
    with walking("journalist", "fr", viewport=DESKTOP, is_mobile=False) as walker:
        page = walker.page
        walker.begin(f"{register.url}/fr/")
        assert re.match(rf"{running}\s", page.locator(".lede").first.inner_text())
        shown = page.locator("#levels table").inner_text()
        page.locator("#levels .embedding summary").click()
        frame = page.locator("#levels .embedding code").inner_text()
        assert 'title="' in frame
        walker.begin(register.url + re.search(r'src="[^"]*?(/fr/[^"]+)"', frame)[1])
        assert page.locator("table").inner_text() == shown
        assert re.search(r"\b20\d\d\b", page.locator("footer").inner_text())
        walker.begin(f"{register.url}/fr/records/{VERSIONED}/compare?from=1&to=4")
        news = page.locator("#v1-4 a[href^='#changed-']").first.bounding_box()
        assert news["y"] + news["height"] <= DESKTOP["height"]
