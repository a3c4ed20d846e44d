"""A campaign against the log's publisher: killed and failing at every touch of the disk.

Whatever happens, the files converge to what they would have been, no size is ever signed with two
roots, and any bit that is flipped afterwards is found and its file named.
"""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import json
import random
import secrets
import sys
from collections import Counter
from typing import TYPE_CHECKING

from registry.ledger import key
from registry.ledger.export import export_log
from registry.ledger.publish_files import publish_log
from registry.ledger.targets import Folder
from registry.log.replay import LogInconsistent
from registry.record.pack import load_pack
from registry.services.context import ServiceContext
from registry.services.log.key_rotation import rotate
from registry.services.operations.startup import open_register
from registry.services.people.access import Actor
from registry.services.statements.attestation import attest
from registry.settings import Settings
from registry.store import checkpoints, embedded, log
from registry.store.database import connect
from registry.tlog.checkpoint import parse_checkpoint
from registry.tlog.compact import CompactRange
from registry.tlog.hashing import leaf_hash
from registry.tlog.note import parse_note
from registry.tlog.tile import grow
from registry.verify.fsck import fsck
from tests.crash.asking import Violation

if TYPE_CHECKING:
    from pathlib import Path

    from registry.tlog.keys import Verifier
    from registry.tlog.tile import Tile

STEPS = (
    "begun", "bundles", "tiles", "recomputed", "noted", "signed", "contents", "published",
)  # fmt: skip
ERRORS = ("ENOSPC", "EIO")
MOST_TOUCHES = 40
ROTATIONS = 10
"""Of the key, which is changed as the log grows; all of them sign to the end."""
AGENCY = Actor(name="records", agency="demo-sante", scopes=frozenset({"file"}), token=1)


async def log_campaign(data: Path, *, rounds: int, flips: int, seed: int) -> Counter[str]:
    """Torment the publisher of a new register in a folder; then flip bits in what it exports.

    Raises `Violation`.
    """
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    settings = Settings(data_dir=data, base_url="https://algorithms.example")
    server = await asyncio.to_thread(embedded.start, data)
    try:
        database = await connect(server.url)
        try:
            pack = load_pack(settings.pack)
            await open_register(database, pack, settings, now=now)
            context = ServiceContext(database=database, pack=pack, random=secrets.token_bytes)
            await attest_some(context, 30, 1, now=now)
            await publish_log(database, settings, now=now)
            exported = data / "exported"
            await export_log(database, Folder(exported, strip="log/"), site=None, progress=_quiet)
            verifier = key.read(settings.key_file).verifier
            await asyncio.to_thread(flip, exported, count=flips, seed=seed, key=verifier)
            return await torment(context, settings, server.url, rounds=rounds, seed=seed, now=now)
        finally:
            await database.close()
    finally:
        await asyncio.to_thread(server.release)


async def attest_some(context: ServiceContext, count: int, start: int, *, now: dt.datetime) -> None:
    """Append so many entries."""
    for at in range(start, start + count):
        statement = {
            "day": "2026-11-01",
            "systems_total": at + 1,
            "contact": {"email": "registre@demo-sante.example"},
        }
        await attest(context, AGENCY, "demo-sante", statement, now=now)


async def torment(
    context: ServiceContext,
    settings: Settings,
    url: str,
    *,
    rounds: int,
    seed: int,
    now: dt.datetime,
) -> Counter[str]:
    """Publish a growing log, a fault each time; gives how the publishers ended."""
    choice = random.Random(seed)
    faults = _faults(rounds, choice)
    ended: Counter[str] = Counter()
    seen: dict[int, bytes] = {}
    publisher = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.crash.dying", url,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert publisher.stdin is not None
    assert publisher.stdout is not None
    count = await _size(context)
    for number, (kind, at) in enumerate(faults):
        new = choice.randrange(4)
        await attest_some(context, new, count, now=now)
        count += new
        if number % 20 == 19 and len(key.files(settings.key_file)) <= ROTATIONS:
            # Only after a publication that nothing disturbs may another key follow.
            await publish_log(context.database, settings, now=now)
            await rotate(context, settings, made=None, now=now)
        order = {
            "kind": kind, "at": at, "data": str(settings.data_dir), "base": settings.base_url,
            "now": now.isoformat(),
        }  # fmt: skip
        publisher.stdin.write(json.dumps(order).encode() + b"\n")
        answer = (await publisher.stdout.readline()).decode().strip()
        ended[f"{kind if kind in ERRORS else 'killed'}: {answer}"] += 1
        await check_signed(context, settings, seen)
    publisher.stdin.close()
    await publisher.wait()
    await publish_log(context.database, settings, now=now)
    await check_signed(context, settings, seen)
    await _check_converged(context, settings)
    return ended


