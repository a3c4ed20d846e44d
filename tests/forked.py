"""Other histories of a published log: its files with entries changed, signed again with a key."""

import shutil

import msgspec

from registry.record.canonical import canonical
from registry.tlog.bundle import bundle_path, parse_bundle, write_bundle
from registry.tlog.checkpoint import Checkpoint, stated
from registry.tlog.compact import CompactRange
from registry.tlog.hashing import leaf_hash
from registry.tlog.note import sign_note
from registry.tlog.tile import grow


def fork(source, target, signer, *, size=None, changed=None):
    """Copy an exported log of fewer than 256 entries, up to a size, with members of entries set."""
    shutil.copytree(source, target)
    whole = stated((source / "checkpoint").read_bytes()).size
    entries = parse_bundle((source / bundle_path(0, whole)).read_bytes(), whole)[:size]
    for index, members in (changed or {}).items():
        entries[index] = canonical(msgspec.json.decode(entries[index]) | members)
    leaves = [leaf_hash(entry) for entry in entries]
    tree = CompactRange()
    for leaf in leaves:
        tree = tree.append(leaf)
    shutil.rmtree(target / "tile")
    shutil.rmtree(target / "proof")
    files = {tile.path: content for tile, content in grow(0, lambda _: b"", leaves)}
    files[bundle_path(0, len(leaves))] = write_bundle(entries)
    text = Checkpoint(origin=signer.name, size=len(leaves), root=tree.root()).to_text()
    files["checkpoint"] = sign_note(text, [signer]).to_bytes()
    for name, content in files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes(content)
    return target
