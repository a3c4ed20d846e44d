"""The CPU time that work takes, and threads and processes for what would hold up the event loop."""

from __future__ import annotations

import asyncio
import gc
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from contextvars import ContextVar, copy_context
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, Generic, ParamSpec, TypeVar, cast

import msgspec

from registry.errors import RegistryError, Unavailable

P = ParamSpec("P")
T = TypeVar("T")

MOST_PIECES = 8
"""Pieces of work that a process has or that wait for it: of the largest documents some 3 s."""

_PATIENCE_SECONDS, _POLL_SECONDS = 1.0, 0.05

_IS_PATIENT: ContextVar[bool] = ContextVar("is_patient", default=False)


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


def wait_in_line() -> None:
    """Have this task, and those that it starts, wait for a process as long as it takes."""
    _IS_PATIENT.set(True)


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
        _count(sum(spent))


def _count(seconds: float) -> None:
    meter = _METER.get()
    if meter is not None:
        meter.seconds += seconds


class WorkProcess:
    """A process for work that would keep the interpreter from all other requests.

    It does one piece at a time, a few wait for it, and what comes then is refused. It is started
    for the first piece, and anew when it has died or took longer than it may.
    """

    def __init__(self, what: str, *, seconds: float) -> None:
        """Take what is worked on, in the plural, and how long a piece may take."""
        self._what, self._seconds = what, seconds
        self._room = threading.Semaphore(MOST_PIECES)
        # In this thread nothing is computed: it waits for the process.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=what)
        self._started: tuple[subprocess.Popen[bytes], Connection] | None = None

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a function of a module returns in the process; its time counts in the meter.

        Raises `Unavailable` where too many wait already, or the process ends before it has ended.
        """
        clock = asyncio.get_running_loop().time
        until = clock() + _PATIENCE_SECONDS
        while not self._room.acquire(blocking=False):
            if clock() > until and not _IS_PATIENT.get():
                raise Unavailable(
                    f"other {self._what} are being worked on; send this again in a few seconds"
                )
            await asyncio.sleep(_POLL_SECONDS)
        future = self._thread.submit(self._ask, (function, args, kwargs))
        # When it is done, even if nobody waits for it any more.
        future.add_done_callback(lambda _: self._room.release())
        seconds, result, error = await asyncio.wrap_future(future)
        _count(seconds)
        if error is not None:
            raise error
        return cast("T", result)

    def close(self) -> None:
        """End the process after what is under way."""
        self._thread.submit(self._end)
        self._thread.shutdown(wait=False)

    def _ask(self, job: Any) -> Any:
        until, is_last = time.monotonic() + self._seconds, False
        while True:
            process, line = self._started = self._started or _start()
            ends = threading.Timer(self._seconds, process.kill)
            ends.start()
            try:
                line.send(job)
                return line.recv()
            except (OSError, EOFError) as error:
                self._end()
                if is_last or time.monotonic() > until:
                    raise Unavailable(
                        f"the process for {self._what} has ended, or took longer than "
                        f"{self._seconds:.0f} seconds; send this again, or less at once"
                    ) from error
                # It may have died before.
                is_last = True
            finally:
                ends.cancel()

    def _end(self) -> None:
        if self._started is not None:
            process, line = self._started
            self._started = None
            line.close()
            process.kill()
            process.wait()


def _start() -> tuple[subprocess.Popen[bytes], Connection]:
    ours, theirs = Pipe()
    with theirs:
        number = theirs.fileno()
        command = [sys.executable, "-P", "-m", "registry.work", str(number)]
        return subprocess.Popen(command, pass_fds=[number]), ours  # noqa: S603


def _work_for(line: Connection) -> None:
    """Do the work that comes in, until the other end is gone."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # It ends after what is under way, with who started it.
        signal.signal(number, signal.SIG_IGN)
    # Work makes many objects and no cycles; to look for these often takes a fifth of the time.
    gc.set_threshold(100_000, 20, 100)
    with suppress(EOFError, OSError):
        while True:
            function, args, kwargs = line.recv()
            began, result, error = time.process_time(), None, None
            try:
                result = function(*args, **kwargs)
            except Exception as fault:  # noqa: BLE001  whoever asked raises it
                is_ours = isinstance(fault, RegistryError)
                error = fault if is_ours else RuntimeError(traceback.format_exc())
            line.send((time.process_time() - began, result, error))


if __name__ == "__main__":
    _work_for(Connection(int(sys.argv[1])))
