"""One question answered on one connection, from an index that is made for it alone."""

import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

from registry.search.engine import SearchIndex


async def search(connection, question, **options):
    @asynccontextmanager
    async def lend():
        yield connection

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        return await SearchIndex(lend, Path(folder), **options).answer(question)
