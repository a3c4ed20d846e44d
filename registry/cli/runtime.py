"""A register that is open for the time of one command."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

import msgspec
import rich_click as click

from registry.errors import ConfigurationError, InvalidRecord, RegistryError
from registry.services.context import ServiceContext
from registry.services.startup import run_in_register
from registry.settings import Settings
from registry.text.text_safety import visible

UNUSABLE = 2
"""The exit code of a command that was used or set up wrongly."""

T = TypeVar("T")


@contextmanager
def database_of(settings: Settings, *, begins: bool = True) -> Iterator[Settings]:
    """Give settings whose `database_url` answers, with the embedded server held if it is that.

    What is meant for a register that is there never `begins` one: run in another folder, a nightly
    check would make an empty register there and find it in order, and a token would be for that.
    """
    if settings.database_url is not None:
        yield settings
        return
    from registry.store import embedded  # noqa: PLC0415  not needed with a database of one's own

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
    settings: Settings, work: Callable[[ServiceContext], Awaitable[T]], *, begins: bool = True
) -> T:
    """Open the register, do the work, close it again."""
    with database_of(settings, begins=begins) as ready:
        # The embedded server's folder was looked for; a first start that died in it goes on.
        return run_in_register(ready, work, begins=begins or settings.database_url is None)


def in_office(work: Callable[..., Awaitable[T]]) -> Callable[..., T]:
    """Make the body of a command out of what it does in the open register."""

    @click.pass_obj
    @wraps(work)
    def body(settings: Settings, /, **given: Any) -> T:
        # Whoever acts in a register means one that is there.
        return run(settings, lambda context: work(context, **given), begins=False)

    return body


def say(sentence: str) -> None:
    """Tell the person at the terminal something on a line, beside the command's output."""
    sys.stderr.write(visible(sentence) + "\n")


def tell(where: str, error: RegistryError) -> None:
    """Say on stderr what went wrong, with every finding."""
    for line in f"{where}: {error.detail}".split("\n"):
        say(line)
    if isinstance(error, InvalidRecord):
        for finding in error.findings:
            say(f"  {finding.severity} {finding.pointer} [{finding.rule}] {finding.message}")
        if len(error.findings) < error.findings_total:
            say(f"  these are {len(error.findings)} of {error.findings_total} findings")


def write_json(value: Any) -> None:
    """Write a value to stdout as JSON for people and programs."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value)).decode() + "\n")
