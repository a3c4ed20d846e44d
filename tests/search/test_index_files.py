"""The files of the index: several processes, kills, damage, and folders that cannot be written."""

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import tantivy

from registry.errors import Unavailable
from registry.search.engine import SearchIndex
from registry.search.index import _MOST_SEGMENTS, _joined
from registry.search.query import SearchQuery
from registry.store import search_rows

PUBLICATIONS = 1_000 if "FUZZ_EXAMPLES" in os.environ else 120


def named(name, at):
    return {"id": f"demo-sante/{at}", "schema_version": "1.0", "name": {"fr": name}}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "search"


async def found(index, text="zellige"):
    answer = await index.answer(SearchQuery(text=text, facets=["agency"], limit=100))
    assert answer.total == sum(one.count for one in answer.facets["agency"])
    return answer.total


def files_of(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "lock")


async def test_what_has_a_receipt_is_found_by_the_next_question_of_every_worker_and_host(
    database, publish, tmp_path
):
    """Two workers share a folder, and a third is another host."""
    folders = [tmp_path / "one", tmp_path / "one", tmp_path / "two"]
    indexes = [SearchIndex(database.connection, folder) for folder in folders]
    chance = random.Random(7)
    for number in range(PUBLICATIONS):
        await publish(named(f"Zellige {number}", at=f"n{number % 90}"))
        totals = {await found(index) for index in chance.sample(indexes, 2)}
        assert totals == {min(number + 1, 90)}
    both = await asyncio.gather(*(found(index) for index in indexes))
    assert both == [min(PUBLICATIONS, 90)] * 3


WRITERS = """
import asyncio, os, sys
from pathlib import Path
from registry.search import index
from registry.search.engine import SearchIndex
from registry.search.query import SearchQuery
from registry.store.database import connect

async def main(url, folder):
    database = await connect(url)
    searched = SearchIndex(database.connection, Path(folder))
    commit = index._commit
    def told(writer, state):
        print("commits", flush=True)
        commit(writer, state)
    index._commit = told
    await searched.answer(SearchQuery(text="zellige"))

for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        print(os.getpid(), flush=True)
        asyncio.run(main(*sys.argv[1:]))
        os._exit(0)
    os.waitpid(child, 0)
    print("gone", flush=True)
"""


async def test_who_is_killed_amid_a_commit_leaves_an_index_that_goes_on(
    database, publish, folder, database_url
):
    """Each who is killed is a fork of a process that has imported the search."""
    chance = random.Random(11)
    writers = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WRITERS, database_url, str(folder)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    for number in range(16):
        await publish(*(named("Zellige", at=f"n{number}-{one}") for one in range(3)))
        writers.stdin.write(b"\n")
        child = int(await writers.stdout.readline())
        assert await writers.stdout.readline() == b"commits\n"
        await asyncio.sleep(chance.random() * 0.03)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        assert await writers.stdout.readline() == b"gone\n"
        assert await found(SearchIndex(database.connection, folder)) == 3 * (number + 1)
    writers.stdin.close()
    assert await writers.wait() == 0


