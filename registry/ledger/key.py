"""The log's signing keys: files readable by their owner only, the first made at the first start.

A key that follows lies beside the first key's file under a name of its own, so that no file is ever
written over or renamed: `log.key`, `log-1a2b3c4d.key`.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from registry.errors import ConfigurationError
from registry.log.files import sync
from registry.log.key_chain import KeyChain
from registry.tlog.keys import KEY_BYTES, Signer, Verifier, parse_signer

_OTHERS = 0o077


def read_or_create(path: Path, origin: str) -> Signer:
    """Read the key file, or make it with a fresh key named after the log's origin."""
    if path.exists():
        return read(path)
    write(path, make(origin))
    return read(path)


def make(origin: str) -> Signer:
    """Make a key of a log; raises `ConfigurationError` for an origin that no key can have."""
    try:
        return Signer(name=origin, seed=secrets.token_bytes(KEY_BYTES))
    except ValueError as error:
        raise ConfigurationError(
            f"the log cannot have the origin {origin!r}: {error}; set REGISTRY_LOG_ORIGIN"
        ) from error


def write(path: Path, signer: Signer) -> None:
    """Write a key to a new file; one that is there already stays as it is."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(path, signer.to_text() + "\n")
        sync(path.parent)
    except OSError as error:
        raise ConfigurationError(f"cannot write the log's key {path}: {error.strerror}") from error


def path_of(path: Path, verifier: Verifier) -> Path:
    """Return the file of a key that follows the one in a file."""
    return path.with_name(f"{path.stem}-{verifier.id.hex()}{path.suffix}")


def files(path: Path) -> list[Path]:
    """Return the first key's file, if it is there, and those of keys that follow."""
    found = sorted(path.parent.glob(f"{path.stem}-{'[0-9a-f]' * 8}{path.suffix}"))
    return [*([path] if path.exists() else ()), *found]


def read_all(path: Path) -> list[Signer]:
    """Read all keys that are there; raises as `read` does, also where there is none."""
    return [read(one) for one in files(path) or [path]]


def signers(there: Sequence[Signer], chain: KeyChain, time: str, *, signed: int) -> list[Signer]:
    """Return the keys that sign a log whose last entry has a time, in order.

    `signed` is the size that was signed last. Raises `ConfigurationError` where one is missing.
    """
    by_public = {one.verifier.public: one for one in there}
    found: list[Signer] = []
    for verifier in chain.signing(time, signed=signed):
        if verifier.public not in by_public:
            entry = "first entry" if verifier == chain.verifiers[0] else "entry of a later key"
            raise ConfigurationError(
                f"the key file is of {', '.join(one.verifier_key for one in there)}, but the log's "
                f"{entry} names {verifier.to_text()}; put the log's own key back"
            )
        found.append(by_public[verifier.public])
    return found


def _write(path: Path, text: str) -> None:
    """Write the whole file or none of it; one that another process wrote meanwhile stays."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        # Unlike a rename, a link never takes the place of another's key.
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()


def read(path: Path) -> Signer:
    """Read the key file; raises `ConfigurationError` when it is not one, or others may read it."""
    try:
        text = path.read_text(encoding="ascii")
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read the log's key {path}: {error}") from error
    if mode & _OTHERS:
        raise ConfigurationError(
            f"the log's key {path} is readable by others (mode {mode & 0o777:o}); chmod 600 it"
        )
    try:
        return parse_signer(text)
    except ValueError as error:
        raise ConfigurationError(f"{path} is not a log key: {error}") from error
