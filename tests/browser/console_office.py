"""A register with the console, and in it people and every state that a page of theirs shows."""

from __future__ import annotations

import datetime as dt
import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from registry import resources
from registry.pages.assets import read_assets
from registry.record.pack import load_pack
from registry.record.pointers import values_at
from registry.record.schema import SCHEMA_VERSION, fields
from registry.services.context import ServiceContext
from registry.services.filing import drafts, previews, review
from registry.services.filing.drafts import Precondition
from registry.services.people import members
from registry.services.people.access import OPERATOR
from registry.services.statements import withdrawal
from registry.services.statements.attestation import attest
from registry.store import members as stored_members
from registry.store import records
from tests.conftest import amended, make_record
from tests.served import served

PUBLISHED = "demo-sante/prevision-lits"
WITHDRAWN_SOON = "demo-sante/triage-radiographies"
VALID = Path(__file__).parents[1] / "data" / "valid"
PEOPLE = {
    "editor": ("demo-sante", ("editor",)),
    "admin": ("demo-sante", ("editor", "reviewer", "agency_admin")),
    "reviewer": (None, ("reviewer", "register_admin")),
    "neighbour": ("demo-services", ("editor",)),
    "officer": (None, ("data_protection",)),
}
"""Who is in it: the agency and the roles of each."""


class ConsoleOffice:
    """A console that is served, the people in it, and windows in which they are signed in."""

    def __init__(self, running, browser=None):
        self.url = running.url
        self.pack = load_pack("ma")
        self._running = running
        self._browser = browser

    def on(self, browser):
        return ConsoleOffice(self._running, browser)

    def work(self, do):
        """Do something with the services; not in this thread, where the browser's loop runs."""

        async def opened(database):
            context = ServiceContext(
                database=database, pack=self.pack, random=secrets.token_bytes, review="required"
            )
            return await do(context)

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(self._running.work, opened).result()

    def link(self, person, language="fr"):
        """Return the path of a link that signs in a new member, like one of the people."""
        agency, roles = PEOPLE[person]
        invited = partial(
            _invite, name=person.title(), agency=agency, roles=roles, language=language
        )
        return f"/office/{language}/sign-in/link/{self.work(invited).secret}"

    @contextmanager
    def window(self, person=None, language="fr", **options):
        """Open a window at the console, in which somebody is signed in."""
        context = self._browser.new_context(base_url=self.url, **options)
        page = context.new_page()
        page.set_default_timeout(60_000)
        if person is not None:
            page.goto(self.link(person, language))
            with page.expect_navigation():
                page.locator("main button").click()
        yield page
        context.close()


@contextmanager
def console_office():
    """Serve a register that requires review, with the styles of the site but not its pages."""
    with served(load=True, console="on", review="required") as running:
        for name, content in read_assets(resources.SITE).files.items():
            path = running.register.data / "site" / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        yield ConsoleOffice(running)


def bilingual(name, slug):
    """A document of tests/data/valid as a record of the agency, each text in French and Arabic."""
    document = json.loads((VALID / f"{name}.json").read_text("utf-8"))
    made = _in_both(document)
    # What people rely on says something in each of its languages.
    if name == "high":
        made["risk"]["rationale"]["ar"] = "قد يحرم خطأ في الترتيب مريضا من موعد قريب."
        made["risks"][0]["mitigation"]["ar"] = "يراجع طبيب كل ملف مؤجل قبل إخبار صاحبه."
    made["id"] = f"demo-sante/{slug}"
    made["schema_version"] = SCHEMA_VERSION  # A form files what it makes as the newest.
    made["languages"] = {
        "source": "fr",
        "translation_status": {"ar": "authored", "fr": "authored"},
    }
    for field in fields():
        if field.kind == "LangLine":
            *above, last = field.path
            for _, holder in list(values_at(made, above)):
                if isinstance(line := holder.get(last), str):
                    holder[last] = _in_both({"fr": line})
    if "technical" in made:
        # A form sends what is chosen in the order of the code list.
        made["technical"]["techniques"].sort()
    return made


def _in_both(value):
    if isinstance(value, list):
        return [_in_both(one) for one in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("fr"), str):
        return {"ar": value.get("ar") or f"بالعربية: {value['fr']}", "fr": value["fr"]}
    return {name: _in_both(one) for name, one in value.items()}


async def _invite(context, *, name, agency, roles, language):
    return await members.invite(
        context.database,
        context.pack,
        OPERATOR,
        name=name,
        agency=agency,
        roles=list(roles),
        email=None,
        language=language,
        now=dt.datetime.now(dt.UTC),
        random=context.random,
    )


async def fill(context):
    """Make drafts in every state, what waits for a decision, and a link to a preview."""
    now = dt.datetime.now(dt.UTC)
    actors = {}
    for person in ("editor", "reviewer"):
        agency, roles = PEOPLE[person]
        made = await _invite(context, name=person, agency=agency, roles=roles, language="fr")
        async with context.database.connection() as connection:
            member = await stored_members.read(connection, made.member)
        actors[person] = members.actor_of(member)
    editor, reviewer = actors["editor"], actors["reviewer"]
    given = {"precondition": None, "now": now}

    async def save(document, tag=None):
        state = Precondition(new=True) if tag is None else Precondition(tag=tag)
        await drafts.save_draft(
            context, editor, document["id"], document, precondition=state, now=now
        )

    async def tag_of(record):
        async with context.database.connection() as connection:
            return drafts.tag_of((await records.read_latest(connection, [record]))[record].leaf)

    complete = bilingual("high", "complete")
    await save(complete)
    begun = {name: complete[name] for name in ("schema_version", "languages")}
    begun |= {"id": "demo-sante/begun", "name": {"fr": "Un nom seul"}}
    await save(begun)
    returned = bilingual("high", "returned")
    await save(returned)
    await review.submit(context, editor, returned["id"], **given)
    said = {"comment": "À revoir.", "comments": {"/purpose/goal": "Dites pour qui."}}
    await review.return_draft(context, reviewer, returned["id"], said, **given)
    waits = bilingual("high", "waits")
    await save(waits)
    await review.submit(context, editor, waits["id"], **given)
    changed = amended(make_record(), website="https://demo.example/autre")
    changed["summary"] = {tag: f"{text} 2026." for tag, text in changed["summary"].items()}
    await save(changed, await tag_of(PUBLISHED))
    await review.submit(context, editor, PUBLISHED, **given)
    statement = {"reason": "other", "note": {"fr": "Le projet est abandonné."}}
    tag = await tag_of(WITHDRAWN_SOON)
    await withdrawal.withdraw(
        context, editor, WITHDRAWN_SOON, statement, precondition=Precondition(tag=tag), now=now
    )
    counted = {"day": str(now.date()), "systems_total": 9, "contact": {"email": "a@demo.example"}}
    act = await attest(context, editor, "demo-sante", counted, now=now)
    link = await previews.make_link(context, editor, complete["id"], days=7, now=now)
    return act.act, link
