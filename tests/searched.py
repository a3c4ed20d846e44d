"""One question answered on one connection, from an index that is read for it alone."""

from contextlib import asynccontextmanager

from registry.search.engine import SearchIndex


async def search(connection, question, **options):
    @asynccontextmanager
    async def lend():
        yield connection

    return await SearchIndex(lend, **options).answer(question)
