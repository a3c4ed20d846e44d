"""What the store's tests share."""

import pytest

from registry.store.database import connect


@pytest.fixture
async def empty(empty_url):
    """A connection to a database without a register in it."""
    opened = await connect(empty_url)
    yield opened
    await opened.close()
