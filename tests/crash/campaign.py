"""A campaign: rounds of load, a death at a random moment, recovery, and the proof.

The register grows from round to round and is checked wholly after each.
"""

import asyncio
import datetime as dt
import random
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import asyncpg
import httpx
import msgspec
import psutil

from registry.ledger import key
from registry.log.files import LogRefused
from registry.record.canonical import canonical
from registry.record.pack import load_pack
from registry.services.people.access_tokens import create_token
from registry.store.database import connect
from registry.verify.fsck import fsck
from tests.crash.asking import PATIENCE, Violation
from tests.crash.invariants import Receipt, broken_laws, unkept
from tests.crash.load import Client, Own
from tests.crash.register import Register

ROTATIONS = 20
"""Of a log's key at most: the note of a log whose keys follow one another for 90 days has all."""

AGENCIES = ("demo-sante", "demo-education", "demo-services")
CLIENTS = 6

Victims = Callable[[Register, random.Random], Sequence[psutil.Process]]


def _one(found: Sequence[psutil.Process], chance: random.Random) -> list[psutil.Process]:
    return [chance.choice(found)] if found else []


DEATHS: dict[str, Victims] = {
    "a worker": lambda register, chance: _one(register.workers(), chance),
    "every worker": lambda register, _: register.workers(),
    "the server": lambda register, _: register.main(),
    "the server and its guardian": lambda register, _: [*register.main(), *register.guardians()],
    "a backend of PostgreSQL": lambda register, chance: _one(register.backends(), chance),
    "PostgreSQL": lambda register, _: register.postmaster(),
    "a worker and PostgreSQL": lambda register, chance: [
        *_one(register.workers(), chance),
        *register.postmaster(),
    ],
    "server, workers and PostgreSQL": lambda register, _: [
        *register.main(),
        *register.workers(),
        *register.postmaster(),
    ],
}
"""Who is killed with SIGKILL."""

LOST = "every connection to PostgreSQL"
"""A death that is none: each connection is cut, as by a restart of PostgreSQL or of a network."""

KINDS = (*DEATHS, LOST)


class Summary(msgspec.Struct, kw_only=True):
    """What a campaign has done; `answers` counts by status, by outcome of a line, and `lost`.

    `rotations` counts the attempts to let another key of the log follow, `keys` has those named.
    """

    deaths: Counter[str] = Counter()
    answers: Counter[str] = Counter()
    restarts: int = 0
    rotations: int = 0
    keys: list[str] = []
    acknowledged: int = 0
    entries: int = 0
    versions: int = 0
    drafts: int = 0
    seconds: float = 0.0


class BrokenWord(Exception):
    """The first violation, with the round in which it was found."""

    def __init__(self, number: int, death: str, sentences: Sequence[str]) -> None:
        super().__init__(f"round {number}, {death}: " + "\n".join(sentences))


async def campaign(
    data: Path,
    *,
    rounds: int,
    seed: int,
    kinds: Sequence[str] = KINDS,
    told: Callable[[str], None] = lambda _: None,
) -> Summary:
    """Run rounds, each with one of the kinds of death in turn of chance; raises `BrokenWord`."""
    # No limits: this load is more than one agency may.
    register = Register(
        data,
        limit_writes=0,
        limit_validations=0,
        limit_failures=0,
        limit_work=0,
        limit_publications=0,
    )
    chance = random.Random(seed)
    summary = Summary()
    started = time.monotonic()
    clients: list[Client] = []
    since = -1
    pack = load_pack("ma")
    try:
        register.start()
        await answering(register)
        clients += await _clients(register, chance)
        plan = _plan(kinds, rounds, chance)
        for number, death in enumerate(plan, 1):
            try:
                is_rotated = number % 2 == 1 and summary.rotations < ROTATIONS
                await _round(register, clients, death, chance, summary, is_rotated=is_rotated)
                url = register.database_url
                found = await broken_laws(url, pack, since=since)
                found += await unkept(
                    url, [one for client in clients for one in client.acknowledged]
                )
                found += await _differences(url, clients)
                found += await _key_faults(register, summary.keys)
            except Violation as violation:
                found = [str(violation)]
            if found:
                raise BrokenWord(number, death, found)
            since = await _count(register, clients, summary)
            summary.seconds = time.monotonic() - started
            told(
                f"{number:4} {death}: {summary.entries} entries, "
                f"{summary.answers['lost']} answers lost so far"
            )
        # At the end once more all that takes long.
        found = await broken_laws(register.database_url, pack)
        found += await _published_faults(register)
        if found:
            raise BrokenWord(rounds, "at the end", found)
        return summary
    finally:
        for client in clients:
            await client.close()
        register.end()


