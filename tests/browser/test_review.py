"""Reviewing in a real browser: by keyboard, without a script, readable to all, on a phone."""

import datetime as dt
import secrets

import pytest

from registry import resources
from registry.pages.assets import read_assets
from registry.record.pack import load_pack
from registry.services import drafts, members, review
from registry.services.access import OPERATOR
from registry.services.context import ServiceContext
from registry.services.drafts import Precondition
from registry.services.members import actor_of
from registry.store import members as stored_members
from tests.conftest import amended, make_record
from tests.served import served

from .conftest import CHROMIUM

PHONE = {"width": 360, "height": 740}
RECORD = "demo-sante/prevision-lits"
LANGUAGES = ("ar", "fr", "en", "zgh")
PAGES = {
    "queue": "review/",
    "review": f"review/{RECORD}",
    "preview": f"records/{RECORD}/preview/{{lang}}",
    "links": f"records/{RECORD}/preview-links",
    "notices": "notices",
}


async def fill(database):
    """Make an editor and a reviewer, a published record, and two drafts that wait."""
    context = ServiceContext(
        database=database,
        pack=load_pack("ma"),
        random=secrets.token_bytes,
        review="required",
    )
    now = dt.datetime.now(dt.UTC)
    links, actors = {}, {}
    for name, agency, roles in (
        ("editor", "demo-sante", ["editor"]),
        ("reviewer", None, ["reviewer"]),
        ("both", "demo-sante", ["editor", "reviewer"]),
    ):
        made = await members.invite(
            database,
            context.pack,
            OPERATOR,
            name=name,
            agency=agency,
            roles=roles,
            email=None,
            language="fr",
            now=now,
            random=secrets.token_bytes,
        )
        links[name] = made.secret
        async with database.connection() as connection:
            actors[name] = actor_of(await stored_members.read(connection, made.member))
    record = make_record()
    given = {"precondition": None, "now": now}
    state = Precondition(new=True)

    async def submit(document, state):
        await drafts.save_draft(
            context, actors["editor"], document["id"], document, precondition=state, now=now
        )
        await review.submit(context, actors["editor"], document["id"], **given)

    await submit(record, state)
    receipt = await review.approve(context, actors["reviewer"], RECORD, **given)
    changed = amended(record, website="https://demo.example/autre")
    changed["summary"] = record["summary"] | {
        "fr": record["summary"]["fr"] + " Une phrase de plus.",
        "ar": record["summary"]["ar"] + " جملة أخرى.",
    }
    changed["purpose"] = {
        name: value for name, value in record["purpose"].items() if name != "previous_process"
    }
    await submit(changed, Precondition(tag=receipt.hash[:16]))
    other = amended(record) | {"id": "demo-sante/tri-courrier", "source_id": "tri"}
    other["name"] = {"fr": "Tri du courrier entrant", "ar": "فرز البريد الوارد"}
    await submit(other, state)
    return links


@pytest.fixture(scope="module", autouse=True)
def office():
    """A register with a console, opened before the browser, whose loop is in asyncio's way."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    with served(console="on", review="required") as running:
        # The styles of the site, without its pages, which nobody looks at here.
        for name, content in read_assets(resources.SITE).files.items():
            path = running.register.data / "site" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        running.links = running.work(fill)
        yield running


@pytest.fixture(scope="module")
def signed_in(chromium, office):
    """Windows of the editor who also reviews, and of the authority's reviewer, by name."""
    windows = {}
    for name in ("both", "reviewer"):
        context = chromium.new_context(viewport=PHONE, java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{office.url}/office/fr/sign-in/link/{office.links[name]}")
        page.locator("main button").click()
        windows[name] = context
    yield windows
    for context in windows.values():
        context.close()


@pytest.fixture
def axe_page(chromium, office, signed_in):
    """A page that may run axe, with the cookies of who is signed in."""

    def open_as(name, **options):
        context = chromium.new_context(**options)
        context.add_cookies(signed_in[name].cookies())
        return context.new_page()

    return open_as


def who(name):
    return "reviewer" if name in {"queue", "review"} else "both"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_review_breaks_no_rule_and_fits_a_phone(axe_page, axe, office, name, language):
    for scheme in ("light", "dark"):
        page = axe_page(who(name), viewport=PHONE | {"width": 320}, color_scheme=scheme)
        answer = page.goto(f"{office.url}/office/{language}/{PAGES[name].format(lang=language)}")
        assert answer.status == 200
        assert page.locator("html").get_attribute("lang") == language
        assert axe(page) == []
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 320
        page.context.close()


def test_a_draft_is_returned_with_a_comment_on_a_field_without_a_script(signed_in, office):
    page = signed_in["reviewer"].new_page()
    page.goto(f"{office.url}/office/fr/review/")
    page.get_by_role("link", name="Tri du courrier entrant").click()
    field = page.locator("#comment-purpose-goal")
    page.locator("details", has=field).locator("summary").click()
    field.fill("Dites pour qui.")
    page.get_by_role("button", name="Renvoyer à l’organisme").click()
    assert "a été renvoyée avec vos commentaires" in page.locator("main").inner_text()
    page.close()


def test_a_draft_is_approved_by_keyboard(signed_in, office):
    page = signed_in["reviewer"].new_page()
    page.goto(f"{office.url}/office/fr/review/{RECORD}")
    button = page.get_by_role("button", name="Approuver et publier")
    for _ in range(200):
        page.keyboard.press("Tab")
        focused = page.locator("button:focus")
        if focused.count() == 1 and focused.inner_text() == button.inner_text():
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/review/")
    assert "version 2" in page.locator("main").inner_text()
    page.close()
