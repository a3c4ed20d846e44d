"""Whether logs and checkpoints that were kept are of one history."""

from __future__ import annotations

import codecs
import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from html.parser import HTMLParser
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from registry.errors import ConfigurationError
from registry.log.files import TEMPORARY, write_durable
from registry.log.key_chain import follow_all
from registry.log.replay import LogInconsistent
from registry.tlog import base64_text
from registry.tlog.checkpoint import Checkpoint, open_checkpoint, stated
from registry.tlog.hashing import HASH_BYTES
from registry.tlog.keys import Verifier, parse_verifier
from registry.tlog.note import NoteRefused, parse_note
from registry.tlog.proof import Nodes, nodes_from_tiles, prove_consistency, root_of
from registry.tlog.tile import WIDTH, Tile
from registry.tlog.tlog_proof import parse_tlog_proof
from registry.verify.log import ReadFile, keys_from

EMBEDDED = "log-proof"
"""The id of the script element in which a page keeps its proof, as JSON."""

_PROOF_BEGINNING = "c2sp.org/tlog-proof@"


class KeptNote(msgspec.Struct, frozen=True):
    """A note to the byte, the log it is of, and the verifier key that stands beside it, if any.

    `keys` are proofs of the log's later keys that stand there too.
    """

    note: bytes
    origin: str
    key: str | None = None
    keys: tuple[str, ...] = ()


