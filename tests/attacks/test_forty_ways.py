"""Forty ways to publish without redress: none.

Every way is tried by the interface, saved and submitted and in one call, in bulk, by loading a
folder, and as an amendment of a good public version; some by workbook, by the form, by import and
by what may be done to a public record. Each is refused with a finding at the place to mend, and the
public reads afterwards what it read before.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
import secrets
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from registry.api.operations import XLSX
from registry.clock import utc_now
from registry.errors import InvalidRecord
from registry.imports.convert import convert_file
from registry.imports.crosswalk import TEMPLATES, load_crosswalk
from registry.imports.report import ForeignRecord, ImportReport
from registry.record.pack import load_pack
from registry.services.context import ServiceContext
from registry.services.filing.loading import load
from registry.services.people import access_tokens
from registry.workbooks.cells import WorkbookWords
from registry.workbooks.writing import FormSource, make_workbook
from tests.console import conftest
from tests.console.conftest import SITE
from tests.imported import import_filings
from tests.published import given_times

office = conftest.office

PACK = load_pack("ma")
VALID = Path(__file__).parents[1] / "data" / "valid"
GOOD = json.loads((VALID / "by-language.json").read_text("utf-8"))
# Reasons that suffice below the floor too, so that each way is refused for itself.
GOOD["risk"]["rationale"] = json.loads((VALID / "below-floor.json").read_text("utf-8"))["risk"][
    "rationale"
]
GOOD["languages"]["translation_status"]["en"] = "authored"
AGENCY = "demo-services"
NOTE = {"ar": "تصحيح معلومات البطاقة", "fr": "Correction de la fiche"}
NDJSON = {"content-type": "application/x-ndjson"}

OVERSIGHT = "/decision/human_oversight"
PROCEDURE = "/rights/contestation/procedure"
CONTESTATION = "/rights/contestation"
RATIONALE = "/risk/rationale"
STATUS = "/lifecycle/status"
LEVEL = "/risk/level"
SUSPENDED = {
    STATUS: "suspended",
    "/lifecycle/status_reason": {"fr": "Essai terminé.", "ar": "انتهت التجربة."},
}
SENTENCE = "Les agents examinent tout dossier rejeté puis corrigent."
ARABIC = "يراجع الموظفون كل ملف مرفوض ثم يصححون القرار."
GROUND = [{"pointer": CONTESTATION, "ground": "state_security"}]
MONTH = dt.timedelta(days=30)


def day(months):
    return (utc_now().date() + months * MONTH).isoformat()


def available(code, **more):
    return {CONTESTATION: {"available": code, **more}}


def in_both(french, arabic):
    return {"fr": french, "ar": arabic}


# By name: what differs from the good record, and where a finding is expected.
WAYS = {
    # --- nothing at all
    "no redress": ({CONTESTATION: ...}, CONTESTATION),
    "no rights": ({"/rights": ...}, CONTESTATION),
    "no oversight": ({OVERSIGHT: ...}, OVERSIGHT),
    "no procedure": ({PROCEDURE: ...}, PROCEDURE),
    "a page and no procedure": (available("yes", url="https://a.example/"), PROCEDURE),
    "oversight of nobody": ({"/decision/oversight_type": "none"}, "/decision/oversight_type"),
    "no mitigation": ({"/risks/0/mitigation": ...}, "/risks"),
    "redress withheld": (
        {CONTESTATION: ..., "/publication/withheld_fields": GROUND},
        "/publication/withheld_fields/0/pointer",
    ),
    "procedure withheld": (
        {
            PROCEDURE: ...,
            "/publication/withheld_fields": [{"pointer": PROCEDURE, "ground": "state_security"}],
        },
        "/publication/withheld_fields/0/pointer",
    ),
    # --- texts that say nothing
    "a dot": ({OVERSIGHT: in_both(".", ".")}, f"{OVERSIGHT}/fr"),
    "a dash": ({PROCEDURE: in_both("–", "–")}, f"{PROCEDURE}/fr"),
    "N/A": ({PROCEDURE: in_both("N / A", "N / A")}, f"{PROCEDURE}/ar"),
    "TODO": ({OVERSIGHT: in_both("TODO TODO TODO TODO", ARABIC)}, f"{OVERSIGHT}/fr"),
    "to complete": ({PROCEDURE: in_both("à  compléter…", "للاستكمال")}, f"{PROCEDURE}/fr"),
    "none": ({OVERSIGHT: in_both("Aucun.", "لا يوجد")}, f"{OVERSIGHT}/ar"),
    "without object": ({PROCEDURE: in_both("Sans objet", ARABIC)}, f"{PROCEDURE}/fr"),
    "not available in Arabic": (
        {OVERSIGHT: in_both(SENTENCE, "غَيْرُ مُتَوَفِّـرٍ")},
        f"{OVERSIGHT}/ar",
    ),
    "one letter": ({OVERSIGHT: in_both("x" * 400, "ن" * 400)}, f"{OVERSIGHT}/fr"),
    "one word": ({RATIONALE: in_both("mot " * 59 + "mot", ARABIC)}, f"{RATIONALE}/fr"),
    "the name of the field": (
        {OVERSIGHT: in_both("Contrôle humain", "المراقبة البشرية")},
        f"{OVERSIGHT}/ar",
    ),
    "the name of the field in another language": (
        {OVERSIGHT: in_both("Human oversight", ARABIC)},
        f"{OVERSIGHT}/fr",
    ),
    "the help of the field": (
        {PROCEDURE: in_both("La marche à suivre, étape par étape.", ARABIC)},
        f"{PROCEDURE}/fr",
    ),
    "a denial": (
        {OVERSIGHT: in_both("Il n'y a pas de contrôle humain.", ARABIC)},
        f"{OVERSIGHT}/fr",
    ),
    "a longer denial": (
        {OVERSIGHT: in_both(SENTENCE, "لا توجد أي مراقبة بشرية على القرارات التي يصدرها النظام.")},
        f"{OVERSIGHT}/ar",
    ),
    "the same sentence everywhere": (
        {OVERSIGHT: in_both(SENTENCE, ARABIC), PROCEDURE: in_both(SENTENCE, ARABIC)},
        f"{PROCEDURE}/fr",
    ),
    "the name again": (
        {
            "/name/fr": "Classement des demandes de consultation",
            PROCEDURE: in_both("Le classement des demandes de consultation.", ARABIC),
        },
        f"{PROCEDURE}/fr",
    ),
    "a mitigation to come": (
        {"/risks/0/mitigation/fr": "À définir ultérieurement par le service."},
        "/risks/0/mitigation/fr",
    ),
    # --- languages
    "oversight not in Arabic": ({OVERSIGHT: {"fr": SENTENCE}}, f"{OVERSIGHT}/ar"),
    "procedure in English alone": (
        {PROCEDURE: {"en": "Write to the secretary of the hospital with the number."}},
        f"{PROCEDURE}/fr",
    ),
    "goal not in French": ({"/purpose/goal/fr": ...}, "/purpose/goal/fr"),
    "notice not in Arabic": ({"/rights/notice/note/ar": ...}, "/rights/notice/note/ar"),
    "French under Arabic": ({PROCEDURE: in_both(SENTENCE, SENTENCE)}, f"{PROCEDURE}/ar"),
    "other French under Arabic": (
        {OVERSIGHT: in_both(SENTENCE, "Un conseiller relit chaque réponse du système.")},
        f"{OVERSIGHT}/ar",
    ),
    # --- redress that is not there
    "in progress for ever": (available("in_progress"), f"{CONTESTATION}/available_on"),
    "in progress for a year": (
        available("in_progress", available_on=day(12)),
        f"{CONTESTATION}/available_on",
    ),
    "in progress until yesterday": (
        available("in_progress", available_on=day(-1)),
        f"{CONTESTATION}/available_on",
    ),
    "available in a year": (
        {f"{CONTESTATION}/available_on": day(12)},
        f"{CONTESTATION}/available_on",
    ),
    "excluded by no law": (available("precluded_by_law"), f"{CONTESTATION}/law"),
    "excluded by the law": (
        available("precluded_by_law", law={"fr": "La loi en vigueur", "ar": "القانون"}),
        f"{CONTESTATION}/law",
    ),
    "no effect, says a decision with legal effect": (
        {f"{CONTESTATION}/available": "no_legal_effect"},
        f"{CONTESTATION}/available",
    ),
    # --- statuses and levels
    "in pilot": ({STATUS: "pilot", CONTESTATION: ...}, CONTESTATION),
    "suspended": (SUSPENDED | {CONTESTATION: ...}, CONTESTATION),
    "unacceptable and suspended": (
        SUSPENDED | {LEVEL: "unacceptable", OVERSIGHT: in_both(".", ".")},
        f"{OVERSIGHT}/fr",
    ),
    "limited, below the floor": (
        {LEVEL: "limited", "/decision/role": "recommends", CONTESTATION: ...},
        CONTESTATION,
    ),
    "limited, and a dot": (
        {LEVEL: "limited", "/decision/role": "recommends", OVERSIGHT: in_both(".", ".")},
        f"{OVERSIGHT}/fr",
    ),
    "limited, and no procedure": (
        {LEVEL: "limited", "/decision/role": "recommends", PROCEDURE: ...},
        PROCEDURE,
    ),
    "limited, and not in Arabic": (
        {LEVEL: "limited", "/decision/role": "recommends", OVERSIGHT: {"fr": SENTENCE}},
        f"{OVERSIGHT}/ar",
    ),
    "limited, for one word's reasons": (
        {LEVEL: "limited", RATIONALE: in_both("mot " * 59 + "mot", "كلمة " * 59 + "كلمة")},
        f"{RATIONALE}/fr",
    ),
    "minimal, and nothing": (
        {LEVEL: "minimal", CONTESTATION: ..., OVERSIGHT: ...},
        CONTESTATION,
    ),
}


def edited(edits, number=0, base=GOOD):
    document = copy.deepcopy(base)
    document["id"] = f"{AGENCY}/way-{number}"
    for place, value in edits.items():
        *path, last = [int(one) if one.isdigit() else one for one in place.split("/")[1:]]
        here = document
        for step in path:
            here = here[step] if isinstance(here, list) else here.setdefault(step, {})
        if value is ...:
            del here[last]
        else:
            here[last] = value
    return document


DOCUMENTS = {name: edited(edits, at) for at, (name, (edits, _)) in enumerate(WAYS.items())}


class Register:
    """A register with a console, as an agency's program uses it."""

    def __init__(self, office, client):
        self.office = office
        self.client = client

    async def public(self):
        """Every document of agencies of this register that the public reads, by its id."""
        listed = await self.client.get("/api/v1/records", params={"limit": 100})
        return {
            one["id"]: (await self.client.get(f"/api/v1/records/{one['id']}")).json()
            for one in listed.json()["items"]
            if "." not in one["id"].partition("/")[0]
        }

    async def put(self, document, **headers):
        return await self.client.put(
            f"/api/v1/filings/{document['id']}",
            json=document,
            headers=headers or {"if-none-match": "*"},
        )

    async def submit(self, record):
        return await self.client.post(f"/api/v1/filings/{record}/submit")

    async def publish(self, document):
        """Publish a record in one call, on what is public of it."""
        address = f"/api/v1/records/{document['id']}"
        there = await self.client.get(address)
        given = {"if-match": there.headers["etag"]} if there.is_success else {"if-none-match": "*"}
        return await self.client.post(
            address, params={"action": "publish"}, json=document, headers=given
        )

    async def publishes(self, document):
        answer = await self.publish(document)
        assert answer.status_code == 201, answer.text
        return answer.headers["etag"]


