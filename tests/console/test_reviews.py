"""Review in the console: the queue, the page of one draft, previews, links and notices."""

import datetime as dt
import secrets

import pytest

from registry.clock import utc_now
from registry.services.context import ServiceContext
from registry.services.filing import drafts, review
from registry.services.filing.drafts import Precondition
from registry.services.people import members as service_members
from registry.services.people import notices
from registry.services.people.access import OPERATOR
from registry.services.people.members import actor_of
from registry.services.statements import withdrawal
from registry.store import drafts as drafts_table
from registry.store import members
from tests.conftest import amended
from tests.published import given_times
from tests.served import records

from .conftest import opened_office, parse

DAY = dt.timedelta(days=1)


@pytest.fixture
async def office(settings, database_url):
    async with opened_office(settings, database_url, review="required") as office:
        office.context = ServiceContext(
            database=office.database,
            pack=office.pack,
            random=secrets.token_bytes,
            review="required",
            guard=given_times(),
        )
        yield office


class Desk:
    """Acts for members by the services, where no page is the thing tested."""

    def __init__(self, office):
        self.context = office.context

    async def actor(self, number):
        async with self.context.database.connection() as connection:
            return actor_of(await members.read(connection, number))

    async def save(self, number, document):
        actor, record = await self.actor(number), document["id"]
        async with self.context.database.connection() as connection:
            row = await connection.fetchrow("select tag from draft where record = $1", record)
            leaf = await connection.fetchval(
                "select encode(e.leaf, 'hex') from version as v"
                " inner join log_entry as e on e.index = v.entry"
                " where v.record = $1 order by v.version desc limit 1",
                record,
            )
        tag = row["tag"] if row else leaf and leaf[:16]
        state = Precondition(tag=tag) if tag else Precondition(new=True)
        return await drafts.save_draft(
            self.context, actor, record, document, precondition=state, now=utc_now()
        )

    async def submit(self, number, document):
        saved = await self.save(number, document)
        actor = await self.actor(number)
        await review.submit(self.context, actor, document["id"], precondition=None, now=utc_now())
        return saved.draft.tag

    async def draft(self, number, record):
        return (
            await drafts.read_draft(self.context, await self.actor(number), record, now=utc_now())
        ).draft


@pytest.fixture
def desk(office):
    return Desk(office)


def text_of(node):
    return " ".join("".join(node.itertext()).split())


def hrefs(page):
    return {link.get("href") for link in page.iter("a")}


async def test_what_waits_is_in_the_queue_with_what_it_changes(office, desk, record):
    _, editor = await office.member("editor")
    boss, reviewer = await office.member("reviewer", agency=None)
    tag = Precondition(tag=await desk.submit(editor, record))
    actor = await desk.actor(reviewer)
    await review.approve(desk.context, actor, record["id"], precondition=tag, now=utc_now())
    changed = amended(record, website="https://demo.example/autre")
    changed["risk"] = record["risk"] | {"level": "minimal"}
    other = amended(record) | {"id": "demo-sante/other", "source_id": "other"}
    other["name"] = {"fr": "Un système de tri du courrier", "ar": "نظام لفرز البريد"}
    await desk.submit(editor, other)
    saved = await desk.save(editor, changed)
    if saved.verdict.publishable:
        await desk.submit(editor, changed)
    page = parse(await boss.get("/office/fr/review/"))
    found = {text_of(item) for item in page.iter("li") if item.find("./h2") is not None}
    assert any("Nouvelle fiche" in one and other["id"] in one for one in found)
    assert {f"/office/fr/review/{other['id']}"} <= hrefs(page)
    for sort in ("level", "agency", "nothing"):
        parse(await boss.get(f"/office/fr/review/?sort={sort}"))
    assert "/office/fr/review/" in hrefs(page)


