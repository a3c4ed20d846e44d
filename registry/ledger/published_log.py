"""The published log as any host has it from the database: notes, tree, bundles, proofs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from registry.errors import NotFound, Unavailable
from registry.log.entry import decode_entry
from registry.log.files import LogRefused
from registry.log.key_chain import KeyChain
from registry.store import checkpoints, published_files
from registry.store.database import Connection, Database
from registry.store.log import Entry
from registry.store.published_files import PublishedLog
from registry.tlog.bundle import bundle_path, write_bundle
from registry.tlog.checkpoint import stated
from registry.tlog.hashing import HASH_BYTES, leaf_hash
from registry.tlog.proof import Nodes, nodes_from_tiles, prove_inclusion, root_of
from registry.tlog.tile import HEIGHT, WIDTH, Tile, split, subtree_root
from registry.tlog.tlog_proof import TlogProof
from registry.work import in_thread

_LEAVES_AT_ONCE = 32 * WIDTH
_ENTRIES_AT_ONCE = 4 * WIDTH


async def read_keys(connection: Connection, size: int | None = None) -> KeyChain:
    """Return the keys that the database's log has, as of its first `size` entries.

    Raises `LogRefused` where its entries are not those of a log.
    """
    entries = await checkpoints.read_of_kinds(connection, "genesis", "key")
    try:
        chain = KeyChain.begin(decode_entry(entries[0].content))
        for entry in entries[1:]:
            if size is None or entry.index < size:
                chain = chain.step(entry.index, decode_entry(entry.content))
    except ValueError as error:
        raise LogRefused(f"the keys that the database's log names are no chain: {error}") from error
    return chain


class LogTree:
    """The tree of the published log, made of the leaf hashes in the database.

    Hashes above the lowest tiles, 32 bytes for each 256 entries, are computed once and stay in
    memory, until entries are given up.
    """

    def __init__(self) -> None:
        """Begin with nothing in memory."""
        self._discards = 0
        self._above: list[bytearray] = []
        """By level from 1 on, the roots of all full tiles of the level below it."""

    async def read_tile(self, connection: Connection, log: PublishedLog, tile: Tile) -> bytes:
        """Return a tile; raises `NotFound` for one that the log does not have at its size."""
        end = tile.index * WIDTH + tile.width
        if end > log.size >> (HEIGHT * tile.level):
            raise NotFound(f"the log has no file {tile.path}")
        start = tile.index * WIDTH
        if tile.level == 0:
            content = b"".join(await published_files.read_leaves(connection, start, end))
        else:
            levels = await self._grow(connection, log)
            content = bytes(levels[tile.level - 1][start * HASH_BYTES : end * HASH_BYTES])
        if len(content) != tile.width * HASH_BYTES:
            # Entries were given up after the checkpoint was read.
            raise Unavailable("the log has changed meanwhile; try again")
        return content

    async def nodes(
        self, connection: Connection, log: PublishedLog, size: int, uses: Callable[[Nodes], object]
    ) -> Nodes:
        """Return the nodes of the tree of a size, at most the log's, that a function `uses`."""
        wanted: set[Tile] = set()

        def note(tile: Tile) -> bytes:
            wanted.add(tile)
            return bytes(tile.width * HASH_BYTES)

        await in_thread(uses, nodes_from_tiles(note, size))
        tiles = {tile: await self.read_tile(connection, log, tile) for tile in sorted(wanted)}
        return nodes_from_tiles(tiles.__getitem__, size)

    async def root(self, connection: Connection, log: PublishedLog, size: int) -> bytes:
        """Return the root of the published log as it was at a size, at most its own."""

        def compute(nodes: Nodes) -> bytes:
            return root_of(nodes, size)

        return compute(await self.nodes(connection, log, size, compute))

    async def prove(
        self, connection: Connection, log: PublishedLog, entries: Sequence[int]
    ) -> list[TlogProof]:
        """Prove published entries, to the newest witnessed checkpoint that covers them if any."""
        witnessed = 0 if log.witnessed is None else stated(log.witnessed).size
        by_note = [
            (log.witnessed, [one for one in entries if one < witnessed], witnessed),
            (log.checkpoint, [one for one in entries if one >= witnessed], log.size),
        ]
        proofs: dict[int, TlogProof] = {}
        for note, covered, size in by_note:
            if note is not None and covered:
                found = await self.prove_to(connection, log, covered, note, size)
                proofs |= {proof.index: proof for proof in found}
        return [proofs[index] for index in entries]

    async def prove_to(
        self,
        connection: Connection,
        log: PublishedLog,
        entries: Sequence[int],
        note: bytes,
        size: int,
    ) -> list[TlogProof]:
        """Prove entries to a signed note of a size."""

        def prove(nodes: Nodes) -> list[TlogProof]:
            return [
                TlogProof(
                    index=index, path=tuple(prove_inclusion(nodes, index, size)), checkpoint=note
                )
                for index in entries
            ]

        return await in_thread(prove, await self.nodes(connection, log, size, prove))

    async def _grow(self, connection: Connection, log: PublishedLog) -> list[bytearray]:
        """Compute what is missing above the lowest tiles of the published log."""
        if log.discards != self._discards:
            self._discards, self._above = log.discards, []
        # Others may do the same at the same time: each writes the same hashes to their places.
        levels = self._above
        if not levels:
            levels.append(bytearray())
        full = log.size // WIDTH
        while (start := len(levels[0]) // HASH_BYTES) < full:
            end = min(full, start + _LEAVES_AT_ONCE // WIDTH)
            leaves = await published_files.read_leaves(connection, start * WIDTH, end * WIDTH)
            if len(leaves) != (end - start) * WIDTH:
                raise Unavailable("the log has changed meanwhile; try again")
            levels[0][start * HASH_BYTES : end * HASH_BYTES] = await in_thread(_roots, leaves)
        level = 0
        while len(levels[level]) >= WIDTH * HASH_BYTES:
            if level + 1 == len(levels):
                levels.append(bytearray())
            start = len(levels[level + 1]) // HASH_BYTES
            end = len(levels[level]) // HASH_BYTES // WIDTH
            below = levels[level][start * WIDTH * HASH_BYTES : end * WIDTH * HASH_BYTES]
            levels[level + 1] += _roots(split(bytes(below))) if below else b""
            level += 1
        return levels


async def read_bundles(
    database: Database, start: int, size: int
) -> AsyncIterator[tuple[list[Entry], list[tuple[str, bytes]]]]:
    """Yield the entries before `size` from the bundle of `start` on, and their bundles by path.

    Raises `LogRefused` where one is missing, or is not what was committed to.
    """
    for first in range(start // WIDTH * WIDTH, size, _ENTRIES_AT_ONCE):
        end = min(first + _ENTRIES_AT_ONCE, size)
        async with database.connection() as connection:
            entries = await checkpoints.read_entries(connection, first, end)
        if [entry.index for entry in entries] != list(range(first, end)):
            raise LogRefused(f"the database does not have every entry from {first} to {end - 1}")
        for entry in entries:
            if leaf_hash(entry.content) != entry.leaf:
                raise LogRefused(f"entry {entry.index} in the database is not what was committed")
        parts = [entries[cut : cut + WIDTH] for cut in range(0, len(entries), WIDTH)]
        yield (
            entries,
            [
                (
                    bundle_path(part[0].index // WIDTH, len(part)),
                    write_bundle(entry.content for entry in part),
                )
                for part in parts
            ],
        )


async def read_bundle(connection: Connection, log: PublishedLog, index: int, width: int) -> bytes:
    """Return a bundle of entries; raises `NotFound` for one that is not published."""
    start = index * WIDTH
    if start + width > log.size:
        raise NotFound(f"the log has no file {bundle_path(index, width)}")
    entries = await checkpoints.read_entries(connection, start, start + width)
    return write_bundle(entry.content for entry in entries)


def _roots(hashes: Sequence[bytes]) -> bytes:
    """Return the roots of full tiles, which lie one after the other."""
    return b"".join(subtree_root(hashes[at : at + WIDTH]) for at in range(0, len(hashes), WIDTH))