def read_kept(content: bytes) -> tuple[list[KeptNote], list[tuple[bytes, dict[str, Any]]]]:
    """Return the notes in a file, each once, and the JSON objects, with their bytes.

    No signature is checked. A file of anything else has neither.
    """
    # Some editors and shells put a byte order mark before what they keep; it is none of it.
    content = content.removeprefix(codecs.BOM_UTF8)
    objects = []
    for part in _embedded_proofs(content) or [content]:
        try:
            value = msgspec.json.decode(part)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            objects.append((part, value))
    if not objects:
        found = _note_of(content, None)
        return ([] if found is None else [found]), []
    notes: dict[KeptNote, None] = {}
    for _, value in objects:
        key, listed = value.get("key"), value.get("keys")
        keys = [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
        for text in _texts(value):
            found = _note_of(text.encode(), key if isinstance(key, str) else None)
            if found is not None:
                notes[msgspec.structs.replace(found, keys=tuple(keys))] = None
    return list(notes), objects


def proven_keys(trusted: Verifier, notes: Iterable[KeptNote]) -> set[Verifier]:
    """Return the keys of the log of which one is trusted, as they are proven beside notes."""
    found = {trusted}
    for keys in {one.keys for one in notes if one.keys}:
        with suppress(ValueError):
            chain = follow_all("", keys)
            if trusted in chain.verifiers:
                found.update(chain.verifiers)
    return found


def _embedded_proofs(page: bytes) -> list[bytes]:
    """Return what the script elements of a page hold that keep a proof."""
    if f'"{EMBEDDED}"'.encode() not in page:
        return []
    parser = _Embedded()
    parser.feed(page.decode("utf-8", "replace"))
    parser.close()
    return [text.encode() for text in parser.found]


class _Embedded(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_inside = tag == "script" and ("id", EMBEDDED) in attrs
        if self._is_inside:
            self.found.append("")

    def handle_endtag(self, _tag: str) -> None:
        self._is_inside = False

    def handle_data(self, data: str) -> None:
        if self._is_inside:
            self.found[-1] += data


def _note_of(content: bytes, key: str | None) -> KeptNote | None:
    """Return a text's note: of a proof the checkpoint in it, else the text itself."""
    try:
        if content.startswith(_PROOF_BEGINNING.encode()):
            content = parse_tlog_proof(content).checkpoint
        return KeptNote(content, stated(content).origin, key)
    except (NoteRefused, ValueError):
        return None


def _texts(value: Any) -> Iterator[str]:
    """Yield the strings with lines in a JSON value."""
    if isinstance(value, str):
        if "\n\n" in value:
            yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


_TIME = "%Y%m%dT%H%M%SZ"
_README = """\
Evidence about a log
====================

{origin}

{why}

Found on {at:%Y-%m-%d} at {at:%H:%M:%S} UTC. Each file note-… is a signed note as it was met, to
the byte: the log's name, how many entries it has, and the root that stands for all of them; then
the signatures. Whoever knows the log's key can check them without asking anybody.

{proof}Keep this folder as it is, and copies of it elsewhere. Show it to those who run the register,
to its witnesses, and to whoever oversees it.
"""
_PROOF = """\
proof.json shows that the log of the larger note had, at the size of the smaller one, another root
than the smaller one says: `path` is a consistency proof (RFC 6962, section 2.1.2) from the root
`old_root` at the size `old` to the root `new_root` at the size `new`.

"""


class TwoHistories(LogInconsistent):
    """Signed notes of one log that cannot both be true.

    `kind` is a word for the folder of evidence; `proof` is JSON of `ForkProof`.
    """

    def __init__(
        self,
        origin: str,
        why: str,
        *,
        kind: str,
        notes: Sequence[bytes],
        proof: bytes | None = None,
    ) -> None:
        """Take the log, the sentence that says why, and what is to be kept."""
        super().__init__(origin, None, f"two histories: {why}")
        self.origin = origin
        self.kind = kind
        self.notes = tuple(notes)
        self.proof = proof


class ForkProof(msgspec.Struct, frozen=True, kw_only=True):
    """The root that a log had at an earlier size, shown by its later root; hashes in base64."""

    old: int
    old_root: str
    new: int
    new_root: str
    path: list[str]


def compare_notes(
    older: bytes, newer: bytes, verifiers: Sequence[Verifier], read: ReadFile | None
) -> bool:
    """Return whether the larger of two notes is shown to go on from the smaller.

    `read` gives the files of the larger one's log; without it notes of different sizes cannot be
    compared, and the answer is False. Raises `TwoHistories`; `NoteRefused` where none of the
    verifiers has signed one of them; `LogInconsistent` where the files are not what was signed.
    """
    origin = stated(older).origin
    notes = [
        (open_checkpoint(note, origin=origin, verifiers=verifiers).checkpoint, note)
        for note in (older, newer)
    ]
    (small, first), (large, second) = sorted(notes, key=lambda one: one[0].size)
    if small == large:
        return True
    if small.size == large.size:
        raise TwoHistories(
            origin,
            f"two notes that the log has signed name different roots of its {small.size:,} "
            f"entries, {_root(small)} and {_root(large)}",
            kind="fork",
            notes=[first, second],
        )
    if read is None:
        return False
    nodes = _signed_nodes(large, read)
    then = root_of(nodes, small.size)
    if then != small.root:
        raise TwoHistories(
            origin,
            f"the log of {large.size:,} entries does not go on from what it signed at "
            f"{small.size:,}: its first {small.size:,} entries have the root "
            f"{base64_text.encode(then)}, and {_root(small)} was signed",
            kind="fork",
            notes=[first, second],
            proof=msgspec.json.encode(
                ForkProof(
                    old=small.size,
                    old_root=base64_text.encode(then),
                    new=large.size,
                    new_root=_root(large),
                    path=[
                        base64_text.encode(one)
                        for one in prove_consistency(nodes, small.size, large.size)
                    ],
                )
            ),
        )
    return True


def check_goes_on(
    note: bytes,
    verifiers: Sequence[Verifier],
    read: ReadFile,
    kept: Sequence[tuple[str, bytes]],
    *,
    is_begun_anew: bool = False,
) -> None:
    """Raise `TwoHistories` unless a log goes on from each note that was kept, with where it lay.

    `note` is the log's checkpoint, and `read` gives its files; `is_begun_anew` says that its first
    entry is known to be another than before. Raises `LogInconsistent` for a note that is of another
    log, or altered.
    """
    origin = stated(note).origin
    now = signed_checkpoint("the log", note, origin, verifiers)
    for where, one in kept:
        then = signed_checkpoint(where, one, origin, verifiers)
        if (now is None) != (then is None):
            raise begun_anew(origin, (where, one), ("the log", note), is_log_known=True)
        if now is None or then is None:
            continue
        if then.size > now.size:
            why = f"{where} was signed for {then.size:,} entries, and the log has {now.size:,}: "
            raise TwoHistories(
                origin,
                why + "it was begun anew, for its first entry is another"
                if is_begun_anew
                else why + "it was rolled back, or this is an old copy of it. The log itself says "
                "which: ask for it at its own address",
                kind="begun-anew" if is_begun_anew else "rolled-back",
                notes=[one, note],
            )
        compare_notes(one, note, verifiers, read)


def begun_anew(
    origin: str,
    first: tuple[str, bytes],
    second: tuple[str, bytes],
    *,
    is_log_known: bool = False,
) -> TwoHistories:
    """Return what is said of two notes that different keys have signed, each with where it lay.

    `is_log_known` says that the log itself names no other keys.
    """
    changed = "" if is_log_known else "its key was changed, as the log itself shows then; or "
    return TwoHistories(
        origin,
        f"{first[0]} was signed by {signed_by(first[1])}, and {second[0]} by "
        f"{signed_by(second[1])}: {changed}the log was begun anew under its old name, or one of "
        "the two is not its own. The log's key, known from elsewhere, says which (--key)",
        kind="begun-anew",
        notes=[first[1], second[1]],
    )


def signed_checkpoint(
    where: str, note: bytes, origin: str, verifiers: Sequence[Verifier]
) -> Checkpoint | None:
    """Return what a note says; None where other keys than the verifiers' have signed it.

    Raises `LogInconsistent` where a signature does not hold, or it is of another log.
    """
    ids = {verifier.id for verifier in verifiers}
    try:
        said = stated(note)
        if said.origin != origin:
            raise LogInconsistent(where, None, f"it is of {said.origin}, not of {origin}")
        if not any(one.key in ids for one in parse_note(note).signatures):
            return None
        return open_checkpoint(note, origin=origin, verifiers=verifiers).checkpoint
    except NoteRefused as error:
        raise LogInconsistent(where, None, str(error)) from error


def signed_by(note: bytes) -> str:
    """Return the names and ids of the keys whose signatures a note has, unchecked."""
    return ", ".join(f"{one.name}+{one.key.hex()}" for one in parse_note(note).signatures)


def _signed_nodes(checkpoint: Checkpoint, read: ReadFile) -> Nodes:
    """Return the nodes of a log's tree, read from its tiles.

    Raises `LogInconsistent` where these are missing or do not lead to the checkpoint's root.
    """
    nodes = nodes_from_tiles(lambda tile: _read_tile(read, tile), checkpoint.size)
    try:
        root = root_of(nodes, checkpoint.size)
    except ValueError as error:
        raise LogInconsistent(checkpoint.origin, None, str(error)) from error
    if root != checkpoint.root:
        raise LogInconsistent(
            checkpoint.origin, None, "the root that was signed is not that of the tiles"
        )
    return nodes


def keep_evidence(
    folder: Path,
    *,
    origin: str,
    kind: str,
    notes: Sequence[bytes],
    proof: bytes | None,
    why: str,
    now: dt.datetime,
) -> Path:
    """Write notes, and the proof where there is one, to a new folder below `folder`; return it.

    Beside them `why.json` says to programs, and `README.txt` to people, what was found. What was
    kept of the same notes before is returned as it is.
    """
    for before in sorted(folder.glob(f"evidence-*-{kind}*")):
        if [one.read_bytes() for one in sorted(before.glob("note-*"))] == list(notes):
            return before
    names = [f"note-{number}" for number in range(1, len(notes) + 1)]
    said = {
        "origin": origin,
        "kind": kind,
        "why": why,
        "found_at": now,
        "notes": [_description(*one) for one in zip(names, notes, strict=True)],
        "proof": None if proof is None else "proof.json",
    }
    files = [
        *zip(names, notes, strict=True),
        *([] if proof is None else [("proof.json", proof)]),
        ("why.json", msgspec.json.format(msgspec.json.encode(said))),
        (
            "README.txt",
            _README.format(
                origin=origin, why=why, at=now, proof="" if proof is None else _PROOF
            ).encode(),
        ),
    ]
    target = _new_folder(folder, f"evidence-{now:{_TIME}}-{kind}")
    write_durable(target, files)
    (target / TEMPORARY).rmdir()
    return target


def _new_folder(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number in count(1):
        target = folder / (name if number == 1 else f"{name}-{number}")
        try:
            target.mkdir()
        except FileExistsError:
            continue
        return target
    raise AssertionError("not reached")


def _description(name: str, note: bytes) -> dict[str, object]:
    """Return what a note says, as far as it can be read."""
    try:
        said, parsed = stated(note), parse_note(note)
    except ValueError:
        return {"file": name}
    return {
        "file": name,
        "size": said.size,
        "root": _root(said),
        "signed_by": [f"{one.name}+{one.key.hex()}" for one in parsed.signatures],
    }


def _read_tile(read: ReadFile, tile: Tile) -> bytes:
    """Read a tile; a partial one may have been pruned where the full one is there."""
    try:
        return read(tile.path)
    except FileNotFoundError as error:
        if tile.width == WIDTH:
            raise LogInconsistent(tile.path, None, "it is missing") from error
    full = Tile(level=tile.level, index=tile.index)
    try:
        return read(full.path)[: tile.width * HASH_BYTES]
    except FileNotFoundError as error:
        raise LogInconsistent(tile.path, None, "it is missing") from error


def _root(checkpoint: Checkpoint) -> str:
    return base64_text.encode(checkpoint.root)


class LogSource(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has of a log: notes, each with where it lies, and of a log itself its files.

    Of a log there is one note, its checkpoint.
    """

    notes: Sequence[tuple[str, KeptNote]]
    read: ReadFile | None = None


class ComparedLog(msgspec.Struct, frozen=True, kw_only=True):
    """The sizes of a log that were compared, and whether it is known that it only grew."""

    origin: str
    sizes: Sequence[int]
    is_known: bool


def compare_sources(sources: Sequence[LogSource], verifier: Verifier | None) -> ComparedLog:
    """Return what two sources together show of a log; raises `TwoHistories`.

    Without a verifier it is the key that the first log names, else the first that stands beside a
    note. Raises `ConfigurationError` where they are of different logs, or that key has signed no
    note; `LogInconsistent` where a signature does not hold, or files are not what was
    signed.
    """
    listed = [(*one, source.read) for source in sources for one in source.notes]
    origins = sorted({note.origin for _, note, _ in listed})
    if len(origins) > 1:
        raise ConfigurationError(f"these are different logs: {', '.join(origins)}")
    [origin] = origins
    verifiers = _verifiers(sources, verifier)
    signed: dict[int, tuple[str, bytes]] = {}
    others: list[tuple[str, bytes]] = []
    logs: list[tuple[int, bytes, ReadFile]] = []
    for where, kept, read in listed:
        said = signed_checkpoint(where, kept.note, origin, verifiers)
        if said is None:
            others.append((where, kept.note))
            continue
        _, first = signed.setdefault(said.size, (where, kept.note))
        compare_notes(first, kept.note, verifiers, None)
        if read is not None:
            logs.append((said.size, kept.note, read))
    if not signed:
        raise ConfigurationError(
            f"no known key of {origin} has signed these; give the log's with --key"
        )
    if others:
        raise begun_anew(origin, signed[max(signed)], others[0], is_log_known=bool(logs))
    if not logs:
        return ComparedLog(origin=origin, sizes=sorted(signed), is_known=len(signed) == 1)
    _, note, read = max(logs, key=lambda one: one[0])
    check_goes_on(note, verifiers, read, list(signed.values()))
    return ComparedLog(origin=origin, sizes=sorted(signed), is_known=True)


def _verifiers(sources: Sequence[LogSource], verifier: Verifier | None) -> Sequence[Verifier]:
    """Return the keys of the log: as it names them itself, or as they stand beside notes."""
    for source in sources:
        if source.read is not None:
            size = stated(source.notes[0][1].note).size
            return keys_from(source.read, size, verifier).verifiers
    notes = [note for source in sources for _, note in source.notes]
    for note in notes:
        if verifier is None and note.key is not None:
            with suppress(ValueError):
                verifier = parse_verifier(note.key)
    return [] if verifier is None else list(proven_keys(verifier, notes))
