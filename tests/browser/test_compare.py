"""Any two versions compared: by the script as by the pages, and honest without a register."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from tests.browser.static_host import static_host
from tests.served import records, served

RECORD = "demo-sante/many"
VERSIONS = 8
LANGUAGES = ("ar", "fr", "zgh", "en")

# The same pair told by the script, beside what the page holds of it.
_TOLD = """async ([script, words, api, before, after]) => {
    const read = async (address) => (await fetch(address)).json();
    const { differences } = await import(script);
    const [names, one, other, answer] = await Promise.all([
        read(words), read(`${api}/versions/${before}`), read(`${api}/versions/${after}`),
        read(`${api}/changes?from=${before}&to=${after}`),
    ]);
    const told = document.createElement("div");
    told.append(...differences(names, one.record, other.record, answer.items));
    const held = document.getElementById(`v${before}-${after}`).cloneNode(true);
    held.querySelector("h2").remove();
    return [held.innerHTML, told.innerHTML];
}"""


@pytest.fixture(scope="module")
def register(chromium, tmp_path_factory):
    """A register with a record of eight versions, each of which says nearly all anew."""
    folder = tmp_path_factory.mktemp("many")
    (folder / "demo-sante").mkdir()
    documents = records("demo-sante", "demo-securite", "demo-services", "demo-agriculture")
    for number, document in enumerate(documents[:VERSIONS], start=1):
        ending = ".json" if number == VERSIONS else f".{number}.json"
        document["id"] = RECORD
        document["publication"]["change_note"] = {"fr": f"Version {number}."}
        file = folder / "demo-sante" / f"many{ending}"
        file.write_text(json.dumps(document), encoding="utf-8")
    with served(site_build="manual") as running:
        for command in (
            ("load", folder),
            ("site", "build", "--out", folder / "site"),
        ):
            told = running.register.run(*command)
            assert told.returncode == 0, told.stderr
        shutil.copytree(
            (folder / "site").resolve(), running.register.data / "site", dirs_exist_ok=True
        )
        yield running


def plain(html):
    """Mark-up in pieces, without the space between them."""
    html = re.sub(r" data-slot=\"\w+\"", "", html)
    pieces = re.split(r"(<[^>]*>)", " ".join(html.split()))
    return [piece.strip() for piece in pieces if piece.strip()]


def shown(page):
    page.wait_for_selector("#compared:not([aria-busy])")
    visible = page.locator("#compared > section:visible")
    assert visible.count() == 1
    return visible


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_script_tells_a_pair_as_the_page_does(opened, register, lang):
    [script] = (register.register.data / "site/assets").glob("differences.*.js")
    api = f"{register.url}/api/v1/records/{RECORD}"
    with opened(register.url) as page:
        page.goto(f"{register.url}/{lang}/records/{RECORD}/compare")
        for before, after in ((7, 8), (3, 8), (4, 6), (3, 5)):
            given = [f"/assets/{script.name}", f"/compare/{lang}.json", api, before, after]
            held, told = page.evaluate(_TOLD, given)
            assert len(held) > 3_000
            assert plain(told) == plain(held), (before, after)


def test_two_versions_that_the_page_does_not_hold_are_compared(opened, register, axe):
    with opened(register.url) as page:
        page.goto(f"{register.url}/ar/records/{RECORD}/compare")
        assert not page.locator("#pairs").is_visible()
        assert shown(page).get_attribute("id") == "v7-8"
        page.get_by_label("النسخة الأقدم").select_option("1")
        page.locator("#choose button").press("Enter")
        page.wait_for_url("**/compare?from=1&to=8")
        page.wait_for_selector("#v1-8 .changed")
        heading = shown(page).locator("h2").inner_text()
        assert page.locator("#said").inner_text() == heading
        assert page.locator("#said").get_attribute("role") == "status"
        assert page.title().startswith(heading)
        assert shown(page).locator("ins").count()
        assert shown(page).locator("del").count()
        assert axe(page) == []
        # The address is the state: back, again, in another language, and the other way round.
        page.go_back()
        page.wait_for_selector("#v7-8:not([hidden])")
        page.go_forward()
        page.wait_for_selector("#v1-8:not([hidden])")
        page.locator("nav.languages a[hreflang=fr]").click()
        page.wait_for_url("**/fr/records/*/*/compare?from=1&to=8")
        page.wait_for_selector("#v1-8 .changed")
        page.goto(f"{register.url}/fr/records/{RECORD}/compare?from=6&to=2")
        page.wait_for_selector("#v2-6 .changed")
        assert page.locator("#from").input_value() == "2"
        page.goto(f"{register.url}/fr/records/{RECORD}/compare?from=x&to=99#v4-5")
        assert shown(page).get_attribute("id") != "v4-5"


def test_one_version_twice_is_no_comparison(opened, register):
    with opened(register.url) as page:
        page.goto(f"{register.url}/fr/records/{RECORD}/compare?from=3&to=3")
        page.wait_for_function("document.querySelector('#said').textContent.includes('deux')")
        assert page.locator("#said").is_visible()


def test_a_static_copy_says_what_it_cannot_and_leads_on(opened, register, axe):
    with (
        static_host(register.register.data / "site") as url,
        opened(url, expected="404 (File not found)") as page,
    ):
        page.goto(f"{url}/fr/records/{RECORD}/compare?from=3&to=5")
        assert shown(page).locator("ins").count()
        page.goto(f"{url}/fr/records/{RECORD}/compare?from=1&to=4")
        page.wait_for_selector("#compared > section:not([hidden]) ol a")
        links = shown(page).locator("ol a")
        assert "ne répond pas" in shown(page).inner_text()
        assert [link.get_attribute("href").rpartition("/")[2] for link in links.all()] == list(
            "234"
        )
        assert axe(page) == []
        links.first.click()
        assert page.locator("#changes ins").count()


def test_without_a_script_the_latest_pairs_stand_there(opened, register):
    with opened(register.url, java_script_enabled=False) as page:
        page.goto(f"{register.url}/fr/records/{RECORD}/compare")
        assert not page.locator("#choose").is_visible()
        page.locator('#pairs a[href="#v4-6"]').click()
        assert page.locator("#v4-6").is_visible()
        assert page.locator("#compared > section:visible").count() == 1