@asynccontextmanager
async def opened(office):
    token = await access_tokens.create_token(
        office.database,
        agency=AGENCY,
        scopes=("file",),
        actor=None,
        days=30,
        now=utc_now(),
        random=secrets.token_bytes,
    )
    transport = httpx.ASGITransport(office.application)
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url=SITE, headers=headers) as client:
        yield Register(office, client)


@pytest.fixture
async def register(office):
    """A register of which nothing more is public after the test than a good record."""
    async with opened(office) as register:
        await register.publishes(edited({}, "good"))
        before = await register.public()
        assert len(before) == 1
        yield register
        assert await register.public() == before


def refused(answer, name):
    """Check that an answer is a refusal with an error at the place of a way."""
    assert answer.status_code == 422, (name, answer.text)
    errors = {one["pointer"] for one in answer.json()["findings"] if one["severity"] == "error"}
    assert WAYS[name][1] in errors, (name, errors)


def test_there_are_forty_ways_and_each_is_one():
    assert len(WAYS) >= 40
    assert len({json.dumps(one | {"id": ""}) for one in DOCUMENTS.values()}) == len(WAYS)


async def test_none_by_the_interface(register, subtests):
    for name, document in DOCUMENTS.items():
        with subtests.test(name=name):
            saved = await register.put(document)
            assert saved.is_error or saved.json()["publishable"] is False
            if saved.is_success:
                refused(await register.submit(document["id"]), name)
                await register.client.delete(f"/api/v1/filings/{document['id']}")
            refused(await register.publish(document), name)


