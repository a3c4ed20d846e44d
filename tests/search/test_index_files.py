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
from registry.search import engine
from registry.search import index as index_files
from registry.search.engine import SearchIndex
from registry.search.index import _MOST_SEGMENTS, _joined
from registry.search.query import SearchQuery
from registry.search.schema import LEXEME, STEMS, WORDS, name_field
from registry.store import search_rows
from registry.text.tokens import token_text

PUBLICATIONS, RECORDS = (1_000, 90) if "FUZZ_EXAMPLES" in os.environ else (50, 35)


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
        await publish(named(f"Zellige {number}", at=f"n{number % RECORDS}"))
        totals = {await found(index) for index in chance.sample(indexes, 2)}
        assert totals == {min(number + 1, RECORDS)}
    both = await asyncio.gather(*(found(index) for index in indexes))
    assert both == [RECORDS] * 3


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
    for number in range(8):
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


SECRET = "confidentiel"


@pytest.fixture
def erase(database):
    """Take the secret out of the rows of a version, as a redaction does."""

    async def work(ord_):
        async with database.transaction() as connection:
            await search_rows.lock_state(connection)
            await connection.execute(
                "update search_version set card = replace(card, $2, ''),"
                " codes = replace(codes, $2, ''), name = replace(name, $2, '') where ord = $1",
                ord_,
                f" {SECRET}",
            )
            await connection.execute("insert into erasure values ($1, array[$1::bigint])", ord_)
            await search_rows.begin_epoch(connection)

    return work


@pytest.fixture
def keep(folder, monkeypatch):
    """Let indexes be kept, as by processes that serve, until the files of the first are fresh."""
    monkeypatch.setattr(engine, "_EVERY_SECONDS", 0.02)

    async def work(*indexes):
        await found(indexes[0])
        keeping = [asyncio.create_task(one.keep_current()) for one in indexes]
        # Until nothing is left beside it either; nobody sets an event for it.
        while (await indexes[0].status()).is_stale or any(folder.glob("*/*/")):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        for one in keeping:
            one.cancel()
        await asyncio.wait(keeping)

    return work


def is_secret_in(folder):
    """Whether files have it, of a document that is found or of one that is not any more."""
    if any(SECRET.encode() in path.read_bytes() for path in files_of(folder)):
        return True
    return any(
        searcher.terms_with_prefix(field, start, None, None)
        for meta in folder.rglob("meta.json")
        for searcher in [tantivy.Index.open(str(meta.parent)).searcher()]
        for field in (*STEMS, *WORDS, LEXEME, name_field(""))
        for start in (SECRET, f"fr|{SECRET}", f"zellige {SECRET}")
    )


def unknown_files(folder):
    """The files in the folder that are not of the one index in it."""
    known = {"meta.json", ".managed.json", ".tantivy-meta.lock", ".tantivy-writer.lock"}
    [meta] = folder.rglob("meta.json")
    known |= {
        one["segment_id"].replace("-", "") for one in json.loads(meta.read_text())["segments"]
    }
    return {path for path in files_of(folder) if path.name.split(".")[0] not in known - {""}} - {
        meta.parent / name for name in known
    }


async def test_an_erasure_replaces_what_changed_at_once_and_the_files_soon(
    database, publish, folder, erase, keep, monkeypatch
):
    """Two workers of a host, of which one makes the files anew, and one that was asked nothing."""
    made = []
    documents = index_files.documents
    monkeypatch.setattr(
        index_files, "documents", lambda row, *more: made.append(row.ord) or documents(row, *more)
    )
    index, other = (SearchIndex(database.connection, folder) for _ in range(2))
    await publish(*(named(f"Zellige {number}", at=f"n{number}") for number in range(50)))
    await publish(named(f"Zellige {SECRET}", at="n0"), named(f"Zellige {SECRET}", at="a"))
    assert await found(index, SECRET) == await found(other, SECRET) == 2
    assert is_secret_in(folder)
    await erase(51)
    await erase(52)
    made.clear()
    assert await found(index, SECRET) == await found(other, SECRET) == 0
    assert await found(index, "zellige") == 51
    for as_of in (51, 52, 53):
        asked = SearchQuery(text=SECRET, mends=False, as_of=as_of)
        assert (await index.answer(asked)).total == 0
    # Of a record's versions all.
    assert sorted(made) == [1, 51, 52]
    assert is_secret_in(folder)

    made.clear()
    await keep(index, other)
    assert sorted(made) == [*range(1, 53)]
    assert not is_secret_in(folder)
    assert await found(index) == await found(other) == 51
    assert unknown_files(folder) == set()


