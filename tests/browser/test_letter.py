"""A letter written by taps and keys on a phone, from the code on a decision until it is sent off.

Nothing is filled in by the tests' own means: fields are tapped and typed into, as they come.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.conftest import PHONE
from tests.prepared import fetch_program
from tests.served import ROOT

RECORD = "demo-services/aide-energie-hivernale"
FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
TYPED = {
    "fr": {
        "name": "Fatima L’Exemple",
        "identity": "AB123456",
        "address": "12, rue de l’Essai",
        "phone": "0600000000",
        "email": "fatima@exemple.example",
        "place": "Azilal",
        "day": "28/11/2026",
        "number": "B-77/2026",
        "dated": "2 novembre 2026",
        "file": "G138877665",
        "daughter": "Leïla L’Exemple",
        "received": "12/11/2026",
        "reasons": "Mes revenus sont mal lus.",
    },
    "ar": {
        "name": "فاطمة المثال",
        "identity": "AB123456",
        "address": "12 زنقة التجربة",
        "phone": "0600000000",
        "email": "fatima@exemple.example",
        "place": "أزيلال",
        "day": "28/11/2026",
        "number": "77",
        "dated": "2 نونبر 2026",
        "file": "G138877665",
        "daughter": "ليلى المثال",
        "received": "12/11/2026",
        "reasons": "قرئ دخلي خطأ.",
    },
}
DAYS = ["20261212", "20261227", "20270111"]


def visible_fields(page):
    return page.locator(".letter :is(input, textarea)").filter(visible=True).all()


def write(page, tag):
    """Type into each field as it comes; the first tap is on whom the decision is about."""
    page.locator("label", has=page.locator("#about-daughter")).tap()
    for field in visible_fields(page):
        field.tap()
        page.keyboard.type(TYPED[tag][field.get_attribute("name")])


def typed(page):
    return {one.get_attribute("name"): one.input_value() for one in visible_fields(page)}


def lines_of(text):
    """The lines of a letter, but for the address: the site is built for another than is served."""
    lines = [" ".join(line.split()) for line in text.removeprefix("\ufeff").strip().splitlines()]
    return [line for line in lines if "/r/" not in line]


def check_text(text, tag):
    assert "[" not in text
    for value in TYPED[tag].values():
        assert value in text, value
    assert {"fr": "recours gracieux", "ar": "تظلم"}[tag] in text
    assert {"fr": "ma fille mineure", "ar": "ابنتي القاصر"}[tag] in text


@pytest.fixture
def code(register):
    return register.client.get(f"/api/v1/records/{RECORD}").json()["register"]["code"]


def arrive(page, register, code, tag):
    page.goto(f"{register.url}/r/{code}")
    page.locator(".to-letter a").first.tap()
    page.wait_for_url(f"**/{tag}/records/{RECORD}/letter")


@pytest.mark.parametrize("tag", ["fr", "ar"])
def test_a_letter_leaves_the_phone_without_a_script(opened, register, code, tag):
    phone = {"viewport": PHONE, "has_touch": True, "locale": tag, "accept_downloads": True}
    with opened(register.url, fresh=True, java_script_enabled=False, **phone) as page:
        arrive(page, register, code, tag)
        write(page, tag)
        assert typed(page) == TYPED[tag]
        # On paper as it stands, too: the words, and no frame of a form.
        page.emulate_media(media="print")
        assert page.locator(".ask, .whom, .letter-side").filter(visible=True).count() == 0
        assert typed(page) == TYPED[tag]
        page.emulate_media(media="screen")
        with page.expect_download() as saved:
            page.locator("button[value=calendar]").tap()
        dates = saved.value.path().read_text("utf-8")
        assert re.findall(r"DTSTART;VALUE=DATE:(\d+)", dates) == DAYS
        page.locator("button[value=print]").tap()
        page.wait_for_selector(".typed")
        check_text(page.locator(".letter").inner_text(), tag)
        if shutil.which("pdftotext"):
            sheet = page.pdf(prefer_css_page_size=True)
            told = subprocess.run(["pdftotext", "-", "-"], input=sheet, capture_output=True)  # noqa: PLW1510
            assert TYPED[tag]["identity"] in told.stdout.decode()
        page.go_back()
        assert typed(page) == TYPED[tag]
        page.locator("button[value=text]").tap()
        page.wait_for_selector("pre")
        check_text(page.locator("pre").inner_text(), tag)


@pytest.mark.parametrize("tag", ["fr", "ar"])
def test_a_letter_is_kept_shared_copied_and_mailed_with_a_script(opened, register, code, tag):
    phone = {"viewport": PHONE, "has_touch": True, "locale": tag}
    with opened(register.url, fresh=True, **phone) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.add_init_script("navigator.share = async (what) => { window.shared = what; }")
        arrive(page, register, code, tag)
        write(page, tag)
        page.reload()
        assert typed(page) == TYPED[tag]
        other = {"fr": "ar", "ar": "fr"}[tag]
        page.locator(f"nav.languages a[hreflang={other}]").tap()
        page.wait_for_url(f"**/{other}/records/{RECORD}/letter")
        assert typed(page) == TYPED[tag]
        page.locator(f"nav.languages a[hreflang={tag}]").tap()
        page.wait_for_url(f"**/{tag}/records/{RECORD}/letter")
        page.locator("#share").tap()
        shared = page.evaluate("window.shared.text")
        check_text(shared, tag)
        page.locator("#copy").tap()
        page.locator("#copied").filter(has_text=re.compile(r"\S")).wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == shared
        mail = urlsplit(page.locator("#mail").get_attribute("href"))
        assert mail.path == "energie@demo-services.example" or "@" in mail.path
        query = parse_qs(mail.query)
        assert lines_of(query["body"][0]) == lines_of(shared)
        assert TYPED[tag]["number"] in query["subject"][0]
        # It is the same letter as the register's, and as the one that is seen.
        told = page.locator(".letter").aria_snapshot()
        assert [one for one in TYPED[tag].values() if one not in told] == [], told
        page.locator("button[value=text]").tap()
        page.wait_for_selector("pre")
        assert lines_of(page.locator("pre").inner_text()) == lines_of(shared)
        page.go_back()
        page.locator("button[type=reset]").tap()
        page.reload()
        assert set(typed(page).values()) == {""}


@pytest.mark.parametrize("tag", ["fr", "ar"])
def test_a_letter_is_written_in_firefox(register, code, tag):
    if FIREFOX is None:
        pytest.skip("no firefox on this machine; on Debian: apt-get install firefox-esr")
    here = ROOT / "tests/browser/firefox"
    program = fetch_program(here)
    shutil.copy(here / "letter.mjs", program)
    asked = {"url": f"{register.url}/r/{code}", "browser": FIREFOX, "tag": tag, "typed": TYPED[tag]}
    ran = subprocess.run(
        ["node", program / "letter.mjs"],
        input=json.dumps(asked),
        capture_output=True,
        check=False,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    for way in json.loads(ran.stdout):
        assert way["typed"] == TYPED[tag], way
        check_text(way["text"], tag)
        check_text(way["printed"], tag)
        if way["script"]:
            assert way["kept"] == TYPED[tag]
            assert lines_of(way["body"]) == lines_of(way["text"])
