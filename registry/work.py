"""The CPU time that work takes, and threads for what would hold up the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from typing import Any, Generic, ParamSpec, TypeVar

import msgspec

P = ParamSpec("P")
T = TypeVar("T")

QUICK_BYTES = 32 * 1024
"""The size of a document up to which its validation takes less than 50 ms, whatever is in it."""


class WorkMeter(msgspec.Struct):
    """Counts the seconds of CPU time that one piece of work takes, on the loop and in threads."""

    seconds: float = 0.0


_METER: ContextVar[WorkMeter | None] = ContextVar("meter", default=None)


class MeasuredWork(Generic[T]):
    """An awaitable that runs another and adds the time of each of its steps to a meter.

    Other tasks that run between two steps are not counted.
    """

    def __init__(self, work: Awaitable[T], meter: WorkMeter) -> None:
        """Take the awaitable, which has not begun."""
        self._steps: Any = work.__await__()
        self._meter = meter

    def __await__(self) -> Generator[Any, Any, T]:
        """Run it; what it waits for is passed on."""
        # Each request has a context of its own, so nothing is set back.
        _METER.set(self._meter)
        thrown: BaseException | None = None
        while True:
            began = time.thread_time()
            try:
                waited = next(self._steps) if thrown is None else self._steps.throw(thrown)
            except StopIteration as ended:
                result: T = ended.value
                return result
            finally:
                # The error's traceback holds this frame: a cycle would keep the request, and with
                # it the connection, until a garbage collection.
                thrown = None
                self._meter.seconds += time.thread_time() - began
            try:
                yield waited
            except BaseException as error:  # noqa: BLE001  it is for what waits
                thrown = error


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what a function returns that runs in a thread; its time counts in the meter."""
    return await _run(None, function, *args, **kwargs)


class WorkThread:
    """One thread for one kind of work: a piece at a time, in order, beside the event loop.

    So what the pieces share needs no lock, and many of them take no thread from other work.
    """

    def __init__(self, name: str) -> None:
        """Take the thread's name; it begins with the first piece of work."""
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a function returns that runs in the thread; its time counts in the meter."""
        return await _run(self._executor, function, *args, **kwargs)


async def _run(
    executor: Executor | None, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
) -> T:
    context = copy_context()

    def timed() -> T:
        began = time.thread_time()
        try:
            return context.run(function, *args, **kwargs)
        finally:
            spent.append(time.thread_time() - began)

    spent: list[float] = []
    try:
        return await asyncio.get_running_loop().run_in_executor(executor, timed)
    finally:
        meter = _METER.get()
        if meter is not None:
            meter.seconds += sum(spent)


async def by_size(size: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what a function makes of a document of `size` bytes: of a large one in a thread."""
    if size <= QUICK_BYTES:
        return function(*args, **kwargs)
    return await in_thread(function, *args, **kwargs)