async def test_highest_risk_first_goes_by_the_higher_of_now_and_before(office, desk):
    _, editor = await office.member("editor")
    boss, reviewer = await office.member("reviewer", agency=None)
    [high] = [one for one in records("demo-sante") if one["id"].endswith("/triage-radiographies")]
    high["publication"].pop("change_note", None)
    tag = Precondition(tag=await desk.submit(editor, high))
    actor = await desk.actor(reviewer)
    await review.approve(desk.context, actor, high["id"], precondition=tag, now=utc_now())
    [limited] = [one for one in records("demo-sante") if "/transcription" in one["id"]]
    limited["publication"].pop("change_note", None)
    await desk.submit(editor, limited)
    lower = amended(high, risk=high["risk"] | {"level": "minimal"})
    actor = await desk.actor(editor)
    await desk.save(editor, lower)
    async with desk.context.database.transaction() as connection:
        await drafts_table.submit(
            connection, lower["id"], by=actor.name, person=actor.person, at=utc_now()
        )
    page = parse(await boss.get("/office/fr/review/?sort=level"))
    rows = [item for item in page.iter("li") if item.find("./h2") is not None]
    assert [lower["id"] in text_of(row) for row in rows] == [True, False]
    badges = [one.get("class") for one in rows[0].iter("span") if "badge" in one.get("class", "")]
    assert badges == ["badge risk-high", "badge risk-minimal"]


async def submitted(desk, number, document):
    """Put a draft into review, whatever the rules say of it."""
    saved, actor = await desk.save(number, document), await desk.actor(number)
    async with desk.context.database.transaction() as connection:
        await drafts_table.submit(
            connection, document["id"], by=actor.name, person=actor.person, at=utc_now()
        )
    return saved.draft.tag


def ids_in(page):
    return [
        text_of(item.find("./p/bdi[@class='code']"))
        for item in page.iter("li")
        if item.find("./h2") is not None
    ]


async def test_of_thirty_drafts_the_three_that_matter_are_the_first_three(office, desk):
    _, editor = await office.member("editor")
    boss, reviewer = await office.member("reviewer", agency=None)
    actor = await desk.actor(reviewer)
    by_name = {one["id"].partition("/")[2]: one for one in records("demo-sante")}
    high, other = by_name["triage-radiographies"], by_name["prevision-lits"]
    limited = next(one for one in by_name.values() if one["risk"]["level"] == "limited")
    for one in (high, limited):
        one["publication"].pop("change_note", None)
    tag = Precondition(tag=await submitted(desk, editor, high))
    await review.approve(desk.context, actor, high["id"], precondition=tag, now=utc_now())
    for number in range(13):
        await submitted(desk, editor, limited | {"id": f"demo-sante/early-{number:02}"})
    falls = amended(high, risk=high["risk"] | {"level": "minimal"})
    await submitted(desk, editor, falls)
    new_high = high | {"id": "demo-sante/new-high"}
    await submitted(desk, editor, new_high)
    worst = high | {"id": "demo-sante/worst", "risk": high["risk"] | {"level": "unacceptable"}}
    await submitted(desk, editor, worst)
    minimal = other | {"risk": other["risk"] | {"level": "minimal"}}
    for number in range(14):
        await submitted(desk, editor, minimal | {"id": f"demo-sante/late-{number:02}"})
    page = parse(await boss.get("/office/fr/review/"))
    assert len(ids_in(page)) == 30
    first = [worst["id"], falls["id"], new_high["id"]]
    assert ids_in(page)[:3] == first
    # One after the other, without the queue between them.
    read = parse(await boss.get(f"/office/fr/review/{worst['id']}"))
    assert f"/office/fr/review/{falls['id']}" in hrefs(read)
    for record, following in zip(first, [*first[1:], "demo-sante/early-00"], strict=True):
        page = parse(await boss.get(f"/office/fr/review/{record}"))
        [tag] = [one.get("value") for one in page.iter("input") if one.get("name") == "tag"]
        answer = await boss.post(
            f"/office/fr/review/{record}",
            [("tag", tag), ("queue", ""), ("act", "return"), ("comment", "Précisez.")],
        )
        assert answer.headers["location"] == f"/office/fr/review/{following}"


