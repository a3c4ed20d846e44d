"""The transparency log: verified, started on when it is large, published, and proved offline.

The large logs are made without a register, of shortened records. Of the largest, only the tiles,
the checkpoint and the key's files are made: of files a start reads nothing else.
"""

import asyncio
import datetime as dt
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import msgspec

from registry.ledger import key, signing
from registry.ledger.proofs import read_record_proof
from registry.ledger.publish_files import publish_log
from registry.ledger.published_log import LogTree
from registry.ledger.signing import reached_elsewhere
from registry.log.files import read_tile
from registry.log.key_chain import KeyChain
from registry.record.pack import load_pack
from registry.services.context import ServiceContext
from registry.services.operations.startup import open_register
from registry.settings import Settings
from registry.store import embedded
from registry.store.database import connect
from registry.tlog.hashing import leaf_hash
from registry.tlog.keys import Verifier
from registry.tlog.proof import nodes_from_tiles, root_of
from registry.tlog.tile import grow
from registry.verify.fsck import read_from
from registry.verify.log import verify_log
from tests.bench.corpus import fill
from tests.bench.documents import local_documents
from tests.bench.log_corpus import ORIGIN, write, write_log, write_tree
from tests.bench.measure import Row, measured, quantile, seconds_of
from tests.crash.register import ROOT
from tests.published import given_times, publish_together

VERIFIED = 100_000
LARGEST = 1_000_000
SINGLE = 100
CHECKED = 10_000
ROUNDS = 5

_STARTED = """
import json, sys
from pathlib import Path
from tests.bench.log import start_up
print(json.dumps(start_up(Path(sys.argv[1]))))
"""


def run() -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="rb", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield _verified(folder)
        yield _started(folder / "start")
        yield from _published(folder / "register")
        yield _checked(folder / "checked")


def _verified(folder: Path) -> Row:
    """Verify a whole log, beside all its files read and hashed once."""
    signer = key.read_or_create(folder / "log.key", ORIGIN)
    log = folder / "log"
    write_log(log, signer, VERIFIED)
    read = read_from(log)
    names = [path.relative_to(log).as_posix() for path in log.rglob("*") if path.is_file()]
    floor = seconds_of(lambda: [sha256(read(name)).digest() for name in names])
    seconds = seconds_of(
        lambda: verify_log(read, verifier=signer.verifier, progress=lambda _, __: None)
    )
    return Row(
        what=f"{VERIFIED:,} entries verified from the log's files",
        figure=seconds,
        unit="s",
        at_most=10,
        beside=f"the same files read and hashed {floor:.1f} s",
    )


def _started(data: Path) -> Row:
    signer = key.read_or_create(data / "keys" / "log.key", ORIGIN)
    settings = Settings(data_dir=data)
    write(settings.key_file, signer.to_text().encode())
    settings.key_file.chmod(0o600)
    # A leaf hash is as long, whatever it is of.
    leaves = [leaf_hash(number.to_bytes(8, "big")) for number in range(LARGEST)]
    tree = write_tree(settings.log_dir, signer, leaves)
    signing.append(settings.signed_sizes_file, tree.size, tree.root())
    starts = [
        json.loads(subprocess.check_output([sys.executable, "-c", _STARTED, str(data)], text=True))
        for _ in range(ROUNDS)
    ]
    return Row(
        what=f"the publisher's start on {LARGEST:,} entries",
        figure=quantile(starts, 0.5),
        unit="s",
        at_most=1,
    )


def start_up(data: Path) -> float:
    """Do what the publisher does of a log's files before it signs again; seconds."""
    start = time.perf_counter()
    settings = Settings(data_dir=data)
    folder = settings.log_dir
    there = key.read_all(settings.key_file)
    chain = KeyChain.known(there[0].verifier)
    reached = reached_elsewhere(settings, there, chain, None)
    size = max(one.size for one in reached)
    # The tiles that one more entry changes are held, not written.
    fresh = dict(grow(size, lambda tile: read_tile(folder, tile), [leaf_hash(b"one more")]))
    nodes = nodes_from_tiles(
        lambda tile: fresh[tile] if tile in fresh else read_tile(folder, tile), size + 1
    )
    root_of(nodes, size + 1)
    if any(root_of(nodes, one.size) != one.root for one in reached):
        raise RuntimeError(f"{data} is not the log that was signed")
    return time.perf_counter() - start


def _published(folder: Path) -> Iterator[Row]:
    """Publish records one by one, and verify one of them as a stranger would."""
    folder.mkdir(mode=0o755)
    server = embedded.start(folder)
    try:
        seconds, proof, verifier = asyncio.run(_signed(server.url, Settings(data_dir=folder)))
    finally:
        server.release()
    yield Row(
        what="commit to signed checkpoint, p95, beside the second at most that the runner pauses",
        figure=quantile(seconds, 0.95),
        unit="s",
        at_most=1,
    )
    file = folder / "proof.json"
    file.write_bytes(proof)
    words = [sys.executable, "-m", "registry", "verify", str(file), "--key", verifier.to_text()]
    times = [
        seconds_of(lambda: subprocess.run(words, check=True, capture_output=True, cwd=ROOT))
        for _ in range(ROUNDS)
    ]
    yield Row(
        what=f"one record verified offline by its proof of {len(proof):,} bytes",
        figure=quantile(times, 0.5) * 1e3,
        unit="ms",
        at_most=300,
    )


def _checked(folder: Path) -> Row:
    """Check a database by its log, of which every row is derived again."""
    folder.mkdir(mode=0o755)
    server = embedded.start(folder)
    try:
        asyncio.run(_filled(server.url, Settings(data_dir=folder)))
        words = [sys.executable, "-m", "registry", "log", "verify"]
        taken = measured(words, {**os.environ, "REGISTRY_DATA_DIR": str(folder)})
    finally:
        server.release()
    return Row(
        what=f"versions that `log verify` checks in a second of work, of {CHECKED:,} of 11 KB",
        figure=CHECKED / taken.work,
        unit="/s",
        at_least=2_000,
        beside=f"{taken.memory / 2**20:,.0f} MiB",
    )


async def _filled(url: str, settings: Settings) -> None:
    database = await connect(url)
    pack = load_pack("ma")
    await open_register(database, pack, settings, now=_now())
    context = ServiceContext(
        database=database, pack=pack, random=secrets.token_bytes, guard=given_times()
    )
    await fill(context, CHECKED)
    await database.close()


async def _signed(url: str, settings: Settings) -> tuple[list[float], bytes, Verifier]:
    database = await connect(url)
    pack = load_pack("ma")
    await open_register(database, pack, settings, now=_now())
    context = ServiceContext(
        database=database, pack=pack, random=secrets.token_bytes, guard=given_times()
    )
    documents = local_documents(SINGLE)
    seconds = []
    for document in documents:
        await publish_together(context, [document], now=_now())
        start = time.perf_counter()
        if await publish_log(context.database, settings, now=_now()) is None:
            raise RuntimeError("there was nothing to publish")
        seconds.append(time.perf_counter() - start)
    async with database.snapshot() as connection:
        record = str(documents[-1]["id"])
        proof = await read_record_proof(connection, LogTree(), record, None)
    await database.close()
    return seconds, msgspec.json.encode(proof), key.read(settings.key_file).verifier


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
