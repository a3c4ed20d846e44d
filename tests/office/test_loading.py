"""Loading a folder: every version in its turn, and a bad file refused alone."""

import datetime as dt
import json

import pytest

from registry import resources
from registry.errors import ConfigurationError, InvalidRecord, NotFound, UnreadableDocument
from registry.office.loading import find_files, load
from registry.store import records

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return path

    return write


async def loaded(office, folder):
    return {one.record: one for one in await load(office, folder, now=lambda: NOW)}


async def test_the_demonstration_records_load_and_load_again_unchanged(office):
    first = await loaded(office, resources.RECORDS)
    assert [one.refused for one in first.values()] == [None] * len(first)
    files = list(resources.RECORDS.glob("*/*.json"))
    assert sum(len(one.receipts) for one in first.values()) == len(files)
    again = await loaded(office, resources.RECORDS)
    outcomes = {receipt.outcome for one in again.values() for receipt in one.receipts}
    assert outcomes == {"unchanged"}


async def test_versions_are_published_in_their_order(office, tmp_path, write, record):
    for name, number in (
        ("prevision-lits.2", 2),
        ("prevision-lits.10", 10),
        ("prevision-lits", 11),
    ):
        write(f"demo-sante/{name}.json", record | {"system_version": str(number)})
    [files] = find_files(tmp_path)
    assert [path.stem for path in files.paths] == [
        "prevision-lits.2",
        "prevision-lits.10",
        "prevision-lits",
    ]
    [one] = (await loaded(office, tmp_path)).values()
    assert [receipt.version for receipt in one.receipts] == [1, 2, 3]
    async with office.database.connection() as connection:
        first = await records.read(connection, record["id"], 1)
    assert json.loads(first.document)["system_version"] == "2"


async def test_of_a_known_record_only_a_different_latest_file_counts(
    office, tmp_path, write, record
):
    write("demo-sante/prevision-lits.json", record)
    await loaded(office, tmp_path)
    write("demo-sante/prevision-lits.1.json", record | {"system_version": "0"})
    write("demo-sante/prevision-lits.json", record | {"system_version": "2"})
    [one] = (await loaded(office, tmp_path)).values()
    assert [(receipt.outcome, receipt.version) for receipt in one.receipts] == [("published", 2)]


async def test_bad_files_are_refused_each_for_itself_and_nothing_half(
    office, tmp_path, write, record
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
    result = await loaded(office, tmp_path)
    refused = {name: one.refused for name, one in result.items()}
    assert {name: type(error) for name, error in refused.items()} == {
        "demo-sante/prevision-lits": type(None),
        "demo-sante/broken": UnreadableDocument,
        "demo-sante/list": InvalidRecord,
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
    async with office.database.connection() as connection:
        assert await connection.fetchval("select array_agg(id) from record") == [record["id"]]
        assert await connection.fetchval("select size from log_state") == 2


@pytest.mark.parametrize("name", ["Upper.json", "two words.json", "x.0.json", "x.y.json", ".json"])
async def test_a_badly_named_file_is_told_before_anything_is_published(
    office, tmp_path, write, record, name
):
    write("demo-sante/prevision-lits.json", record)
    write(f"demo-sante/{name}", record)
    with pytest.raises(ConfigurationError, match="lower-case"):
        await loaded(office, tmp_path)
    async with office.database.connection() as connection:
        assert await connection.fetchval("select count(*) from record") == 0


async def test_a_folder_that_is_not_there_is_told(office, tmp_path):
    with pytest.raises(ConfigurationError, match="is not a folder"):
        await loaded(office, tmp_path / "nowhere")
    assert await loaded(office, tmp_path) == {}
