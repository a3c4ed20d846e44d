"""The finder in the browser: filters, addresses, words to say, and folding."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from registry.record.short_code import candidates, read_code
from registry.text.folding import LETTERS, fold
from registry.text.tokens import words

HIT = "#hits .record"
TEXTS = [
    "Impôts & Santé", "L’école d’été", "تسجيل التَّسْجِيل", "إدارة الأشخاص", "ⵜⴰⵎⴰⵣⵉⵖⵜ", "tamaziɣt",
    "Straße", "œuvre", "١٢٣ ۴۵", "GPS بالـGPS", "agency’s", "Ǆ ﬁn 𝐀𝐁", "a\u200db", "e\u0301te",
    "no_decision", "42 %", "İstanbul", "",
]  # fmt: skip

_FOLDED = """async ([texts, letters]) => {
    const names = performance.getEntriesByType("resource").map((one) => one.name);
    const { fold, words } = await import(names.find((name) => name.includes("/fold.")));
    return texts.map((text) => [fold(text, letters), words(text, letters)]);
}"""

_CODES = """async (typed) => {
    const names = performance.getEntriesByType("resource").map((one) => one.name);
    const { readCode } = await import(names.find((name) => name.includes("/code.")));
    return typed.map((text) => readCode(text));
}"""


def texts(page, selector):
    return [" ".join(text.split()) for text in page.locator(selector).all_inner_texts()]


def found(page):
    page.wait_for_selector("#results:not([aria-busy]):not([hidden])")
    assert not page.locator("#fault").is_visible()
    return int(re.search(r"\d+", page.locator("#found").inner_text())[0])


def test_the_script_folds_as_the_index_does(opened, host):
    with opened() as page:
        page.goto(f"{host}/fr/search")
        found(page)
        got = page.evaluate(_FOLDED, [TEXTS, LETTERS])
    assert got == [[fold(text), words(text)] for text in TEXTS]
    assert any(unicodedata.combining(letter) for text in TEXTS for letter in text)


def test_a_code_is_read_as_the_register_reads_it_and_leads_to_its_page(opened, host):
    code = next(candidates("demo-sante/prevision-lits"))
    typed = [next(candidates(f"demo/{number}")) for number in range(50)]
    typed += [one[1] + one[0] + one[2:] for one in typed]
    typed += [f" {code[:3]} – {code[3:].lower()}", code.replace("1", "l"), "covid19", "", code[1:]]
    typed += [code.translate(dict(zip(map(ord, "0123456789"), "٠١٢٣٤٥٦٧٨٩", strict=True)))]
    typed += ["".join(chr(ord(one) + 0xFEE0) for one in code), "\u200f" + code]
    with opened() as page:
        page.goto(f"{host}/fr/search")
        found(page)
        assert page.evaluate(_CODES, typed) == [read_code(one).code for one in typed]
        page.fill("#q", f"{code[:3]}-{code[3:]}")
        page.press("#q", "Enter")
        page.wait_for_url(f"**/r/{code}")
        links = page.locator(".choice a")
        assert links.count() == 4
        links.nth(1).click()
        page.wait_for_url("**/fr/records/demo-sante/prevision-lits")


@pytest.mark.parametrize(
    ("asked", "same"),
    [("impôt", "impot"), ("تسجيل", "التَّسجيل"), ("santé", "SANTE"), ("ⴰⵙⵏⵙ", "asns")],
)
def test_a_word_is_found_however_it_is_written(opened, host, asked, same):
    with opened() as page:
        page.goto(f"{host}/fr/search?q={asked}")
        first = found(page), texts(page, "#hits h3")
        page.goto(f"{host}/fr/search?q={same}")
        assert (found(page), texts(page, "#hits h3")) == first


def test_every_state_is_an_address_and_back_leads_back(opened, host):
    with opened() as page:
        page.goto(f"{host}/fr/search")
        everything = found(page)
        page.locator("#risk-high").check()
        page.wait_for_selector("#chips a")
        high = found(page)
        assert 0 < high < everything
        assert parse_qs(urlsplit(page.url).query) == {"risk": ["high"]}
        page.locator("#risk-minimal").check()
        expect(page.locator("#chips a")).to_have_count(2)
        both = found(page)
        assert both > high
        address = page.url
        page.goto(f"{host}/fr/about")
        page.goto(address)
        assert found(page) == both
        assert page.locator("#risk-high").is_checked()
        page.locator("#chips a").first.click()
        expect(page.locator("#chips a")).to_have_count(1)
        page.go_back()
        expect(page.locator("#chips a")).to_have_count(2)
        page.locator("#clear a").click()
        expect(page.locator("#chips a")).to_have_count(0)
        assert found(page) == everything
        assert page.url == f"{host}/fr/search"


def test_a_facet_counts_what_choosing_it_would_give(opened, host):
    with opened() as page:
        page.goto(f"{host}/fr/search?risk=high")
        found(page)
        count = int(page.locator("#facet-risk li", has=page.locator("#risk-limited"))
                    .locator(".n").inner_text())  # fmt: skip
        page.goto(f"{host}/fr/search?risk=limited")
        assert found(page) == count


def test_pages_of_results_hold_each_record_once(opened, host):
    seen = []
    with opened() as page:
        page.goto(f"{host}/fr/search?sort=name")
        total = found(page)
        while True:
            seen += page.eval_on_selector_all("#hits h3 a", "all => all.map((one) => one.href)")
            if not page.locator("#pages a[rel=next]").count():
                break
            first = page.locator("#hits h3 a").first.get_attribute("href")
            page.locator("#pages a[rel=next]").click()
            expect(page.locator("#hits h3 a").first).not_to_have_attribute("href", first)
    assert len(seen) == len(set(seen)) == total > 40


def test_no_way_through_pages_is_left_where_the_search_refuses(opened, host):
    with opened() as page:
        page.goto(f"{host}/fr/search")
        page.wait_for_selector("#pages a[rel=next]")
        page.evaluate("history.replaceState(null, '', '/fr/search?risk=hgh')")
        page.evaluate("dispatchEvent(new PopStateEvent('popstate'))")
        page.wait_for_selector("#fault:not([hidden])")
        assert not page.locator("nav.pager").is_visible()


def test_words_are_marked_and_a_slip_is_mended_with_a_way_back(opened, host):
    with opened() as page:
        page.goto(f"{host}/fr/search?q=radiographie")
        found(page)
        assert "radiographies" in texts(page, "#hits mark")
        page.goto(f"{host}/fr/search?q=radiographiez")
        assert found(page) > 0
        told = page.get_by_role("status").filter(has=page.locator("#mended"))
        assert "radiographiez" in told.inner_text()
        assert page.locator("#found").inner_text() in told.inner_text()
        page.locator("#mended a").first.click()
        assert page.evaluate("document.activeElement.id") == "q"
        page.locator("#mended a").last.click()
        expect(page.locator("#mended")).to_be_empty()
        assert parse_qs(urlsplit(page.url).query)["q"] != ["radiographiez"]


def test_where_nothing_is_found_the_page_helps(opened, host):
    with opened() as page:
        page.goto(f"{host}/ar/search?q=qqqqqq")
        page.wait_for_selector("#nothing:not([hidden])")
        assert page.get_by_role("status").filter(has=page.locator("#found")).inner_text().strip()
        assert page.locator(HIT).count() == 0


def test_typing_asks_without_filling_the_history(opened, host):
    with opened() as page:
        page.goto(f"{host}/fr/about")
        page.goto(f"{host}/fr/search")
        everything = found(page)
        page.locator("#q").type("olivier")
        page.wait_for_url("**/search?q=olivier")
        assert 0 < found(page) < everything
        page.go_back()
        assert page.url == f"{host}/fr/about"


def test_a_pause_before_the_next_word_loses_no_space(opened, host):
    with opened() as page:
        page.goto(f"{host}/fr/search")
        found(page)
        page.locator("#q").press_sequentially("olivier ")
        page.wait_for_url("**/search?q=olivier")
        found(page)
        page.locator("#q").press_sequentially("zz")
        page.wait_for_url("**/search?q=olivier+zz")


def test_the_language_switch_keeps_the_question(opened, host):
    with opened() as page:
        page.goto(f"{host}/fr/search?q=sante&risk=high")
        total = found(page)
        page.locator("nav.languages a[hreflang=ar]").click()
        page.wait_for_url("**/ar/search?q=sante&risk=high")
        assert found(page) == total


def test_on_a_phone_the_filters_are_folded_away(opened, host):
    with opened(viewport={"width": 360, "height": 740}) as page:
        page.goto(f"{host}/fr/search")
        found(page)
        assert not page.locator("#facet-risk").is_visible()
        page.locator("#filters > summary").click()
        assert page.locator("#facet-risk").is_visible()


def test_a_static_copy_says_that_it_is_one_and_offers_no_api(opened, host):
    with opened() as page:
        page.goto(f"{host}/fr/search")
        found(page)
        assert "seul le registre" in page.locator("#from-copy").inner_text()
        assert not page.locator("#programs").is_visible()


@pytest.mark.parametrize("asked", ["lacks=rights.contestation", "finding=R15"])
def test_a_copy_does_not_answer_what_is_missing_by_leaving_it_out(opened, host, asked):
    with opened() as page:
        page.goto(f"{host}/fr/search")
        found(page)
        assert not page.locator("#lacking").is_visible()
        page.goto(f"{host}/fr/search?{asked}&risk=high")
        page.wait_for_selector("#results:not([hidden])")
        assert "seul le registre" in page.get_by_role("alert").inner_text()
        assert page.locator(HIT).count() == 0
        page.locator("#chips a").first.click()
        page.wait_for_url("**/search?risk=high")
        assert found(page) > 0


@pytest.mark.parametrize(
    ("asked", "instead", "record"),
    [
        ("zitoun", "زيتون", "maladies-olivier"),
        ("jrad", "جراد", "criquets"),
        ("match raja wydad", None, None),
        ("olivier sans irrigationx", None, None),
    ],
)
def test_a_copy_reads_arabic_in_latin_letters(opened, host, asked, instead, record):
    with opened() as page:
        page.goto(f"{host}/fr/search?q={asked}")
        number = found(page)
        said = [" ".join(one.split()) for one in texts(page, "#mended a")]
        assert said == ([] if instead is None else [asked, instead])
        assert bool(number) is (instead is not None)
        if record is not None:
            assert record in page.locator(f"{HIT} h3 a").first.get_attribute("href")


def test_a_copy_shows_what_has_most_of_the_words(opened, host):
    with opened() as page:
        page.goto(f"{host}/fr/search?q=sauterelle olivier malade")
        assert found(page) == 0
        assert texts(page, "#mended") == [""]
        expect(page.locator("#partial h2")).to_have_text("La plupart de vos mots")
        expect(page.locator("#partly")).to_have_text(
            "Trouvé avec olivier. Laissé de côté : sauterelle, malade."
        )
        first = page.locator("#parts h3 a").first.get_attribute("href")
        assert "maladies-olivier" in first
        assert not page.locator("#nothing").is_visible()
        page.locator("#partly a").click()
        expect(page.locator("#partial")).to_be_hidden()
        assert found(page) > 0


def test_where_nothing_answers_the_page_says_so_and_leads_to_the_lists(opened, host):
    with opened() as page:
        page.route("**/find/index.json", lambda route: route.fulfill(body="no index"))
        page.goto(f"{host}/fr/search?q=sante")
        page.wait_for_selector("#results:not([hidden])")
        assert page.get_by_role("alert").inner_text().strip()
        assert page.locator("#browse").is_visible()


def test_a_copy_begins_with_what_was_filed_here_and_tells_of_other_registers(opened, host):
    with opened() as page:
        page.goto(f"{host}/fr/search")
        here = found(page)
        assert page.locator("#origin-local").is_checked()
        [elsewhere] = texts(page, "#elsewhere")
        assert elsewhere == "1 fiche dans d’autres registres A demo inventory (États-Unis)"
        page.locator("#elsewhere a").click()
        page.wait_for_url("**/search?origin=us-demo")
        assert found(page) == 1
        page.locator("#origin-local").check()
        page.wait_for_url("**/search?origin=us-demo&origin=local")
        expect(page.locator(HIT)).not_to_have_count(1)
        assert found(page) == here + 1


@pytest.mark.parametrize(
    ("asked", "said", "meant"),
    [
        ("risk=hgh&sector=health", "n’a pas de valeur hgh", "?sector=health&risk=high"),
        ("rsk=high", "pas de filtre rsk", "?risk=high"),
        ("colour=green", "pas de filtre colour", None),
    ],
)  # fmt: skip
def test_a_copy_refuses_what_nobody_knows(opened, host, asked, said, meant):
    with opened() as page:
        page.goto(f"{host}/fr/search?{asked}")
        page.wait_for_selector("#fault:not([hidden])")
        assert said in " ".join(page.get_by_role("alert").inner_text().split())
        assert page.locator(HIT).count() == 0
        links = page.eval_on_selector_all("#fault a", "all => all.map((one) => one.search)")
        assert links[:-1] == ([meant] if meant else [])
        page.get_by_role("link", name="Chercher sans").click()
        assert found(page) > 0


def test_what_trackers_put_into_an_address_is_passed_over(opened, host):
    with opened() as page:
        page.goto(f"{host}/fr/search?q=sante&utm_source=news&fbclid=x")
        assert found(page) > 0
        assert page.locator("#chips a").count() == 0
