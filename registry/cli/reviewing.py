"""`registry approve` and `return`: the authority's side of review."""

from __future__ import annotations

import rich_click as click

from registry.cli.acting import AUTHORITY, Style, acts_as, of_authority, show
from registry.cli.opened import now, run
from registry.office import submitting
from registry.settings import Settings


@click.command()
@click.argument("record", metavar="ID")
@acts_as(AUTHORITY)
@click.pass_obj
def approve(settings: Settings, record: str, actor: str | None, style: Style) -> None:
    """Publish the draft of the record ID that waits for review, as another than who submitted it.

    Example: registry approve demo-sante/prevision-lits
    """
    receipt = run(
        settings,
        lambda office: submitting.approve(
            office, of_authority(actor), record, precondition=None, now=now()
        ),
    )
    show([receipt], style)


@click.command(name="return")
@click.argument("record", metavar="ID")
@click.option("--comment", required=True, help="What is to be mended; the agency reads it.")
@acts_as(AUTHORITY)
@click.pass_obj
def return_(settings: Settings, record: str, comment: str, actor: str | None, style: Style) -> None:
    """Give the draft of the record ID back to its agency, with a comment.

    Example: registry return demo-sante/prevision-lits --comment "Say who answers for it."
    """
    receipt = run(
        settings,
        lambda office: submitting.return_draft(
            office, of_authority(actor), record, {"comment": comment}, precondition=None, now=now()
        ),
    )
    show([receipt], style)
