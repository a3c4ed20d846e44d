"""The measuring of what a request costs."""

import asyncio
import contextlib
import gc
import weakref

import pytest

from registry.work import MeasuredWork, WorkMeter


class _Request:
    """What a request holds as long as it lives."""


@pytest.mark.parametrize("answered", [True, False])
def test_work_that_was_interrupted_keeps_nothing(answered):
    async def waiting(request):
        try:
            async with asyncio.timeout(0):
                await asyncio.sleep(60)
        except TimeoutError:
            if not answered:
                raise
        return request

    async def kept():
        request = _Request()
        seen = weakref.ref(request)
        work = asyncio.create_task(_run(waiting(request)))
        del request
        await work
        del work
        await asyncio.sleep(0)
        return seen() is not None

    async def _run(work):
        with contextlib.suppress(TimeoutError):
            await MeasuredWork(work, WorkMeter())

    gc.disable()
    try:
        assert not asyncio.run(kept())
    finally:
        gc.enable()
