"""`registry acts`: withdrawals and attestations that wait for a second person."""

from __future__ import annotations

import msgspec
import rich_click as click

from registry.cli.command_options import AUTHORITY, Style, acts_as, of_authority, style_option
from registry.cli.output import write_json, write_row
from registry.cli.parameter_types import NUMBER
from registry.cli.runtime import in_register
from registry.clock import utc_now
from registry.services.context import ServiceContext
from registry.services.people.access import Actor
from registry.services.statements import act_review, pending_acts
from registry.services.statements.pending_acts import ActReceipt

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
