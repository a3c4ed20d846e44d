"""`registry redact`: request and confirm the redaction of parts of a record."""

from __future__ import annotations

import msgspec
import rich_click as click

from registry.cli.command_options import AUTHORITY, Style, acts_as, of_authority, style_option
from registry.cli.output import write_json, write_row
from registry.cli.parameter_types import NUMBER, VERSION, RecordId
from registry.cli.runtime import in_register
from registry.clock import utc_now
from registry.record.model import Document
from registry.services.context import ServiceContext
from registry.services.people.access import Actor
from registry.services.statements import redaction
from registry.services.statements.redaction import RedactionReceipt


@click.group()
def redact() -> None:
    """Have parts of a record erased, where law or a court says so. It takes two tokens.

    Example: registry redact request demo-sante/prevision-lits --pointer /contact/phone
    --basis data_protection --authority "Legal office" --token-file legal-office.token
    """


@redact.command()
@click.argument("record", metavar="[ID]", type=RecordId(), required=False)
@click.option(
    "--entry",
    type=NUMBER,
    help="Instead of ID: the number of a withdrawal, an attestation or a redaction in the log.",
)
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
    type=VERSION,
    multiple=True,
    help="A version; repeat it for more. Default: every one that holds what is named.",
)
@click.option(
    "--words",
    multiple=True,
    help="Words that a mark takes the place of, so that the text stays; repeat it for more.",
)
@click.option("--basis", required=True, help="A code of the list redaction_reason.")
@click.option("--authority", required=True, help="Who decided it; the public is told.")
@click.option("--reference", help="The number of the decision.")
@acts_as(None)
async def request(
    context: ServiceContext,
    *,
    record: str | None,
    entry: int | None,
    pointers: tuple[str, ...],
    versions: tuple[int, ...],
    words: tuple[str, ...],
    basis: str,
    authority: str,
    reference: str | None,
    actor: Actor,
) -> RedactionReceipt:
    """Request that parts of the record ID are erased; nothing is, until somebody else confirms it.

    Example: registry redact request demo-sante/prevision-lits --pointer /purpose/goal
    --words "Mme Alaoui" --basis data_protection --authority "Legal office" --token-file legal.token
    """
    said = {
        "record": record,
        "entry": entry,
        "pointers": list(pointers),
        "versions": list(versions),
        "words": list(words),
        "basis": basis,
        "authority": authority,
        "reference": reference,
    }
    statement: Document = {name: value for name, value in said.items() if value not in (None, [])}
    return await redaction.request(context, actor, statement, now=utc_now())


@redact.command()
@click.argument("number", type=NUMBER)
@acts_as(None)
async def confirm(context: ServiceContext, *, number: int, actor: Actor) -> RedactionReceipt:
    """Confirm the redaction NUMBER; what it names is destroyed once the log has published it.

    Example: registry redact confirm 1 --token-file data-protection-office.token
    """
    return await redaction.confirm(context, actor, number, now=utc_now())


@redact.command()
@click.argument("number", type=NUMBER)
@click.option(
    "--actor", metavar="ROLE", help=f"Who acts, for the audit trail. Default: {AUTHORITY}."
)
@in_register
async def delete(context: ServiceContext, *, number: int, actor: str | None) -> None:
    """Take back or refuse the redaction NUMBER, which is not confirmed yet.

    Example: registry redact delete 1
    """
    await redaction.delete(context, of_authority(actor, "redact"), number, now=utc_now())


@redact.command(name="list")
@style_option
@in_register
async def list_(context: ServiceContext, *, style: Style) -> None:
    """List what was asked to be erased, newest first: number, record, parts, basis, state.

    Example: registry redact list
    """
    found = await redaction.list_redactions(context, of_authority(None, "redact"))
    if style == "json":
        write_json([msgspec.to_builtins(one) for one in found])
        return
    for one in found:
        stands = f"asked for by {one.requested_by}"
        if one.state == "overtaken":
            stands = f"overtaken, {stands}"
        if one.entry is not None:
            stands = f"entry {one.entry}, {'erased' if one.is_done else 'to be erased'}"
        columns = (one.id, one.subject, " ".join(one.pointers), one.basis, stands)
        write_row(columns)