async def test_the_queue_is_filtered_and_goes_on_within_the_filter(office, desk):
    _, editor = await office.member("editor")
    _, teacher = await office.member("editor", agency="demo-education")
    boss, _ = await office.member("reviewer", agency=None)
    [high] = [one for one in records("demo-sante") if one["id"].endswith("/triage-radiographies")]
    for number in range(2):
        await submitted(desk, editor, high | {"id": f"demo-sante/a-{number}"})
    lesson = high | {"id": "demo-education/b", "risk": high["risk"] | {"level": "minimal"}}
    del lesson["rights"], lesson["decision"]
    await submitted(desk, teacher, lesson)
    await office.run(
        "update draft set submitted_at = now() - interval '9 days' where record ~ 'a-1$'"
    )

    async def shown(query):
        return ids_in(parse(await boss.get(f"/office/fr/review/?{query}")))

    assert await shown("agency=demo-education") == ["demo-education/b"]
    assert await shown("level=high") == ["demo-sante/a-1", "demo-sante/a-0"]
    assert await shown("late=1") == ["demo-sante/a-1"]
    assert await shown("level=unacceptable") == []
    assert (await shown("sort=findings"))[0] == "demo-education/b"
    assert len(await shown("sort=nothing&agency=&x=y")) == 3
    page = parse(await boss.get("/office/fr/review/?agency=demo-sante"))
    assert "/office/fr/review/demo-sante/a-0?agency=demo-sante" in hrefs(page)
    page = parse(await boss.get("/office/fr/review/demo-sante/a-1?agency=demo-sante"))
    assert "/office/fr/review/demo-sante/a-0?agency=demo-sante" in hrefs(page)
    assert ("queue", "agency=demo-sante") in {
        (one.get("name"), one.get("value")) for one in page.iter("input")
    }


async def test_a_new_record_is_read_by_what_matters_with_the_rest_folded(office, desk):
    _, editor = await office.member("editor")
    boss, _ = await office.member("reviewer", agency=None)
    [high] = [one for one in records("demo-sante") if one["id"].endswith("/triage-radiographies")]
    high["publication"].pop("change_note", None)
    await submitted(desk, editor, high)
    page = parse(await boss.get(f"/office/fr/review/{high['id']}"))
    [changes] = [one for one in page.iter("section") if one.get("id") == "changes"]
    open_heads = [text_of(one) for one in changes.findall("./div/h3")]
    folded = [text_of(one.find("summary")) for one in changes.findall("./details")]
    assert "Risque" in " ".join(open_heads)
    assert len(open_heads) < 10 < len(folded) + 1
    words = text_of(page)
    for code in ("authored", "Version du format", "Pourquoi elle change"):
        assert code not in words
    assert "Français" in words


async def test_a_withdrawal_that_waits_is_in_the_queue(office, desk, record):
    _, editor = await office.member("editor")
    boss, reviewer = await office.member("reviewer", agency=None)
    tag = Precondition(tag=await desk.submit(editor, record))
    approver, now = await desk.actor(reviewer), utc_now()
    receipt = await review.approve(desk.context, approver, record["id"], precondition=tag, now=now)
    await withdrawal.withdraw(
        desk.context,
        await desk.actor(editor),
        record["id"],
        {"reason": "filed_in_error", "note": {"fr": "Deux fois", "ar": "مكرر"}},
        precondition=Precondition(tag=receipt.hash[:16]),
        now=now,
    )
    page = parse(await boss.get("/office/fr/review/"))
    assert "/office/fr/review/acts/1" in hrefs(page)
    assert f"Retrait: {record['id']}" in text_of(page)


async def test_the_page_shows_each_difference_and_one_approves_what_one_read(office, desk, record):
    _, editor = await office.member("editor")
    boss, _ = await office.member("reviewer", agency=None)
    await desk.submit(editor, record)
    path = f"/office/fr/review/{record['id']}"
    page = parse(await boss.get(path))
    for act in ("approve", "return"):
        unasked = await boss.post(path, [("act", act), ("comment", "x")], token=None)
        assert unasked.status_code == 403
    [tag] = {field.get("value") for field in page.iter("input") if field.get("name") == "tag"}
    boxes = {box.get("name") for box in page.iter("textarea")}
    assert {"comment", "comment:/purpose/goal", "comment:/name"} <= boxes
    stale = await boss.post(path, [("act", "approve"), ("tag", "0" * 16)])
    assert stale.status_code == 412
    assert "a changé depuis" in text_of(parse(stale))
    done = await boss.post(path, [("act", "approve"), ("tag", tag)])
    assert (done.status_code, done.headers["location"]) == (303, "/office/fr/review/")
    page = parse(await boss.get("/office/fr/review/"))
    assert f"{record['id']} est publiée : version 1." in text_of(page)
    assert "Rien ne vous attend." in text_of(page)
    assert (await boss.get(path)).status_code == 404
    changed = amended(record, website="https://demo.example/autre")
    await desk.submit(editor, changed)
    page = parse(await boss.get(path))
    changes = page.find(".//section[@id='changes']")
    assert "https://demo.example/autre" in "".join(changes.itertext()).replace("\n", "") or (
        "demo.example/autre" in text_of(changes)
    )
    assert len(changes.findall(".//textarea")) == 1
    assert changed["publication"]["change_note"]["fr"] in text_of(page)


