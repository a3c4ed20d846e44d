"""`registry audit-trail`: ship the audit trail elsewhere, and check that nobody has changed it."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import BinaryIO

import msgspec
import rich_click as click

from registry.cli.output import print_message, progress_bar
from registry.cli.parameter_types import NUMBER
from registry.cli.runtime import note_termination, pass_settings, run, until_terminated
from registry.errors import ConfigurationError
from registry.services.context import ServiceContext
from registry.services.operations.audit_trail import (
    BATCH,
    START,
    ChainBroken,
    chain_acts,
    read_lines,
    require_link,
    verify_chain,
    verify_lines,
)
from registry.settings import Settings
from registry.store import audit_trail as audit
from registry.store.audit_trail import ChainLink

_POLL_SECONDS = 1.0
_HEAD = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


@click.group(name="audit-trail")
def audit_trail() -> None:
    """Ship the audit trail elsewhere, and check that nobody has changed it.

    Example: registry audit-trail follow --state /var/lib/shipper/head
    """


@audit_trail.command()
@click.option("--from", "start", metavar="N", type=NUMBER, help="Begin at position N; default 1.")
@click.option(
    "--state",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where to keep how far it has come; the next run goes on from there.",
)
@click.option("--once", is_flag=True, help="End when there is nothing more.")
@pass_settings
def follow(settings: Settings, start: int | None, state: Path | None, *, once: bool) -> None:
    """Write the acts to stdout as JSON lines, each with its hash, and go on as they happen.

    With --state it refuses to go on where what was shipped is not in the trail any more as it was.
    A line may be shipped twice when it is ended by force. SIGTERM ends it.

    Example: registry audit-trail follow --state head --once >> audit.jsonl
    """
    if start is not None and state is not None and state.exists():
        raise click.UsageError(f"{state} says where to go on; leave --from out, or remove the file")

    run(
        settings,
        lambda context: until_terminated(
            _follow(context, start or 1, state, once=once), note_termination()
        ),
        derives=False,
    )


async def _follow(context: ServiceContext, start: int, state: Path | None, *, once: bool) -> None:

    last = _read_head(state)
    if last is None:
        async with context.database.connection() as connection:
            last = START if start == 1 else await audit.read_link(connection, start - 1)
        if last is None:
            raise ConfigurationError(f"the audit trail has no position {start - 1} yet")
    while True:
        await chain_acts(context.database)
        async with context.database.connection() as connection:
            lines = await read_lines(connection, last, limit=BATCH)
        for line in lines:
            sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
        sys.stdout.flush()
        if lines:
            last = audit.ChainLink(position=lines[-1].position, hash=bytes.fromhex(lines[-1].hash))
            _write_head(state, last)
        elif once:
            return
        else:
            await asyncio.sleep(_POLL_SECONDS)


@audit_trail.command()
@click.argument("file", metavar="[FILE]", type=click.File("rb"), required=False)
@click.option(
    "--head",
    "heads",
    metavar="POSITION:HASH",
    multiple=True,
    help="What was kept of the trail, which must be in it still; repeat it.",
)
@pass_settings
def verify(settings: Settings, file: BinaryIO | None, heads: tuple[str, ...]) -> None:
    """Check the audit trail of the database, or the lines in FILE, which `follow` has written.

    Prints position and hash of the last act: keep them where nobody who has the database can
    change them. FILE needs no database; - is stdin.

    Example: registry audit-trail verify --head "$(cat head)"
    """
    kept = [_parse_head(text) for text in heads]
    if file is not None:
        found, line = 0, None
        missing = {(head.position, head.hash.hex()) for head in kept}
        for line in verify_lines(file):
            found += 1
            missing.discard((line.position, line.hash))
        if missing:
            raise ChainBroken(f"these lines do not have position {min(missing)[0]} as kept")
        if line is None:
            raise ChainBroken("there are no lines")
        print_message(f"in order: {found} acts")
        sys.stdout.write(f"{line.position}:{line.hash}\n")
        return

    async def check(context: ServiceContext) -> ChainLink:
        while await chain_acts(context.database):
            pass
        with progress_bar("Verifying") as progress:
            end = await verify_chain(context.database, progress=progress)
        async with context.database.connection() as connection:
            for head in kept:
                await require_link(connection, head)
        return end

    end = run(settings, check, derives=False)
    print_message(f"in order: {end.position} acts")
    sys.stdout.write(f"{end.position}:{end.hash.hex()}\n")


def _parse_head(text: str) -> ChainLink:
    match = _HEAD.fullmatch(text.strip())
    if match is None:
        raise click.UsageError(f"{text!r} is not POSITION:HASH, as verify and --state write it")
    return ChainLink(position=int(match[1]), hash=bytes.fromhex(match[2]))


def _read_head(state: Path | None) -> ChainLink | None:
    if state is None or not state.exists():
        return None
    return _parse_head(state.read_text(encoding="ascii"))


def _write_head(state: Path | None, last: ChainLink) -> None:
    if state is None:
        return
    draft = state.with_name(f"{state.name}.new")
    with draft.open("w", encoding="ascii") as file:
        file.write(f"{last.position}:{last.hash.hex()}\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(state)
