"""The log of a process: a JSON object a line on stderr, or words on a terminal.

It never holds up what it tells of, and never tells what somebody sent: of an error it has the kind
and the places in the program, without the message, which may quote a document or a token.
"""

from __future__ import annotations

import atexit
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, MutableMapping, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from queue import SimpleQueue
from typing import Any, TextIO

import msgspec
import structlog

_MOST_WAITING = 10_000
_GATHER_SECONDS = 0.02
_LAST_WORDS_SECONDS = 1.0
_INFO = 20


def configure(stream: TextIO | None = None) -> Callable[[msgspec.Struct], None]:
    """Make the log of this process write to a stream, stderr by default.

    What is given back takes lines of the access log, of which there are many: they are put into
    words where nobody waits for it.
    """
    stream = stream or sys.stderr
    words = structlog.dev.ConsoleRenderer() if stream.isatty() else None
    lines = _Lines(stream, _as_json if words is None else partial(_in_words, words))
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _stamped,
            structlog.processors.ExceptionRenderer(_told),
            words or structlog.processors.JSONRenderer(lambda values, **_: _json(values)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_INFO),
        logger_factory=lambda *_: lines,
    )
    for handler in logging.root.handlers[:]:
        if isinstance(handler, _Libraries):
            logging.root.removeHandler(handler)
    logging.root.addHandler(_Libraries())
    return lines.take


class _Libraries(logging.Handler):
    """Makes lines of what libraries tell, such as asyncpg of a lost connection.

    Their sentences are left out: they may quote what somebody sent.
    """

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno,
            "told by a library",
            library=record.name,
            place=f"{record.module}.{record.funcName}",
            exc_info=record.exc_info,
        )


class _Lines:
    """Writes lines in a thread; when nobody takes them any more, those that follow are lost."""

    def __init__(
        self, stream: TextIO, told: Callable[[Sequence[str | msgspec.Struct]], str]
    ) -> None:
        self._stream = stream
        self._told = told
        self._waiting: SimpleQueue[str | msgspec.Struct | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def take(self, line: str | msgspec.Struct | None) -> None:
        if self._waiting.qsize() < _MOST_WAITING:
            self._waiting.put(line)

    debug = info = warning = error = critical = exception = msg = take

    def close(self) -> None:
        self.take(None)
        self._thread.join(_LAST_WORDS_SECONDS)

    def _write(self) -> None:
        ended = False
        while not ended:
            lines = [self._waiting.get()]
            # Together they cost the threads that work a tenth of what they cost one by one.
            time.sleep(_GATHER_SECONDS)
            while not self._waiting.empty():
                lines.append(self._waiting.get())
            ended = None in lines
            told = self._told([line for line in lines if line is not None])
            with suppress(OSError, ValueError):
                self._stream.write(told)
                self._stream.flush()


_encoder = msgspec.json.Encoder(enc_hook=str)


def _json(values: Any) -> str:
    return _encoder.encode(values).decode()


def _as_json(lines: Sequence[str | msgspec.Struct]) -> str:
    ready = [msgspec.Raw(line) if isinstance(line, str) else line for line in lines]
    return _encoder.encode_lines(ready).decode()


def _in_words(words: structlog.dev.ConsoleRenderer, lines: Sequence[str | msgspec.Struct]) -> str:
    told = [
        line if isinstance(line, str) else words(None, "", msgspec.to_builtins(line))
        for line in lines
    ]
    return "\n".join([*told, ""])


def _stamped(_logger: object, _name: str, event: MutableMapping[str, Any]) -> Any:
    """Add the time, RFC 3339 in UTC; structlog's own stamp takes a third of what a line does."""
    seconds, nanoseconds = divmod(time.time_ns(), 10**9)
    event["timestamp"] = f"{_second(seconds)}.{nanoseconds // 1000:06}Z"
    return event


@lru_cache(maxsize=2)
def _second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def _told(exc_info: Any) -> str:
    """Tell of an error and its causes: where, and of which kind."""
    told = []
    error: BaseException | None = exc_info[1]
    while error is not None:
        code = getattr(error, "sqlstate", None) or getattr(error, "strerror", None)
        kind = type(error).__qualname__ + (f" ({code})" if code else "")
        told.append("".join(traceback.format_tb(error.__traceback__)) + kind)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\ncaused by:\n".join(told)
