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
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import msgspec
import rich_click as click

from registry import resources
from registry.cli.demo_witness import DemoWitness, serving_witness
from registry.cli.runtime import print_message, run, running_database
from registry.cli.server import check_port
from registry.cli.up import prepare
from registry.clock import utc_now
from registry.errors import Unavailable
from registry.settings import PREFIX, Settings

if TYPE_CHECKING:
    from registry.services.context import ServiceContext
    from registry.tlog.keys import Verifier

_PATIENCE_SECONDS = 120.0
_POLL_SECONDS = 0.3
_HIGHEST_PORT = 65533
_WITHDRAWN = "demo-sante/prevision-lits --reason other --note fr=Fin --note ar=انتهى"


class DemoRegister(msgspec.Struct, frozen=True, kw_only=True):
    """A register of the demonstration: whose it is, where its records lie, how it is set."""

    code: str
    country: str
    records: Path
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
    type=click.IntRange(1, _HIGHEST_PORT),
    default=8010,
    show_default=True,
    help="The port of the first register; the second and the witness have the next two.",
)
def hub(data: Path, port: int) -> None:
    """Run a Moroccan and a Senegalese register that harvest each other, and a witness of both.

    All of it is on this machine only, each register with its own database, log and demonstration
    records. Ctrl-C ends it.

    Example: registry demo hub
    """
    from registry.cli import log_output
    from registry.services.startup import run_in_register

    log_output.configure()
    registers = _registers(data, port)
    witness_port = port + len(registers)
    for one in registers:
        check_port(one.settings)
    keys = []
    for one in registers:
        print_message(f"The register of {one.country}:")
        with running_database(one.settings) as ready:
            run_in_register(ready, partial(prepare, ready, records=one.records))
        keys.append(_key(one.settings))
    with ExitStack() as stack:
        witness = stack.enter_context(serving_witness(data / "witness", witness_port, keys))
        for one in registers:
            _write_policy(one, witness, witness_port)
        running = [stack.enter_context(_running(one)) for one in registers]
        for one, process in zip(registers, running, strict=True):
            _wait_until_ready(one, process)
        for one, other, key in zip(registers, registers[::-1], keys[::-1], strict=True):
            print_message(f"{one.country} harvests {other.country} …")
            run(one.settings, partial(_harvest, other, key))
        _announce(registers, witness_port, data)
        _wait_for_end(registers, running)


def _registers(data: Path, port: int) -> list[DemoRegister]:
    return [
        DemoRegister(
            code=code,
            country=country,
            records=records,
            settings=Settings(
                data_dir=(data / code).absolute(),
                pack=code,
                port=port + number,
                base_url=f"http://127.0.0.1:{port + number}",
                log_origin=f"{code}.demo.example/log",
                log_policy_file=(data / code / "policy").absolute(),
                peers_on_loopback="on",
                harvest_minutes=1,
                console="off",
            ),
        )
        for number, (code, country, records) in enumerate(
            [
                ("ma", "Morocco", resources.RECORDS),
                ("sn", "Senegal", resources.SCHEMAS / "packs" / "sn" / "records"),
            ]
        )
    ]


def _key(settings: Settings) -> Verifier:
    from registry.ledger.key import read

    return read(settings.key_file).verifier


def _write_policy(one: DemoRegister, witness: DemoWitness, port: int) -> None:
    path = one.settings.data_dir / "policy"
    path.write_text(witness.policy(f"http://127.0.0.1:{port}"), encoding="utf-8")


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
    while True:
        try:
            with urlopen(f"{one.address}/log/checkpoint", timeout=5):  # noqa: S310  our own
                return
        except (URLError, OSError):
            if process.poll() is not None or time.monotonic() > until:
                raise Unavailable(
                    f"the register of {one.country} did not start; {one.output} says more"
                ) from None
            time.sleep(_POLL_SECONDS)


async def _harvest(other: DemoRegister, key: Verifier, context: ServiceContext) -> None:
    """Watch another register, if it is not yet, and harvest it."""
    from registry.exchange.peer_adding import add_peer
    from registry.exchange.peers import harvest
    from registry.store import peers

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
    for one, other in zip(registers, registers[::-1], strict=True):
        lines += [
            f"The register of {one.country}:  {one.address}/",
            f"  what it has of {other.country}:  {one.address}/fr/search?origin={other.code}",
            f"  how it finds that register:  {one.address}/fr/peers",
        ]
    first, second = registers
    lines += [
        f"The witness that cosigns both logs:  http://127.0.0.1:{witness_port}/",
        f"Withdraw a record in {first.country}, and {second.country} has it within two minutes:",
        f"  REGISTRY_DATA_DIR={first.settings.data_dir} registry withdraw {_WITHDRAWN}",
        f"All data are in {data}, and what each register prints in its output.log.",
        "(Ctrl-C ends all of it)",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _wait_for_end(
    registers: Sequence[DemoRegister], running: Sequence[subprocess.Popen[bytes]]
) -> None:
    """Wait for Ctrl-C or SIGTERM; raises `Unavailable` where a register ends before."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    while True:
        for one, process in zip(registers, running, strict=True):
            if process.poll() is not None:
                raise Unavailable(
                    f"the register of {one.country} has ended; {one.output} says more"
                )
        time.sleep(_POLL_SECONDS)
