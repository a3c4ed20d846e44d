"""Publishing the log: what lies on disk, and when nothing may be signed."""

import datetime as dt
import secrets
from typing import get_args

import asyncpg
import msgspec
import pytest

from registry.errors import ConfigurationError
from registry.ledger import signing
from registry.ledger.key import read, read_or_create
from registry.ledger.publish_files import PublishStep, is_published, publish_log
from registry.ledger.verify_database import check_database
from registry.log.files import LogRefused, prune, read_checkpoint
from registry.log.replay import LogInconsistent
from registry.store import checkpoints
from registry.store.database import connect
from registry.tlog.bundle import bundle_path, bundles_of, parse_bundle
from registry.tlog.checkpoint import open_checkpoint
from registry.tlog.compact import CompactRange
from registry.tlog.hashing import leaf_hash
from registry.tlog.proof import nodes_from_tiles, root_of
from registry.verify.fsck import fsck
from tests.tlog.test_tile import tiles_of

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def database(logged):
    return logged


@pytest.fixture
def publish_records(publish, record):
    async def publish_some(count, start=0):
        documents = [record | {"id": f"demo-sante/a{start + one}"} for one in range(count)]
        if documents:
            await publish(*documents)

    return publish_some


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


async def tampered(database, table, statement):
    """Do as somebody who owns the database."""
    async with database.connection() as connection, connection.transaction():
        await connection.execute(f"alter table {table} disable trigger all")
        await connection.execute("set local session_replication_role = replica")
        done = await connection.execute(statement)
        assert not done.endswith(" 0")
        await connection.execute(f"alter table {table} enable trigger all")


async def test_the_files_are_those_of_the_specification(settings, publish_records, publish_it):
    await publish_records(3)
    signed = await publish_it()
    assert signed.size == 4
    folder = settings.log_dir
    names = {*(tile.path for tile in tiles_of(4)), bundle_path(0, 4), "checkpoint"}
    assert set(files(folder)) == names | {f"content/{index}.json" for index in range(4)}
    key = read(settings.key_file)
    opened = open_checkpoint(
        read_checkpoint(folder), origin="algorithms.example/log", verifiers=[key.verifier]
    )
    nodes = nodes_from_tiles(lambda tile: (folder / tile.path).read_bytes(), 4)
    assert root_of(nodes, 4) == opened.checkpoint.root
    entries = parse_bundle((folder / bundle_path(0, 4)).read_bytes(), 4)
    assert [leaf_hash(entry) for entry in entries] == [nodes(0, index) for index in range(4)]
    assert signing.read_last(settings.signed_sizes_file) == (4, opened.checkpoint.root)
    assert await publish_it() is None


async def test_it_is_published_whole_or_in_parts_the_same_and_partial_tiles_go_after_a_day(
    database, settings, publish_records, publish_it, pack, tmp_path
):
    for count in (0, 1, 250, 4, 1, 2):
        await publish_records(count, start=int(secrets.token_hex(4), 16))
        await publish_it()
    there = files(settings.log_dir)
    again = msgspec.structs.replace(
        settings, data_dir=tmp_path / "again", log_key_file=settings.key_file
    )
    async with database.connection() as connection:
        last = await checkpoints.read_last(connection)
    assert last.size == 259
    # A folder that was lost is made again from the database.
    await publish_log(database, again, now=NOW)
    made = files(again.log_dir)
    assert {name: there[name] for name in made} == made
    for tile in tiles_of(259):
        assert tile.path in made
    for index, width in bundles_of(259):
        assert bundle_path(index, width) in made
    folder = settings.log_dir
    assert partial(folder) == ["1"] * 5 + ["2", "2", "252", "252", "3", "3"]
    assert prune(folder, before=dt.datetime.now(dt.UTC) - dt.timedelta(days=1)) == 0
    assert prune(folder, before=dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1)) == 2
    assert partial(folder) == ["1", "1", "1", "3", "3"]
    fsck(folder, verifier=None, progress=lambda *_: None)
    await publish_records(1, start=9)
    assert (await publish_it()).size == 260
    # What was signed at an earlier size can be compared still.
    assert (await check_database(database, settings, progress=lambda *_: None)).size == 260


def partial(folder):
    """The widths of the partial tiles and bundles that are there."""
    return sorted(path.name for path in (folder / "tile").rglob("*.p/*"))


async def test_whoever_dies_after_any_step_leaves_what_the_next_goes_on_from(
    database, settings, publish_records, publish_it, subtests
):
    class Killed(BaseException):
        pass

    await publish_records(1)
    await publish_it()
    for number, step in enumerate(get_args(PublishStep), 1):

        def done(taken, step=step):
            if taken == step:
                raise Killed

        with subtests.test(step=step):
            before = read_checkpoint(settings.log_dir)
            await publish_records(2, start=10 * number)
            with pytest.raises(Killed):
                await publish_it(done=done)
            if step != "published":
                assert read_checkpoint(settings.log_dir) == before
                await publish_it()
            assert await is_published(database, settings)
            async with database.connection() as connection:
                assert (await checkpoints.read_last(connection)).size == 2 + 2 * number
            assert await publish_it() is None


async def test_two_at_once_sign_once(database, settings, publish_records, publish_it):
    await publish_records(1)
    async with database.connection() as connection:
        before = await checkpoints.read_last(connection)
    signed = await publish_it()
    async with database.connection() as connection:
        other = msgspec.structs.replace(signed, size=5, root=bytes(32))
        assert not await checkpoints.insert(connection, other, previous=before)
        assert not await checkpoints.insert(connection, signed, previous=before)
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await connection.execute("update checkpoint set note = ''")


