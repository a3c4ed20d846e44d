"""`registry redact`: have parts of a record erased, by two people and for everybody to see."""

from __future__ import annotations

from typing import Any

import rich_click as click

from registry.cli.acting import AUTHORITY, Style, acts_as, show
from registry.cli.opened import now, run
from registry.office import redaction
from registry.office.access import Actor
from registry.settings import Settings


@click.group()
def redact() -> None:
    """Have parts of a record erased, where law or a court says so. It takes two actors.

    Example: registry redact request demo-sante/prevision-lits --pointer /contact/phone
    --basis data_protection --authority "CNDP"
    """


@redact.command()
@click.argument("record", metavar="ID")
@click.option(
    "--pointer",
    "pointers",
    required=True,
    multiple=True,
    help="A part such as /contact/phone, or a section such as /contact; repeat it for more.",
)
@click.option(
    "--version",
    "versions",
    type=int,
    multiple=True,
    help="A version; repeat it for more. Default: every one that holds what is named.",
)
@click.option("--basis", required=True, help="A code of the list redaction_reason.")
@click.option("--authority", required=True, help="Who decided it; the public is told.")
@click.option("--reference", help="The number of the decision.")
@acts_as(AUTHORITY)
@click.pass_obj
def request(
    settings: Settings,
    *,
    record: str,
    pointers: tuple[str, ...],
    versions: tuple[int, ...],
    basis: str,
    authority: str,
    reference: str | None,
    actor: str | None,
    style: Style,
) -> None:
    """Ask for parts of the record ID to be erased; nothing is, until somebody else confirms it.

    Example: registry redact request demo-sante/prevision-lits --pointer /contact/phone
    --basis data_protection --authority "CNDP"
    """
    statement: dict[str, Any] = {
        "record": record,
        "pointers": list(pointers),
        "basis": basis,
        "authority": authority,
    }
    if versions:
        statement["versions"] = list(versions)
    if reference is not None:
        statement["reference"] = reference
    receipt = run(
        settings, lambda office: redaction.request(office, _acting(actor), statement, now=now())
    )
    show([receipt], style)


@redact.command()
@click.argument("number", type=int)
@acts_as("none; it is another than who asked for it")
@click.pass_obj
def confirm(settings: Settings, number: int, actor: str | None, style: Style) -> None:
    """Confirm the redaction NUMBER; what it names is destroyed once the log has published it.

    Example: registry redact confirm 1 --actor "data protection office"
    """
    receipt = run(
        settings, lambda office: redaction.confirm(office, _acting(actor), number, now=now())
    )
    show([receipt], style)


@redact.command(name="list")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or as JSON.",
)
@click.pass_obj
def list_(settings: Settings, style: Style) -> None:
    """List what was asked to be erased, and what became of it, newest first.

    Example: registry redact list
    """
    found = run(settings, lambda office: redaction.list_redactions(office, _acting(None)))
    show([redaction.receipt_of(one) for one in found], style, many=True)


def _acting(name: str | None) -> Actor:
    return Actor(name=name or AUTHORITY, agency=None, scopes=frozenset({"redact"}), token=None)
