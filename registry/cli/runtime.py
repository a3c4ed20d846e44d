"""What the bodies of commands run in: settings, an open register, messages on stderr.

What opens a register is imported when one is opened: a command's arguments are checked, and its
help is printed, without it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from registry.errors import ConfigurationError, InvalidRecord, RegistryError
from registry.settings import Settings, from_environment
from registry.text.text_safety import visible

if TYPE_CHECKING:
    from registry.services.context import ServiceContext

UNUSABLE = 2
"""The exit code of a command that was used or set up wrongly."""

T = TypeVar("T")


def pass_settings(body: Callable[..., T]) -> Callable[..., T]:
    """Pass the settings of the environment to a command's body, as its first argument.

    They are read, and the log of the process is configured, after the arguments have been checked.
    """

    @wraps(body)
    def with_settings(**arguments: Any) -> T:
        from registry.cli import log_output

        log_output.configure()
        return body(from_environment(os.environ, print_message), **arguments)

    return with_settings


@contextmanager
def running_database(settings: Settings, *, begins: bool = False) -> Iterator[Settings]:
    """Yield settings with a `database_url` that answers; an embedded server runs for the block.

    A command for an existing register never `begins` one: run in another folder, a nightly check
    would create an empty register there and verify it without an error. Raises `ConfigurationError`
    if there is none.
    """
    if settings.database_url is not None:
        yield settings
        return
    from registry.store import embedded

    if not begins and not embedded.is_there(settings.data_dir):
        raise ConfigurationError(
            f"there is no register in {settings.data_dir.absolute()}; run this where its folder "
            "is, or set REGISTRY_DATA_DIR"
        )
    server = embedded.start(settings.data_dir)
    try:
        yield msgspec.structs.replace(settings, database_url=server.url)
    finally:
        server.release()


def run(
    settings: Settings,
    work: Callable[[ServiceContext], Awaitable[T]],
    *,
    begins: bool = False,
    derives: bool = True,
) -> T:
    """Open the register, await `work` in it, and close it again."""
    from registry.services.startup import run_in_register

    with running_database(settings, begins=begins) as ready:
        # The embedded server's folder was found; a first start that was interrupted continues.
        return run_in_register(
            ready,
            work,
            begins=begins or settings.database_url is None,
            derives=derives,
        )


def in_register(work: Callable[..., Awaitable[T]]) -> Callable[..., T]:
    """Make the body of a command of a coroutine function that works in an existing register."""

    @pass_settings
    @wraps(work)
    def body(settings: Settings, **arguments: Any) -> T:
        return run(settings, lambda context: work(context, **arguments))

    return body


async def print_doubts(settings: Settings, context: ServiceContext) -> None:
    """Print why nothing would be published now, and what a public register should have set."""
    from registry.services.startup import find_doubts, find_unset

    for doubt in [*find_unset(settings), *await find_doubts(context)]:
        print_message(doubt)


def print_message(sentence: str) -> None:
    """Write one line to stderr, with control characters escaped."""
    sys.stderr.write(visible(sentence) + "\n")


def print_error(where: str, error: RegistryError) -> None:
    """Write an error and each of its findings to stderr."""
    for line in f"{where}: {error.detail}".split("\n"):
        print_message(line)
    if isinstance(error, InvalidRecord):
        for finding in error.findings:
            print_message(
                f"  {finding.severity} {finding.pointer} [{finding.rule}] {finding.message}"
            )
        if len(error.findings) < error.findings_total:
            print_message(f"  these are {len(error.findings)} of {error.findings_total} findings")


def write_row(columns: Iterable[object]) -> None:
    """Write columns to stdout, with tabs between them and control characters escaped."""
    sys.stdout.write("\t".join(visible(str(one)) for one in columns) + "\n")


def write_json(value: Any) -> None:
    """Write a value to stdout as indented JSON."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value)).decode() + "\n")
