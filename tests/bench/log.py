"""The transparency log: appending, proving, publishing, verifying, and starting on a large one.

The large logs are made without a register. The one that is verified is of shortened records; what
whole ones cost is measured on fewer of them. Of the largest, only the tiles, the checkpoint and the
key's files are made: of files a start reads nothing else, and of the database the state and one
bundle's worth of entries, as it does of a small log.
"""

import asyncio
import datetime as dt
import json
import random
import resource
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path

import msgspec

from registry.ledger import key, signing_journal
from registry.ledger.files import CHECKPOINT, read_tile, replace_durable
from registry.ledger.fsck import read_from
from registry.ledger.proofs import prover, read_record_proof
from registry.ledger.publish_files import publish_log, reached_elsewhere
from registry.ledger.verify_log import verify_log
from registry.ledger.verify_record import verify_record
from registry.record.canonical import canonical
from registry.record.pack import load_pack
from registry.services.context import ServiceContext
from registry.services.startup import open_register
from registry.settings import Settings
from registry.store import embedded
from registry.store.database import connect
from registry.tlog.compact import CompactRange
from registry.tlog.hashing import leaf_hash
from registry.tlog.keys import Signer, Verifier
from registry.tlog.proof import check_inclusion, nodes_from_tiles, root_of
from registry.tlog.tile import grow
from tests.bench.documents import local_documents
from tests.bench.log_corpus import ORIGIN, Document, models, shortened, write, write_log, write_tree
from tests.bench.measure import Comparison, Timing, timed
from tests.crash.register import ROOT
from tests.published import publish_together

VERIFIED = 100_000
WHOLE = 4_000
LARGEST = 1_000_000
BLOCK = 1_000
PROOFS = 2_000
SINGLE = 100
BATCH = 256
BATCHES = 8
STARTS = 5
VERIFICATIONS = 200
TURNS = 2

_STARTED = """
import json, sys
from pathlib import Path
from tests.bench.log import start_up
print(json.dumps(start_up(Path(sys.argv[1]))))
"""


