"""`registry withdraw`: withdraw a record."""

from __future__ import annotations

import rich_click as click

from registry.cli.command_options import acts_as, of_agency, texts
from registry.cli.parameter_types import RecordId
from registry.clock import utc_now
from registry.record.model import Document
from registry.services.context import ServiceContext
from registry.services.filing.drafts import Precondition, tag_of
from registry.services.filing.receipts import Receipt
from registry.services.people.access import Actor
from registry.services.statements import withdrawal
from registry.services.statements.pending_acts import ActReceipt
from registry.store import records


@click.command()
@click.argument("record", metavar="ID", type=RecordId())
@click.option("--reason", required=True, help="A code of the list withdrawal_reason.")
@click.option(
    "--note",
    required=True,
    multiple=True,
    metavar="LANG=TEXT",
    help="What the public is told; once for each language.",
)
@click.option("--successor", metavar="ID", type=RecordId(), help="The record that takes its place.")
@acts_as("the record's agency")
async def withdraw(
    context: ServiceContext,
    *,
    record: str,
    reason: str,
    note: tuple[str, ...],
    successor: str | None,
    actor: Actor | str | None,
) -> Receipt | ActReceipt:
    """Take the record ID out of force, lists and search; its history stays readable.

    Where review is required it waits for somebody else: registry acts approve.

    Example: registry withdraw demo-sante/prevision-lits --reason other --note "fr=Abandonné."
    """
    statement: Document = {"reason": reason, "note": texts(note, "--note")}
    if successor is not None:
        statement["successor"] = successor
    async with context.database.connection() as connection:
        standing = (await records.read_current(connection, [record])).get(record)
    return await withdrawal.withdraw(
        context,
        of_agency(actor, record),
        record,
        statement,
        # The record as it stands now.
        precondition=Precondition(tag=None if standing is None else tag_of(standing.leaf)),
        now=utc_now(),
    )
