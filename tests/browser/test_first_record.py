"""A jurist's first record, of high risk, as she writes it: from the link to the submission.

What she types first is what somebody types who has not read a guide; what is refused she mends as
she is told. In French she taps on a telephone, in Arabic she has a keyboard alone and no script.
"""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.browser.keyboard import Keyboard
from tests.typed import values_of

pytestmark = pytest.mark.xdist_group("browser-console")

RECORD = json.loads(Path(__file__).with_name("first_record.json").read_text("utf-8"))
MOST_REFUSALS = 3
MOST_VISITS = 3
"""How often a page of the form is shown at most, before one goes on."""

_FOR_PROGRAMS = re.compile(r"(?:^|[\s“«(])/[a-z_]+|[{}\[\]\"]|[a-z]+_[a-z]+|ISO \d|YYYY|AAAA")
"""A pointer, JSON, a code, or the name of a standard's form."""

SPELLED = {
    "/risk/assessed_on:m": {"fr": "mars", "ar": "مارس"},
    "/lifecycle/last_reviewed_on:m": {"fr": "oct.", "ar": "أكتوبر"},
    "/purpose/scale/decisions_per_year": {"fr": "12 000", "ar": "١٢٠٠٠"},
    "/evaluation/metrics/0/value": {"fr": "0,92", "ar": "0,92"},
    "/website": dict.fromkeys(("fr", "ar"), "www.demo-sante.example/scanner"),
}
"""What is typed otherwise than the format has it, by language."""


_NAMED = "form.filing [name^='/']"
_CONTROLS = f"""() => [...document.querySelectorAll("{_NAMED}")].map((one) =>
  [one.name, one.type, one.value.replaceAll("\\r\\n", "\\n"),
   one.checkVisibility() ? one.checked ?? false : null])"""
"""The controls of a page: name, kind, value, and whether it is checked; None for what is folded."""


class Fingers(Keyboard):
    """Somebody at a telephone: the same answers, tapped."""

    def fill(self, document, *, then):
        """Answer every question of the page that is open, then tap what goes on."""
        form = self._form()
        for at, (name, kind, value, is_checked) in enumerate(self.page.evaluate(_CONTROLS)):
            values = values_of(name, document, form) or []
            control = self.page.locator(_NAMED).nth(at)
            if kind in {"radio", "checkbox"}:
                is_turned = is_checked is (value not in values)
                if is_turned and (kind == "checkbox" or not is_checked):
                    control.tap()
            elif is_checked is not None and value != values[0]:
                if kind == "select-one":
                    control.select_option(values[0])
                else:
                    control.tap()
                    self.type(self.spelled.get(name, values[0]))
        with self.page.expect_navigation():
            self.page.locator(f"form.filing button[value={then}]:not(.unseen)").tap()


def as_typed_first(document):
    """Return what a jurist says before she is told what is asked."""
    first = copy.deepcopy(document)
    first["decision"]["human_oversight"] = {"fr": "Un radiologue valide.", "ar": "يصادق الطبيب."}
    first["assessments"][0]["status"] = "in_progress"
    del first["assessments"][0]["completed_on"]
    return first


def record_in(language):
    document = copy.deepcopy(RECORD)
    document["languages"]["source"] = language
    return document


def file_all(hands, document):
    """Go through the form to the overview; return what was refused, by page."""
    first, refused, visited = as_typed_first(document), [], []
    while slug := urlsplit(hands.page.url).path.rpartition("/")[2]:
        assert visited.count(slug) < MOST_VISITS, hands.page.locator("main").inner_text()
        if slug in visited:
            # From its beginning: the page leads to the first of what is asked besides.
            hands.open(hands.page.url.partition("#")[0])
        hands.fill(document if slug in visited else first, then="next")
        visited.append(slug)
        if wrong := hands.page.locator(".error-summary li").all_inner_texts():
            refused.append(wrong)
    return refused


def judge(page, refused):
    """What was refused was little, and said as people speak; the record is with the reviewer."""
    page.locator("form[action$='take-back']").wait_for()
    assert 1 <= len(refused) <= MOST_REFUSALS, refused
    assert not [one for wrong in refused for one in wrong if _FOR_PROGRAMS.search(one)]


def test_a_jurist_taps_a_first_record_in_french(console):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with console.window("editor", "fr", **phone) as page:
        hands = Fingers(page, {name: words["fr"] for name, words in SPELLED.items()})
        page.locator("a[href$='records/new']").tap()
        page.locator("#name").tap()
        hands.type(RECORD["name"]["fr"])
        with page.expect_navigation():
            page.locator("form.filing button.main").tap()
        refused = file_all(hands, record_in("fr"))
        page.locator("a[href$='/submit']").tap()
        with page.expect_navigation():
            page.locator("form.filing button.main").tap()
        judge(page, refused)


def test_a_jurist_files_a_first_record_in_arabic_by_keys_alone(console):
    with console.window(java_script_enabled=False) as page:
        hands = Keyboard(page, {name: words["ar"] for name, words in SPELLED.items()})
        hands.open(console.link("editor", "ar"))
        hands.act(tag="button", name="")
        hands.act(href="records/new")
        hands.go_to(id="name")
        hands.type(RECORD["name"]["ar"])
        hands.enter()
        refused = file_all(hands, record_in("ar"))
        hands.act(href="/submit")
        # An Arabic name gives no address: it is chosen before it is for ever.
        hands.go_to(id="slug")
        hands.type("mawaid-scanner")
        hands.enter()
        judge(page, refused)
        assert not hands.unseen