def flip(folder: Path, *, count: int, seed: int, key: Verifier) -> None:
    """Flip so many bits, one at a time, in the files of an exported log; each must be named."""
    choice = random.Random(seed)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sizes = [path.stat().st_size for path in files]
    for _ in range(count):
        [path] = choice.choices(files, weights=sizes)
        name = path.relative_to(folder).as_posix()
        whole = path.read_bytes()
        changed = bytearray(whole)
        bit = choice.randrange(8 * len(whole))
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        try:
            fsck(folder, verifier=key, progress=_quiet)
        except LogInconsistent as found:
            if found.where != name:
                raise Violation(f"bit {bit} of {name}: fsck names {found.where}") from found
        else:
            raise Violation(f"bit {bit} of {name} was flipped, and fsck finds nothing")
        path.write_bytes(whole)


def _faults(rounds: int, choice: random.Random) -> list[tuple[str, int]]:
    """Each step and each of the first touches at least once, the rest by chance."""
    planned = [(step, 0) for step in STEPS]
    kinds = ("kill", "torn", *ERRORS)
    planned += [(kind, at) for at in range(1, MOST_TOUCHES + 1) for kind in kinds]
    choice.shuffle(planned)
    while len(planned) < rounds:
        planned.append((choice.choice(kinds), choice.randrange(1, MOST_TOUCHES + 1)))
    return planned[:rounds]


async def _size(context: ServiceContext) -> int:
    async with context.database.connection() as connection:
        return (await log.read_state(connection)).range.size


async def check_signed(context: ServiceContext, settings: Settings, seen: dict[int, bytes]) -> None:
    """Nothing was ever signed or published but the one root of each size."""
    async with context.database.connection() as connection:
        size = (await log.read_state(connection)).range.size
        entries = await checkpoints.read_entries(connection, 0, size)
        signed = await connection.fetch("select size, root, note from checkpoint")
    roots: dict[int, bytes] = {}
    tree = CompactRange()
    for entry in entries:
        tree = tree.append(leaf_hash(entry.content))
        roots[tree.size] = tree.root()
    said = [(row["size"], row["root"]) for row in signed]
    said += [_read(row["note"].encode()) for row in signed]
    published = settings.log_dir / "checkpoint"
    if published.exists():
        said.append(_read(published.read_bytes()))
    if settings.signed_sizes_file.exists():
        whole, _, _ = settings.signed_sizes_file.read_text().rpartition("\n")
        said += [_read_line(line) for line in whole.splitlines()]
    for count, root in said:
        if seen.setdefault(count, root) != root or roots.get(count) != root:
            raise Violation(f"size {count} was signed with another root")


def _read(note: bytes) -> tuple[int, bytes]:
    checkpoint = parse_checkpoint(parse_note(note).text)
    return checkpoint.size, checkpoint.root


def _read_line(line: str) -> tuple[int, bytes]:
    size, root = line.split()
    return int(size), base64.b64decode(root)


async def _check_converged(context: ServiceContext, settings: Settings) -> None:
    """The files are in order, and the tiles are those that one undisturbed growth gives."""
    verifier = key.read(settings.key_file).verifier
    found, _ = fsck(settings.log_dir, verifier=verifier, progress=_quiet)
    async with context.database.connection() as connection:
        entries = await checkpoints.read_entries(connection, 0, found.checkpoint.size)
    if len(entries) != await _size(context):
        raise Violation("not all that was committed is published")
    leaves = [leaf_hash(entry.content) for entry in entries]
    for tile, content in grow(0, _no_tile, leaves):
        if (settings.log_dir / tile.path).read_bytes() != content:
            raise Violation(f"{tile.path} is not what it would have been")


def _no_tile(tile: Tile) -> bytes:
    raise Violation(f"a tree that begins has no {tile.path}")


def _quiet(*_: object) -> None:
    """Tell nobody how far it is."""
