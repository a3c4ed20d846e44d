"""`registry file`, `submit`, `approve`, `return` and `drafts`: a draft until it is published."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO

import msgspec
import rich_click as click

from registry.cli.command_options import (
    AUTHORITY,
    Style,
    acts_as,
    holder_of,
    of_agency,
    of_authority,
    options_of_actor,
    show,
    style_option,
)
from registry.cli.output import print_error, write_json, write_row
from registry.cli.parameter_types import RecordId
from registry.cli.runtime import in_register, pass_settings, run
from registry.clock import utc_now
from registry.errors import RegistryError, Unavailable
from registry.services.context import ServiceContext
from registry.services.filing import review
from registry.services.filing.bulk import identifier
from registry.services.filing.drafts import Precondition, own_agency
from registry.services.filing.groups import Filing, file_group
from registry.services.filing.loading import read_document
from registry.services.filing.receipts import Receipt
from registry.services.filing.register_context import check_document
from registry.services.people.access import Actor
from registry.settings import Settings
from registry.store.drafts import DraftState, read_all


@click.command(name="file")
@click.argument(
    "files",
    metavar="FILE…",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--submit", is_flag=True, help="Submit them too: publish, or put into review.")
@options_of_actor("the record's agency")
@pass_settings
def file_(
    settings: Settings,
    files: tuple[Path, ...],
    actor: str | None,
    token_file: IO[str] | None,
    style: Style,
    *,
    submit: bool,
) -> None:
    """Save each FILE, a record, as its agency's draft, over what is there.

    Receipts go to stdout, refusals with every finding to stderr. Exit code 1 if any was refused;
    the others are filed all the same.

    Example: registry file record.json --submit
    """
    receipts: list[Receipt] = []

    async def work(context: ServiceContext) -> bool:
        who = await holder_of(context, token_file, actor)
        for path in files:
            try:
                receipts.append(await _file(context, path, who, submit=submit))
            except Unavailable:
                raise
            except RegistryError as error:
                print_error(f"refused {path}", error)
        return context.guard.is_blocked

    is_blocked = run(settings, work)
    show(receipts, style, many=True, is_blocked=is_blocked)
    if len(receipts) < len(files):
        sys.exit(1)


@click.command()
@click.argument("record", metavar="ID", type=RecordId())
@acts_as("the record's agency")
async def submit(context: ServiceContext, *, record: str, actor: Actor | str | None) -> Receipt:
    """Publish the draft of the record ID, or put it into review where that is required.

    Example: registry submit demo-sante/prevision-lits
    """
    return await review.submit(
        context, of_agency(actor, record), record, precondition=None, now=utc_now()
    )


@click.command()
@click.option("--agency", help="Only this agency's.")
@click.option("--state", type=click.Choice(["draft", "in_review"]), help="Only those in it.")
@style_option
@in_register
async def drafts(
    context: ServiceContext, *, agency: str | None, state: DraftState | None, style: Style
) -> None:
    """List the drafts: id, state, since when, by whom; of one that was returned, the comment.

    Example: registry drafts --state in_review
    """
    async with context.database.connection() as connection:
        found = await read_all(connection, agency, state=state)
    listed = [
        {
            "id": draft.record,
            "state": draft.state,
            "saved_at": draft.saved_at,
            "saved_by": draft.actor,
            "submitted_at": draft.submitted_at,
            "submitted_by": draft.submitted_by,
            "comment": None if draft.comment is None else msgspec.json.decode(draft.comment),
            "tag": draft.tag,
        }
        for draft in found
    ]
    if style == "json":
        write_json(listed)
        return
    for draft in found:
        waits = draft.state == "in_review"
        at = draft.submitted_at if waits else draft.saved_at
        by = draft.submitted_by if waits else draft.actor
        columns: list[object] = [draft.record, draft.state, f"{at:%Y-%m-%d %H:%M}", by]
        if draft.comment is not None and not waits:
            columns.append(f"returned by {draft.returned_by}: {_comment_line(draft.comment)}")
        write_row(columns)


def _comment_line(comment: str) -> str:
    """Return a reviewer's comment, JSON of a text or of texts by language, as one line."""
    given = msgspec.json.decode(comment, type=str | dict[str, str])
    text = given if isinstance(given, str) else next(iter(given.values()))
    return " ".join(text.split())


async def _file(
    context: ServiceContext, path: Path, name: Actor | str | None, *, submit: bool
) -> Receipt:

    document = read_document(path)
    record = identifier(document, context.pack, context.pack.day(utc_now()))
    actor = of_agency(name, record)
    filing = Filing(
        agency=own_agency(context, actor, record),
        actor=actor,
        purpose="submit" if submit else "draft",
        made=check_document(
            document,
            profile="publication" if submit else "draft",
            pack=context.pack,
            today=context.pack.day(utc_now()),
            fast=context.fast,
        ),
    )
    [result] = await file_group(context, [filing], now=utc_now())
    if isinstance(result, Exception):
        raise result
    return result


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
