"""Proofs of records and entries, and the contents beside the log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from registry.errors import NotFound
from registry.ledger.published_log import LogTree, read_keys
from registry.log.blob import bundle_of_contents, content_file, content_path
from registry.log.files import Evidence, LogHistory, RecordProof, describe, tree_of, write_volatile
from registry.log.key_chain import key_path
from registry.store import checkpoints, log, published_files, records, redactions
from registry.store.database import Connection, Database
from registry.store.published_files import read_published
from registry.tlog.checkpoint import stated
from registry.tlog.proof import prove_inclusion
from registry.tlog.tile import WIDTH
from registry.tlog.tlog_proof import TlogProof

_AT_ONCE = 500


async def read_content_files(connection: Connection, entries: Sequence[int]) -> dict[int, bytes]:
    """Make the files of what entries commit to."""
    found = await checkpoints.read_contents(connection, entries)
    verdicts = await checkpoints.read_verdicts(connection, entries)
    left = await redactions.read_left(connection, entries)
    return {
        index: content_file(index, sections, verdicts.get(index), left.get(index))
        for index, sections in found.items()
    }


def join_contents(contents: Iterable[bytes]) -> bytes:
    """Put the contents of consecutive entries together, as in a bundle."""
    return b"".join(content + b"\n" for content in contents)


async def write_contents(database: Database, folder: Path, entries: Sequence[int]) -> None:
    """Write the content files of entries, over those that may be there."""
    for start in range(0, len(entries), _AT_ONCE):
        async with database.snapshot() as connection:
            found = await read_content_files(connection, entries[start : start + _AT_ONCE])
        await asyncio.to_thread(_write, folder, found)


def _write(folder: Path, contents: Mapping[int, bytes]) -> None:
    for index, content in contents.items():
        write_volatile(folder, content_path(index), content)


async def read_proof(connection: Connection, tree: LogTree, index: int) -> bytes:
    """Make the proof of an entry to the newest witnessed checkpoint that covers it.

    If none does, then to the published one.
    Raises `NotFound` where there is no such entry, or it is not published yet.
    """
    log_then = await read_published(connection)
    if 0 <= index < log_then.size:
        [proof] = await tree.prove(connection, log_then, [index])
        return proof.to_bytes()
    if not 0 <= index < (await log.read_state(connection)).range.size:
        raise NotFound(f"the log has no entry {index}")
    raise NotFound(
        f"entry {index} is in the log and not in a published checkpoint yet; the background "
        "runner publishes one within a second, ask again then"
    )


async def read_content(connection: Connection, index: int) -> bytes:
    """Make the file of what an entry commits to; raises `NotFound` where there is no entry."""
    if not await checkpoints.read_entries(connection, index, index + 1):
        raise NotFound(f"the log has no {content_path(index)}")
    return (await read_content_files(connection, [index]))[index]


async def read_content_bundle(connection: Connection, number: int, size: int) -> bytes:
    """Make the contents of 256 consecutive entries of a log of a size, each file on its own line.

    Raises `NotFound` where the log has none of them.
    """
    entries = range(number * WIDTH, min((number + 1) * WIDTH, size))
    if not entries:
        raise NotFound(f"the log has no {bundle_of_contents(number)}")
    found = await read_content_files(connection, entries)
    return join_contents(found[index] for index in entries)


async def read_evidence(connection: Connection, tree: LogTree, index: int) -> Evidence:
    """Return all the evidence of an entry; raises as `read_proof` does."""
    proof = await read_proof(connection, tree, index)
    [entry] = await checkpoints.read_entries(connection, index, index + 1)
    return Evidence(
        index=index,
        leaf=entry.leaf.hex(),
        entry=entry.content.decode(),
        content=(await read_content(connection, index)).decode(),
        proof=proof.decode(),
    )


async def read_record_proof(
    connection: Connection, tree: LogTree, record: str, version: int | None
) -> RecordProof:
    """Prove a version of a record, the latest where none is named; raises as `read_proof` does."""
    lines = await records.read_versions(connection, record)
    wanted = version if version is not None or not lines else lines[-1].version
    line = next((one for one in lines if one.version == wanted), None)
    if line is None:
        what = f"version {version} of {record}" if lines else f"record {record}"
        raise NotFound(f"there is no {what}")
    return await _prove_version(connection, tree, record, line.version, line.entry)


async def read_record_proofs(
    connection: Connection, tree: LogTree, start: int, end: int
) -> list[RecordProof]:
    """Prove the versions among the entries from `start` to before `end`."""
    entries = await checkpoints.read_entries(connection, start, end)
    versions = [
        (entry.index, msgspec.json.decode(entry.content))
        for entry in entries
        if entry.kind == "version"
    ]
    return [
        await _prove_version(connection, tree, said["id"], said["version"], index)
        for index, said in versions
    ]


async def _prove_version(
    connection: Connection, tree: LogTree, record: str, version: int, entry: int
) -> RecordProof:
    found = await read_evidence(connection, tree, entry)
    chain = await read_keys(connection, (await read_published(connection)).size)
    erasing: dict[int, Evidence] = {}
    wanting = _redactions(found)
    while wanting:
        at = wanting.pop()
        if at not in erasing:
            erasing[at] = await read_evidence(connection, tree, at)
            wanting += _redactions(erasing[at])
    return RecordProof(
        id=record,
        version=version,
        origin=chain.origin,
        key=chain.last.to_text(),
        version_entry=found,
        redactions=[erasing[at] for at in sorted(erasing)],
        keys=[
            (await read_kept_file(connection, key_path(number))).decode()
            for number in range(1, len(chain.keys))
        ],
    )


async def read_description(connection: Connection) -> dict[str, Any]:
    """Return the description of the log as far as it is published."""
    log_then = await read_published(connection)
    size = max(1, log_then.size)
    return describe(
        await read_keys(connection, size),
        await checkpoints.read_time(connection, size),
        log_then.policy,
    )


async def read_kept_file(connection: Connection, path: str) -> bytes:
    """Return a published file that no entry gives; raises `NotFound` where there is none."""
    content = await published_files.read_file(connection, path)
    if content is None:
        raise NotFound(f"the log has no file {path}")
    return content


async def read_history(connection: Connection) -> LogHistory:
    """Return the incidents of the log."""
    return LogHistory(incidents=await log.read_incidents(connection))


def site_made_from(site: Path) -> dict[str, Any] | None:
    """Return the size and root of the log that the site was built from; None without a site."""
    try:
        made_from = msgspec.json.decode((site / "build.json").read_bytes())
    except FileNotFoundError:
        return None
    log_then: dict[str, Any] = made_from["log"]
    return log_then


def prover(folder: Path, checkpoint: bytes) -> Callable[[int], TlogProof]:
    """Return a function from entries to proofs; it raises `ValueError` beyond the checkpoint."""
    size = stated(checkpoint).size
    nodes = tree_of(folder, size)

    def prove(index: int) -> TlogProof:
        path = tuple(prove_inclusion(nodes, index, size))
        return TlogProof(index=index, path=path, checkpoint=checkpoint)

    return prove


def _redactions(evidence: Evidence) -> list[int]:
    """List the entries that erased something of what an entry commits to."""
    content = msgspec.json.decode(evidence.content)
    listed = [said for members in content["sections"].values() for _, said in members]
    erased = [*listed, content.get("verdict", {})]
    return sorted({said["redaction"] for said in erased if "redaction" in said})