async def test_none_in_bulk(register):
    content = b"".join(json.dumps(one).encode() + b"\n" for one in DOCUMENTS.values())
    for action in ("submit", "draft"):
        answer = await register.client.post(
            "/api/v1/filings", params={"action": action}, content=content, headers=NDJSON
        )
        lines = [json.loads(line) for line in answer.content.splitlines()]
        assert len(lines) == len(WAYS)
        published = {line["id"] for line in lines if line["outcome"] in {"published", "in_review"}}
        assert published == set()


async def test_none_by_amending_a_good_version(register, subtests):
    good = edited({}, "good")
    record, address = good["id"], f"/api/v1/filings/{good['id']}"
    for name, (edits, _) in WAYS.items():
        with subtests.test(name=name):
            worse = edited(edits | {"/publication/change_note": NOTE}, "good")
            refused(await register.publish(worse), name)
            # The same as a patch of a draft that is as good as what is public.
            tag = (await register.client.get(f"/api/v1/records/{record}")).headers["etag"]
            better = edited({"/publication/change_note": NOTE, "/system_version": "9"}, "good")
            saved = await register.put(better, **{"if-match": tag})
            assert saved.json()["publishable"] is True, saved.text
            patch = {}
            for part in {place.split("/")[1] for place in edits}:
                # A patch leaves a member that it does not name: null removes it.
                patch[part] = _patch(better.get(part), worse.get(part))
            patched = await register.client.patch(
                address,
                content=json.dumps(patch),
                headers={
                    "content-type": "application/merge-patch+json",
                    "if-match": saved.headers["etag"],
                },
            )
            if patched.is_success:
                refused(await register.submit(record), name)
            await register.client.delete(address)


