"""What the office's verbs share on the command line: who acts, and how receipts are shown."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, TypeAlias, TypeVar

import msgspec
import rich_click as click

from registry.cli.opened import say
from registry.errors import InvalidRecord, RegistryError
from registry.office.access import Actor
from registry.record.ids import split_id

Style: TypeAlias = Literal["text", "json"]
F = TypeVar("F", bound="Callable[..., Any]")

AUTHORITY = "authority"

_NEXT = {
    "created": "Nothing is public yet. To submit it: registry submit {id}",
    "changed": "Nothing is public yet. To submit it: registry submit {id}",
    "in_review": "Somebody else approves it: registry approve {id}",
    "returned": "Its agency finds the comment with the draft.",
    "published": "It is public now; the site shows it within seconds.",
    "withdrawn": "It is out of force; its history stays readable.",
    "attested": "It is public now.",
    "requested": "Nothing is erased yet. Somebody else confirms it: registry redact confirm",
    "confirmed": "It is in the log. What it names is destroyed once the log has published it.",
}


def acts_as(role: str) -> Callable[[F], F]:
    """Add the options of a verb: who acts (`role` says who does without), how to show it."""

    def add(verb: F) -> F:
        actor = click.option(
            "--actor", metavar="ROLE", help=f"Who acts, for log and audit trail. Default: {role}."
        )
        style = click.option(
            "--format",
            "style",
            type=click.Choice(["text", "json"]),
            default="text",
            show_default=True,
            help="Receipts for people, or as JSON.",
        )
        return actor(style(verb))

    return add


def of_agency(name: str | None, record: str) -> Actor:
    """Act as the operator for the agency that a record's id, or a code alone, names."""
    agency = split_id(record)[0] if "/" in record else record
    return Actor(name=name or agency, agency=agency, scopes=frozenset({"file"}), token=None)


def of_authority(name: str | None) -> Actor:
    """Act as the operator for the authority that reviews."""
    return Actor(name=name or AUTHORITY, agency=None, scopes=frozenset({"review"}), token=None)


def texts(given: Sequence[str], option: str) -> dict[str, str]:
    """Read `LANG=TEXT` as a text by language."""
    found: dict[str, str] = {}
    for part in given:
        tag, equals, text = part.partition("=")
        if not equals or not tag.isascii():
            raise click.UsageError(f"{option} {part!r}: write LANG=TEXT, such as fr=…")
        if tag in found:
            raise click.UsageError(f"{option}: there are two texts in {tag}")
        found[tag] = text
    return found


def show(receipts: Iterable[msgspec.Struct], style: Style, *, many: bool = False) -> None:
    """Write receipts to stdout: as text, or as JSON, an array where there may be `many`."""
    plain = [msgspec.to_builtins(receipt) for receipt in receipts]
    if style == "json":
        text = msgspec.json.format(msgspec.json.encode(plain if many else plain[0]), indent=2)
        sys.stdout.write(text.decode() + "\n")
        return
    for one in plain:
        sys.stdout.write("\n".join(_lines(one)) + "\n")


def tell_refusal(subject: str, error: RegistryError) -> None:
    """Say on stderr why something was refused, with every finding."""
    say(f"refused {subject}: {error.detail}")
    if isinstance(error, InvalidRecord):
        for finding in error.findings:
            say(f"  {finding.severity} {finding.pointer} [{finding.rule}] {finding.message}")


def _lines(receipt: dict[str, Any]) -> Iterable[str]:
    outcome = receipt["outcome"]
    subject = receipt.get("id") or receipt["agency"]
    yield f"{subject}: {outcome.replace('_', ' ')}"
    for name, value in receipt.items():
        if name not in {"outcome", "id", "agency"} and value is not None:
            yield f"  {name}: {str(value).lower() if isinstance(value, bool) else value}"
    if outcome in _NEXT:
        yield f"  {_NEXT[outcome].format(id=subject)}"
