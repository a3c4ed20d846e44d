"""What commands print: messages and errors on stderr, rows and JSON on stdout.

It opens no register: the group imports it for every call, help too.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import msgspec

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