async def test_a_return_carries_a_comment_for_the_whole_and_for_each_field(office, desk, record):
    writer, editor = await office.member("editor")
    boss, _ = await office.member("reviewer", agency=None)
    tag = await desk.submit(editor, record)
    path = f"/office/ar/review/{record['id']}"
    parse(await boss.get(path))
    fields = [
        ("act", "return"),
        ("tag", tag),
        ("comment", " Presque.\r\nEncore un effort. "),
        ("comment:/purpose/goal", "من يستفيد؟"),
        ("comment:/name", ""),
        ("other", "/documents"),
        ("other-comment", "Joignez l’étude."),
    ]
    done = await boss.post(path, fields)
    assert done.status_code == 303
    draft = await desk.draft(editor, record["id"])
    assert draft.comment == '"Presque.\\nEncore un effort."'
    assert review.comments_of(draft) == {
        "/purpose/goal": "من يستفيد؟",
        "/documents": "Joignez l’étude.",
    }
    page = parse(await writer.get(f"/office/fr/records/{record['id']}/"))
    [said] = [one for one in page.iter("div") if one.get("class") == "notice caution"]
    assert "Presque." in text_of(said)
    assert {text_of(one) for one in said.iter("li")} == {
        "Objectif – من يستفيد؟",
        "Documents – Joignez l’étude.",
    }
    await desk.submit(editor, record)
    page = parse(await boss.get(path))
    remarks = [text_of(one) for one in page.iter() if one.get("class") == "remark"]
    assert any("من يستفيد؟" in one for one in remarks)
    assert any("Presque." in one for one in remarks)


UNSAID = {
    "nothing": ([], "comment"),
    "mark-up": ([("comment", "<b>x</b>")], "comment"),
    "mark-up of a field": ([("comment:/purpose/goal", "<b>x</b>")], "comment-purpose-goal"),
    "too long": ([("comment:/purpose/goal", "x" * 2001)], "comment-purpose-goal"),
    "another field": (
        [("comment", "fine"), ("other", "/name"), ("other-comment", "<i>")],
        "other-comment",
    ),
}


async def test_what_cannot_be_said_comes_back_with_the_words_and_why(
    office, desk, record, subtests
):
    _, editor = await office.member("editor")
    boss, _ = await office.member("reviewer", agency=None)
    tag = await desk.submit(editor, record)
    path = f"/office/fr/review/{record['id']}"
    parse(await boss.get(path))
    for what, (fields, box) in UNSAID.items():
        with subtests.test(what=what):
            answer = await boss.post(path, [("act", "return"), ("tag", tag), *fields])
            page = parse(answer)
            assert answer.status_code == 422
            assert f"#{box}" in hrefs(page)
            assert page.find(f".//*[@id='{box}-error']") is not None
            typed = {area.get("name"): area.text or "" for area in page.iter("textarea")}
            for name, value in fields:
                assert name == "other" or typed[name] == value
            assert (await desk.draft(editor, record["id"])).state == "in_review"


async def test_nobody_approves_her_own_submission_in_whatever_role(office, desk, record):
    both, number = await office.member("editor", "reviewer")
    colleague, _ = await office.member("reviewer", name="Brahim")
    tag = await desk.submit(number, record)
    path = f"/office/fr/review/{record['id']}"
    page = parse(await both.get(path))
    assert "vous ne pouvez donc pas l’approuver" in text_of(page)
    assert not [one for one in page.iter("input") if one.get("value") == "approve"]
    assert "Vous l’avez soumis" in text_of(parse(await both.get("/office/fr/review/")))
    refused = await both.post(path, [("act", "approve"), ("tag", tag)])
    assert refused.status_code == 403
    assert (await desk.draft(number, record["id"])).state == "in_review"
    parse(await colleague.get(path))
    done = await colleague.post(path, [("act", "approve"), ("tag", tag)])
    assert done.status_code == 303


