"""`registry peer` and `registry harvest`: other registers, whose logs are verified and taken in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import rich_click as click
from click.exceptions import Exit

from registry.cli.evidence import KEY, POLICY
from registry.cli.output import print_message, progress_bar, write_json
from registry.cli.runtime import in_register, pass_settings, run
from registry.clock import utc_now
from registry.errors import NotFound
from registry.hub.peers import add_peer
from registry.hub.rounds import HarvestReport
from registry.hub.rounds import harvest as harvest_peer
from registry.hub.standing import read_standings
from registry.services.context import ServiceContext
from registry.settings import Settings
from registry.store import peers
from registry.tlog.keys import Verifier
from registry.tlog.policy import Policy
from registry.verify.consistency import keep_evidence

_FAILED = 1


@click.group()
def peer() -> None:
    """Watch other registers of this software, whose records are taken in here.

    Example: registry peer list
    """


@peer.command()
@click.argument("code")
@click.argument("address")
@click.option(
    "--key",
    type=KEY,
    required=True,
    help="The verifier key of its log, known from elsewhere: name+id+base64.",
)
@click.option(
    "--policy",
    type=POLICY,
    metavar="FILE",
    help="Which witnesses must have cosigned: a c2sp.org/tlog-policy.",
)
@click.option("--title", help="What the register is called; default as it says itself.")
@click.option("--publisher", help="Who runs it; default as it says itself.")
@click.option("--licence", help="The terms of its contents; default as it says itself.")
@click.option("--country", help="ISO 3166-1 code; default the first two letters of CODE.")
@click.option("--language", help="Its main language; default as it says itself.")
@pass_settings
def add(
    settings: Settings,
    *,
    code: str,
    address: str,
    key: Verifier,
    policy: Policy | None,
    **said: str | None,
) -> None:
    """Watch the register at ADDRESS, and call it CODE here: its agencies become CODE.agency.

    Its checkpoint is read and must be signed with the key; nothing is taken in yet.

    Example: registry peer add sn https://registre.example.sn --key registre.example.sn/log+…
    """

    async def work(context: ServiceContext) -> None:
        added = await add_peer(
            context,
            code,
            address,
            key,
            now=utc_now(),
            policy=policy,
            said={name: text for name, text in said.items() if text is not None},
            only_public=settings.peers_on_loopback == "off",
        )
        print_message(
            f"{added.origin} is watched as {added.code}; now: registry harvest {added.code}"
        )

    run(settings, work)


@peer.command(name="list")
@in_register
async def list_(context: ServiceContext) -> None:
    """Write the registers that are watched, since when and how they stand, as JSON.

    Example: registry peer list
    """
    async with context.database.snapshot() as connection:
        write_json(await read_standings(connection, now=utc_now()))


@peer.command()
@click.argument("code", required=False)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Write the notes and proofs to new folders below this one as well.",
)
@pass_settings
def evidence(settings: Settings, code: str | None, out: Path | None) -> None:
    """Write what shows that registers cannot be believed, of CODE or of all, as JSON.

    Example: registry peer evidence sn --out evidence
    """

    async def work(context: ServiceContext) -> list[tuple[str, Any]]:
        async with context.database.snapshot() as connection:
            known = {one.code: one.origin for one in await peers.read_all(connection)}
            found = await peers.read_evidence(connection, code)
        if code is not None and code not in known:
            raise _unknown(code)
        return [(known[one.code], one) for one in found]

    found = run(settings, work)
    for origin, one in found if out is not None else ():
        folder = keep_evidence(
            out or Path(),
            origin=origin,
            kind=one.kind,
            notes=one.notes,
            proof=None if one.proof is None else one.proof.encode(),
            why=one.why,
            now=one.found_at,
        )
        print_message(str(folder))
    write_json(
        [
            {
                "code": one.code,
                "origin": origin,
                "kind": one.kind,
                "why": one.why,
                "found_at": one.found_at,
                "notes": [note.decode() for note in one.notes],
                "proof": one.proof,
            }
            for origin, one in found
        ]
    )


@peer.command()
@click.argument("code")
@in_register
async def remove(context: ServiceContext, code: str) -> None:
    """Watch the register CODE no more. Its records stay, and what was seen of its log is kept.

    Example: registry peer remove sn
    """
    async with context.database.transaction() as connection:
        if not [one for one in await peers.read_all(connection, code) if not one.removed_at]:
            raise _unknown(code)
        await peers.remove(connection, code, now=utc_now())
    print_message(f"{code} is not watched any more; its records stay as they are")


@click.command()
@click.argument("code", required=False)
@pass_settings
def harvest(settings: Settings, code: str | None) -> None:
    """Take in what is new at the register CODE, or at all that are watched, each entry verified.

    The background runner does so every hour. The exit code is 1 where one could not be taken in.

    Example: registry harvest sn
    """

    async def work(
        context: ServiceContext, progress: Callable[[int, int], None]
    ) -> list[HarvestReport]:
        async with context.database.connection() as connection:
            known = [one.code for one in await peers.read_all(connection) if not one.removed_at]
        if code is not None and code not in known:
            raise _unknown(code)
        reports, waiting = [], [code] if code is not None else known
        while waiting:
            report = await harvest_peer(
                context,
                waiting.pop(0),
                now=utc_now,
                only_public=settings.peers_on_loopback == "off",
                progress=progress,
            )
            reports.append(report)
            if report.left:
                # After the others, so that none waits for a large one.
                waiting.append(report.code)
        return reports

    with progress_bar("Harvesting") as progress:
        reports = run(settings, lambda context: work(context, progress))
    for one in reports:
        said = {
            "harvested": f"{one.entries:,} entries taken in, of {one.size:,} (import {one.run})",
            "unchanged": f"nothing new; {one.size:,} entries",
            "stopped": f"stopped: {one.why}",
            "failed": f"failed: {one.why}",
        }
        print_message(f"{one.code}: {said[one.outcome]}")
    if any(one.outcome in {"stopped", "failed"} for one in reports):
        raise Exit(_FAILED)


def _unknown(code: str) -> NotFound:
    return NotFound(f"no register is watched as {code}; see registry peer list")