@pytest.mark.parametrize("harm", ["cut", "emptied", "gone", "overwritten"])
async def test_an_index_with_a_damaged_file_is_made_anew(database, publish, folder, harm):
    await publish(*(named("Zellige", at=f"n{one}") for one in range(20)))
    await found(SearchIndex(database.connection, folder))
    count = len(files_of(folder))
    assert count > 4
    for number in range(count):
        path = files_of(folder)[min(number, len(files_of(folder)) - 1)]
        content = path.read_bytes()
        # Another file in its place: who has the old one open keeps it.
        path.unlink()
        if harm == "cut":
            path.write_bytes(content[: len(content) // 2])
        elif harm == "emptied":
            path.write_bytes(b"")
        elif harm == "overwritten":
            path.write_bytes(b"\0" * len(content))
        assert await found(SearchIndex(database.connection, folder)) == 20, path.name
        assert await found(SearchIndex(database.connection, folder)) == 20, path.name


async def test_an_index_of_another_log_is_made_anew(database, publish, folder):
    await publish(named("Zellige", at="a"), named("Zellige", at="b"))
    assert await found(SearchIndex(database.connection, folder)) == 2
    # As after a backup that others went on from: the same length, another last entry.
    async with database.connection() as connection:
        await connection.execute("set session_replication_role = replica")
        await connection.execute("update log_entry set leaf = sha256(leaf) where index = 2")
        await connection.execute("update search_version set name = '{}', rest = '{}' where ord = 1")
        await connection.execute("set session_replication_role = origin")
    await publish(named("Zellige", at="c"))
    assert await found(SearchIndex(database.connection, folder)) == 2


async def test_an_index_of_an_earlier_release_goes(database, publish, folder):
    (folder / "0123456789abcdef").mkdir(parents=True)
    await publish(named("Zellige", at="a"))
    assert await found(SearchIndex(database.connection, folder)) == 1
    assert not (folder / "0123456789abcdef").exists()


def mount(*options):
    return subprocess.run(["mount", *options], capture_output=True, check=False).returncode == 0


def umount(folder):
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def small_disk(folder):
    folder.mkdir()
    if not mount("-t", "tmpfs", "-o", "size=256k,mode=755", "tmpfs", folder):
        pytest.skip("only who may mount can make a small disk")
    yield folder
    umount(folder)


async def test_a_full_disk_is_said_and_never_a_wrong_count(database, publish, small_disk):
    await publish(named("Zellige", at="a"))
    index = SearchIndex(database.connection, small_disk)
    assert await found(index) == 1
    (small_disk / "filler").write_bytes(b"")
    with (small_disk / "filler").open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    await publish(named("Zellige", at="b"))
    for one in (index, SearchIndex(database.connection, small_disk)):
        with pytest.raises(Unavailable, match=r"search index in .* cannot be written"):
            await found(one)
    (small_disk / "filler").unlink()
    for one in (index, SearchIndex(database.connection, small_disk)):
        assert await found(one) == 2


async def test_a_folder_that_cannot_be_written_is_said(database, publish, tmp_path):
    (tmp_path / "file").write_text("")
    await publish(named("Zellige", at="a"))
    index = SearchIndex(database.connection, tmp_path / "file" / "search")
    with pytest.raises(Unavailable, match="cannot be written"):
        await found(index)


async def test_a_folder_that_is_for_reading_only(database, publish, folder):
    await publish(named("Zellige", at="a"))
    assert await found(SearchIndex(database.connection, folder)) == 1
    mounted = mount("--bind", "-o", "ro", folder, folder)
    if not mounted:
        pytest.skip("only who may mount can make a folder for reading only")
    try:
        index = SearchIndex(database.connection, folder)
        with suppress(Unavailable):
            assert await found(index) == 1
        await publish(named("Zellige", at="b"))
        with pytest.raises(Unavailable, match="cannot be written"):
            await found(index)
    finally:
        umount(folder)
    assert await found(index) == 2


async def test_an_erasure_leaves_nothing_of_what_it_erased(database, publish, folder):
    index = SearchIndex(database.connection, folder)
    await publish(named("Zellige confidentiel", at="a"), named("Zellige", at="b"))
    assert await found(index, "confidentiel") == 1
    async with database.transaction() as connection:
        await search_rows.lock_state(connection)
        await connection.execute(
            "update search_version set card = replace(card, ' confidentiel', ''),"
            " name = replace(name, ' confidentiel', '') where ord = 1"
        )
        await search_rows.begin_epoch(connection)
    assert await found(index, "zellige") == 2
    assert not any(b"confidentiel" in path.read_bytes() for path in files_of(folder))


async def test_status_and_making_anew(database, publish, folder):
    index = SearchIndex(database.connection, folder)
    assert not (await index.status()).is_current
    await publish(named("Zellige", at="a"))
    await found(index)
    status = await index.status()
    assert (status.is_current, status.size, status.versions) == (True, 2, 1)
    await publish(named("Zellige", at="b"))
    assert not (await index.status()).is_current
    shutil.rmtree(Path(status.folder))
    await index.rebuild()
    status = await index.status()
    assert (status.is_current, status.versions) == (True, 2)
    assert len(status.root) == 64


async def test_no_merge_brings_back_a_version_that_was_superseded(database, publish, folder):
    """Each commit deletes versions that went out of force, and now and then segments merge."""
    index = SearchIndex(database.connection, folder)
    chance = random.Random(11)
    for commit in range(38):
        records = chance.sample(range(60), 7)
        await publish(*(named(f"Zellige {commit}", f"r-{record}") for record in records))
        await found(index)
    assert (await index.status()).segments < 10
    last = await index.answer(SearchQuery(text="zellige", limit=100))
    for as_of in (None, 120, 200, 240):
        asked = SearchQuery(text="zellige", limit=100, as_of=as_of)
        answer = last if as_of is None else await index.answer(asked)
        names = [json.loads(hit.card)["id"] for hit in answer.hits]
        assert len(names) == len(set(names)) == answer.total


def test_segments_of_single_publications_stay_few_and_are_seldom_written_anew():
    tail, written = [0], 0
    for size in range(1_001, 2_001):
        tail.append(size - 1)
        if len(tail) > _MOST_SEGMENTS:
            tail = _joined(tail, size)
        assert len(tail) <= _MOST_SEGMENTS
        assert tail[0] == 0
        written += size - tail[-1]
    assert written < 8 * 1_000


async def test_an_index_with_another_number_of_documents_is_made_anew(database, publish, folder):
    await publish(*(named(f"Zellige {number}", f"r-{number}") for number in range(3)))
    assert await found(SearchIndex(database.connection, folder)) == 3
    [path] = [one for one in folder.iterdir() if one.is_dir()]
    writer = tantivy.Index.open(str(path)).writer()
    writer.delete_documents_by_term("ord", 2)
    writer.commit()
    del writer
    assert await found(SearchIndex(database.connection, folder)) == 3
