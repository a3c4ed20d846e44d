"""Withdrawals and attestations in a real browser: by two people, also without script."""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager

import pytest

from registry.record.pack import load_pack
from tests.browser.conftest import CHROMIUM
from tests.served import served

ID = "demo-sante/prevision-lits"
NARROW = {"width": 320, "height": 640}

pytestmark = pytest.mark.xdist_group("browser-console-acts")


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """A register that has the console and requires review."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    with served(load=True, review="required", console="on", site_build="manual") as running:
        # The console uses the style sheet and the fonts of the site.
        built = tmp_path_factory.mktemp("console") / "site"
        told = running.register.run("site", "build", "--out", built)
        assert told.returncode == 0, told.stderr
        shutil.copytree(built.resolve(), running.register.data / "site", dirs_exist_ok=True)
        yield running


@pytest.fixture
def member(chromium, office):
    """Open the browser of a new member who is signed in."""

    @contextmanager
    def window(*roles, name, agency="demo-sante", language="fr", **options):
        told = office.register.run(
            *("member", "invite", name, "--agency", agency, "--lang", language),
            *(part for role in roles for part in ("--role", role)),
        )
        assert told.returncode == 0, told.stderr
        [secret] = re.findall(r"/sign-in/link/(\S+)", told.stdout)
        context = chromium.new_context(**({"viewport": NARROW, "base_url": office.url} | options))
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(f"/office/{language}/sign-in/link/{secret}")
        page.locator("main button").click()
        page.wait_for_url(f"**/office/{language}/")
        yield page
        context.close()

    return window


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def overflows(page):
    return page.evaluate("document.documentElement.scrollWidth > window.innerWidth")


def test_two_people_withdraw_a_record_without_script_and_by_keyboard(member):
    plain = {"java_script_enabled": False}
    with (
        member("editor", name="Amina", **plain) as editor,
        member("reviewer", name="Brahim", **plain) as reviewer,
    ):
        editor.goto(f"/office/fr/records/{ID}/withdraw")
        editor.locator("#reason-filed_in_error").focus()
        press(editor, "ArrowDown", "ArrowUp")
        press(editor, *["Tab"] * (load_pack("ma").languages.index("fr") + 1))
        editor.keyboard.type("Déposée deux fois.")
        assert editor.locator("#note-fr").input_value() == "Déposée deux fois."
        editor.locator("main form button").focus()
        press(editor, "Enter")
        editor.wait_for_url("**/review/acts/*")
        act = editor.url
        assert editor.locator("text=Déposée deux fois.").is_visible()
        reviewer.goto(act)
        reviewer.locator("button[value=approve]").focus()
        press(reviewer, "Enter")
        reviewer.wait_for_load_state()
        assert reviewer.locator("button[value=approve]").count() == 0
        editor.goto(act)
        assert editor.locator("text=Approuvé le").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_the_pages_have_no_barrier(member, axe, language, scheme):
    found = []
    look = {"language": language, "color_scheme": scheme}
    record = "demo-sante/triage-radiographies"
    with (
        member("editor", name="Amina", **look) as editor,
        member("reviewer", name="Brahim", **look) as reviewer,
    ):

        def check(page, what):
            found.extend((what, *one) for one in axe(page))
            if overflows(page):
                found.append((what, "overflows"))

        withdraw = f"/office/{language}/records/{record}/withdraw"
        editor.goto(withdraw)
        check(editor, "withdraw")
        editor.locator("main form button").click()
        editor.wait_for_selector(".error-summary")
        check(editor, "withdraw with findings")
        editor.goto(f"/office/{language}/attestation")
        check(editor, "attestation")
        editor.locator("main form button").click()
        editor.wait_for_selector(".error-summary")
        check(editor, "attestation with findings")
        editor.goto(withdraw)
        editor.locator("#reason-other").check()
        editor.locator("#note-fr").fill("Le projet est abandonné.")
        editor.locator("main form button").click()
        editor.wait_for_url("**/review/acts/*")
        check(editor, "own request")
        act = editor.url
        editor.goto(withdraw)
        check(editor, "what waits")
        reviewer.goto(act)
        check(reviewer, "decision")
        reviewer.locator("button[value=return]").click()
        reviewer.wait_for_selector(".error-summary")
        check(reviewer, "decision with findings")
        reviewer.goto(f"/office/{language}/review/acts")
        check(reviewer, "list")
        editor.goto(act)
        editor.locator("button[value=take_back]").click()
        editor.wait_for_url(f"**/office/{language}/")
    assert found == []
