"""The command as others run it: a process of its own, with settings of its own."""

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest

from registry.clock import utc_now
from registry.record.pack import load_pack
from registry.services.operations.startup import open_register
from registry.settings import Settings
from registry.store.database import connect
from tests.prepared import make_folder

ROOT = Path(__file__).parents[2]


def environment_in(folder):
    """Return the settings of this machine, without those of the register; its memory is there."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("REGISTRY_")}
    state = {"XDG_STATE_HOME": str(folder / "state")}
    return kept | state | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1"}


@pytest.fixture
def environment(tmp_path):
    return environment_in(tmp_path)


def registry_in(folder, warm):
    """Return a function that runs `registry` to its end in a folder."""
    environment = environment_in(folder)

    def run(*arguments, **settings):
        named = {f"REGISTRY_{name.upper()}": str(value) for name, value in settings.items()}
        return warm.run([*map(str, arguments)], cwd=folder, environment=environment | named)

    return run


@pytest.fixture
def registry(warm, tmp_path):
    return registry_in(tmp_path, warm)


@pytest.fixture
def refused(registry):
    """Run a command that must end with a sentence and an exit code."""

    def run(code, *arguments, **settings):
        result = registry(*arguments, **settings)
        assert result.returncode == code, result.stdout + result.stderr
        assert "Traceback" not in result.stderr
        assert result.stdout == ""
        assert result.stderr.strip()
        return " ".join(result.stderr.split())

    return run


@pytest.fixture
def with_database(registry, database_url, tmp_path):
    """Run a command against the test's own database."""

    def run(*arguments, **settings):
        return registry(*arguments, database_url=database_url, data_dir=tmp_path, **settings)

    return run


def begin(url, folder):
    """Begin a register in an empty database; its log's key lies in the folder."""

    async def open_it():
        database = await connect(url)
        await open_register(database, load_pack("ma"), Settings(data_dir=folder), now=utc_now())
        await database.close()

    asyncio.run(open_it())


@pytest.fixture
def record_file(record, tmp_path):
    """Write the record with members changed; `...` removes one."""

    def write(name="record.json", **changes):
        document = {key: value for key, value in (record | changes).items() if value is not ...}
        path = tmp_path / name
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    return write


@pytest.fixture
def data():
    """A short path for a register of its own: the embedded server's socket lies in it."""
    folder = make_folder("r")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
