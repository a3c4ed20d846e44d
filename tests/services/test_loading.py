"""Loading a folder: every version in its turn, and a bad file refused alone."""

import csv
import datetime as dt
import json

import pytest

from registry import resources
from registry.errors import (
    ConfigurationError,
    InvalidRecord,
    InvalidStatement,
    NotFound,
    Unavailable,
    UnreadableDocument,
)
from registry.record.codelists import read_rows
from registry.services.filing import pipeline
from registry.services.filing.drafts import Precondition
from registry.services.filing.loading import find_files, load
from registry.services.people.access import Actor
from registry.services.statements.withdrawal import withdraw
from registry.store import audit_trail, records, withdrawals
from tests.conftest import amended

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return path

    return write


async def loaded(context, folder):
    return {one.record: one for one in await load(context, folder, now=lambda: NOW)}


async def test_the_demonstration_records_load_and_load_again_unchanged(context):
    first = await loaded(context, resources.RECORDS)
    assert [one.refused for one in first.values()] == [None] * len(first)
    files = list(resources.RECORDS.glob("*/*.json"))
    rows = read_rows(resources.RECORDS / "withdrawals.csv")
    outcomes = [receipt.outcome for one in first.values() for receipt in one.receipts]
    assert outcomes.count("published") == len(files)
    assert outcomes.count("withdrawn") == len(rows) > 0
    again = await loaded(context, resources.RECORDS)
    outcomes = {receipt.outcome for one in again.values() for receipt in one.receipts}
    assert outcomes == {"unchanged"}


async def test_versions_are_published_in_their_order(context, tmp_path, write, record):
    for name, number in (
        ("prevision-lits.2", 2),
        ("prevision-lits.10", 10),
        ("prevision-lits", 11),
    ):
        write(f"demo-sante/{name}.json", amended(record, system_version=str(number)))
    [files] = find_files(tmp_path)
    assert [path.stem for path in files.paths] == [
        "prevision-lits.2",
        "prevision-lits.10",
        "prevision-lits",
    ]
    [one] = (await loaded(context, tmp_path)).values()
    assert [receipt.version for receipt in one.receipts] == [1, 2, 3]
    async with context.database.connection() as connection:
        first = await records.read(connection, record["id"], 1)
    assert json.loads(first.document)["system_version"] == "2"


async def test_of_a_known_record_only_a_different_latest_file_counts(
    context, tmp_path, write, record
):
    write("demo-sante/prevision-lits.json", record)
    await loaded(context, tmp_path)
    write("demo-sante/prevision-lits.1.json", amended(record, system_version="0"))
    write("demo-sante/prevision-lits.json", amended(record, system_version="2"))
    [one] = (await loaded(context, tmp_path)).values()
    assert [(receipt.outcome, receipt.version) for receipt in one.receipts] == [("published", 2)]


async def test_bad_files_are_refused_each_for_itself_and_nothing_half(
    context, tmp_path, write, record
):
    write("demo-sante/prevision-lits.json", record)
    write("demo-sante/broken.json", '{"id": "demo-sante/broken",')
    write("demo-sante/list.json", "[]")
    write("demo-sante/elsewhere.json", record)
    write("demo-sante/incomplete.json", {"id": "demo-sante/incomplete", "schema_version": "1.0"})
    write("demo-nobody/stranger.json", record | {"id": "demo-nobody/stranger"})
    write("demo-sante/half.1.json", record | {"id": "demo-sante/half"})
    write("demo-sante/half.json", '{"id": ')
    (tmp_path / "demo-sante/folder.json").mkdir()
    (tmp_path / "demo-sante/latin.json").write_bytes(b'{"name": "\xe9"}')
    result = await loaded(context, tmp_path)
    refused = {name: one.refused for name, one in result.items()}
    assert {name: type(error) for name, error in refused.items()} == {
        "demo-sante/prevision-lits": type(None),
        "demo-sante/broken": UnreadableDocument,
        "demo-sante/list": UnreadableDocument,
        "demo-sante/elsewhere": InvalidRecord,
        "demo-sante/incomplete": InvalidRecord,
        "demo-nobody/stranger": NotFound,
        "demo-sante/half": UnreadableDocument,
        "demo-sante/folder": ConfigurationError,
        "demo-sante/latin": UnreadableDocument,
    }
    # A history is published whole or not at all, and the sentence names the file.
    assert result["demo-sante/half"].receipts == []
    assert "half.json" in refused["demo-sante/half"].detail
    assert "line 1" in refused["demo-sante/broken"].detail
    assert [finding.pointer for finding in refused["demo-sante/elsewhere"].findings] == ["/id"]
    assert refused["demo-sante/incomplete"].findings
    async with context.database.connection() as connection:
        assert await connection.fetchval("select array_agg(id) from record") == [record["id"]]
        assert await connection.fetchval("select size from log_state") == 2


