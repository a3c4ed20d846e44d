"""Options and output that commands share: the actor, the format, receipts."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import wraps
from typing import IO, Any, Literal, TypeAlias, TypeVar

import msgspec
import rich_click as click

from registry.cli.output import write_json
from registry.cli.runtime import in_register
from registry.clock import utc_now
from registry.record.ids import agency_of
from registry.services.context import ServiceContext
from registry.services.people.access import Actor, Scope
from registry.services.people.access_tokens import recognise
from registry.text.text_safety import visible

Style: TypeAlias = Literal["text", "json"]
F = TypeVar("F", bound="Callable[..., Any]")

AUTHORITY = "authority"

_NEXT = {
    "created": "Nothing is public yet. To submit it: registry submit {id}",
    "changed": "Nothing is public yet. To submit it: registry submit {id}",
    "in_review": "Somebody else approves it: registry approve {id}",
    "returned": "Its agency finds the comment with the draft.",
    "in_review_act": "Somebody else approves it: registry acts approve {act}",
    "returned_act": "Whoever asked for it finds the comment: registry acts list",
    "published": "It is public now; the site shows it within seconds.",
    "withdrawn": "It is out of force; its history stays readable.",
    "attested": "It is public now.",
    "requested": "Nothing is erased yet. Another confirms it: registry redact confirm {redaction}",
    "confirmed": "It is in the log. What it names is destroyed once the log has published it.",
}


_IN_LOG = frozenset({"published", "withdrawn", "attested", "confirmed"})
_BLOCKED = (
    "It is in the register, but not published yet: the log is stopped, because a check of it has "
    "found a fault. Run: registry log verify"
)


style_option = click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or as JSON.",
)


def acts_as(role: str | None) -> Callable[[Callable[..., Awaitable[msgspec.Struct]]], F]:
    """Make the body of a command of work in the register that returns a receipt, which is shown.

    `role` describes who acts by default, without `--actor`; None where it takes a token.
    """

    def make(work: Callable[..., Awaitable[msgspec.Struct]]) -> Any:
        @wraps(work)
        async def noting_block(
            context: ServiceContext, *, token_file: IO[str] | None, **given: Any
        ) -> tuple[msgspec.Struct, bool]:
            given["actor"] = await holder_of(context, token_file, given.get("actor"))
            receipt = await work(context, **given)
            return receipt, context.guard.is_blocked

        @wraps(work)
        def body(*, style: Style, **given: Any) -> None:
            receipt, is_blocked = in_register(noting_block)(**given)
            show([receipt], style, is_blocked=is_blocked)

        return options_of_actor(role)(body)

    return make


def options_of_actor(role: str | None) -> Callable[[F], F]:
    """Add the options `--token-file` and `--format`, and `--actor` where it may go without."""
    token = click.option(
        "--token-file",
        type=click.File(),
        required=role is None,
        help="Act with the token in this file (- for stdin): as another person than the operator.",
    )
    if role is None:
        return lambda body: token(style_option(body))
    actor = click.option(
        "--actor", metavar="ROLE", help=f"Who acts, for log and audit trail. Default: {role}."
    )
    return lambda body: actor(token(style_option(body)))


async def holder_of(
    context: ServiceContext, token_file: IO[str] | None, name: str | None
) -> Actor | str | None:
    """Return who holds the token in a file; without one the name that was given, if any.

    Raises `UsageError` for both, `Unauthorized` for a token that is none, or over.
    """
    if token_file is None:
        return name
    if name is not None:
        raise click.UsageError("give --actor or --token-file: a token names who acts itself")
    return await recognise(context.database, token_file.read().strip(), now=utc_now())


def of_agency(name: Actor | str | None, record: str) -> Actor:
    """Return an actor for an agency, named by its code or by the id of one of its records."""
    if isinstance(name, Actor):
        return name
    agency = agency_of(record)
    return Actor(name=name or agency, agency=agency, scopes=frozenset({"file"}), token=None)


def of_authority(name: Actor | str | None, scope: Scope) -> Actor:
    """Return an actor for the authority that reviews or redacts."""
    if isinstance(name, Actor):
        return name
    return Actor(name=name or AUTHORITY, agency=None, scopes=frozenset({scope}), token=None)


def texts(given: Sequence[str], option: str) -> dict[str, str]:
    """Return texts by language from options `LANG=TEXT`.

    Raises `UsageError` for another form, or two texts in one language.
    """
    found: dict[str, str] = {}
    for part in given:
        tag, equals, text = part.partition("=")
        if not equals or not tag.isascii():
            raise click.UsageError(f"{option} {part!r}: write LANG=TEXT, such as fr=…")
        if tag in found:
            raise click.UsageError(f"{option}: there are two texts in {tag}")
        found[tag] = text
    return found


def show(
    receipts: Iterable[msgspec.Struct],
    style: Style,
    *,
    many: bool = False,
    is_blocked: bool = False,
) -> None:
    """Write receipts to stdout: as text, or as JSON, an array where there may be `many`.

    `is_blocked` says that a check of the log has found a fault, so that nothing is published.
    """
    plain = [msgspec.to_builtins(receipt) for receipt in receipts]
    if style == "json":
        write_json(plain if many else plain[0])
        return
    for one in plain:
        for line in _lines(one, is_blocked=is_blocked):
            sys.stdout.write(visible(line) + "\n")


def _lines(receipt: dict[str, Any], *, is_blocked: bool) -> Iterable[str]:
    outcome = receipt["outcome"]
    step = f"{outcome}_act" if "act" in receipt and f"{outcome}_act" in _NEXT else outcome
    subject = receipt.get("id") or receipt["agency"]
    yield f"{subject}: {outcome.replace('_', ' ')}"
    for name, value in receipt.items():
        if name not in {"outcome", "id", "agency"} and value is not None:
            yield f"  {name}: {_shown(value)}"
    if is_blocked and step in _IN_LOG:
        yield f"  {_BLOCKED}"
    elif step in _NEXT:
        yield f"  {_NEXT[step].format_map(receipt)}"


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode()
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
