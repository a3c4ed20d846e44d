"""From the first page to a letter that is written, by taps or keys alone, without a script."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from registry import resources
from tests.browser.conftest import PHONE
from tests.browser.keyboard import Keyboard

GRANTS = "records/demo-education/attribution-bourses"
SMALL = {"width": 360, "height": 740}
SIGNED = "Samira L’Exemple"


@pytest.mark.parametrize("tag", ["fr", "ar"])
def test_whoever_was_refused_reaches_the_letter_by_taps(opened, host, tag):
    with opened(java_script_enabled=False, viewport=PHONE, has_touch=True) as page:
        for way in (
            ("life/grant", GRANTS, f"{GRANTS}/letter"),
            ("life/grant", f"{GRANTS}/letter"),
            ("contest", "life/grant", GRANTS, f"{GRANTS}/letter"),
        ):
            assert len(way) <= 4
            page.goto(f"{host}/{tag}/")
            for step in way:
                page.locator(f"main a[href='/{tag}/{step}']").first.tap()
                page.wait_for_url(f"{host}/{tag}/{step}")


@pytest.mark.parametrize("tag", ["fr", "ar"])
def test_four_questions_stand_on_two_screens_and_what_comes_later_is_folded(opened, host, tag):
    with opened(java_script_enabled=False, viewport=SMALL, has_touch=True) as page:
        page.goto(f"{host}/{tag}/contest")
        asked = [one.bounding_box() for one in page.locator(".ways > section").all()]
        assert len(asked) == 4
        assert max(one["height"] for one in asked) <= SMALL["height"]
        end = page.locator(".folds").bounding_box()
        assert end["y"] + end["height"] <= 2 * SMALL["height"]
        assert page.locator("details[open]").count() == 0
        page.locator("header a[href='#until']").tap()
        assert page.locator("#received").is_visible()
        page.goto(f"{host}/{tag}/letter")
        page.locator("a[href$='/contest#bodies']").first.tap()
        page.wait_for_url("**/contest#bodies")
        assert page.locator("#bodies .help > li").first.is_visible()


@pytest.mark.parametrize("tag", ["fr", "ar"])
def test_keys_alone_lead_from_contesting_to_a_completed_letter(opened, host, axe, tag):
    with opened() as page:
        keys = Keyboard(page)
        keys.open(f"{host}/{tag}/contest")
        keys.act(href=f"/{tag}/life/school")
        assert axe(page) == []
        keys.act(href=f"/{tag}/{GRANTS}")
        keys.act(href=f"/{tag}/{GRANTS}/letter")
        assert axe(page) == []
        fields = page.locator(".letter :is(input, textarea)").filter(visible=True)
        keys.go_to(id="letter-name")
        page.keyboard.insert_text(SIGNED)
        assert fields.first.input_value() == SIGNED
        reached = [keys.stop()["id"] for _ in range(fields.count() - 1)]
        assert reached == [one.get_attribute("id") for one in fields.all()[1:]]
        assert keys.unseen == set()


@pytest.mark.parametrize(
    ("tag", "lines"),
    [
        (
            "fr",
            (
                '- heading "Votre lettre" [level=1]',
                '- heading "La lettre" [level=2]',
                '- radio "Moi" [checked]',
                '- textbox "vos nom et prénom"',
                '- textbox "numéro de la décision"',
                '- textbox "vos raisons"',
                "- list:",
                '- complementary "Que faire de la lettre":',
                '- heading "Où l’envoyer" [level=2]',
                '- strong: "Délai : 60 jours, à compter du jour où vous avez reçu la décision."',
            ),
        ),
        ("ar", ('- heading "رسالتك" [level=1]', '- textbox "الأسباب"')),
    ],
)
def test_what_a_screen_reader_is_told_of_the_letter(opened, host, tag, lines):
    with opened() as page:
        page.goto(f"{host}/{tag}/{GRANTS}/letter")
        told = page.locator("main").aria_snapshot()
        assert [line for line in lines if line not in told] == [], told
        page.goto(f"{host}/{tag}/contest")
        told = page.locator("main").aria_snapshot()
        levels = [int(level) for level in re.findall(r"heading .*\[level=(\d)\]", told)]
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))


def test_a_letter_is_printed_alone_on_one_sheet(opened, host):
    with opened() as page:
        for tag in ("fr", "ar", "en"):
            longest = {}
            for path in sorted(resources.RECORDS.glob("*/*.json")):
                if "." not in path.stem:
                    address = f"{host}/{tag}/records/{path.parent.name}/{path.stem}/letter"
                    answer = page.request.get(f"{address}.txt")
                    if answer.ok:
                        longest[address] = len(answer.text())
            for address in sorted(longest, key=longest.get)[-2:]:
                page.goto(address)
                page.emulate_media(media="print")
                seen = page.locator("body").inner_text()
                assert seen.strip() == page.locator(".letter").inner_text().strip()
                sheets = page.pdf(prefer_css_page_size=True)
                assert len(re.findall(rb"/Type\s*/Page\b", sheets)) == 1, address
                page.emulate_media(media="screen")
