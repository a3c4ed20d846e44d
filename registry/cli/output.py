"""What commands print: messages and errors on stderr, rows and JSON on stdout.

It opens no register: the group imports it for every call, help too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from registry.errors import InvalidRecord, RegistryError
from registry.text.text_safety import visible

UNUSABLE = 2
"""The exit code of a command that was used or set up wrongly."""


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


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int | None], None]]:
    """Yield a function that takes the work done, and the total, None if it is not known.

    The bar is on stderr if that is a terminal, and is removed at the end.
    """
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return

    with Progress(
        "{task.description}",
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        # Otherwise output to a file or pipe would be written on the terminal.
        redirect_stdout=sys.stdout.isatty(),
    ) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