def _plan(kinds: Sequence[str], rounds: int, chance: random.Random) -> Iterator[str]:
    """Each kind as often as every other, in an order of chance."""
    turn: list[str] = []
    for _ in range(rounds):
        turn = turn or chance.sample(kinds, len(kinds))
        yield turn.pop()


async def _round(
    register: Register,
    clients: list[Client],
    death: str,
    chance: random.Random,
    summary: Summary,
    *,
    is_rotated: bool,
) -> None:
    stop = asyncio.Event()
    filing = [asyncio.ensure_future(client.work(stop)) for client in clients]
    if is_rotated:
        summary.rotations += 1
        filing.append(asyncio.ensure_future(_rotate(register, chance, summary.keys)))
    with _kept_running(register, summary):
        try:
            await asyncio.sleep(chance.uniform(0.2, 1.5))
            await _strike(register, death, chance)
            summary.deaths[death] += 1
            if chance.random() < 0.2:
                # Whoever starts again may die of it, too.
                await asyncio.sleep(chance.uniform(0, 2))
                await _strike(register, "the server", chance)
            await _end_sometimes(register, chance)
            await answering(register)
            await asyncio.sleep(chance.uniform(0.1, 0.6))
        finally:
            stop.set()
            done, late = await asyncio.wait(filing, timeout=2 * PATIENCE)
            for task in late:
                task.cancel()
            ended = await asyncio.gather(*done, return_exceptions=True)
    for error in ended:
        if error is not None:
            raise error
    if late:
        raise Violation(f"{len(late)} clients did not come to an end")


@contextmanager
def _kept_running(register: Register, summary: Summary) -> Iterator[None]:
    """Start the server again whenever it has gone, as a service manager does."""

    async def watch() -> None:
        while True:
            if register.gone():
                summary.restarts += 1
                register.start()
            await asyncio.sleep(0.1)

    watching = asyncio.ensure_future(watch())
    try:
        yield
    finally:
        watching.cancel()


async def _strike(register: Register, death: str, chance: random.Random) -> None:
    if death == LOST:
        with suppress(OSError, asyncpg.PostgresError):
            connection = await asyncpg.connect(register.database_url)
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where backend_type = 'client backend' and pid <> pg_backend_pid()"
            )
            await connection.close()
        return
    victims = DEATHS[death](register, chance)
    for victim in chance.sample(victims, len(victims)):
        with suppress(psutil.NoSuchProcess):
            victim.kill()


async def _rotate(register: Register, chance: random.Random, named: list[str]) -> None:
    """Publish the log and let another key follow; kill the command half-way as often as not.

    Both may be refused while something is dead, and not fail otherwise.
    """
    for arguments in (("publish",), ("key", "rotate", "--yes")):
        command = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "registry", "log", *arguments,
            env=register.environment | {"REGISTRY_DATABASE_URL": register.database_url},
            cwd=register.data, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        if arguments != ("publish",) and chance.random() < 0.5:
            await asyncio.sleep(chance.uniform(0.5, 3))
            with suppress(ProcessLookupError):
                command.kill()
        told, errors = await command.communicate()
        if b"Traceback" in errors:
            raise Violation(f"log {' '.join(arguments)} ended in: {errors.decode()}")
    if command.returncode == 0:
        named.append(told.decode().split()[0])


async def _key_faults(register: Register, named: Sequence[str]) -> list[str]:
    """Compare the keys that the log names with those that were acknowledged, and with their files.

    That each follows the one before is among the laws of the log.
    """
    connection = await asyncpg.connect(register.database_url)
    rows = await connection.fetch("select bytes from log_entry where kind = 'key' order by index")
    await connection.close()
    logged = [msgspec.json.decode(row["bytes"])["key"] for row in rows]
    there = {one.verifier_key for one in key.read_all(register.data / "keys/log.key")}
    lost = [one for one in named if logged.count(one) != 1]
    return [f"the key {one} was acknowledged and is not in the log once" for one in lost] + [
        f"the file of the key {one} is not there" for one in logged if one not in there
    ]


async def _published_faults(register: Register) -> list[str]:
    """Publish the log, and verify its files by the key that it began with."""
    done = await asyncio.to_thread(register.run, "log", "publish")
    if done.returncode:
        return [f"the log cannot be published: {done.stderr}"]
    first = key.read(register.data / "keys/log.key").verifier
    try:
        await asyncio.to_thread(fsck, register.data / "log", verifier=first, progress=_quiet)
    except LogRefused as error:
        return [error.detail]
    return []


