"""What the search tests share: a register of many records, and its index."""

import os

import pytest

from registry.search.engine import open_index
from registry.store.database import connect
from tests.imported import load_and_import

EVERY = 1 if "FUZZ_EXAMPLES" in os.environ else 4
"""Of the foreign records, which are searched; `make fuzz` takes all."""


@pytest.fixture(scope="session")
def large_url(copied):
    with copied() as url:
        yield url


@pytest.fixture(scope="session")
async def large(large_url, pack):
    """A register of demonstration and foreign records, for tests that only read."""
    database = await connect(large_url)
    await load_and_import(database, pack, every=EVERY)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def index_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("large")


@pytest.fixture(scope="session")
async def large_index(large, index_folder, pack):
    index = open_index(large.connection, index_folder, pack)
    # However long that takes.
    await index.rebuild()
    return index
