"""Opening the register: database in shape, log begun, agencies known, index of this analysis."""

from __future__ import annotations

import datetime as dt

from registry.errors import ConfigurationError
from registry.office.indexing import keep_index
from registry.office.ledger import begin
from registry.office.log_key import read_or_create
from registry.record.pack import Pack
from registry.settings import Settings
from registry.store import agencies, log
from registry.store.database import Database
from registry.store.migrate import migrate


async def open_register(
    database: Database, pack: Pack, settings: Settings, *, now: dt.datetime
) -> None:
    """Migrate, begin the log if it is empty, take over the pack's agencies, keep the index.

    Repeats harmlessly. The first time it makes the log's key file. Raises `ConfigurationError` when
    the register began with another pack.
    """
    await migrate(database)
    async with database.transaction() as connection:
        await begin(
            connection,
            make_signer=lambda: read_or_create(settings.key_file, settings.origin),
            now=now,
        )
        begun_with = await log.keep_pack(connection, pack.code)
        if begun_with != pack.code:
            raise ConfigurationError(
                f"this register is of the country pack {begun_with!r}, and REGISTRY_PACK is "
                f"{pack.code!r}; set REGISTRY_PACK={begun_with}, or another REGISTRY_DATA_DIR or "
                "REGISTRY_DATABASE_URL"
            )
        await agencies.save(connection, list(pack.agencies.values()))
    await keep_index(database)


async def is_empty(database: Database) -> bool:
    """Tell whether nothing was ever published here."""
    async with database.connection() as connection:
        state = await log.read_state(connection)
    return state.range.size <= 1
