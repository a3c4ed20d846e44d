"""Every file of a published log on disk, those too that the newest checkpoint does not need."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from registry.log.blob import bundle_of_contents, content_path
from registry.log.files import (
    CHECKPOINT,
    INCIDENTS,
    POLICY,
    TEMPORARY,
    WITNESSED,
    LogHistory,
    describe,
    proof_path,
    tree_of,
)
from registry.log.key_chain import key_path
from registry.log.replay import LogInconsistent
from registry.tlog.bundle import bundle_path, parse_bundle, parse_bundle_path
from registry.tlog.hashing import HASH_BYTES
from registry.tlog.keys import Verifier
from registry.tlog.proof import root_of
from registry.tlog.tile import HEIGHT, WIDTH, parse_tile_path
from registry.tlog.tlog_proof import check_tlog_proof, parse_tlog_proof
from registry.verify.log import VerifiedLog, verify_log


def read_from(folder: Path) -> Callable[[str], bytes]:
    """Read a log's files from a folder."""
    return lambda path: (folder / path).read_bytes()


def fsck(
    folder: Path, *, verifier: Verifier | None, progress: Callable[[int, int], None]
) -> tuple[VerifiedLog, int]:
    """Check every file of a log's folder; return the log, and how many files there are.

    What is there beyond the published size has not been published yet, and is passed over. Raises
    `LogInconsistent`.
    """
    found = verify_log(read_from(folder), verifier=verifier, progress=progress)
    count = 0
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        name = path.relative_to(folder).as_posix()
        if not name.startswith(f"{TEMPORARY}/"):
            _check_file(folder, name, found)
            count += 1
    return found, count


def _check_file(folder: Path, name: str, log: VerifiedLog) -> None:
    content = (folder / name).read_bytes()
    check = next((one for prefix, one in _CHECKS if name.startswith(prefix)), None)
    try:
        if check is not None:
            check(folder, name, content, log)
        elif name not in {
            CHECKPOINT,
            POLICY,
            WITNESSED,
            *map(key_path, range(1, len(log.keys.keys))),
        }:
            _index_of(name, content_path)
    except (ValueError, TypeError, KeyError) as error:
        raise LogInconsistent(name, None, str(error)) from error


def _check_tile(folder: Path, name: str, content: bytes, log: VerifiedLog) -> None:
    tile = parse_tile_path(name)
    there = (log.checkpoint.size >> (HEIGHT * tile.level)) - tile.index * WIDTH
    if tile.width <= there:
        whole = msgspec.structs.replace(tile, width=min(there, WIDTH))
        _same(content, (folder / whole.path).read_bytes()[: tile.width * HASH_BYTES])


def _check_bundle(folder: Path, name: str, content: bytes, log: VerifiedLog) -> None:
    index, width = parse_bundle_path(name)
    there = log.checkpoint.size - index * WIDTH
    if width <= there:
        parse_bundle(content, width)
        whole = (folder / bundle_path(index, min(there, WIDTH))).read_bytes()
        _same(content, whole[: len(content)])


def _check_contents(folder: Path, name: str, content: bytes, log: VerifiedLog) -> None:
    first = _index_of(name, bundle_of_contents) * WIDTH
    entries = range(first, min(first + WIDTH, log.checkpoint.size))
    files = [(folder / content_path(index)).read_bytes() for index in entries]
    _same(content, b"".join(file + b"\n" for file in files))


def _check_proof(folder: Path, name: str, content: bytes, log: VerifiedLog) -> None:
    index = _index_of(name, proof_path)
    proof = parse_tlog_proof(content)
    if proof.index != index or index >= len(log.leaves):
        raise ValueError("it is of another entry")
    opened = check_tlog_proof(
        proof,
        leaf=log.leaves[index],
        origin=log.keys.origin,
        verifiers=log.keys.verifiers,
    )
    log.keys.check(opened)
    _check_earlier(folder, opened.checkpoint.size, opened.checkpoint.root, log)


def _check_description(_: Path, __: str, content: bytes, log: VerifiedLog) -> None:
    _same(content, msgspec.json.encode(describe(log.keys, log.at, log.policy)))


def _check_history(_: Path, __: str, content: bytes, ___: VerifiedLog) -> None:
    msgspec.json.decode(content, type=LogHistory)


def _check_site(folder: Path, _: str, content: bytes, log: VerifiedLog) -> None:
    said = msgspec.json.decode(content)
    root = bytes.fromhex(said["root"])
    _same(content, msgspec.json.encode({"size": said["size"], "root": root.hex()}))
    _check_earlier(folder, said["size"], root, log)


def _check_earlier(folder: Path, size: int, root: bytes, log: VerifiedLog) -> None:
    """Check that a root is that of the log as it was at a size."""
    if (size, root) == (log.checkpoint.size, log.checkpoint.root):
        return
    if not 1 <= size <= log.checkpoint.size:
        raise ValueError(f"it speaks of {size} entries, the log has {log.checkpoint.size}")
    if root_of(tree_of(folder, log.checkpoint.size), size) != root:
        raise ValueError(f"its root is not that of the first {size} entries")


def _index_of(name: str, path_of: Callable[[int], str]) -> int:
    stem = Path(name).name.split(".", 1)[0]
    if not stem.isdecimal() or path_of(int(stem)) != name:
        raise ValueError("it does not belong to a log")
    return int(stem)


def _same(content: bytes, expected: bytes) -> None:
    if content != expected:
        raise ValueError("it is not what it was")


_CHECKS = (
    ("tile/entries/", _check_bundle),
    ("tile/", _check_tile),
    ("content/bundle/", _check_contents),
    ("proof/", _check_proof),
    ("log.json", _check_description),
    (INCIDENTS, _check_history),
    ("site.json", _check_site),
)
"""By the beginning of its path, how a file is checked; the first that fits."""
