"""Chaining the audit trail, within a second of each act."""

from __future__ import annotations

import asyncio

import structlog

from registry.errors import RegistryError
from registry.services.audit_chain import BATCH, chain_acts
from registry.services.context import ServiceContext

_POLL_SECONDS = 0.5
_RETRY_SECONDS = 10.0

_log = structlog.get_logger()


async def keep_audit_chained(context: ServiceContext) -> None:
    """Append each act to the chain; never return."""
    while True:
        try:
            while await chain_acts(context.database) == BATCH:
                pass
            await asyncio.sleep(_POLL_SECONDS)
        except RegistryError as error:
            _log.error("the audit trail could not be chained", why=error.detail)
            await asyncio.sleep(_RETRY_SECONDS)
        except Exception:  # noqa: BLE001  the runner outlives any fault
            _log.exception("the audit trail could not be chained")
            await asyncio.sleep(_RETRY_SECONDS)