def _patch(before, after):
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    gone = dict.fromkeys(before.keys() - after.keys())
    return gone | {
        key: _patch(before.get(key), value)
        for key, value in after.items()
        if before.get(key) != value
    }


async def test_none_by_loading_a_folder(register, tmp_path):
    office = register.office
    (tmp_path / AGENCY).mkdir()
    for document in DOCUMENTS.values():
        path = tmp_path / f"{document['id']}.json"
        path.write_text(json.dumps(document), encoding="utf-8")
    context = ServiceContext(
        database=office.database, pack=PACK, random=secrets.token_bytes, guard=given_times()
    )
    loaded = await load(context, tmp_path, now=utc_now)
    assert len(loaded) == len(WAYS)
    assert all(isinstance(one.refused, InvalidRecord) for one in loaded)


async def test_none_by_workbook(register, subtests):
    client = register.client
    columns = {"columns": "full", "agency": AGENCY}
    export = await client.get("/api/v1/exports/records.csv", params=columns)
    text = export.content.decode("utf-8-sig")
    worse = text.replace(GOOD["decision"]["human_oversight"]["ar"], "غير متوفر")
    assert worse != text
    answer = await client.post(
        "/api/v1/workbooks", content=worse.encode(), headers={"content-type": "text/csv"}
    )
    assert answer.status_code == 200, answer.text
    [item] = answer.json()["items"]
    assert (item["outcome"], item["publishable"]) == ("created", False)
    assert (await register.submit(item["record"])).status_code == 422
    await client.delete(f"/api/v1/filings/{item['record']}")
    for layout in ("form", "table"):
        for name in ("a dot", "no procedure", "in progress for ever", "limited, and a dot"):
            with subtests.test(name=name, layout=layout):
                source = FormSource(document=DOCUMENTS[name], tag="")
                answer = await client.post(
                    "/api/v1/workbooks",
                    content=make_workbook([source], WorkbookWords(PACK, "fr"), layout=layout),
                    headers={"content-type": XLSX},
                )
                [item] = answer.json()["items"]
                assert item["outcome"] == "created", item
                refused(await register.submit(item["record"]), name)
                await client.delete(f"/api/v1/filings/{item['record']}")


@pytest.mark.parametrize("name", ["a dot", "no procedure", "no oversight", "in progress for ever"])
async def test_none_by_the_form(register, name):
    browser, _ = await register.office.member("editor", agency=AGENCY)
    document = DOCUMENTS[name]
    saved = await register.put(document)
    assert saved.is_success
    path = f"/office/fr/records/{document['id']}/submit"
    # The page offers no form to publish it; whoever sends one all the same is refused.
    assert f'action="{path}"' not in (await browser.get(path)).text
    answer = await browser.post(path, [("tag", saved.headers["etag"].strip('"')), ("sure", "1")])
    assert answer.status_code == 422
    assert "Publié" not in answer.text


