"""Whether a database has what the migrations of a folder make."""

from registry.errors import Unavailable
from registry.store.migrate import MIGRATIONS, check_migrated


async def is_migrated(database, folder=MIGRATIONS):
    try:
        await check_migrated(database, folder)
    except Unavailable:
        return False
    return True
