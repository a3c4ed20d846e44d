"""The log's signing key: one file, made at the first start, readable by its owner only."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from registry.errors import ConfigurationError
from registry.tlog.keys import KEY_BYTES, Signer, parse_signer

if TYPE_CHECKING:
    from pathlib import Path

_OTHERS = 0o077


def read_or_create(path: Path, origin: str) -> Signer:
    """Read the key file, or make it with a fresh key named after the log's origin."""
    if path.exists():
        return read(path)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    signer = Signer(name=origin, seed=secrets.token_bytes(KEY_BYTES))
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        # Another process was first.
        return read(path)
    except OSError as error:
        raise ConfigurationError(f"cannot write the log's key {path}: {error.strerror}") from error
    with os.fdopen(descriptor, "w") as file:
        file.write(signer.to_text() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return signer


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