async def answers(browser, addresses):
    """Return what a browser is answered at addresses, but for the numbers of requests."""
    found = []
    for address in addresses:
        answer = await browser.get(address)
        number = answer.headers["x-request-id"]
        slug = address.split("/records/")[-1].split("/review/")[-1]
        found.append((answer.status_code, answer.text.replace(number, "").replace(slug, "")))
    return found


async def test_a_strange_draft_and_one_that_is_not_there_are_answered_alike(office, desk, record):
    _, editor = await office.member("editor")
    stranger, _ = await office.member("editor", "reviewer", agency="demo-education")
    plain, _ = await office.member("editor", name="Carol")
    admin, _ = await office.member("register_admin", agency=None)
    there, absent = record["id"], "demo-sante/absent"
    await desk.submit(editor, record)
    for browser in (stranger, admin):
        for path in (
            "review/{}",
            "records/{}/preview/fr",
            "records/{}/preview-links",
        ):
            known, unknown = await answers(
                browser, [f"/office/fr/{path.format(one)}" for one in (there, absent)]
            )
            assert known[0] in {403, 404}
            assert known == unknown
        for path, fields in (
            ("review/{}", [("act", "approve"), ("tag", "x")]),
            ("review/{}", [("act", "return"), ("tag", "x"), ("comment", "x")]),
            ("records/{}/preview-links", [("days", "1")]),
            ("records/{}/preview-links/1/end", []),
        ):
            codes = [
                (await browser.post(f"/office/fr/{path.format(one)}", fields)).status_code
                for one in (there, absent)
            ]
            assert codes[0] == codes[1]
            assert codes[0] in {403, 404}
    # An editor of the same agency sees the preview, but reviews nothing.
    assert (await plain.get(f"/office/fr/records/{there}/preview/fr")).status_code == 200
    assert (await plain.get(f"/office/fr/review/{there}")).status_code == 404
    assert (await plain.get("/office/fr/review/")).status_code == 403
    assert (await desk.draft(editor, there)).state == "in_review"


async def test_a_preview_is_marked_private_and_in_each_language(office, desk, record, subtests):
    browser, editor = await office.member("editor")
    await desk.save(editor, {"id": record["id"], "schema_version": "1.0"})
    for language, tag in (("ar", "ar"), ("fr", "fr"), ("en", "en"), ("zgh", "ar")):
        with subtests.test(language=language):
            answer = await browser.get(f"/office/fr/records/{record['id']}/preview/{language}")
            page = parse(answer)
            assert answer.headers["x-robots-tag"] == "noindex"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert page.get("lang") == tag
            assert page.find(".//aside[@class='unpublished']") is not None
            assert f"/office/fr/records/{record['id']}/" in hrefs(page)
    assert (await browser.get(f"/office/fr/records/{record['id']}/preview/de")).status_code == 404


async def test_a_link_is_made_shown_once_read_by_anybody_and_ended(office, desk, record):
    browser, editor = await office.member("editor")
    await desk.save(editor, record)
    path = f"/office/fr/records/{record['id']}/preview-links"
    parse(await browser.get(path))
    page = parse(await browser.post(path, [("days", "3")]))
    [address] = [text_of(code) for code in page.iter("code")]
    assert address.startswith("https://algorithms.example/office/preview/")
    page = parse(await browser.get(path))
    assert not list(page.iter("code"))
    [end] = [
        form.get("action") for form in page.iter("form") if form.get("action", "").endswith("/end")
    ]
    for number in (2**63, "9" * 5000):
        assert (await browser.post(f"{path}/{number}/end")).status_code in {400, 404}, number
    outsider = office.browser(**{"accept-language": "ar"})
    led = await outsider.get(address)
    assert led.headers["location"].endswith("/ar")
    answer = await outsider.get(led.headers["location"])
    shown = parse(answer)
    assert (answer.status_code, answer.headers["x-robots-tag"]) == (200, "noindex")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert shown.find(".//meta[@name='robots']").get("content") == "noindex"
    assert f"/office/fr/records/{record['id']}/" not in hrefs(shown)
    assert "set-cookie" not in answer.headers
    secret = address.rsplit("/", 1)[1]
    assert all(secret not in repr(line) for line in office.lines)
    assert (await browser.post(end)).status_code == 303
    gone, never = await answers(
        outsider, [f"{address}/ar", f"{address.replace(secret, 'x' * 43)}/ar"]
    )
    assert gone[0] == 404
    assert gone[1].replace(secret, "") == never[1].replace("x" * 43, "")
    for strange in ("x", "%00", "é" * 43, "x" * 500):
        assert (await outsider.get(f"/office/preview/{strange}/fr")).status_code == 404


