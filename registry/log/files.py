"""The files of a published log: their names, and reading them."""

from __future__ import annotations

import datetime as dt
import os
import secrets
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from registry.errors import Conflict
from registry.log.key_chain import KeyChain
from registry.tlog import base64_text
from registry.tlog.bundle import bundle_path
from registry.tlog.checkpoint import Checkpoint, stated
from registry.tlog.hashing import HASH_BYTES
from registry.tlog.note import NoteRefused
from registry.tlog.policy import ANYBODY, readable_policy
from registry.tlog.proof import Nodes, nodes_from_tiles
from registry.tlog.tile import WIDTH, Tile

CHECKPOINT = "checkpoint"
POLICY = "policy"
"""The policy of witnesses that the last of the published entries has which names one."""
WITNESSED = "witnessed"
"""The newest checkpoint that satisfies the policy of witnesses."""
TEMPORARY = ".new"
"""The folder, beside the files, of those that are being written."""


class LogRefused(Conflict):
    """The log cannot go on as it is: two of its parts contradict each other."""


class LogBehind(LogRefused):
    """The database lacks what was signed of the log, or acknowledged, or contradicts it.

    `why` is the short form for those who file.
    """

    def __init__(self, detail: str, *, why: str) -> None:
        """Take the sentence for whoever runs the register, and the one for others."""
        super().__init__(detail)
        self.why = why