def _quiet(*_: object) -> None:
    """Tell nobody how far it is."""


async def _end_sometimes(register: Register, chance: random.Random) -> None:
    """End the server in order while PostgreSQL is not back yet, once in a while."""
    await asyncio.sleep(0.5)
    if register.postmaster() or register.gone() or chance.random() < 0.7:
        return
    process = register.process
    if process is not None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(process.wait, 30)
        process.kill()


async def answering(register: Register) -> None:
    """Wait until the register answers from its database."""
    deadline = time.monotonic() + PATIENCE
    async with httpx.AsyncClient(base_url=register.base_url, timeout=5) as client:
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                answer = await client.get("/api/v1/records?limit=1")
                if answer.status_code == 200:
                    return
            await asyncio.sleep(0.1)
    raise Violation(f"the register did not come back:\n{register.log.read_text()[-4000:]}")


async def _clients(register: Register, chance: random.Random) -> list[Client]:
    database = await connect(register.database_url, size=1)
    clients = []
    for number in range(CLIENTS):
        agency = AGENCIES[number % len(AGENCIES)]
        name = f"{'abcdef'[number]}-{number // len(AGENCIES)}"
        token = await create_token(
            database,
            agency=agency,
            scopes=["file"],
            actor=f"client {name}",
            days=30,
            now=dt.datetime.now(dt.UTC),
            random=secrets.token_bytes,
        )
        own_chance = random.Random(chance.random())
        clients.append(Client(name, agency, token, register.base_url, own_chance))
    await database.close()
    return clients


_STATE = """
select
    r.id, r.state,
    (
        select json_agg(
            json_build_array(v.version, v.entry, encode(e.leaf, 'hex')) order by v.version
        )
        from version as v inner join log_entry as e on e.index = v.entry where v.record = r.id
    ) as versions,
    (
        select json_object_agg(s.key, s.value::json)
        from section as s where s.record = r.id and s.version = r.version
    ) as document
from record as r
"""
_ATTESTATIONS = "select distinct on (agency) * from attestation order by agency, entry desc"


async def _differences(url: str, clients: list[Client]) -> list[str]:
    """Compare what the register holds with what the clients know that it holds."""
    connection = await asyncpg.connect(url)
    records = {row["id"]: row for row in await connection.fetch(_STATE)}
    drafts = {row["record"]: row for row in await connection.fetch("select * from draft")}
    attested = {
        row["agency"]: row["systems_total"] for row in await connection.fetch(_ATTESTATIONS)
    }
    await connection.close()
    own = {one.id: one for client in clients for one in client.records}
    shared = {record for client in clients for record in client.shared}
    found = [
        f"{record} is in the register and nobody filed it"
        for record in {*records, *drafts} - shared - set(own)
    ]
    for one in own.values():
        draft = drafts.get(one.id)
        kept = None if draft is None else (draft["tag"], draft["document"])
        known = None if one.draft is None else (one.draft[0], canonical(one.draft[1]).decode())
        if kept != known:
            found.append(f"the draft {one.id} is {kept}, and was left as {known}")
        found += _record_differences(one, records.get(one.id))
    for client in clients:
        said = client.attestation
        if client.attests and (said or {}).get("systems_total") != attested.get(client.agency):
            found.append(f"{client.agency} attested {said} and the register has {attested}")
    return found


def _record_differences(own: Own, row: asyncpg.Record | None) -> list[str]:
    if row is None:
        return [f"{own.id} was published and is not there"] if own.versions else []
    kept = [
        Receipt(id=own.id, version=version, entry=entry, hash=leaf)
        for version, entry, leaf in msgspec.json.decode(row["versions"])
    ]
    if kept != own.versions:
        return [f"{own.id} has the versions {kept}, and the receipts were {own.versions}"]
    if msgspec.json.decode(row["document"]) != own.document:
        return [f"{own.id} is not the document that was published last"]
    if (row["state"] == "withdrawn") != own.withdrawn:
        return [f"{own.id} is {row['state']}, withdrawn: {own.withdrawn}"]
    return []


async def _count(register: Register, clients: list[Client], summary: Summary) -> int:
    """Bring the summary up to date; give the last entry's index."""
    connection = await asyncpg.connect(register.database_url)
    summary.entries = await connection.fetchval("select count(*) from log_entry")
    summary.versions = await connection.fetchval("select count(*) from version")
    summary.drafts = await connection.fetchval("select count(*) from draft")
    await connection.close()
    summary.acknowledged = sum(len(client.acknowledged) for client in clients)
    summary.answers = sum((client.answers for client in clients), Counter())
    return summary.entries - 1
