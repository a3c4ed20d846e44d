"""`registry attest`: attest the number of systems that an agency runs."""

from __future__ import annotations

import datetime as dt

import rich_click as click

from registry.cli.command_options import acts_as, of_agency, texts
from registry.clock import utc_now
from registry.record.model import Document
from registry.services.context import ServiceContext
from registry.services.people.access import Actor
from registry.services.statements import attestation
from registry.services.statements.attestation import AttestationResult
from registry.services.statements.pending_acts import ActReceipt


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
