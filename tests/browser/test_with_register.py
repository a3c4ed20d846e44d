"""The finder where a register answers: the same exact answers that programs get."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import expect

from registry.pages.views.finder_words import NOTICED, TELLING
from registry.record.pack import load_pack
from tests.browser.conftest import DESKTOP, PHONE


def test_the_finder_shows_what_the_api_answers(opened, register):
    with opened(register.url) as page:
        page.goto(f"{register.url}/fr/search?q=radiographies&risk=high")
        page.wait_for_selector("#hits .record")
        answer = register.client.get(
            "/api/v1/records?q=radiographies&risk=high&origin=local&reader=fr"
        ).json()
        ids = page.eval_on_selector_all("#hits h3 a", "all => all.map((one) => one.pathname)")
        assert ids == [f"/fr/records/{item['id']}" for item in answer["items"]]
        assert str(answer["total"]) in page.locator("#found").inner_text()
        assert page.locator("#hits mark").count()
        assert not page.locator("#from-copy").is_visible()


def test_passages_of_a_record_are_shown_where_only_they_have_the_words(opened, register):
    with opened(register.url) as page:
        page.goto(f"{register.url}/fr/search?q=retarder+soins")
        page.wait_for_selector("#hits .passage mark")
        marks = page.locator("#hits .passage mark").all_inner_texts()
        assert any(mark.startswith("retard") for mark in marks)
        assert not page.locator("#hits h3 mark").count()


def test_the_call_of_the_view_and_its_files_are_offered(opened, register):
    with opened(register.url) as page:
        page.goto(f"{register.url}/ar/search?risk=high&sector=health&sort=name")
        page.wait_for_selector("#programs:not([hidden])")
        page.locator("#programs summary").click()
        call = urlsplit(page.locator("#call").input_value())
        wanted = {"risk": "high", "sector": "health", "origin": "local", "sort": "name"}
        assert dict(parse_qsl(call.query)) == {**wanted, "reader": "ar"}
        assert register.client.get(f"{call.path}?{call.query}").status_code == 200
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.locator("#copy-call").click()
        page.wait_for_selector("#copied:not([hidden])")
        assert page.evaluate("navigator.clipboard.readText()") == call.geturl()
        del wanted["sort"]
        for link in page.locator("#downloads a").all():
            address = urlsplit(link.get_attribute("href"))
            # Labels in the reader's language; the words of a question stay those of any.
            labels = {} if link.get_attribute("data-form") == "jsonl" else {"labels": "ar"}
            assert dict(parse_qsl(address.query)) == {**wanted, **labels}
            assert register.client.get(address.geturl()).status_code == 200


def test_a_question_that_the_register_refuses_is_said_and_helped(opened, register):
    with opened(register.url, expected="400 (Bad Request)") as page:
        page.goto(f"{register.url}/fr/search?q=a&cursor=nonsense")
        page.wait_for_selector("#hits .record")
        assert "cursor" not in page.url


def test_a_slip_is_mended_by_the_register(opened, register):
    with opened(register.url) as page:
        page.goto(f"{register.url}/fr/search?q=radiografies")
        page.wait_for_selector("#mended a")
        assert page.locator("#hits .record").count()


def test_what_is_not_told_is_a_filter_with_the_counts_of_the_register(opened, register, axe):
    ask = register.client.get
    with opened(register.url) as page:
        for lang in ("ar", "fr"):
            page.goto(f"{register.url}/{lang}/search")
            page.wait_for_selector("#lacking:not([hidden])")
            assert not page.locator("#facet-lacks").is_visible()
            page.locator("#lacking > summary").click()
            facets = ask("/api/v1/records?origin=local&facets=lacks,overdue").json()["facets"]
            counts = {one["code"]: one["count"] for one in facets["lacks"]}
            boxes = page.locator("#facet-lacks input")
            shown = [box.get_attribute("value") for box in boxes.all()]
            assert shown == [pointer for pointer in TELLING if pointer in counts]
            numbers = page.locator("#facet-lacks .n").all_inner_texts()
            assert list(map(int, numbers)) == [counts[pointer] for pointer in shown]
            assert axe(page) == []
            boxes.first.check()
            page.wait_for_selector("#chips a")
            assert parse_qsl(urlsplit(page.url).query) == [("lacks", shown[0])]
            assert page.locator("#lacking").get_attribute("open") is not None
            assert page.locator("#hits .record").count() == min(counts[shown[0]], 20)
            page.locator("#chips a").click()
            page.wait_for_selector("#chips a", state="detached")
            page.locator("#facet-overdue input").check()
            page.wait_for_selector("#chips a")
            assert parse_qsl(urlsplit(page.url).query) == [("overdue", "true")]
            answer = ask("/api/v1/records?origin=local&overdue=true").json()
            ids = page.eval_on_selector_all("#hits h3 a", "all => all.map((one) => one.pathname)")
            assert ids == [f"/{lang}/records/{item['id']}" for item in answer["items"]]


def test_what_validation_noticed_is_a_filter_by_its_rule(opened, register):
    ask = register.client.get
    facets = ask("/api/v1/records?origin=local&facets=finding").json()["facets"]
    counts = {one["code"]: one["count"] for one in facets["finding"]}
    rules = [*NOTICED, *(row.code for row in load_pack("ma").requirements)]
    with opened(register.url) as page:
        for lang in ("zgh", "en"):
            page.goto(f"{register.url}/{lang}/search")
            page.locator("#lacking > summary").click()
            boxes = page.locator("#facet-finding input")
            shown = [box.get_attribute("value") for box in boxes.all()]
            assert shown == [rule for rule in rules if rule in counts]
            assert "R15" in shown
            numbers = page.locator("#facet-finding .n").all_inner_texts()
            assert list(map(int, numbers)) == [counts[rule] for rule in shown]
            page.locator("#finding-R15").check()
            page.wait_for_selector("#chips a")
            assert parse_qsl(urlsplit(page.url).query) == [("finding", "R15")]
            answer = ask("/api/v1/records?origin=local&finding=R15&limit=100").json()
            ids = page.eval_on_selector_all("#hits h3 a", "all => all.map((one) => one.pathname)")
            assert ids == [f"/{lang}/records/{item['id']}" for item in answer["items"]][:20]


def test_how_records_answer_on_a_fact_is_told_by_its_five_kinds(opened, register):
    asked = "lacks=rights.human_alternative&kind.rights.notice=stated"
    answer = register.client.get(
        f"/api/v1/records?origin=local&{asked}&facets=rights.human_alternative,rights.notice"
    ).json()
    with opened(register.url) as page:
        page.goto(f"{register.url}/en/search?{asked}")
        page.wait_for_selector("#chips a")
        assert page.locator("#lacks-rights\\.human_alternative").is_checked()
        assert str(answer["total"]) in page.locator("#found").inner_text()
        assert page.locator("#chips a").count() == 2
        told = page.locator("#kinds li").all_inner_texts()
        for line, counts in zip(told, answer["kinds"].values(), strict=True):
            assert list(map(int, re.findall("[0-9]+", line))) == list(counts.values())[:5]
        # The script says the same as the page of the register did.
        page.locator("#chips a").last.click()
        expect(page.locator("#kinds li")).to_have_count(1)
        assert page.locator("#kinds li").inner_text().startswith("Human alternative")


def test_records_of_other_registers_are_a_group_of_their_own(opened, register):
    with opened(register.url) as page:
        page.goto(f"{register.url}/fr/search")
        page.wait_for_selector("#elsewhere a")
        local = register.client.get("/api/v1/records?origin=local&limit=1").json()["total"]
        assert str(local) in page.locator("#found").inner_text()
        assert page.locator("#elsewhere a").inner_text().split()[:2] == ["2", "fiches"]
        page.locator("#elsewhere a").click()
        page.wait_for_url("**/search?origin=us-omb-2025")
        expect(page.locator("#hits .record")).to_have_count(2)
        page.locator("#elsewhere a").click()
        page.wait_for_url("**/search")
        # Where nothing was filed here they are shown at once, and said to be of others.
        page.goto(f"{register.url}/fr/search?q=sandbox")
        page.wait_for_selector("#hits .record")
        assert page.locator("#hits .record").count() == 2
        assert "d’autres registres" in page.locator("#elsewhere").inner_text()
        assert not page.locator("#nothing").is_visible()
        # Who asks for these alone is not given others.
        page.goto(f"{register.url}/fr/search?q=sandbox&origin=local")
        page.wait_for_selector("#nothing:not([hidden])")


def test_an_agency_that_filed_nothing_is_found_by_its_acronym(opened, register, axe):
    with opened(register.url) as page:
        page.goto(f"{register.url}/fr/search?q=CNSS")
        page.wait_for_selector("#named a")
        assert "n’a encore rien déposé" in page.locator("#named").inner_text()
        assert axe(page) == []
        assert page.locator("#named a").get_attribute("href") == "/fr/agencies/cnss"


def test_every_filter_of_the_api_can_be_seen_and_taken_away(opened, register):
    asked = (
        "territory=MA-06&life_event=health&supplier=Nobody&technique=machine_learning&affected=patients"
        "&contestation=yes&function=monitoring&risk_change=raised&completeness_min=5"
        "&completeness_max=99&changed_since=2020-01-01&changed_until=2099-01-01"
        "&as_of=entry:9&lang=fr&withheld=not_stated"
    )
    with opened(register.url, expected="400 (Bad Request)") as page:
        page.goto(f"{register.url}/fr/search?{asked}")
        page.wait_for_selector("#chips a")
        for name, code in parse_qsl(asked):
            chips = page.locator("#chips a")
            before = chips.count()
            chip = page.locator(f'#chips a:not([href*="{name}="])')
            assert chip.count() == 1, (name, code)
            chip.click()
            expect(chips).to_have_count(before - 1)
        page.wait_for_selector("#hits .record")


def test_what_the_register_refuses_is_said_in_the_language_of_the_page(opened, register, axe):
    with opened(register.url, expected="400 (Bad Request)") as page:
        for asked, meant in (
            ("risk=hgh&q=aide", "?q=aide&risk=high"),
            ("sectr=health", "?sector=health"),
            ("territory=XX-9999", None),
            ("completeness_min=500", None),
            ("as_of=yesterday", None),
        ):
            page.goto(f"{register.url}/ar/search?{asked}")
            page.wait_for_selector("#fault:not([hidden])")
            alert = page.get_by_role("alert")
            assert "البحث" in alert.inner_text()
            # With the link to what may be meant, and without.
            assert not asked.startswith(("risk", "territory")) or axe(page) == []
            links = alert.locator("a").evaluate_all("all => all.map((one) => one.search)")
            assert links[:-1] == ([meant] if meant else []), asked
            assert page.locator("#hits .record").count() == 0
            alert.locator("a").last.click()
            page.wait_for_selector("#hits .record")
            assert not alert.is_visible()


@pytest.mark.parametrize("screen", [DESKTOP, PHONE])
def test_the_script_takes_over_the_page_of_the_server_without_a_jump(opened, register, screen):
    seen = []
    for script in (False, True):
        with opened(register.url, viewport=screen) as page:
            if not script:
                page.route(
                    "**/finder.*.js",
                    lambda route: route.fulfill(content_type="text/javascript", body=""),
                )
            page.goto(f"{register.url}/fr/search?q=sante&risk=high")
            page.wait_for_selector("#hits .record")
            page.wait_for_load_state("networkidle")
            assert page.get_by_role("combobox", name="Quel système").count() == script
            seen.append(page.evaluate(_PLACES))
    assert len(seen[0]) > 5
    assert seen[0] == seen[1]


_PLACES = """() => {
    const parts = "#found, #chips li, #named li, #elsewhere, #sort, #hits .record, #pages a";
    return [...document.querySelectorAll(parts)].map((one) => {
        const { x, y, width, height } = one.getBoundingClientRect();
        return [one.textContent.trim().replace(/\\s+/g, " "), x, y, width, height];
    });
}"""


@pytest.mark.parametrize("query", ["q=demande&risk=high", "q=zzzzzz", "sort=name"])
def test_what_the_server_has_answered_is_not_asked_again(opened, register, query):
    asked = []
    with opened(register.url) as page:
        page.on("request", lambda request: asked.append(urlsplit(request.url).path))
        page.goto(f"{register.url}/fr/search?{query}")
        page.wait_for_selector("#q[role=combobox]")
        page.wait_for_load_state("networkidle")
        assert not [path for path in asked if path.startswith(("/api/", "/find/"))]
        page.locator("#q").fill("radiographies")
        with page.expect_response(lambda answer: "/api/v1/records?" in answer.url):
            page.locator("#finder button").click()
        page.wait_for_selector("#hits .record")
        assert page.locator("#facet-sector li").count()


def test_one_live_region_of_the_finder_counts(opened, register):
    with opened(register.url) as page:
        page.goto(f"{register.url}/fr/search?q=demande")
        page.locator("#q").fill("radio")
        page.wait_for_selector("#suggestions:not([hidden])")
        spoken = page.locator("[role=status], [role=alert], [aria-live]").all_inner_texts()
        assert len([text for text in spoken if text.strip()]) == 1


@pytest.mark.parametrize(
    ("screen", "path", "tag", "words"),
    [
        (DESKTOP, "agencies/", "fr", "demande"),
        (DESKTOP, "sectors/health", "ar", "طلب"),
        (PHONE, "agencies/", "ar", "طلب"),
        (PHONE, "sectors/health", "fr", "demande"),
    ],
)
def test_lists_have_a_search_box_that_leads_to_the_finder(
    opened, register, screen, path, tag, words
):
    with opened(register.url, viewport=screen) as page:
        page.goto(f"{register.url}/{tag}/{path}")
        assert page.locator("nav.sections a[href$='/search']").is_visible()
        page.locator("#q").fill(words)
        page.locator("form.finder button").click()
        page.wait_for_url(f"**/{tag}/search?q=*")
        assert page.locator("#hits .record").count()


@pytest.mark.parametrize(("tag", "words"), [("fr", "demande"), ("ar", "طلب")])
def test_a_page_that_is_not_there_offers_the_search_without_a_script(opened, register, tag, words):
    with opened(register.url, java_script_enabled=False) as page:
        page.goto(f"{register.url}/404")
        page.locator(f"#q-{tag}").fill(words)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/{tag}/search?q=*")
        assert page.locator("#hits .record").count()


@pytest.mark.parametrize("lang", ["ar", "fr"])
def test_a_chart_leads_to_its_kept_answer_whose_numbers_a_phone_shows(opened, register, lang):
    with opened(register.url, viewport=PHONE) as page:
        page.goto(f"{register.url}/{lang}/statistics")
        page.locator("main a[href*='/receipt?']").first.click()
        page.locator("article.receipt h1").wait_for()
        assert "as_of=entry:" in page.locator(".receipt dl a").first.inner_text()
        for question in ("records?by=sector,technical.techniques", "statistics?by=risk,sector"):
            page.goto(f"{register.url}/{lang}/receipt?question=%2Fapi%2Fv1%2F{question}")
            page.locator(".receipt td.n").first.wait_for()
            beyond = """[...document.querySelectorAll(".receipt td.n")].filter((one) => {
              const { left, right } = one.getBoundingClientRect();
              return left < 0 || right > innerWidth;
            }).length"""
            assert page.evaluate(beyond) == 0, question
