"""`registry approve` and `return`: the authority's side of review."""

from __future__ import annotations

import rich_click as click

from registry.cli.acting import AUTHORITY, acts_as, of_authority
from registry.cli.opened import now
from registry.office import submitting
from registry.office.filing import Office
from registry.office.receipts import Receipt


@click.command()
@click.argument("record", metavar="ID")
@acts_as(AUTHORITY)
async def approve(office: Office, *, record: str, actor: str | None) -> Receipt:
    """Publish the draft of the record ID that waits for review, as another than who submitted it.

    Example: registry approve demo-sante/prevision-lits
    """
    return await submitting.approve(
        office, of_authority(actor, "review"), record, precondition=None, now=now()
    )


@click.command(name="return")
@click.argument("record", metavar="ID")
@click.option("--comment", required=True, help="What is to be mended; the agency reads it.")
@acts_as(AUTHORITY)
async def return_(office: Office, *, record: str, comment: str, actor: str | None) -> Receipt:
    """Give the draft of the record ID back to its agency, with a comment.

    Example: registry return demo-sante/prevision-lits --comment "Say who answers for it."
    """
    return await submitting.return_draft(
        office,
        of_authority(actor, "review"),
        record,
        {"comment": comment},
        precondition=None,
        now=now(),
    )
