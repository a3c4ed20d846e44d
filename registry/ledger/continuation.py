"""Logs that continue another, whose key was stolen or lost: with a name and a key of their own.

The first entry of the new log says which log it continues, from which size and root. What the old
one has signed beyond that counts no more. The file from which a first entry takes it lies beside
the key, so that whoever dies before the entry is written goes on from it.
"""

from __future__ import annotations

from pathlib import Path

from registry.errors import ConfigurationError
from registry.log.files import replace_durable
from registry.settings import Settings
from registry.tlog.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from registry.tlog.keys import Verifier
from registry.tlog.note import NoteRefused
from registry.verify.consistency import read_kept
from registry.verify.gazette import parse_gazette

_NAME = "continues"


def read_last_word(where: Path, verifier: Verifier | None) -> Checkpoint:
    """Return what was signed or printed of a log last, as somebody kept it in a file.

    A signed note needs the log's key. Raises `ConfigurationError` for anything else.
    """
    content = where.read_bytes()
    try:
        printed = parse_gazette(content)
    except ValueError:
        notes, _ = read_kept(content)
    else:
        return printed.checkpoint
    if len({one.note for one in notes}) != 1:
        raise ConfigurationError(f"{where} is neither a signed note of a log nor its six lines")
    if verifier is None:
        raise ConfigurationError(f"{where} is signed: give the key of that log with --key")
    try:
        opened = open_checkpoint(notes[0].note, origin=verifier.name, verifiers=[verifier])
    except NoteRefused as error:
        raise ConfigurationError(f"{where}: {error}") from error
    return opened.checkpoint


def keep_continued(settings: Settings, checkpoint: Checkpoint) -> None:
    """Keep what the first entry of a log that is not begun yet is to continue.

    Raises `ConfigurationError` for a log of its own name.
    """
    if checkpoint.origin == settings.origin:
        raise ConfigurationError(
            f"a log that continues {checkpoint.origin} needs another name: set REGISTRY_LOG_ORIGIN"
        )
    folder = settings.key_file.parent
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace_durable(folder, _NAME, checkpoint.to_text().encode())


def forget_continued(settings: Settings) -> None:
    """Forget what was kept for a first entry, since there is one already."""
    settings.key_file.with_name(_NAME).unlink(missing_ok=True)


def read_continued(settings: Settings) -> Checkpoint | None:
    """Return what the first entry is to continue; None where it is to begin by itself."""
    path = settings.key_file.with_name(_NAME)
    try:
        return parse_checkpoint(path.read_text(encoding="ascii"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ConfigurationError(f"{path} is not as it was written: {error}") from error