async def test_a_badly_named_file_is_told_before_anything_is_published(
    context, tmp_path, write, record, subtests
):
    write("demo-sante/prevision-lits.json", record)
    for name in ("Upper.json", "two words.json", "x.0.json", "x.y.json", ".json"):
        path = write(f"demo-sante/{name}", record)
        with subtests.test(name=name), pytest.raises(ConfigurationError, match="lower-case"):
            await loaded(context, tmp_path)
        path.unlink()
    async with context.database.connection() as connection:
        assert await connection.fetchval("select count(*) from record") == 0


async def test_a_folder_that_is_not_there_is_told(context, tmp_path):
    with pytest.raises(ConfigurationError, match="is not a folder"):
        await loaded(context, tmp_path / "nowhere")
    assert await loaded(context, tmp_path) == {}


COLUMNS = ["id", "reason", "note_ar", "note_fr", "note_en", "after_version"]
ROW = {
    "id": "demo-sante/prevision-lits",
    "reason": "filed_in_error",
    "note_fr": "Déposée par erreur.",
    "after_version": "1",
}


@pytest.fixture
def withdrawn(tmp_path):
    def write(*rows):
        with (tmp_path / "withdrawals.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, COLUMNS, restval="")
            table.writeheader()
            table.writerows(rows)

    return write


async def standing(context, record):
    async with context.database.connection() as connection:
        found = await records.read_current(connection, [record])
        return found[record].state, found[record].version


async def withdrawals_of(context, record):
    async with context.database.connection() as connection:
        return await withdrawals.read_all(connection, record)


async def test_a_withdrawal_comes_after_its_version_and_a_later_one_reinstates(
    context, tmp_path, write, record, withdrawn
):
    write("demo-sante/prevision-lits.1.json", amended(record, system_version="1"))
    write("demo-sante/prevision-lits.2.json", amended(record, system_version="2"))
    write("demo-sante/prevision-lits.json", amended(record, system_version="3"))
    withdrawn(ROW | {"after_version": "2", "note_ar": "أودعت خطأ"})
    [one] = (await loaded(context, tmp_path)).values()
    assert one.refused is None
    assert [(receipt.outcome, receipt.version, receipt.entry) for receipt in one.receipts] == [
        ("published", 1, 1),
        ("published", 2, 2),
        ("withdrawn", 2, 3),
        ("published", 3, 4),
    ]
    assert await standing(context, record["id"]) == ("published", 3)
    [ended] = await withdrawals_of(context, record["id"])
    assert (ended.version, ended.reason) == (2, "filed_in_error")
    assert ended.note == {"fr": "Déposée par erreur.", "ar": "أودعت خطأ"}
    async with context.database.connection() as connection:
        entries = await connection.fetch("select bytes, leaf from log_entry order by index")
        acts = await audit_trail.read(connection, since=0, subject=record["id"], limit=10)
    said = [json.loads(row["bytes"]) for row in entries]
    for at in (2, 3, 4):
        assert said[at]["prev"] == {"index": at - 1, "leaf": entries[at - 1]["leaf"].hex()}
    assert [act.action for act in acts] == ["publish", "publish", "withdraw", "publish"]
    [again] = (await loaded(context, tmp_path)).values()
    assert [receipt.outcome for receipt in again.receipts] == ["unchanged"]


async def test_a_record_whose_last_version_is_withdrawn_stays_so(
    context, tmp_path, write, record, withdrawn
):
    write("demo-sante/prevision-lits.json", record)
    withdrawn(ROW)
    await loaded(context, tmp_path)
    assert await standing(context, record["id"]) == ("withdrawn", 1)
    [again] = (await loaded(context, tmp_path)).values()
    assert [receipt.outcome for receipt in again.receipts] == ["unchanged"]
    assert await standing(context, record["id"]) == ("withdrawn", 1)
    assert len(await withdrawals_of(context, record["id"])) == 1


async def test_a_withdrawal_that_is_added_is_carried_out(
    context, tmp_path, write, record, withdrawn
):
    write("demo-sante/prevision-lits.json", record)
    await loaded(context, tmp_path)
    withdrawn(ROW)
    [one] = (await loaded(context, tmp_path)).values()
    assert [receipt.outcome for receipt in one.receipts] == ["withdrawn"]
    assert await standing(context, record["id"]) == ("withdrawn", 1)


async def test_what_the_register_has_withdrawn_is_not_brought_back_by_loading_again(
    context, tmp_path, write, record
):
    write("demo-sante/prevision-lits.json", record)
    [one] = (await loaded(context, tmp_path)).values()
    agency = Actor(name="a", agency="demo-sante", scopes=frozenset({"file"}), token=1)
    await withdraw(
        context,
        agency,
        record["id"],
        {"reason": "other", "note": {"fr": "Fini."}},
        precondition=Precondition(tag=one.receipts[0].hash[:16]),
        now=NOW,
    )
    [again] = (await loaded(context, tmp_path)).values()
    assert [receipt.outcome for receipt in again.receipts] == ["unchanged"]
    assert await standing(context, record["id"]) == ("withdrawn", 1)
    write("demo-sante/prevision-lits.json", amended(record, system_version="2"))
    [changed] = (await loaded(context, tmp_path)).values()
    assert [(receipt.outcome, receipt.version) for receipt in changed.receipts] == [
        ("published", 2)
    ]
    assert await standing(context, record["id"]) == ("published", 2)


async def test_a_history_with_a_faulty_withdrawal_is_refused_whole(
    context, tmp_path, write, record, withdrawn
):
    write("demo-sante/prevision-lits.1.json", record | {"system_version": "1"})
    write("demo-sante/prevision-lits.json", record)
    withdrawn(ROW | {"reason": "no_reason"})
    [one] = (await loaded(context, tmp_path)).values()
    assert isinstance(one.refused, InvalidStatement)
    assert [finding.pointer for finding in one.refused.findings] == ["/reason"]
    async with context.database.connection() as connection:
        assert await connection.fetchval("select count(*) from record") == 0


async def test_a_history_that_a_rule_of_the_register_refuses_is_refused_whole(
    context, tmp_path, write, record
):
    write("demo-sante/prevision-lits.1.json", record | {"system_version": "1"})
    unexplained = json.loads(json.dumps(record))
    del unexplained["publication"]["change_note"]
    write("demo-sante/prevision-lits.json", unexplained)
    write("demo-sante/other.json", record | {"id": "demo-sante/other"})
    result = await loaded(context, tmp_path)
    assert isinstance(result["demo-sante/prevision-lits"].refused, InvalidRecord)
    # What it would have taken is free for the others.
    assert result["demo-sante/other"].refused is None
    async with context.database.connection() as connection:
        assert await connection.fetchval("select array_agg(id) from record") == ["demo-sante/other"]


MISFITS = [
    ({"id": "demo-sante/nothing"}, "no files of 'demo-sante/nothing'"),
    ({"after_version": "2"}, "versions 1 to 1"),
    ({"after_version": "0"}, "versions 1 to 1"),
    ({"after_version": ""}, "after_version is ''"),
    ({"after_version": "one"}, "after_version is 'one'"),
]


async def test_a_table_that_does_not_fit_the_files_is_told_before_anything_is_published(
    context, tmp_path, write, record, withdrawn, subtests
):
    write("demo-sante/prevision-lits.json", record)
    for row, words in MISFITS:
        withdrawn(ROW | row)
        with subtests.test(row=row), pytest.raises(ConfigurationError, match=words):
            await loaded(context, tmp_path)
    withdrawn(ROW, ROW)
    with pytest.raises(ConfigurationError, match="ends twice"):
        await loaded(context, tmp_path)


async def test_many_records_are_loaded_in_groups_and_progress_is_told(
    context, tmp_path, write, record, monkeypatch
):
    monkeypatch.setattr("registry.services.filing.loading.BATCH_SIZE", 4)
    for number in range(10):
        document = record | {"id": f"demo-sante/r-{number:02}", "source_id": str(number)}
        write(f"demo-sante/r-{number:02}.json", document)
    told = []
    results = await load(
        context, tmp_path, now=lambda: NOW, progress=lambda *step: told.append(step)
    )
    assert told == [(4, 10), (8, 10), (10, 10)]
    assert [one.receipts[0].entry for one in results] == list(range(1, 11))


async def test_loading_ends_with_the_database(context, tmp_path, write, record, monkeypatch):
    async def gone(*_, **__):
        raise Unavailable("the database does not answer")

    monkeypatch.setattr(pipeline, "_execute_group", gone)
    write("demo-sante/prevision-lits.json", record)
    with pytest.raises(Unavailable):
        await loaded(context, tmp_path)
