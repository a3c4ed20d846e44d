"""Harvesting the registers that are watched, every hour or as often as set."""

from __future__ import annotations

import datetime as dt

import structlog

from registry.clock import utc_now
from registry.errors import RegistryError
from registry.hub.rounds import harvest
from registry.services.context import ServiceContext
from registry.settings import Settings
from registry.store import peers

_log = structlog.get_logger()


async def harvest_due(settings: Settings, context: ServiceContext, *, now: dt.datetime) -> None:
    """Harvest the peers whose last round was long enough ago, or has left entries, one by one.

    What happens to one keeps none of the others back: each has one bounded round at a time.
    """
    interval = dt.timedelta(minutes=settings.harvest_minutes)
    async with context.database.connection() as connection:
        known = await peers.read_all(connection)
        last = {one.code: await peers.read_last_checkpoint(connection, one.code) for one in known}
    for peer in known:
        if peer.removed_at is not None or peer.stopped is not None:
            continue
        seen = last[peer.code]
        is_behind = seen is not None and peer.applied < seen.size and peer.failure is None
        if peer.tried_at is not None and now - peer.tried_at < interval and not is_behind:
            continue
        try:
            report = await harvest(
                context, peer.code, now=utc_now, only_public=settings.peers_on_loopback == "off"
            )
        except RegistryError as error:
            _log.error("a peer could not be harvested", peer=peer.code, why=error.detail)
        except Exception:  # noqa: BLE001  one peer's fault is not another's
            _log.exception("a peer could not be harvested", peer=peer.code)
        else:
            write = _log.error if report.outcome in {"failed", "stopped"} else _log.info
            write("peer harvested", peer=peer.code, outcome=report.outcome, why=report.why)
