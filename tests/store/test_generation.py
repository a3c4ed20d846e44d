"""The bytes that change with every write, as other processes of the host see them."""

import subprocess
import sys

import pytest

from registry.errors import ConfigurationError
from registry.store.database import connect
from registry.store.generation import Generation

SAY = (
    "import sys; from pathlib import Path; from registry.store.generation import Generation;"
    " Generation(Path(sys.argv[1])).change()"
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "generation"


def test_it_stays_until_somebody_changes_it_and_never_comes_again(path):
    here, there = Generation(path), Generation(path)
    seen = [here.read()]
    for _ in range(20):
        there.change()
        assert here.read() == there.read()
        seen.append(here.read())
    assert len(set(seen)) == len(seen)
    assert Generation(path).read() == seen[-1]


def test_another_process_is_seen(path):
    here = Generation(path)
    before = here.read()
    subprocess.run([sys.executable, "-c", SAY, str(path)], check=True)
    assert here.read() != before


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "data").write_text("no folder")
    with pytest.raises(ConfigurationError, match=r"data/generation cannot be opened"):
        Generation(tmp_path / "data" / "generation")


async def test_what_was_committed_is_told_and_nothing_else(path, database_url):
    generation = Generation(path)
    database = await connect(database_url, generation=generation)
    before = generation.read()
    async with database.connection() as connection:
        await connection.execute("select")
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as connection:
            raise ZeroDivisionError
    assert generation.read() == before
    async with database.transaction() as connection:
        await connection.execute("select")
        assert generation.read() == before
    assert generation.read() != before
    await database.close()
