"""Verifying a published log by its files alone, wherever they lie, with no trust in the register.

First the entries must be those that the checkpoint's signature covers, then each tile what follows
from them; then the log is walked from its first entry, and contents are checked against entries.
So the file that is named at the first fault is the one that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeAlias

import msgspec

from registry.log.blob import content_path
from registry.log.entry import read_entry
from registry.log.files import CHECKPOINT, POLICY, WITNESSED
from registry.log.key_chain import KeyChain, KeyRefused, follow, key_path
from registry.log.replay import LogInconsistent, LogReplay
from registry.tlog.bundle import bundle_path, bundles_of, parse_bundle
from registry.tlog.checkpoint import Checkpoint, open_checkpoint, stated
from registry.tlog.compact import CompactRange
from registry.tlog.hashing import HASH_BYTES, leaf_hash
from registry.tlog.keys import Verifier
from registry.tlog.note import NoteRefused, Verified
from registry.tlog.policy import ANYBODY, Policy, parse_policy
from registry.tlog.tile import WIDTH, Tile, grow, split

ReadFile: TypeAlias = Callable[[str], bytes]
"""Returns a file by its path; raises `FileNotFoundError` where there is none."""

MOST_ENTRIES = 20_000_000
MEAN_BYTES = 16_384
"""What is read of another's log, whatever it states: so many entries, and bytes an entry.