async def test_none_by_import(register, tmp_path):
    """What another register says is its own: it publishes nothing for an agency of this one."""
    template = json.loads((TEMPLATES / "register-jsonl.json").read_bytes())
    facts = {"version": 2, "origin": None, "published_at": "2026-11-24T08:00:00.123456Z"}
    office = register.office
    context = ServiceContext(
        database=office.database, pack=PACK, random=secrets.token_bytes, guard=given_times()
    )
    source = {
        "origin": "example-state",
        "title": "Register of Example State",
        "publisher": "Example State",
        "homepage": "https://state.example/",
        "licence": "CC-BY-4.0",
        "country": "XS",
        "language": "fr",
        "agency": {"prefix": "xs", "known": {AGENCY: {"fr": "Services", "ar": "الخدمات"}}},
    }
    crosswalk, rows = tmp_path / "state.json", tmp_path / "rows.jsonl"
    crosswalk.write_text(json.dumps(template | source), encoding="utf-8")
    lines = [json.dumps({"record": one, "register": facts}) for one in DOCUMENTS.values()]
    rows.write_text("\n".join(lines), encoding="utf-8")
    loaded = load_crosswalk(crosswalk)
    report = ImportReport(origin=loaded.origin)
    outcomes = convert_file(loaded, rows, pack=PACK, today=utc_now().date(), report=report)
    found = [one for one in outcomes if isinstance(one, ForeignRecord)]
    assert {one.agency.id for one in found} <= {f"xs.{AGENCY}"}
    assert all(one.agency.kind == "foreign" for one in found)
    # Nor where the documents themselves have the ids of an agency of this register.
    for one in found:
        one.document["id"] = one.document["id"].removeprefix("xs.")
    await import_filings(context, found, now=utc_now, origin=loaded.origin)
    listed = await register.client.get("/api/v1/records", params={"limit": 100})
    origins = {one["id"].partition(".")[0] for one in listed.json()["items"]}
    assert origins == {"xs", f"{AGENCY}/way-good"}


async def test_none_by_a_change_of_status(register):
    """What may be public before it decides about anybody is not once it does."""
    good = edited({}, "good")
    for status in ("planned", "in_development", "retired"):
        waiting = edited({STATUS: status, CONTESTATION: ..., OVERSIGHT: ...}, f"from-{status}")
        waiting["lifecycle"].pop("deployed_on")
        if status == "retired":
            waiting["lifecycle"] |= {"deployed_on": "2025-01-05", "retired_on": "2026-01-05"}
        answer = await register.publish(waiting)
        if answer.status_code != 201:
            continue
        for running in ("pilot", "in_use", "suspended"):
            worse = copy.deepcopy(waiting)
            worse["lifecycle"] = copy.deepcopy(good["lifecycle"]) | {"status": running}
            worse["publication"] = {**worse["publication"], "change_note": NOTE}
            refused_as = await register.publish(worse)
            assert refused_as.status_code == 422, (status, running)
            pointers = {one["pointer"] for one in refused_as.json()["findings"]}
            assert {CONTESTATION, OVERSIGHT} <= pointers
        await _withdraw(register, waiting["id"])


async def test_none_by_withdrawing_and_filing_anew(register):
    first = edited({}, "first")
    await register.publishes(first)
    await _withdraw(register, first["id"])
    for name in ("no redress", "a dot", "limited, below the floor", "minimal, and nothing"):
        for slug in ("first", "second"):
            again = edited(WAYS[name][0], slug)
            again["publication"] = {**again["publication"], "change_note": NOTE}
            answer = await register.publish(again)
            assert answer.is_error, (name, slug)


async def _withdraw(register, record):
    address = f"/api/v1/records/{record}"
    tag = (await register.client.get(address)).headers["etag"]
    done = await register.client.post(
        f"{address}/withdraw",
        json={"reason": "filed_in_error", "note": {"fr": "Deux fois", "ar": "مكرر"}},
        headers={"if-match": tag},
    )
    assert done.is_success, done.text


async def test_none_by_restriction(register):
    """A restricted record lowers no level, and an authority that is not the agency orders it."""
    given = {"ground": "state_security", "authority": "Commission nationale du secret"}
    decided = given | {"reference": "2026/31", "review_on": "2027-06-30"}
    ways = {
        "its own authority": ({"authority": AGENCY}, "high"),
        "no number": ({"reference": ...}, "high"),
        "a lower level": ({}, "minimal"),
        "a ground for another sector": ({"ground": "economic_policy"}, "high"),
    }
    for name, (changes, level) in ways.items():
        restriction = {k: v for k, v in (decided | changes).items() if v is not ...}
        document = {
            "id": edited({}, "good")["id"],
            "schema_version": "1.0",
            "sector": {"primary": GOOD["sector"]["primary"]},
            "risk": {"level": level},
            "lifecycle": {"status": "in_use"},
            "publication": {
                "visibility": "restricted",
                "restriction": restriction,
                "change_note": NOTE,
            },
        }
        answer = await register.publish(document)
        assert answer.status_code == 422, (name, answer.text)