async def test_an_expired_link_is_as_one_that_never_was(office, desk, record):
    browser, editor = await office.member("editor")
    await desk.save(editor, record)
    path = f"/office/fr/records/{record['id']}/preview-links"
    await browser.get(path)
    page = parse(await browser.post(path, [("days", "7")]))
    [address] = [text_of(code) for code in page.iter("code")]
    await office.run("update preview_link set expires_at = now()")
    outsider = office.browser()
    assert (await outsider.get(f"{address}/fr")).status_code == 404
    for days in ("0", "8", "-1", "x", ""):
        await browser.get(path)
        assert (await browser.post(path, [("days", days)])).status_code == 400


async def test_notices_are_counted_shown_and_read(office, desk, record):
    browser, editor = await office.member("editor")
    boss, _ = await office.member("reviewer", agency=None)
    tag = await desk.submit(editor, record)
    page = parse(await boss.get("/office/fr/notices"))
    assert f"En attente de relecture : {record['id']}" in text_of(page)
    assert "Avis (1)" in text_of(page)
    assert f"https://algorithms.example/office/fr/review/{record['id']}" in hrefs(page)
    path = f"/office/fr/review/{record['id']}"
    await boss.get(path)
    assert "Avis (1)" not in text_of(parse(await boss.get("/office/fr/notices")))
    await boss.get(path)
    await boss.post(path, [("act", "return"), ("tag", tag), ("comment", "x")])
    page = parse(await browser.get("/office/ar/notices"))
    assert f"أعيدت: {record['id']}" in text_of(page)
    [until] = [one.get("value") for one in page.iter("input") if one.get("name") == "until"]
    assert (await browser.post("/office/ar/notices", [("until", until)])).status_code == 303
    assert not list(
        parse(await browser.get("/office/ar/notices")).iterfind(".//li[@class='unread']")
    )
    actor = await desk.actor(editor)
    assert await notices.count_unread(desk.context, actor) == 0


async def test_what_was_typed_when_the_session_ended_comes_back(office, desk, record):
    _, editor = await office.member("editor")
    boss, reviewer = await office.member("reviewer", agency=None)
    tag = await desk.submit(editor, record)
    path = f"/office/fr/review/{record['id']}"
    await boss.get(path)
    await office.run("update console_session set seen_at = now() - interval '1 hour'")
    fields = [("act", "return"), ("tag", tag), ("comment:/name", "Trop long.")]
    led = await boss.post(path, fields)
    assert led.status_code == 303
    made = await service_members.make_link(
        office.database, OPERATOR, reviewer, now=utc_now(), random=secrets.token_bytes
    )
    await boss.sign_in(made.secret)
    page = parse(await boss.get(path))
    [box] = [one for one in page.iter("textarea") if one.get("name") == "comment:/name"]
    assert box.text == "Trop long."
    assert (await desk.draft(editor, record["id"])).state == "in_review"