def run() -> Iterator[Comparison | str]:
    with tempfile.TemporaryDirectory(prefix="rb", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        signer = key.read_or_create(folder / "log.key", ORIGIN)
        short = folder / "short"
        entries = write_log(short, signer, VERIFIED, [shortened(one) for one in models()])
        yield _appended(entries)
        yield from _proved(short, entries)
        yield from _verified("eight sections, one member each", short, signer, len(entries))
        whole = folder / "whole"
        write_log(whole, signer, WHOLE, models())
        yield from _verified("whole records", whole, signer, WHOLE)
        yield from _started(folder, signer)
        yield from _published(folder / "register")


# --- hashing and proving


def _appended(entries: Sequence[bytes]) -> Comparison:
    ours, beside = Timing(), Timing()
    tree = CompactRange()

    def append(block: Iterable[bytes]) -> None:
        nonlocal tree
        for entry in block:
            tree = tree.append(leaf_hash(entry))

    def only_hash(block: Iterable[bytes]) -> None:
        for entry in block:
            sha256(entry).digest()

    for start in range(0, len(entries), BLOCK):
        block = entries[start : start + BLOCK]
        timed(ours, lambda block=block: append(block), len(block))
        timed(beside, lambda block=block: only_hash(block), len(block))
    size = sum(map(len, entries)) // len(entries)
    return Comparison(
        name=f"entries of {size:,} bytes appended to the tree in memory",
        unit="entries",
        beside_name="sha256 of each alone",
        ours=ours,
        beside=beside,
    )


def _proved(folder: Path, entries: Sequence[bytes]) -> Iterator[Comparison]:
    """Prove entries one at a time, as on request, and all in a row, as for an export."""
    checkpoint = (folder / CHECKPOINT).read_bytes()
    size = len(entries)
    leaves = [leaf_hash(entry) for entry in entries]
    root = root_of(nodes_from_tiles(lambda tile: read_tile(folder, tile), size), size)
    chance = random.Random(7)
    row, other = prover(folder, checkpoint), prover(folder, checkpoint)
    single, all_in_a_row, check = Timing(), Timing(), Timing()
    for number in range(PROOFS):
        index = chance.randrange(size)
        timed(single, lambda index=index: prover(folder, checkpoint)(index).to_bytes())
        timed(all_in_a_row, lambda number=number: row(number).to_bytes())
        path = other(index).path
        timed(
            check,
            lambda path=path, index=index: check_inclusion(
                path, index=index, size=size, leaf=leaves[index], root=root
            ),
        )
    for how, ours in (("of any one entry", single), ("of entries in a row", all_in_a_row)):
        yield Comparison(
            name=f"proofs {how} in a log of {size:,}, out of the tiles on disk",
            unit="proofs",
            beside_name="one checked, its path alone",
            ours=ours,
            beside=check,
        )


def _verified(what: str, folder: Path, signer: Signer, size: int) -> Iterator[Comparison | str]:
    """Verify a whole log, beside all its files read and hashed once."""
    ours, beside = Timing(), Timing()
    work: list[float] = []
    read = read_from(folder)
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    for _ in range(TURNS):
        timed(beside, lambda: [sha256(read(name)).digest() for name in names], size)
        worked = time.process_time()
        timed(
            ours,
            lambda: verify_log(read, verifier=signer.verifier, progress=lambda _, __: None),
            size,
        )
        work.append(time.process_time() - worked)
    yield Comparison(
        name=f"a log of {size:,} entries verified from its files, contents of {what}",
        unit="entries",
        beside_name="the same files read and hashed",
        ours=ours,
        beside=beside,
    )
    yield f"A log of {size:,} entries verified, contents of {what}: {min(work):.1f} s of work"


# --- starting


def _started(folder: Path, signer: Signer) -> Iterator[Comparison | str]:
    """Start on the largest log and on an empty one, which has its first entry alone."""
    starts = {}
    for size in (LARGEST, 1):
        data = folder / f"start-{size}"
        settings = Settings(data_dir=data)
        write(settings.key_file, signer.to_text().encode())
        settings.key_file.chmod(0o600)
        # A leaf hash is as long, whatever it is of.
        leaves = [leaf_hash(number.to_bytes(8, "big")) for number in range(size)]
        tree = write_tree(settings.log_dir, signer, leaves)
        signing_journal.append(settings.signed_sizes_file, tree.size, tree.root())
        starts[size] = data
    told: dict[int, list[dict[str, float]]] = {size: [] for size in starts}
    for _ in range(STARTS):
        for size, data in starts.items():
            told[size].append(_in_process(data))
    ours, beside = (Timing(seconds=[one["seconds"] for one in told[size]]) for size in starts)
    memory, empty = (max(one["megabytes"] for one in told[size]) for size in starts)
    yield Comparison(
        name=f"the publisher starts on a log of {LARGEST:,} entries: its roots by its tiles",
        unit="starts",
        beside_name="on an empty log",
        ours=ours,
        beside=beside,
    )
    yield (
        f"The publisher on a log of {LARGEST:,} entries: at most "
        f"{memory - empty:.1f} MB over an empty log"
    )


def _in_process(data: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", _STARTED, str(data)], check=True, capture_output=True, text=True
    )
    told: dict[str, float] = json.loads(done.stdout)
    return told


def start_up(data: Path) -> dict[str, float]:
    """Do what the publisher does of a log's files before it signs again; seconds, and memory."""
    start = time.perf_counter()
    settings = Settings(data_dir=data)
    folder = settings.log_dir
    reached = reached_elsewhere(settings, key.read(settings.key_file), None)
    size = max(one.size for one in reached)
    # The tiles that one more entry changes are held, not written.
    fresh = dict(grow(size, lambda tile: read_tile(folder, tile), [leaf_hash(b"one more")]))
    nodes = nodes_from_tiles(
        lambda tile: fresh[tile] if tile in fresh else read_tile(folder, tile), size + 1
    )
    root_of(nodes, size + 1)
    if any(root_of(nodes, one.size) != one.root for one in reached):
        raise RuntimeError(f"{data} is not the log that was signed")
    seconds = time.perf_counter() - start
    return {
        "seconds": seconds,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


# --- in a register


def _published(folder: Path) -> Iterator[Comparison | str]:
    """Publish records one by one and in batches, and verify one of them as a stranger would."""
    folder.mkdir(mode=0o755)
    server = embedded.start(folder)
    try:
        lines, proof, verifier = asyncio.run(_publish_all(server.url, Settings(data_dir=folder)))
    finally:
        server.release()
    yield from lines
    yield from _verified_offline(folder, proof, verifier)


async def _publish_all(
    url: str, settings: Settings
) -> tuple[list[Comparison | str], bytes, Verifier]:
    database = await connect(url)
    pack = load_pack("ma")
    await open_register(database, pack, settings, now=_now())
    context = ServiceContext(database=database, pack=pack, random=secrets.token_bytes)
    documents = local_documents(SINGLE + BATCH * BATCHES)
    single = await _compare(context, settings, [[one] for one in documents[:SINGLE]])
    batches = [documents[at : at + BATCH] for at in range(SINGLE, len(documents), BATCH)]
    batched = await _compare(context, settings, batches)
    async with database.snapshot() as connection:
        record = str(documents[-1]["id"])
        proof = await read_record_proof(connection, settings.log_dir, record, None)
    await database.close()
    one, many = single[0].quantile(0.95), BATCH * batched[0].quantile(0.95)
    return (
        [
            _line("one entry, from its commit to the signed checkpoint", *single),
            _line(f"entries {BATCH} at once, from the commit to the signed checkpoint", *batched),
            (
                f"From the commit to the signed checkpoint, p95: {one:.2f} s for one entry, "
                f"{many:.2f} s for {BATCH}, after the second at most that the runner pauses"
            ),
        ],
        msgspec.json.encode(proof),
        key.read(settings.key_file).verifier,
    )


def _line(name: str, ours: Timing, beside: Timing) -> Comparison:
    floor = "one file of the same bytes written and synced"
    return Comparison(name=name, unit="entries", beside_name=floor, ours=ours, beside=beside)


async def _compare(
    context: ServiceContext, settings: Settings, batches: Sequence[Sequence[Document]]
) -> tuple[Timing, Timing]:
    """Publish the log after each batch, and write as many bytes at once in turn."""
    ours, beside = Timing(), Timing()
    place = settings.data_dir / "floor"
    for documents in batches:
        await publish_together(context, documents, now=_now())
        start = time.perf_counter()
        signed = await publish_log(context.database, settings, now=_now())
        seconds = time.perf_counter() - start
        if signed is None:
            raise RuntimeError("there was nothing to publish")
        ours.seconds += [seconds / len(documents)] * len(documents)
        content = b"".join(map(canonical, documents))
        timed(beside, partial(replace_durable, place, "file", content), len(documents))
    return ours, beside


def _verified_offline(folder: Path, proof: bytes, verifier: Verifier) -> Iterator[Comparison | str]:
    ours, beside, command = Timing(), Timing(), Timing()
    for _ in range(VERIFICATIONS):
        timed(ours, lambda: verify_record(proof, verifier=verifier, witnesses=[], quorum=0))
        timed(beside, lambda: sha256(proof).digest())
    yield Comparison(
        name=f"one record verified offline by its proof of {len(proof):,} bytes",
        unit="records",
        beside_name="sha256 of the same bytes",
        ours=ours,
        beside=beside,
    )
    file = folder / "proof.json"
    file.write_bytes(proof)
    words = [sys.executable, "-m", "registry", "verify", str(file), "--key", verifier.to_text()]
    for _ in range(STARTS):
        timed(command, lambda: subprocess.run(words, check=True, capture_output=True, cwd=ROOT))
    middle = command.quantile(0.5) * 1e3
    yield f"One record verified offline by the command, from start to end: median {middle:.0f} ms"


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
