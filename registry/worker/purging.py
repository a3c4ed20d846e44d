"""Telling the cache in front of the store which files were published over, or removed.

Two processes may tell it the same, which changes nothing.
"""

from __future__ import annotations

import httpx
import structlog

from registry.clock import utc_now
from registry.errors import Unavailable
from registry.file_headers import address_of
from registry.http_client import exchange
from registry.services.context import ServiceContext
from registry.settings import Settings
from registry.store import published

_AT_ONCE = 1000
_ANSWER_SECONDS = 10.0

_log = structlog.get_logger()


async def purge(settings: Settings, context: ServiceContext) -> None:
    """Send what waits to the address of the settings, if there is one.

    Raises `Unavailable` where it does not answer with success: what waits goes on waiting.
    """
    if settings.purge_url is None:
        return
    while True:
        async with context.database.connection() as connection:
            waiting = await published.read_replaced(connection, most=_AT_ONCE)
        if not waiting:
            return
        paths = [one.path for one in waiting]
        addresses = [f"{settings.base_url}/{address_of(path)}" for path in paths]
        fault = await _post(settings.purge_url, {"addresses": addresses, "objects": paths})
        told = waiting if fault is None else []
        async with context.database.transaction() as connection:
            await published.note_purge(connection, told, now=utc_now(), fault=fault)
        if fault is not None:
            raise Unavailable(fault)
        _log.info("the cache was told what changed", addresses=len(paths))


async def _post(url: str, told: dict[str, list[str]]) -> str | None:
    """Return why the cache was not told, None where it was; the address may hold a secret."""
    try:
        async with httpx.AsyncClient(timeout=_ANSWER_SECONDS) as client:
            answer = await exchange(client, "POST", url, seconds=_ANSWER_SECONDS, json=told)
    except httpx.HTTPError as error:
        return f"the address of REGISTRY_PURGE_URL does not answer ({type(error).__name__})"
    if httpx.codes.is_success(answer.status):
        return None
    return f"the address of REGISTRY_PURGE_URL answers {answer.status}"
