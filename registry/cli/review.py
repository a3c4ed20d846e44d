"""`registry approve` and `registry return`: what the authority does in review."""

from __future__ import annotations

import rich_click as click

from registry.cli.command_options import AUTHORITY, acts_as, of_authority
from registry.cli.parameter_types import RecordId
from registry.clock import utc_now
from registry.services.context import ServiceContext
from registry.services.filing import review
from registry.services.filing.drafts import Precondition
from registry.services.filing.receipts import Receipt
from registry.services.people.access import Actor


@click.command()
@click.argument("record", metavar="ID", type=RecordId())
@click.option(
    "--tag",
    required=True,
    help="The tag of the draft that was read; `registry drafts --format json` shows it.",
)
@acts_as(AUTHORITY)
async def approve(
    context: ServiceContext, *, record: str, tag: str, actor: Actor | str | None
) -> Receipt:
    """Publish the draft of the record ID that waits for review, as another than who submitted it.

    Example: registry approve demo-sante/prevision-lits --tag 2f1c7a0e9b64d358
    """
    return await review.approve(
        context,
        of_authority(actor, "review"),
        record,
        precondition=Precondition(tag=tag),
        now=utc_now(),
    )


@click.command(name="return")
@click.argument("record", metavar="ID", type=RecordId())
@click.option("--comment", required=True, help="What is to be mended; the agency reads it.")
@acts_as(AUTHORITY)
async def return_(
    context: ServiceContext, *, record: str, comment: str, actor: Actor | str | None
) -> Receipt:
    """Return the draft of the record ID to its agency, with a comment.

    Example: registry return demo-sante/prevision-lits --comment "Say who answers for it."
    """
    return await review.return_draft(
        context,
        of_authority(actor, "review"),
        record,
        {"comment": comment},
        precondition=None,
        now=utc_now(),
    )
