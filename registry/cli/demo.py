"""`registry demo`: several registers on this machine, to see how they work together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import product
from pathlib import Path
from threading import Event

import httpx
import msgspec
import rich_click as click

from registry import resources
from registry.cli import log_output
from registry.cli.output import print_message
from registry.cli.parameter_types import WholeNumber
from registry.cli.runtime import note_termination, run, running_database
from registry.cli.serve import check_port
from registry.cli.up import demonstration_records, prepare_register
from registry.clock import utc_now
from registry.demo.witness import serving_witness
from registry.errors import Unavailable
from registry.http_client import BoundedClient
from registry.hub.peers import add_peer
from registry.hub.rounds import harvest
from registry.ledger.key import read
from registry.record.pack import load_pack
from registry.services.context import ServiceContext
from registry.services.filing.loading import find_files
from registry.settings import PREFIX, Settings
from registry.store import peers
from registry.text.catalogues import SOURCE
from registry.text.locales import country_name
from registry.tlog.keys import Verifier

_PATIENCE_SECONDS = 120.0
_POLL_SECONDS = 0.3
_ANSWER_SECONDS = 5.0
_HIGHEST_PORT = 65533
_PACKS = resources.SCHEMAS / "packs"


class DemoRegister(msgspec.Struct, frozen=True, kw_only=True):
    """A register of the demonstration: whose it is, how it is set.

    `shown_in` is the language of the pages that are named, `told_in` those that a note needs.
    """

    code: str
    country: str
    shown_in: str
    told_in: tuple[str, ...]
    settings: Settings

    @property
    def output(self) -> Path:
        """The file of what its processes print."""
        return self.settings.data_dir / "output.log"

    @property
    def address(self) -> str:
        """Where it is."""
        return self.settings.base_url


@click.group()
def demo() -> None:
    """Run several registers on this machine, to see how they work together.

    Example: registry demo hub
    """


@demo.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=Path("var/hub"),
    show_default=True,
    help="The folder of all their data; delete it to begin again.",
)
@click.option(
    "--port",
    type=WholeNumber(1, _HIGHEST_PORT),
    default=8010,
    show_default=True,
    help="The port of the first register; the others and the witness have the next ones.",
)
def hub(data: Path, port: int) -> None:
    """Run a Moroccan and a Senegalese register that harvest each other, and a witness of both.

    All of it is on this machine only, each register with its own database, log and demonstration
    records. Ctrl-C ends it.

    Example: registry demo hub
    """
    log_output.configure()
    terminated = note_termination()
    registers = _registers(data, port)
    witness_port = port + len(registers)
    for one in registers:
        check_port(one.settings)
    keys = []
    for one in registers:
        print_message(f"The register of {one.country}:")
        with running_database(one.settings, begins=True) as ready:
            prepare_register(ready, terminated)
        keys.append(read(one.settings.key_file).verifier)
    with ExitStack() as stack:
        witness = stack.enter_context(serving_witness(data / "witness", witness_port, keys))
        for one in registers:
            policy = witness.policy(f"http://127.0.0.1:{witness_port}")
            (one.settings.data_dir / "policy").write_text(policy, encoding="utf-8")
        running = [stack.enter_context(_running(one)) for one in registers]
        for one, process in zip(registers, running, strict=True):
            _wait_until_ready(one, process)
        for one, (other, key) in product(registers, zip(registers, keys, strict=True)):
            if other is not one:
                print_message(f"{one.country} harvests {other.country} …")
                run(one.settings, partial(_harvest, other, key))
        _announce(registers, witness_port, data)
        _wait_for_end(registers, running, terminated)


def _registers(data: Path, port: int) -> list[DemoRegister]:
    """Return a register of each country pack that there is."""
    codes = sorted(path.parent.name for path in _PACKS.glob("*/pack.json"))
    made = []
    for number, code in enumerate(codes):
        pack = load_pack(code)
        settings = Settings(
            data_dir=(data / code).absolute(),
            pack=code,
            port=port + number,
            base_url=f"http://127.0.0.1:{port + number}",
            log_origin=f"{code}.demo.example/log",
            log_policy_file=(data / code / "policy").absolute(),
            peers_on_loopback="on",
            harvest_minutes=1,
            console="off",
        )
        made.append(
            DemoRegister(
                code=code,
                country=country_name(pack.country, SOURCE),
                shown_in=SOURCE if SOURCE in pack.languages else pack.languages[0],
                told_in=pack.required_any,
                settings=settings,
            )
        )
    return made


@contextmanager
def _running(one: DemoRegister) -> Iterator[subprocess.Popen[bytes]]:
    """Run `registry up` for a register; end it as Ctrl-C would."""
    settings = one.settings
    own = {
        name: str(getattr(settings, name))
        for name in (
            "data_dir", "pack", "port", "base_url", "log_origin", "log_policy_file",
            "peers_on_loopback", "harvest_minutes", "console",
        )
    }  # fmt: skip
    environment = {name: text for name, text in os.environ.items() if not name.startswith(PREFIX)}
    environment |= {f"{PREFIX}{name.upper()}": text for name, text in own.items()}
    with one.output.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "registry", "up"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches this process alone, which ends the others in order.
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


def _wait_until_ready(one: DemoRegister, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    with BoundedClient(seconds=_ANSWER_SECONDS) as client:
        while True:
            try:
                client.get(f"{one.address}/log/checkpoint").raise_for_status()
            except httpx.HTTPError:
                if process.poll() is not None or time.monotonic() > until:
                    raise Unavailable(
                        f"the register of {one.country} did not start; {one.output} says more"
                    ) from None
                time.sleep(_POLL_SECONDS)
            else:
                return


async def _harvest(other: DemoRegister, key: Verifier, context: ServiceContext) -> None:
    """Watch another register, if it is not yet, and harvest it."""
    async with context.database.connection() as connection:
        known = [one.code for one in await peers.read_all(connection) if not one.removed_at]
    if other.code not in known:
        await add_peer(
            context, other.code, other.address, key, now=utc_now(), said={}, only_public=False
        )
    report = await harvest(context, other.code, now=utc_now, only_public=False)
    if report.why is not None:
        print_message(f"{other.code}: {report.why}")


def _announce(registers: Sequence[DemoRegister], witness_port: int, data: Path) -> None:
    lines = []
    for one in registers:
        site = f"{one.address}/{one.shown_in}"
        lines.append(f"The register of {one.country}:  {one.address}/")
        lines += [
            f"  what it has of {other.country}:  {site}/search?origin={other.code}"
            for other in registers
            if other is not one
        ]
        lines.append(f"  how it finds the others:  {site}/peers")
    first = registers[0]
    notes = " ".join(f"--note {tag}=Demonstration" for tag in first.told_in)
    withdraw = f"registry withdraw {_a_record(first)} --reason other {notes}"
    lines += [
        f"The witness that cosigns all logs:  http://127.0.0.1:{witness_port}/",
        f"Withdraw a record in {first.country}, and the others have it within two minutes:",
        f"  REGISTRY_DATA_DIR={first.settings.data_dir} {withdraw}",
        f"All data are in {data}, and what each register prints in its output.log.",
        "(Ctrl-C ends all of it)",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _a_record(one: DemoRegister) -> str:
    """Return the id of a demonstration record that is in force there."""
    return next(
        each.record
        for each in find_files(demonstration_records(one.settings))
        if not each.withdrawals
    )


def _wait_for_end(
    registers: Sequence[DemoRegister],
    running: Sequence[subprocess.Popen[bytes]],
    terminated: Event,
) -> None:
    """Wait for Ctrl-C or SIGTERM; raises `Unavailable` where a register ends before."""
    while not terminated.wait(_POLL_SECONDS):
        for one, process in zip(registers, running, strict=True):
            if process.poll() is not None:
                raise Unavailable(
                    f"the register of {one.country} has ended; {one.output} says more"
                )
