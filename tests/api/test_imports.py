"""Imports as their readers see them: five states of a real register, and exactly what happened."""

import copy
import datetime as dt
import functools
import json
import secrets

import pytest

from registry.imports.convert import convert_file
from registry.imports.crosswalk import load_crosswalk
from registry.imports.identity import record_key
from registry.imports.report import ForeignRecord
from registry.pages.build.read_snapshot import build_register, day_of
from registry.services.context import ServiceContext
from tests.built import share_templates
from tests.conftest import NOW, ROOT
from tests.imported import import_filings
from tests.published import given_times

DUTCH = ROOT.parent / "shared/data/nl/algoritmes_2026-08-08.json"
EVERY = 50
ORIGIN = "nl-algoritmeregister"


@pytest.fixture
def rows():
    if not DUTCH.exists():
        pytest.skip(f"{DUTCH} is not there: the Dutch register's file is needed")
    return json.loads(DUTCH.read_text(encoding="utf-8"))["algoritmes"][::EVERY]


@pytest.fixture
def crosswalk(tmp_path):
    """The shipped crosswalk, which knows an earlier and a later name of a column."""
    document = json.loads((ROOT / f"schemas/crosswalks/{ORIGIN}.json").read_text("utf-8"))
    [goal] = [one for one in document["mappings"] if one.get("column") == "doel"]
    goal["column"] = ["omschrijving", "doel"]
    path = tmp_path / "crosswalk.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return load_crosswalk(path)


@pytest.fixture
def bring(database, pack, crosswalk, tmp_path):
    """Import a state of the register as a whole file, and return the report."""
    context = ServiceContext(
        database=database, pack=pack, random=secrets.token_bytes, guard=given_times()
    )

    async def bring(state, day):
        path = tmp_path / "algoritmes.json"
        path.write_text(json.dumps({"algoritmes": state}), encoding="utf-8")
        outcomes = list(convert_file(crosswalk, path, pack=pack, today=NOW.date()))
        assert all(isinstance(one, ForeignRecord) for one in outcomes)
        return await import_filings(
            context,
            outcomes,
            origin=ORIGIN,
            complete=True,
            as_of=day,
            key_of=functools.partial(record_key, crosswalk),
        )

    return bring


async def entries(client, since):
    """What the log says of records after an entry, and its size."""
    asked = {"origin": ORIGIN, "since": since, "limit": 1000}
    answer = (await client.get("/api/v1/changes", params=asked)).json()
    assert answer["next"] is None
    said = [one["entry"] for one in answer["items"]]
    return [one for one in said if one["kind"] != "agency"], answer["size"] - 1


def new_rows(rows, number):
    made = copy.deepcopy(rows[:number])
    for place, row in enumerate(made):
        row |= {"id": f"new-{place}", "title": f"Nieuw {place}", "geregistreerd": "2026-09-01"}
    return made


class History:
    """A register's file as it changes, imported state by state."""

    def __init__(self, client, rows, bring):
        self.client, self.bring = client, bring
        self.state = copy.deepcopy(rows)
        self.last = -1
        self.ids = {}
        self.moved = 0

    async def next(self, day):
        """Import the state as it is now; return the counts, and the log's entries of it."""
        report = await self.bring(self.state, day)
        said, self.last = await entries(self.client, self.last)
        self.ids |= {one.source_id: one.record for one in report.records if one.outcome == "added"}
        return report, said


@pytest.fixture
def site(database, pack, settings, tmp_path):
    """Build the site, and return its folder."""
    share_templates(settings.data_dir)

    async def build():
        out = tmp_path / "site"
        await build_register(database, pack, settings=settings, out=out, as_of=day_of(pack, NOW))
        return out

    return build


async def test_five_states_of_a_register_give_exactly_their_events(client, rows, bring, site):
    history = History(client, rows, bring)
    first, said = await history.next(dt.date(2026, 8, 1))
    assert first.counts.added == len(rows) == len(said) == len(history.ids)
    second = await edit(history)
    await rename_an_agency(history)
    gone = await lose_a_row_and_rename_a_column(history)

    # The row returns, in another order.
    history.state.reverse()
    fifth, said = await history.next(dt.date(2026, 12, 1))
    assert [(one["kind"], one["id"], one["state"]) for one in said] == [("source", gone, "present")]
    assert (fifth.counts.returned, fifth.counts.unchanged) == (1, len(history.state))

    # The site's feed tells the same: one import, then each event.
    folder = await site()
    told = json.loads((folder / f"feeds/en/origins/{ORIGIN}.json").read_text(encoding="utf-8"))
    assert len(told["items"]) == 1 + 6 + history.moved + 1 + 1
    page = (folder / f"en/records/{gone}.html").read_text(encoding="utf-8")
    for said_there in ("No longer at its source", "At its source again"):
        assert page.count(f"<strong>{said_there}</strong>") == 1

    # A second import of anything: no version, no entry.
    sixth, said = await history.next(dt.date(2026, 12, 1))
    assert (said, sixth.counts.unchanged) == ([], len(history.state))

    listed = (await client.get("/api/v1/imports", params={"limit": 2})).json()
    assert [one["id"] for one in listed["items"]] == [sixth.run, fifth.run]
    assert listed["next"] == fifth.run
    told = (await client.get(f"/api/v1/imports/{second.run}")).json()
    assert told["run"]["as_of"] == "2026-09-01"
    outcomes = [one["outcome"] for one in told["report"]["records"]]
    assert sorted(outcomes) == ["added"] * 3 + ["changed"] * 3


