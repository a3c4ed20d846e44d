"""`registry origin`, after an upgrade: what stands twice is shown first, and joined once."""

import asyncio

import pytest

from registry.store.database import connect
from tests.upgraded import ALAND, leave_register, write_crosswalk

ORIGIN = "xa-register"


@pytest.fixture
def upgraded(registry, empty_url, tmp_path):
    """Run a command in a register that the release before has left."""

    async def leave():
        database = await connect(empty_url)
        folder = tmp_path / "migrations"
        folder.mkdir()
        await leave_register(database, folder)
        await database.close()

    asyncio.run(leave())

    def run(*arguments):
        return registry(*arguments, database_url=empty_url, data_dir=tmp_path)

    return run


@pytest.fixture
def states(empty_url):
    """What state the records of that register are in."""

    async def read():
        database = await connect(empty_url)
        async with database.connection() as connection:
            rows = await connection.fetch(
                "select id, state from record where origin = $1 order by id", ORIGIN
            )
        await database.close()
        return [tuple(row) for row in rows]

    return lambda: asyncio.run(read())


def test_after_an_upgrade_the_whole_file_is_imported_and_what_stands_twice_joined(
    upgraded, states, tmp_path
):
    early = upgraded("origin", "join", ORIGIN)
    assert early.returncode == 1
    assert "was last imported by an earlier release: import its whole file once" in early.stderr
    unknown = upgraded("origin", "join", "nowhere")
    assert unknown.returncode == 1
    assert "known are: xa-register, xb-inventory" in unknown.stderr

    file = tmp_path / "systems.csv"
    file.write_text(ALAND, encoding="utf-8")
    crosswalk = write_crosswalk(ORIGIN, tmp_path)
    first = upgraded("import", crosswalk, file, "--complete")
    assert first.returncode == 0, first.stderr
    assert "0 created, 0 changed, 3 unchanged" in first.stderr
    assert "2 records stand here twice since before this release" in first.stderr

    before = states()
    shown = upgraded("origin", "join", ORIGIN)
    line = "xa.parks/1 goes on for xa.green-spaces/1, moves to xa.green-spaces: Tree planner"
    assert line in shown.stderr
    assert "2 records stand twice; nothing was changed (--apply)" in shown.stderr
    assert states() == before
    assert {state for _, state in before} == {"published"}

    assert "2 records joined" in upgraded("origin", "join", ORIGIN, "--apply").stderr
    joined = states()
    assert joined == [
        ("xa.green-spaces/1", "withdrawn"),
        ("xa.green-spaces/2", "withdrawn"),
        ("xa.parks/1", "published"),
        ("xa.parks/2", "published"),
        ("xa.roads/3", "published"),
    ]
    again = upgraded("import", crosswalk, file, "--complete")
    assert "0 created, 0 changed, 3 unchanged" in again.stderr
    assert "0 no longer in the source" in again.stderr
    assert states() == joined
    assert "0 records stand twice" in upgraded("origin", "join", ORIGIN).stderr
    assert upgraded("log", "verify").returncode == 0
