"""Verifiers that nobody here wrote, over an exported log: `judges.py FOLDER KEY LAST`.

Runs by a Python of its own, in which they are installed; says how many entries each accepted.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pymerkle
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore._internal.rekor.checkpoint import SignedCheckpoint
from sigstore.errors import VerificationError


class Keyring:
    """Rekor's keys are found by their id in its trust root; this one key is ours."""

    def __init__(self, key):
        name, identity, encoded = key.split("+", 2)
        raw = base64.b64decode(encoded)
        assert hashlib.sha256(f"{name}\n".encode() + raw).hexdigest()[:8] == identity
        self.id = bytes.fromhex(identity)
        self._public = Ed25519PublicKey.from_public_bytes(raw[1:])

    def verify(self, *, key_id, signature, data):
        assert key_id == self.id
        try:
            self._public.verify(signature, data)
        except InvalidSignature as error:
            raise VerificationError("not signed by the log") from error


def entries_of(folder, size):
    for start in range(0, size, 256):
        width = min(256, size - start)
        name = f"{start // 256:03}" + (f".p/{width}" if width < 256 else "")
        bundle = (folder / "tile" / "entries" / name).read_bytes()
        while bundle:
            length = int.from_bytes(bundle[:2], "big")
            yield bundle[2 : 2 + length]
            bundle = bundle[2 + length :]


def check_inclusion(proof, entry, keyring):
    """Let sigstore check a tlog-proof: signature, and path of the entry."""
    head, checkpoint = proof.split("\n\n", 1)
    _, index, *path = head.split("\n")
    signed = SignedCheckpoint.from_text(checkpoint)
    signed.signed_note.verify(keyring, keyring.id)
    inner = SimpleNamespace(
        canonicalized_body=entry,
        inclusion_proof=SimpleNamespace(
            log_index=int(index.removeprefix("index ")),
            tree_size=signed.checkpoint.log_size,
            root_hash=bytes.fromhex(signed.checkpoint.log_hash),
            hashes=[base64.b64decode(line) for line in path],
        ),
    )
    verify_merkle_inclusion(SimpleNamespace(_inner=inner))


def main(folder, key):
    keyring = Keyring(key)
    checkpoint = SignedCheckpoint.from_text((folder / "checkpoint").read_text(encoding="utf-8"))
    checkpoint.signed_note.verify(keyring, keyring.id)
    entries = list(entries_of(folder, checkpoint.checkpoint.log_size))
    for index, entry in enumerate(entries):
        proof = (folder / "proof" / f"{index}.tlog-proof").read_text(encoding="utf-8")
        check_inclusion(proof, entry, keyring)
        try:
            check_inclusion(proof, entry + b" ", keyring)
        except VerificationError:
            continue
        raise AssertionError(f"another entry was accepted as {index}")
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    for entry in entries:
        tree.append_entry(entry)
    assert tree.get_state().hex() == checkpoint.checkpoint.log_hash
    sys.stdout.write(json.dumps({"sigstore": len(entries), "pymerkle": tree.get_size()}))


main(Path(sys.argv[1]), sys.argv[2])