Our own have some 3,000 bytes.
"""

_FIRST_BYTES = 1 << 20
_WHERE = "name the place that its file `checkpoint` is in, such as https://example.org/log"


class VerifiedLog(msgspec.Struct, frozen=True, kw_only=True):
    """A log that was found in order: its checkpoint, its keys, and its leaf hashes.

    `note` is the checkpoint as it was served; `cosigned` are the signatures of the witnesses that
    were asked for, with their times; `policy` is the text of the policy that the log itself names.
    `verifier` is the key that was known, else the last of the log's `keys`; `at` is the time of the
    last entry, and `genesis` the first.
    """

    note: bytes
    checkpoint: Checkpoint
    verifier: Verifier
    keys: KeyChain
    genesis: bytes
    at: str
    leaves: Sequence[bytes]
    cosigned: Sequence[Verified] = ()
    policy: str | None = None

    def root_at(self, size: int) -> bytes:
        """Return the root of the log as it was at a size, at most its own."""
        return _roots(self.leaves[:size])[size]


def verify_log(
    read: ReadFile,
    *,
    verifier: Verifier | None,
    progress: Callable[[int, int], None],
    policy: Policy = ANYBODY,
    replay: LogReplay | None = None,
) -> VerifiedLog:
    """Verify a log; raises `LogInconsistent` with the file and entry of the first fault.

    The verifier is any key that the log ever had: those that follow it are found in the log.
    Without one the log is taken to be of the key that its own first entry names. The
    checkpoint must satisfy the policy. `replay` takes each entry and its content, in order, after
    the tree and its signature were checked.
    """
    try:
        note = read(CHECKPOINT)
    except FileNotFoundError as error:
        raise LogInconsistent(CHECKPOINT, None, f"no log lies here; {_WHERE}") from error
    size = _stated_size(note)
    keys, proven = _follow_keys(read, note, size, verifier)
    try:
        opened = keys.open(note, witnesses=policy.verifiers)
    except NoteRefused as error:
        raise LogInconsistent(CHECKPOINT, None, str(error)) from error
    # Who knows one key of the log knows them all.
    fault = policy.fault([*keys.verifiers, *(one.verifier for one in opened.verified)])
    if fault is not None:
        raise LogInconsistent(CHECKPOINT, None, fault)
    leaves = [leaf_hash(entry) for entry in _read_entries(read, size)]
    _check_root(read, opened.checkpoint, leaves)
    for tile, content in grow(0, lambda _: b"", leaves):
        if _file(read, tile.path) != content:
            raise LogInconsistent(tile.path, None, "it does not follow from the entries")
    replay = replay or LogReplay()
    _replay(read, size, replay, progress)
    replay.check_erased()
    _check_policy(read, replay.policy)
    _check_witnessed(read, keys, replay.policy, leaves)
    _check_keys(keys, replay.keys, proven, leaves)
    try:
        keys.check(opened, time=replay.at)
    except NoteRefused as error:
        raise LogInconsistent(CHECKPOINT, None, str(error)) from error
    return VerifiedLog(
        note=note,
        checkpoint=opened.checkpoint,
        verifier=verifier or keys.last,
        keys=keys,
        genesis=_bundle(read, 0, min(size, WIDTH))[0],
        at=replay.at,
        leaves=leaves,
        cosigned=[one for one in opened.verified if one.verifier not in keys.verifiers],
        policy=replay.policy,
    )


def check_continues(
    log: VerifiedLog, read: ReadFile, progress: Callable[[int, int], None]
) -> VerifiedLog:
    """Return the log that another continues, verified and found to be the one that it names.

    Raises `LogInconsistent`.
    """
    said = log.keys.continues
    first = bundle_path(0, min(log.checkpoint.size, WIDTH))
    if said is None:
        raise LogInconsistent(first, 0, "the log continues no other")
    old = verify_log(read, verifier=None, progress=progress)
    found = old.checkpoint
    if found.origin != said.origin:
        raise LogInconsistent(first, 0, f"it continues {said.origin}, not {found.origin}")
    if found.size < said.size or old.root_at(said.size) != said.root:
        raise LogInconsistent(
            first, 0, f"{said.origin} has not the {said.size:,} entries that it continues"
        )
    return old


def _stated_size(note: bytes) -> int:
    try:
        size = stated(note).size
    except NoteRefused as error:
        raise LogInconsistent(CHECKPOINT, None, str(error)) from error
    if size == 0:
        raise LogInconsistent(CHECKPOINT, None, "it is of an empty log")
    if size > MOST_ENTRIES:
        told = f"it states {size:,} entries, and a log of more than {MOST_ENTRIES:,} is not read"
        raise LogInconsistent(CHECKPOINT, None, told)
    return size


def _read_entries(read: ReadFile, size: int) -> Iterator[bytes]:
    """Yield the entries of a log; raises `LogInconsistent` where they are too large to go on."""
    left = _FIRST_BYTES
    for index, width in bundles_of(size):
        for entry in _bundle(read, index, width):
            left += MEAN_BYTES - len(entry)
            yield entry
        if left < 0:
            told = f"entries have {MEAN_BYTES:,} bytes or less on average, and these have more"
            raise LogInconsistent(bundle_path(index, width), None, told)


def keys_from(read: ReadFile, size: int, verifier: Verifier | None) -> KeyChain:
    """Return the keys that a log of a size ever had, each vouched for by the one before.

    A verifier that is not among them is the only one. Nothing else of the log is checked. Raises
    `LogInconsistent`.
    """
    try:
        keys = _read_keys(read, size)[0]
    except LogInconsistent:
        if verifier is None:
            raise
        return KeyChain.known(verifier)
    return keys if verifier is None or verifier in keys.verifiers else KeyChain.known(verifier)


def _follow_keys(
    read: ReadFile, note: bytes, size: int, verifier: Verifier | None
) -> tuple[KeyChain, list[Checkpoint]]:
    """Return the keys of a log, of which one is known, and the checkpoints that vouch for them."""
    try:
        keys, proven = _read_keys(read, size)
    except LogInconsistent as fault:
        if verifier is not None and not fault.where.startswith("key/"):
            # What is not signed may name any size, and of any log.
            _check_signed(note, verifier)
            _bundle(read, 0, min(size, WIDTH))
        raise
    if verifier is not None and verifier not in keys.verifiers:
        _check_signed(note, verifier)
        raise LogInconsistent(CHECKPOINT, None, f"the log does not name {verifier.to_text()}")
    return keys, proven


def _check_signed(note: bytes, verifier: Verifier) -> None:
    try:
        open_checkpoint(note, origin=verifier.name, verifiers=[verifier])
    except NoteRefused as error:
        raise LogInconsistent(CHECKPOINT, None, str(error)) from error


def _read_keys(read: ReadFile, size: int) -> tuple[KeyChain, list[Checkpoint]]:
    width = min(size, WIDTH)
    where = bundle_path(0, width)
    try:
        genesis = parse_bundle(read(where), width)[0]
    except FileNotFoundError as error:
        raise LogInconsistent(
            CHECKPOINT, None, f"nothing is there of the size {size} it names"
        ) from error
    except ValueError as error:
        raise LogInconsistent(where, None, str(error)) from error
    try:
        keys = KeyChain.begin(read_entry(genesis))
    except ValueError as error:
        raise LogInconsistent(where, 0, str(error)) from error
    proven: list[Checkpoint] = []
    while True:
        where = key_path(len(keys.keys))
        try:
            followed, checkpoint = follow(keys, read(where))
        except FileNotFoundError:
            return keys, proven
        except KeyRefused as error:
            raise LogInconsistent(where, None, str(error)) from error
        if followed.keys[-1].index >= size:
            # It was published since the checkpoint was read.
            return keys, proven
        keys = followed
        proven.append(checkpoint)


def _check_keys(
    keys: KeyChain, named: KeyChain | None, proven: Sequence[Checkpoint], leaves: Sequence[bytes]
) -> None:
    """Check that the keys are those that the entries name, and were vouched for in this log."""
    roots = _roots(leaves, {checkpoint.size for checkpoint in proven})
    for number, checkpoint in enumerate(proven, 1):
        if roots.get(checkpoint.size) != checkpoint.root:
            raise LogInconsistent(
                key_path(number), None, "what was signed there is not a beginning of the log"
            )
    if named is not None and named != keys:
        raise LogInconsistent(key_path(len(keys.keys)), None, "it is missing")


def _check_root(read: ReadFile, checkpoint: Checkpoint, leaves: Sequence[bytes]) -> None:
    """Check that the entries are those that were signed; if not, the tiles know which is not."""
    if _roots(leaves)[checkpoint.size] == checkpoint.root:
        return
    for index, width in bundles_of(checkpoint.size):
        tile = Tile(level=0, index=index, width=width)
        content = _file(read, tile.path)
        for at, leaf in enumerate(split(content) if len(content) == HASH_BYTES * width else ()):
            if leaf != leaves[index * WIDTH + at]:
                raise LogInconsistent(
                    bundle_path(index, width), index * WIDTH + at, "it is not what was signed"
                )
    raise LogInconsistent(CHECKPOINT, None, "the root that was signed is not that of the entries")


def _roots(leaves: Sequence[bytes], sizes: Collection[int] = ()) -> dict[int, bytes]:
    """Return the roots of the tree of some leaves, by size: that of all, and of some before."""
    tree, found = CompactRange(), {}
    for leaf in leaves:
        if tree.size in sizes:
            found[tree.size] = tree.root()
        tree = tree.append(leaf)
    return found | {tree.size: tree.root()}


def _replay(
    read: ReadFile, size: int, replay: LogReplay, progress: Callable[[int, int], None]
) -> None:
    for number, width in bundles_of(size):
        where = bundle_path(number, width)
        for index, content in enumerate(_bundle(read, number, width), number * WIDTH):
            entry = replay.step(where, index, content)
            path = content_path(index)
            replay.step_content(path, index, entry, _file(read, path, index))
        progress(number * WIDTH + width, size)


def _check_policy(read: ReadFile, logged: str | None) -> None:
    """Check that the policy of witnesses that is served is the one that was logged last."""
    try:
        served = read(POLICY)
    except FileNotFoundError as error:
        if logged is None:
            return
        raise LogInconsistent(POLICY, None, "it is missing, and an entry has one") from error
    if logged is None or served != logged.encode():
        raise LogInconsistent(POLICY, None, "it is not the policy of the last entry that has one")


def _check_witnessed(
    read: ReadFile, keys: KeyChain, logged: str | None, leaves: Sequence[bytes]
) -> None:
    """Check that the witnessed checkpoint satisfies the policy that the log names, and is of it.

    One that was published since the checkpoint was read may be of more entries.
    """
    try:
        note = read(WITNESSED)
    except FileNotFoundError:
        return
    try:
        policy = ANYBODY if logged is None else parse_policy(logged)
        opened = keys.open(note, witnesses=policy.verifiers)
    except ValueError as error:
        raise LogInconsistent(WITNESSED, None, str(error)) from error
    fault = policy.fault([*keys.verifiers, *(one.verifier for one in opened.verified)])
    if fault is not None or logged is None:
        raise LogInconsistent(WITNESSED, None, fault or "the log names no witnesses")
    then = opened.checkpoint
    if then.size <= len(leaves) and _roots(leaves[: then.size])[then.size] != then.root:
        why = f"its root is not that of the first {then.size:,} entries"
        raise LogInconsistent(WITNESSED, None, why)


def _bundle(read: ReadFile, index: int, width: int) -> list[bytes]:
    path = bundle_path(index, width)
    content = _file(read, path)
    try:
        return parse_bundle(content, width)
    except ValueError as error:
        raise LogInconsistent(path, None, str(error)) from error


def _file(read: ReadFile, path: str, index: int | None = None) -> bytes:
    try:
        return read(path)
    except FileNotFoundError as error:
        raise LogInconsistent(path, index, "it is missing") from error
