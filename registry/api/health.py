"""Whether this process lives, and whether the register is ready to be used."""

from __future__ import annotations

import msgspec
from litestar import get

from registry.api.operations import answers
from registry.api.request_context import ApiState
from registry.errors import Unavailable
from registry.store import log
from registry.store.migrate import is_migrated


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """A plain yes; anything else is a problem."""

    status: str


@get("/health/live", summary="Is the process alive?", tags=["health"], responses=answers(Health))
async def live() -> Health:
    """Answer as long as the process does."""
    return Health(status="live")


@get(
    "/health/ready",
    summary="Is the register ready?",
    tags=["health"],
    responses=answers(Health),
)
async def ready(state: ApiState) -> Health:
    """Answer when the database is migrated, the log begun and the first site in place."""
    if not await is_migrated(state.context.database):
        raise Unavailable("the database is not migrated yet; run: registry work")
    async with state.context.database.connection() as connection:
        log_state = await log.read_state(connection)
    if log_state.range.size == 0:
        raise Unavailable("the log has no first entry yet; run: registry work")
    if not (state.settings.site_dir / "index.html").exists():
        raise Unavailable("the site is not built yet; run: registry site build")
    return Health(status="ready")
