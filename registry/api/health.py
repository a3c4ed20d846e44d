"""Whether this process lives, and whether the register is ready to be used."""

from __future__ import annotations

import msgspec
from litestar import get

from registry.api.operations import answers
from registry.api.request import ApiState
from registry.errors import Unavailable
from registry.services.operations.heartbeat import silence_of_work
from registry.store import heartbeats, log, log_checks, witnesses
from registry.store.migrate import check_migrated


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """A plain yes; anything else is a problem.

    `fault` is there where a check of the database by its log has found something, so that nothing
    is published, and `stopped` where nothing is filed either; what there is can still be read.
    `alarm` is there where a witness refuses the log as it would refuse one of two histories;
    nothing is stopped by it. `work` is there where no background runner is alive.
    """

    status: str
    fault: str | msgspec.UnsetType = msgspec.UNSET
    stopped: str | msgspec.UnsetType = msgspec.UNSET
    alarm: str | msgspec.UnsetType = msgspec.UNSET
    work: str | msgspec.UnsetType = msgspec.UNSET


_FAULT = (
    "a row in the database is not what follows from the log, and nothing is published; run: "
    "registry log verify"
)


_STOPPED = (
    "the log is stopped: the database lacks what was signed or acknowledged, or is not confirmed "
    "yet, and nothing is filed or published; see the log of registry work"
)
_ALARM = "a witness refuses the log; run: registry log witnesses"


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
    """Answer when this version can work with the database, log and first site are there.

    A site that is served elsewhere, or comes from a store, is not waited for.
    """
    await check_migrated(state.context.database)
    async with state.context.database.connection() as connection:
        if (await log.read_state(connection)).range.size == 0:
            raise Unavailable("the log has no first entry yet; run: registry work")
        # Asked for every few seconds: so every host remembers how far the log has come.
        _, is_stopped = await state.context.guard.look(connection)
        fault = await log_checks.read_fault(connection)
        _, alarmed = await witnesses.read_alarms(connection)
        silence = silence_of_work(await heartbeats.read_all(connection))
    settings = state.settings
    if not settings.is_site_elsewhere and not (settings.site_dir / "index.html").exists():
        raise Unavailable("the site is not built yet; run: registry site build")
    return Health(
        status="ready",
        fault=msgspec.UNSET if fault is None else _FAULT,
        stopped=_STOPPED if is_stopped else msgspec.UNSET,
        alarm=_ALARM if alarmed else msgspec.UNSET,
        work=msgspec.UNSET if silence is None else silence,
    )
