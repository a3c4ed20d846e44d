"""The same findings by command, API and library; and what no path can publish."""

import asyncio
import copy
import datetime as dt
import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from registry.cli.validate import validate as command
from registry.errors import InvalidRecord
from registry.record.validate import validate
from registry.services.filing.loading import load

DATA = Path(__file__).parents[1] / "data"
VALIDATE = "/api/v1/validate"
NEW = {"if-none-match": "*"}


def today():
    return dt.datetime.now(dt.UTC).date()


def sample():
    """Every ninth fault of this country's publication profile, in the order of names."""
    rows = (DATA / "invalid" / "expected.csv").read_text(encoding="utf-8").splitlines()[1:]
    names = {row.split(",")[0] for row in rows if ",publication,ma," in row}
    return [DATA / "invalid" / name for name in sorted(names)[::9]]


def library(path, pack, language):
    document = json.loads(path.read_text(encoding="utf-8"))
    verdict = validate(document, profile="publication", pack=pack, today=today(), language=language)
    return msgspec.to_builtins(verdict.findings)


@pytest.mark.parametrize("language", ["en", "fr", "ar", "zgh"])
async def test_command_interface_and_library_give_identical_findings(reader, pack, language):
    paths = sample()
    assert len(paths) > 15
    ran = await asyncio.to_thread(
        CliRunner().invoke, command, [*map(str, paths), "--format", "json", "--lang", language]
    )
    by_command = [report["findings"] for report in json.loads(ran.stdout)]
    by_library = [list(library(path, pack, language)) for path in paths]
    answers = [
        await reader.post(
            VALIDATE,
            params={"lang": language},
            content=path.read_bytes(),
            headers={"content-type": "application/json"},
        )
        for path in paths
    ]
    assert by_library == [answer.json()["findings"] for answer in answers]
    assert by_library == by_command
    # Of one the fault is a day to come, which the true clock reaches.
    assert [bool(findings) for findings in by_library].count(False) <= 1


async def test_the_language_is_asked_for_preferred_or_english(reader, problem):
    async def lang(query="", **headers):
        answer = await reader.post(VALIDATE + query, json={}, headers=headers)
        return {finding["lang"] for finding in answer.json()["findings"]}

    wish = {"accept-language": "de, fr-MA;q=0.8, en;q=0.5"}
    assert await lang() == {"en"}
    assert await lang(**wish) == {"fr"}
    assert await lang("?lang=ar", **wish) == {"ar"}
    # Tamazight has no such sentences yet: the country's order says Arabic.
    assert await lang("?lang=zgh") == {"ar"}
    problem(await reader.post(VALIDATE + "?lang=de", json={}), 400, "invalid-parameter")
    problem(await reader.post(VALIDATE + "?lang=fr&lang=ar", json={}), 400, "invalid-parameter")


async def test_a_filing_is_answered_in_the_language_of_its_caller(agency, problem, record):
    path = f"/api/v1/filings/{record['id']}"
    del record["purpose"]["goal"]
    saved = await agency.put(path, json=record, headers=NEW, params={"lang": "fr"})
    draft = await agency.get(path, headers={"accept-language": "fr"})
    refused = problem(await agency.post(f"{path}/submit?lang=fr"), 422, "invalid-record")
    assert saved.json()["findings"] == draft.json()["findings"] == refused["findings"]
    assert {finding["lang"] for finding in refused["findings"]} == {"fr"}


HIGH = json.loads((DATA / "valid" / "high.json").read_text(encoding="utf-8"))
GROUND = {"ground": "state_security"}


def without(*removed, **changed):
    document = copy.deepcopy(HIGH)
    for path in removed:
        section, _, name = path.partition(".")
        if name:
            del document[section][name]
        else:
            del document[section]
    for path, value in changed.items():
        section, _, name = path.partition("__")
        document[section][name] = value
    return document


UNANSWERED = {
    "no redress": without("rights.contestation"),
    "redress withheld": without(
        "rights.contestation",
        publication__withheld_fields=[{"pointer": "/rights/contestation", **GROUND}],
    ),
    "rights withheld": without(
        "rights", publication__withheld_fields=[{"pointer": "/rights", **GROUND}]
    ),
    "no assessment": without("assessments"),
    "assessments withheld": without(
        "assessments", publication__withheld_fields=[{"pointer": "/assessments", **GROUND}]
    ),
    "nothing completed": without() | {"assessments": [{"type": "dpia", "status": "in_progress"}]},
    "the wrong assessment": without()
    | {"assessments": [{"type": "accessibility", "status": "completed"}]},
    "no oversight": without("decision.human_oversight"),
    "oversight withheld": without(
        "decision.human_oversight",
        publication__withheld_fields=[{"pointer": "/decision/human_oversight", **GROUND}],
    ),
    "oversight of nobody": without(decision__oversight_type="none"),
    "a lower level and no redress": without("rights.contestation", risk__level="limited"),
    "a lower level and no assessment": without("assessments", risk__level="minimal"),
    "in pilot and no redress": without("rights.contestation", lifecycle__status="pilot"),
    "claims to be foreign": without("rights.contestation") | {"id": "us.demo/triage"},
}


@pytest.mark.parametrize("name", UNANSWERED)
def test_high_risk_in_use_is_answered_for_by_the_library(name, pack):
    profiles = ("publication", "draft") if "foreign" not in name else ("publication",)
    for profile in profiles:
        verdict = validate(UNANSWERED[name], profile=profile, pack=pack, today=today())
        assert not verdict.publishable


async def test_high_risk_in_use_is_answered_for_over_http(agency, client):
    assert HIGH["id"].startswith("demo-sante/")
    for name, document in UNANSWERED.items():
        path = f"/api/v1/filings/{document['id']}"
        saved = await agency.put(path, json=document, headers=NEW)
        assert saved.is_error or saved.json()["publishable"] is False, name
        assert (await agency.post(f"{path}/submit")).is_error, name
        await agency.delete(path)
    assert (await client.get("/api/v1/records")).json()["total"] == 0


async def test_high_risk_in_use_is_answered_for_when_loaded(context, tmp_path):
    for number, (name, document) in enumerate(UNANSWERED.items()):
        agency, slug = document["id"].split("/")
        record = document | {"id": f"{agency}/{slug}-{number}"}
        (tmp_path / agency).mkdir(exist_ok=True)
        (tmp_path / agency / f"{slug}-{number}.json").write_text(json.dumps(record), "utf-8")
        assert name
    (tmp_path / "demo-sante" / "sound.json").write_text(
        json.dumps(HIGH | {"id": "demo-sante/sound"}), "utf-8"
    )
    loaded = await load(context, tmp_path, now=lambda: dt.datetime.now(dt.UTC))
    published = [one.record for one in loaded if one.receipts]
    assert published == ["demo-sante/sound"]
    refused = [one.refused for one in loaded if one.record.startswith("demo-sante/p")]
    assert all(isinstance(error, InvalidRecord) for error in refused)
