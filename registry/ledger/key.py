"""The log's signing key: one file, made at the first start, readable by its owner only."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from registry.errors import ConfigurationError
from registry.tlog.keys import KEY_BYTES, Signer, parse_signer

_OTHERS = 0o077


def read_or_create(path: Path, origin: str) -> Signer:
    """Read the key file, or make it with a fresh key named after the log's origin."""
    if path.exists():
        return read(path)
    try:
        signer = Signer(name=origin, seed=secrets.token_bytes(KEY_BYTES))
    except ValueError as error:
        raise ConfigurationError(
            f"the log cannot have the origin {origin!r}: {error}; set REGISTRY_LOG_ORIGIN"
        ) from error
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(path, signer.to_text() + "\n")
    except OSError as error:
        raise ConfigurationError(f"cannot write the log's key {path}: {error.strerror}") from error
    return read(path)


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