RENEWERS = """
import asyncio, os, shutil, signal, sys
from pathlib import Path
from registry.search import index
from registry.search.engine import SearchIndex
from registry.search.query import SearchQuery
from registry.store.database import connect

async def main(url, folder, steps):
    database = await connect(url)
    searched = SearchIndex(database.connection, Path(folder))
    left = iter(range(steps))
    def killed_at(owner, name):
        work = getattr(owner, name)
        def step(*given, **more):
            if next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            return work(*given, **more)
        setattr(owner, name, step)
    killed_at(index, "_commit")
    killed_at(Path, "rename")
    killed_at(shutil, "rmtree")
    await searched.answer(SearchQuery(text="zellige"))
    async with database.connection() as connection:
        await searched._directory.renew(connection)

for line in sys.stdin:
    child = os.fork()
    if child == 0:
        asyncio.run(main(*sys.argv[1:], int(line)))
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
"""


async def test_who_is_killed_while_something_is_erased_leaves_what_the_next_one_ends(
    database, publish, folder, erase, keep, database_url
):
    """Before each step of it: the first replaces documents, the others make the files anew."""
    writers = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RENEWERS, database_url, str(folder)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    is_ended, steps = False, 0
    while not is_ended:
        await publish(named(f"Zellige {SECRET}", at=f"n{steps}"))
        assert await found(SearchIndex(database.connection, folder), SECRET) == 1
        await erase(steps + 1)
        writers.stdin.write(f"{steps}\n".encode())
        status = int(await writers.stdout.readline())
        assert status in (0, signal.SIGKILL)
        is_ended, steps = status == 0, steps + 1
        index = SearchIndex(database.connection, folder)
        assert (await found(index, SECRET), await found(index)) == (0, steps)
        await keep(index)
        assert (await found(index), is_secret_in(folder)) == (steps, False), steps
        assert unknown_files(folder) == set(), steps
    assert steps > 5
    writers.stdin.close()
    assert await writers.wait() == 0


async def test_no_files_stay_behind_when_processes_write_in_turn(database, publish, folder):
    indexes = [SearchIndex(database.connection, folder) for _ in range(3)]
    for number in range(40):
        await publish(named(f"Zellige {number}", at=f"n{number % 5}"))
        await found(indexes[number % 3])
    await publish(named("Zellige", at="n0"))
    await found(indexes[0])
    assert unknown_files(folder) == set()


async def test_other_labels_are_found_by_when_the_index_was_made_anew_which_answers_until_then(
    database, publish, folder, keep, monkeypatch
):
    sector = {"sector": {"primary": "agriculture"}}
    await publish(*(named(f"Zellige {number}", at=f"n{number}") | sector for number in range(9)))

    def labelled(label):
        labels = {"sector": {"agriculture": {"fr": token_text([label])}}}
        return SearchIndex(database.connection, folder, labels=labels)

    async def total(index, text):
        return (await index.answer(SearchQuery(text=text, mends=False))).total

    before = labelled("Élevage bovin")
    assert await total(before, "élevage") == 9
    after = labelled("Bétail")
    add = index_files.IndexDirectory._add_documents
    monkeypatch.setattr(index_files.IndexDirectory, "_add_documents", None)
    assert await total(after, "élevage") == 9
    assert await total(after, "zellige") == 9
    monkeypatch.setattr(index_files.IndexDirectory, "_add_documents", add)
    await keep(after)
    assert (await total(after, "élevage"), await total(after, "bétail")) == (0, 9)
    # One of the release before goes on with what is there, when there is something new.
    await publish(named("Zellige", at="m"))
    assert await total(before, "zellige") == 10
    assert (await total(before, "élevage"), await total(before, "bétail")) == (0, 9)


async def test_rows_that_were_made_anew_are_indexed_while_the_index_answers(
    database, publish, folder, keep, monkeypatch
):
    index = SearchIndex(database.connection, folder)
    await publish(*(named(f"Zellige {number}", at=f"n{number}") for number in range(9)))
    assert await found(index) == 9
    async with database.transaction() as connection:
        await search_rows.lock_state(connection)
        await connection.execute(
            "update search_version set name = replace(name, 'zellige', 'zouak')"
        )
        await search_rows.begin_epoch(connection)
    assert (await found(index), await found(index, "zouak")) == (9, 0)
    await keep(index)
    assert (await found(index), await found(index, "zouak")) == (0, 9)


async def test_an_index_that_another_process_made_anew_is_read_by_the_next_question(
    database, publish, folder
):
    mine, other = (SearchIndex(database.connection, folder) for _ in range(2))
    await publish(named("Zellige", at="a"))
    assert await found(mine) == 1
    async with database.transaction() as connection:
        await connection.execute(
            "update search_version set name = replace(name, 'zellige', 'faience'),"
            " card = replace(card, 'Zellige', 'Faience')"
        )
        await search_rows.begin_epoch(connection)
    # It is of the new epoch, and answers as before.
    assert await found(mine) == 1
    await other.rebuild()
    assert await found(mine) == 0
    [hit] = (await mine.answer(SearchQuery(text="faience"))).hits
    assert json.loads(hit.card)["name"] == {"fr": "Faience"}


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
    path = (await SearchIndex(database.connection, folder).status()).folder
    writer = tantivy.Index.open(path).writer()
    writer.delete_documents_by_term("ord", 2)
    writer.commit()
    del writer
    assert await found(SearchIndex(database.connection, folder)) == 3