async def test_a_reviewer_whom_the_submitter_made_up_is_told_and_the_authority_confirms_her(
    office, desk, record
):
    admin, editor = await office.member("editor", "agency_admin")
    await desk.submit(editor, record)
    # She invites somebody who does not exist, and opens the link that she is shown herself.
    await admin.get("/office/fr/members")
    fields = [("name", "Personne"), ("roles", "reviewer"), ("language", "fr")]
    invited = parse(await admin.post("/office/fr/members", fields))
    [address] = [text_of(code) for code in invited.iter("code")]
    made_up = office.browser()
    await made_up.sign_in(address.rsplit("/", 1)[1])
    path = f"/office/fr/review/{record['id']}"
    page = parse(await made_up.get(path))
    assert "qu’une seule personne avec qui l’a demandé" in text_of(page)
    values = {field.get("value") for field in page.iter("input")}
    assert "approve" not in values
    [tag] = {one.get("value") for one in page.iter("input") if one.get("name") == "tag"}
    forged = await made_up.post(path, [("act", "approve"), ("tag", tag)])
    assert forged.status_code == 403
    assert "one person for four eyes" in text_of(parse(forged))
    number = await office.run("select max(id) as id from member")
    member = f"/office/fr/members/{number[0]['id']}"
    # Nobody of the agency confirms her; a register admin does, and then she approves.
    shown = parse(await admin.get(member))
    assert "Amina a fait entrer ce membre" in text_of(shown)
    assert f"{member}/confirm" not in {form.get("action") for form in shown.iter("form")}
    assert (await admin.post(f"{member}/confirm")).status_code == 403
    authority, _ = await office.member("register_admin", agency=None)
    shown = parse(await authority.get(member))
    assert f"{member}/confirm" in {form.get("action") for form in shown.iter("form")}
    assert (await authority.post(f"{member}/confirm")).status_code == 303
    assert "répond de ce que ce membre" in text_of(parse(await authority.get(member)))
    page = parse(await made_up.get(path))
    done = await made_up.post(path, [("act", "approve"), ("tag", tag)])
    assert (done.status_code, done.headers["location"]) == (303, "/office/fr/review/")


def pressed(page, wording):
    """Return what a browser sends when a button of a page is pressed: the controls of its form."""
    [button] = [one for one in page.iter("button") if text_of(one).strip() == wording]
    forms = {form.get("id"): form for form in page.iter("form")}
    register_context = {id(one): form for form in page.iter("form") for one in form.iter()}
    form = forms.get(button.get("form")) if button.get("form") else register_context[id(button)]
    sent = []
    for one in page.iter():
        owner = forms.get(one.get("form")) if one.get("form") else register_context.get(id(one))
        if owner is not form or not one.get("name"):
            continue
        if one.tag in {"input", "textarea"} or one is button:
            value = one.get("value") if one.tag != "textarea" else text_of(one)
            sent.append((one.get("name"), value or ""))
    return [pair for pair in sent if pair[0] != "_csrf_token"]


async def test_comments_are_kept_when_approval_is_refused_and_never_dropped(office, desk, record):
    _, editor = await office.member("editor")
    boss, _ = await office.member("reviewer", agency=None)
    record["website"] = "https://demo-sante.example/"
    await desk.submit(editor, record)
    path = f"/office/fr/review/{record['id']}"

    def typed(page, wording="Approuver et publier"):
        return [
            (name, "Précisez." if name == "comment:/purpose/goal" else value)
            for name, value in pressed(page, wording)
        ]

    # Approving with a comment written decides nothing, and the comment is still there.
    page = parse(await boss.get(path))
    answer = await boss.post(path, typed(page))
    assert answer.status_code == 422
    page = parse(answer)
    assert "une approbation n’en transmet aucun" in text_of(page)
    assert ("comment:/purpose/goal", "Précisez.") in pressed(page, "Approuver et publier")
    # The draft is taken back and submitted anew meanwhile: the comment survives that too.
    await review.take_back(desk.context, await desk.actor(editor), record["id"], now=utc_now())
    changed = amended(record)
    del changed["website"]
    await desk.submit(editor, changed)
    answer = await boss.post(path, [*typed(page), ("comment:/website", "Laquelle ?")])
    page = parse(answer)
    # So does one on a field that is gone.
    assert ("comment:/website", "Laquelle ?") in pressed(page, "Approuver et publier")
    assert "a changé depuis" in text_of(page)
    assert ("comment:/purpose/goal", "Précisez.") in pressed(page, "Approuver et publier")
    # Taken out, it is approved; what is returned has it.
    [wording] = [
        text_of(one).strip() for one in page.iter("button") if one.get("value") == "return"
    ]
    done = await boss.post(path, pressed(page, wording))
    assert done.status_code == 303
    assert "Précisez." in (await desk.draft(editor, record["id"])).comments