def write_durable(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write files by path; one that is there already must be the same to the byte.

    Raises `LogRefused` where it is not.
    """
    folders: set[Path] = set()
    for path, content in files:
        target = folder / path
        if target.exists():
            if target.read_bytes() != content:
                raise LogRefused(
                    f"{target} is there and has another content; nothing was overwritten"
                )
            # Whoever wrote it may have been killed before its folder was synced.
        else:
            _write_new(folder, target, content)
        folders.update(_between(folder, target))
    for one in folders:
        sync(one)


def replace_durable(folder: Path, path: str, content: bytes) -> None:
    """Write a file that changes, such as the checkpoint, at once."""
    _write_new(folder, folder / path, content)
    sync(folder)


def write_volatile(folder: Path, path: str, content: bytes) -> None:
    """Write a file that can be made anew from the database, whole, but without waiting for it."""
    _write_new(folder, folder / path, content, lasting=False)


def read_tile(folder: Path, tile: Tile) -> bytes:
    """Read a tile; a partial one also out of a wider one, as it may have been pruned.

    Raises `LogRefused` where there is none.
    """
    found = _wide_enough(folder, tile.path, tile.width)
    return found.read_bytes()[: tile.width * HASH_BYTES]


def tree_of(folder: Path, size: int) -> Nodes:
    """Return the nodes of the tree of a size, from the tiles in a folder."""
    return nodes_from_tiles(lambda tile: read_tile(folder, tile), size)


def read_bundle(folder: Path, index: int, width: int) -> tuple[bytes, int]:
    """Return the bundle that has at least the first `width` entries, and how many it has."""
    found = _wide_enough(folder, bundle_path(index, width), width)
    return found.read_bytes(), int(found.name) if found.parent.name.endswith(".p") else WIDTH


def read_checkpoint(folder: Path) -> bytes | None:
    """Read the checkpoint that is published, if any is."""
    return read_note(folder, CHECKPOINT)


def read_note(folder: Path, name: str) -> bytes | None:
    """Read a file that changes: checkpoint, policy of witnesses, or what satisfies that."""
    with suppress(FileNotFoundError):
        return (folder / name).read_bytes()
    return None


def read_published(folder: Path) -> Checkpoint | None:
    """Return what the published checkpoint says, if there is one.

    Its signature is not checked here: it is our own file. Raises `LogRefused` for anything else.
    """
    published = read_checkpoint(folder)
    try:
        return None if published is None else stated(published)
    except NoteRefused as error:
        raise LogRefused(
            f"{folder / CHECKPOINT} is no checkpoint: {error}; remove it, and run: "
            "registry log publish"
        ) from error


def published_size(folder: Path) -> int:
    """Return the size of the published checkpoint; 0 while there is none. Raises `LogRefused`."""
    published = read_published(folder)
    return 0 if published is None else published.size


def prune(folder: Path, *, before: dt.datetime) -> int:
    """Remove partial tiles and bundles whose full ones are older; return how many folders.

    Whoever was reading along has had the time since to take the full ones (tlog-tiles § Partial
    Tiles). Full ones are never removed.
    """
    count = 0
    for partials in (folder / "tile").rglob("*.p"):
        full = partials.with_name(partials.name.removesuffix(".p"))
        if full.is_file() and full.stat().st_mtime < before.timestamp():
            shutil.rmtree(partials)
            count += 1
    return count


def sync(path: Path) -> None:
    """Make a file, or what was created and renamed in a folder, outlast a crash."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_new(folder: Path, target: Path, content: bytes, *, lasting: bool = True) -> None:
    draft = folder / TEMPORARY / secrets.token_hex(8)
    draft.parent.mkdir(parents=True, exist_ok=True)
    try:
        with draft.open("xb") as file:
            file.write(content)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        target.parent.mkdir(parents=True, exist_ok=True)
        draft.replace(target)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise


def _between(folder: Path, target: Path) -> Iterable[Path]:
    """Return the folders from the log's own to a file's."""
    here = target.parent
    while here != folder:
        yield here
        here = here.parent
    yield folder


def _wide_enough(folder: Path, path: str, width: int) -> Path:
    exact = folder / path
    if exact.is_file():
        return exact
    partials = exact.parent if width < WIDTH else exact.with_name(exact.name + ".p")
    full = partials.with_name(partials.name.removesuffix(".p"))
    if full.is_file():
        return full
    with suppress(FileNotFoundError):
        wider = [one for one in partials.iterdir() if int(one.name) >= width]
        if wider:
            return min(wider, key=lambda one: int(one.name))
    raise LogRefused(f"{exact} is missing")


SPECIFICATIONS = {
    "tlog-tiles": "https://c2sp.org/tlog-tiles@v1.1.0",
    "tlog-checkpoint": "https://c2sp.org/tlog-checkpoint@v1.0.0",
    "signed-note": "https://c2sp.org/signed-note@v1.0.0",
    "tlog-cosignature": "https://c2sp.org/tlog-cosignature@v1.0.0",
    "tlog-policy": "https://c2sp.org/tlog-policy",
    "tlog-proof": "https://c2sp.org/tlog-proof@v1",
    "merkle tree": "https://www.rfc-editor.org/rfc/rfc6962#section-2.1",
    "canonical json": "https://www.rfc-editor.org/rfc/rfc8785",
}


INCIDENTS = "incidents.json"
"""What was decided about the log that its entries do not say; not signed."""


IncidentKind: TypeAlias = Literal["discarded", "dated_ahead"]


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """A decision about the log that no entry states: what of it was given up, or accepted."""

    kind: IncidentKind
    at: dt.datetime
    said: msgspec.Raw


class LogHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The file of incidents."""

    incidents: list[Incident]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """All that shows what an entry says and that it is in the log, to be kept and checked offline.

    `entry` is the entry's bytes and `content` the file of what it commits to, both canonical JSON
    as text; `leaf` is the entry's leaf hash in hex; `proof` is a c2sp.org/tlog-proof@v1.
    """

    index: int
    leaf: str
    entry: str
    content: str
    proof: str


class RecordProof(msgspec.Struct, frozen=True, kw_only=True):
    """A version's evidence, and that of redactions that erased parts of it, or of these.

    `origin` and `key`, the one that signs now, are the log's own; whoever checks had better know
    them from elsewhere. `keys` are the proofs of the entries that name later keys, in order, each
    to a checkpoint that the key before has signed too: they lead from the first key to the last.
    """

    id: str
    version: int
    origin: str
    key: str
    version_entry: Evidence
    redactions: list[Evidence]
    keys: list[str] = []


def proof_path(index: int) -> str:
    """Return the path of an entry's proof, relative to the log's prefix."""
    return f"proof/{index}.tlog-proof"


def describe(chain: KeyChain, at: str, policy: str | None) -> dict[str, Any]:
    """Return the description of a log whose last entry has a time: keys, policy, specifications.

    `keys` are those that sign it as it is, the newest first; `key_history` are all that ever did,
    each with the entry that names it and the time from which entries are no longer signed by it.
    The policy's quorum is the least number of witnesses that satisfy it.
    """
    parsed = readable_policy(policy) or ANYBODY
    return {
        "origin": chain.origin,
        "keys": [one.to_text() for one in reversed(chain.at(at))],
        "key_history": [
            {
                "key": one.verifier.to_text(),
                "entry": one.index,
                "from": one.since,
                "until": one.until,
            }
            for one in chain.keys
        ],
        **_continued(chain.continues),
        "policy": {
            "witnesses": [one.to_text() for one in parsed.verifiers],
            "quorum": parsed.least,
            **({} if policy is None else {"text": policy}),
        },
        "specifications": SPECIFICATIONS,
    }


def _continued(before: Checkpoint | None) -> dict[str, Any]:
    if before is None:
        return {}
    root = base64_text.encode(before.root)
    return {"continues": {"origin": before.origin, "size": before.size, "root": root}}