async def test_a_signature_that_was_never_published_is_not_made_again(
    settings, publish_records, publish_it
):
    await publish_records(1)
    signed = await publish_it()
    (settings.log_dir / "checkpoint").unlink()
    assert (await publish_it()).note == signed.note == read_checkpoint(settings.log_dir)


async def test_a_database_that_has_forgotten_signs_nothing(
    database, settings, publish_records, publish_it
):
    await publish_records(2)
    await publish_it()
    ahead = settings.signed_sizes_file
    last = signing.read_last(ahead)
    signing.append(ahead, 9, last[1])
    await publish_records(1, start=7)
    with pytest.raises(LogRefused, match=r"signed-sizes knows of 9 entries, the database has 4"):
        await publish_it()


async def test_a_root_that_was_signed_otherwise_stops_it(settings, publish_records, publish_it):
    await publish_records(2)
    await publish_it()
    signing.append(settings.signed_sizes_file, 2, bytes(32))
    await publish_records(1, start=7)
    with pytest.raises(LogRefused, match="another root at 2 entries"):
        await publish_it()


async def test_a_published_checkpoint_of_somebody_else_stops_it(
    settings, publish_records, publish_it
):
    await publish_records(1)
    await publish_it()
    path = settings.log_dir / "checkpoint"
    path.write_bytes(path.read_bytes().replace(b"\n2\n", b"\n1\n"))
    with pytest.raises(LogRefused, match="not ours"):
        await publish_it()


async def test_a_changed_tile_or_bundle_stops_it(settings, publish_records, publish_it):
    await publish_records(1)
    await publish_it()
    (settings.log_dir / "checkpoint").unlink()
    path = settings.log_dir / bundle_path(0, 2)
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    with pytest.raises(LogRefused, match="another content"):
        await publish_it()


async def test_another_key_signs_nothing(settings, publish_records, publish_it):
    await publish_records(1)
    settings.key_file.unlink()
    read_or_create(settings.key_file, settings.origin)
    with pytest.raises(ConfigurationError, match="first entry names"):
        await publish_it()


async def test_a_database_that_may_lose_what_it_committed_signs_nothing(
    database, migrated_url, settings, publish_records
):
    await publish_records(1)
    async with database.connection() as connection:
        name = await connection.fetchval("select current_database()")
        await connection.execute(f'alter database "{name}" set synchronous_commit = off')
    opened = await connect(migrated_url)
    with pytest.raises(ConfigurationError, match="synchronous_commit off"):
        await publish_log(opened, settings, now=NOW)
    await opened.close()


ACTS = {
    "an old version's row was edited": (
        "section",
        "update section set value = '\"changed\"' where record = 'demo-sante/a0' and key = 'id'",
    ),
    "an entry was edited": (
        "log_entry",
        "update log_entry set bytes = bytes || ' ' where index = 1",
    ),
    "an entry and its hash were edited": (
        "log_entry",
        """
        update log_entry set bytes = overlay(bytes placing 'b' from position('a0"' in bytes))
        where index = 1;
        update log_entry set leaf = sha256('\\x00'::bytea || bytes) where index = 1
        """,
    ),
    "an entry was deleted": ("log_entry", "delete from log_entry where index = 2"),
    "the last entry was deleted": ("log_entry", "delete from log_entry where index = 3"),
    "a version was deleted": ("version", "delete from version where record = 'demo-sante/a1'"),
    "a section was deleted": ("section", "delete from section where key = 'name'"),
    "the order was swapped": (
        "log_entry",
        """
        update log_entry set index = -1 where index = 1;
        update log_entry set index = 1 where index = 2;
        update log_entry set index = 2 where index = -1
        """,
    ),
    "a version's time was changed": ("version", "update version set published_at = now()"),
    "a record was withdrawn without a word": ("record", "update record set state = 'withdrawn'"),
    "a salt was changed": (
        "section",
        "update section set salts = salts || '\\x00' where key = 'id'",
    ),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("found_by", ["publication", "verification"])
async def test_what_was_done_to_the_database_is_found_and_stops_publication(
    database, settings, publish_records, publish_it, act, found_by, pack
):
    await publish_records(3)
    await publish_it()
    await tampered(database, *ACTS[act])
    if found_by == "verification":
        with pytest.raises(LogRefused):
            await check_database(database, settings, progress=lambda *_: None)
    if "last entry" not in act:
        await publish_records(1, start=9)
    (settings.log_dir / "checkpoint").unlink()
    with pytest.raises(LogRefused) as found:
        await publish_it()
    assert "entr" in found.value.detail
    assert read_checkpoint(settings.log_dir) is None


async def test_a_log_that_was_rewritten_as_a_whole_is_told_by_its_files(
    database, settings, publish_records, publish_it, pack
):
    await publish_records(2)
    await publish_it()
    other = CompactRange()
    async with database.connection() as connection:
        entries = await checkpoints.read_entries(connection, 0, 2)
    for entry in entries:
        other = other.append(entry.leaf)
    for table in ("checkpoint", "log_entry"):
        column = "size" if table == "checkpoint" else "index"
        await tampered(database, table, f"delete from {table} where {column} > 1")  # noqa: S608
    for table in ("version", "section"):
        await tampered(database, table, f"delete from {table} where record = 'demo-sante/a1'")  # noqa: S608
    await tampered(database, "record", "delete from record where id = 'demo-sante/a1'")
    async with database.connection() as connection:
        await connection.execute("update log_state set size = 2, peaks = $1", other.packed())
    with pytest.raises(LogInconsistent, match="entry 2: it was signed, and is missing"):
        await check_database(database, settings, progress=lambda *_: None)
