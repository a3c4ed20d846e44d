"""`registry withdraw`, `attest`, and `acts`: those of both that wait for a second person."""

from __future__ import annotations

import datetime as dt

import msgspec
import rich_click as click

from registry.cli.command_options import (
    AUTHORITY,
    Style,
    acts_as,
    of_agency,
    of_authority,
    style_option,
    texts,
)
from registry.cli.output import write_json, write_row
from registry.cli.parameter_types import NUMBER, RecordId
from registry.cli.runtime import in_register
from registry.clock import utc_now
from registry.record.model import Document
from registry.services.context import ServiceContext
from registry.services.filing.drafts import Precondition, tag_of
from registry.services.filing.receipts import Receipt
from registry.services.people.access import Actor
from registry.services.statements import act_review, attestation, pending_acts, withdrawal
from registry.services.statements.attestation import AttestationResult
from registry.services.statements.pending_acts import ActReceipt
from registry.store import records

_KEPT = ("id", "kind", "subject", "statement", "requested_by", "requested_at")


@click.group()
def acts() -> None:
    """Approve or return withdrawals and attestations that wait for a second person.

    Example: registry acts list
    """


@acts.command(name="list")
@style_option
@in_register
async def list_(context: ServiceContext, *, style: Style) -> None:
    """List what waits, newest first: number, kind, record or agency, who asked, what for.

    Example: registry acts list
    """
    found = await pending_acts.list_acts(context, of_authority(None, "review"))
    if style == "json":
        listed = [{key: getattr(one, key) for key in _KEPT} for one in found]
        for one in listed:
            one["statement"] = msgspec.json.decode(one["statement"])
        write_json(msgspec.to_builtins(listed))
        return
    for act in found:
        columns = (act.id, act.kind, act.subject, act.requested_by, act.statement or "")
        write_row(columns)


@acts.command()
@click.argument("number", type=NUMBER)
@acts_as(AUTHORITY)
async def approve(context: ServiceContext, *, number: int, actor: Actor | str | None) -> ActReceipt:
    """Publish the act NUMBER that waits, as another than who asked for it.

    Example: registry acts approve 1 --actor "review office"
    """
    return await act_review.approve(context, of_authority(actor, "review"), number, now=utc_now())


@acts.command(name="return")
@click.argument("number", type=NUMBER)
@click.option("--comment", required=True, help="Why; whoever asked for it reads it.")
@acts_as(AUTHORITY)
async def return_(
    context: ServiceContext, *, number: int, comment: str, actor: Actor | str | None
) -> ActReceipt:
    """Return the act NUMBER to whoever asked for it, with a comment.

    Example: registry acts return 1 --comment "Name the record in its place."
    """
    return await act_review.return_act(
        context, of_authority(actor, "review"), number, {"comment": comment}, now=utc_now()
    )


@click.command()
@click.argument("agency")
@click.option("--systems", type=int, required=True, help="How many it runs; 0: it uses none.")
@click.option("--contact", required=True, help="A mailbox, or the address of a page.")
@click.option(
    "--day", type=click.DateTime(["%Y-%m-%d"]), help="The day of the count. Default: today."
)
@click.option(
    "--note",
    multiple=True,
    metavar="LANG=TEXT",
    help="What the public should know of the number; once for each language.",
)
@acts_as("the agency")
async def attest(
    context: ServiceContext,
    *,
    agency: str,
    systems: int,
    contact: str,
    day: dt.datetime | None,
    note: tuple[str, ...],
    actor: Actor | str | None,
) -> AttestationResult | ActReceipt:
    """Attest how many systems AGENCY runs, whether it has filed records of them or not.

    Where review is required it waits for somebody else: registry acts approve.

    Example: registry attest demo-sante --systems 4 --contact registre@demo-sante.example
    """
    statement: Document = {
        "day": (day or utc_now()).date().isoformat(),
        "systems_total": systems,
        "contact": {"url" if "://" in contact else "email": contact},
    }
    if note:
        statement["note"] = texts(note, "--note")
    return await attestation.attest(
        context, of_agency(actor, agency), agency, statement, now=utc_now()
    )


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
