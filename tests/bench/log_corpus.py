"""Logs without a register, of any size: real entries, which are versions of demonstration records.

The records are shortened: 100,000 content files of whole ones would be a gigabyte.
"""

import datetime as dt
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from registry.log.blob import KeptSection, KeptVerdict, content_file, content_path, verdict_digest
from registry.log.disclosure_tree import commitments, seal
from registry.log.entry import (
    GenesisEntry,
    StatedVerdict,
    VersionEntry,
    entry_bytes,
    entry_summary,
    previous_entry,
    timestamp,
)
from registry.log.files import CHECKPOINT
from registry.record.rules import RULE_SET
from registry.record.schema import SCHEMA_VERSION
from registry.settings import Settings
from registry.tlog.bundle import bundle_path, write_bundle
from registry.tlog.checkpoint import Checkpoint
from registry.tlog.compact import CompactRange
from registry.tlog.hashing import leaf_hash
from registry.tlog.keys import Signer
from registry.tlog.note import sign_note
from registry.tlog.tile import WIDTH, grow
from tests.bench.documents import local_documents

ORIGIN = Settings().origin
NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)

VERDICT = KeptVerdict(missing=[], findings=[], salt=bytes(32))
STATED = StatedVerdict(
    rules=RULE_SET,
    completeness=100,
    accountability=100,
    digest=verdict_digest(VERDICT.to_json()),
)
Document = dict[str, Any]
_SHORT = {
    "name": "fr",
    "contact": "email",
    "territory": "",
    "purpose": "goal",
    "risk": "level",
    "sector": "primary",
    "lifecycle": "status",
    "data": "personal_data",
}


def write_log(folder: Path, signer: Signer, size: int) -> None:
    """Write a whole published log: its first entry, and two versions of each record."""
    models = [_shortened(document) for document in local_documents(40)]
    sealed = [(model, entry_summary(model), seal(model, secrets.token_bytes)) for model in models]
    entry = entry_bytes(
        GenesisEntry(at=timestamp(NOW), origin=ORIGIN, key=signer.verifier_key, schema="0" * 64)
    )
    entries = [entry]
    contents = folder / content_path(0)
    contents.parent.mkdir(parents=True)
    contents.write_bytes(content_file(0, []))
    for index in range(1, size):
        record = (index + 1) // 2
        before = previous_entry(index - 1, leaf_hash(entry)) if index % 2 == 0 else None
        model, stated, sections = sealed[record % len(sealed)]
        entry = entry_bytes(
            VersionEntry(
                actor=model["id"].split("/", maxsplit=1)[0],
                at=timestamp(NOW + dt.timedelta(seconds=index)),
                id=f"{model['id']}-{record}",
                version=1 if before is None else 2,
                schema=SCHEMA_VERSION,
                **msgspec.structs.asdict(stated),
                prev=before,
                sections=commitments(sections),
                verdict=STATED,
            )
        )
        kept = [KeptSection(key=one.key, value=one.value, salts=one.salts) for one in sections]
        (folder / content_path(index)).write_bytes(content_file(index, kept, VERDICT))
        entries.append(entry)
    for start in range(0, size, WIDTH):
        part = entries[start : start + WIDTH]
        write(folder / bundle_path(start // WIDTH, len(part)), write_bundle(part))
    write_tree(folder, signer, [leaf_hash(entry) for entry in entries])


def _shortened(document: Document) -> Document:
    """Leave of a record what a foreign one has at least, one member a section."""
    kept: Document = {"id": document["id"]}
    for key, member in _SHORT.items():
        if key in document:
            value = document[key]
            kept[key] = {member: value[member]} if member in value else value
    return kept


def write_tree(folder: Path, signer: Signer, leaves: Sequence[bytes]) -> CompactRange:
    """Write the tiles and the checkpoint over leaf hashes."""
    tree = CompactRange()
    for leaf in leaves:
        tree = tree.append(leaf)
    for tile, content in grow(0, lambda _: b"", leaves):
        write(folder / tile.path, content)
    text = Checkpoint(origin=ORIGIN, size=tree.size, root=tree.root()).to_text()
    write(folder / CHECKPOINT, sign_note(text, [signer]).to_bytes())
    return tree


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