async def edit(history):
    """New rows, edits with and without a moved date, and a moved date alone."""
    state = history.state
    ids = [history.ids[row["id"]] for row in state[:3]]
    state[0] |= {"title": "Nieuwe titel", "geregistreerd": "2026-08-20"}
    retired = state[1]["status"] == "buiten_gebruik"
    state[1]["status"] = "in_gebruik" if retired else "buiten_gebruik"
    state[2]["doel"] = "Iets heel anders."
    state[3]["geregistreerd"] = "2026-08-21"
    state += new_rows(state, 3)
    report, said = await history.next(dt.date(2026, 9, 1))
    amended = {one["id"]: one for one in said if one["version"] == 2}
    assert (len(said), set(amended)) == (6, set(ids))
    assert {name for name, one in amended.items() if one.get("undated")} == set(ids[1:])
    fields = {"/name/nl": 1, "/lifecycle/status": 1, "/purpose/goal": 1}
    assert report.counts.fields == fields
    counts = report.counts
    assert (counts.added, counts.changed, counts.undated) == (3, 3, 2)
    versions = (await history.client.get(f"/api/v1/records/{ids[1]}/versions")).json()["items"]
    assert [one.get("undated") for one in versions] == [None, True]
    return report


async def rename_an_agency(history):
    """An agency is renamed, with all its rows: they move, and nothing else happens."""
    named = [row["organisatie"] for row in history.state]
    often = max(sorted(set(named)), key=named.count)
    for row in history.state:
        if row["organisatie"] == often:
            row["organisatie"] = "Stichting Nieuwe Naam"
    report, said = await history.next(dt.date(2026, 10, 1))
    history.moved = report.counts.moved
    assert len(said) == named.count(often) == history.moved > 1
    assert {one["moved"]["to"] for one in said} == {"nl.stichting-nieuwe-naam"}
    counts = report.counts
    assert (counts.added, counts.changed, counts.gone) == (0, 0, 0)
    asked = {"agency": "nl.stichting-nieuwe-naam", "limit": 100}
    answer = (await history.client.get("/api/v1/records", params=asked)).json()
    assert {one["id"] for one in answer["items"]} == {one["id"] for one in said}


async def lose_a_row_and_rename_a_column(history):
    """A row vanishes, and a column gets another name; return the id of the record that is gone."""
    lost = history.state.pop(4)
    for row in [lost, *history.state]:
        row["omschrijving"] = row.pop("doel")
    report, said = await history.next(dt.date(2026, 11, 1))
    gone = history.ids[lost["id"]]
    assert [(one["kind"], one["id"], one["state"]) for one in said] == [("source", gone, "gone")]
    assert report.counts.unchanged == len(history.state)
    asked = {"source_state": "gone", "facets": "source_state"}
    answer = (await history.client.get("/api/v1/records", params=asked)).json()
    assert [one["id"] for one in answer["items"]] == [gone]
    present = {"code": "present", "count": len(history.state)}
    assert answer["facets"]["source_state"] == [present, {"code": "gone", "count": 1}]
    source = (await history.client.get(f"/api/v1/records/{gone}")).json()["register"]["source"]
    assert (source["state"], source["state_since"]) == ("gone", "2026-11-01")
    history.state.append(lost)
    return gone


async def test_the_row_that_a_record_was_made_from_can_be_read(client, rows, bring):
    rows[0]["doel"] = "Lang. " * 2000
    report = await bring(rows, dt.date(2026, 8, 1))
    [one] = [one for one in report.records if one.source_id == rows[0]["id"]]
    answer = (await client.get(f"/api/v1/records/{one.record}/source")).json()
    assert answer["row"] == rows[0]
    assert answer["whole"] == {"/purpose/goal/nl": rows[0]["doel"].strip()}
    assert (answer["origin"], answer["run"]) == (ORIGIN, 1)
    document = (await client.get(f"/api/v1/records/{one.record}")).json()["record"]
    assert document["purpose"]["goal"]["nl"].endswith("…")
    wrong = await client.get("/api/v1/records/demo-sante/nothing/source")
    assert wrong.status_code == 404


async def test_an_unknown_import_or_register_is_refused(client, rows, bring):
    await bring(rows, dt.date(2026, 8, 1))
    assert (await client.get("/api/v1/imports/99")).status_code == 404
    answer = await client.get("/api/v1/imports", params={"origin": "nl-algoritmeregiste"})
    assert answer.status_code == 400
    assert ORIGIN in answer.json()["detail"]
    listed = (await client.get("/api/v1/origins")).json()["items"]
    assert [one["code"] for one in listed] == [ORIGIN]
