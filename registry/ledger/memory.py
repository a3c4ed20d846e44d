"""What a user has seen of logs: the last checkpoints of each, remembered between commands.

A folder for each origin: `log.json` with the key that was trusted on first use, and a file for each
note, named by its size. One note was compared with all others; further ones were met in proofs, and
wait until the log itself is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec

from registry.errors import ConfigurationError
from registry.log.files import replace_durable
from registry.tlog.checkpoint import stated

PACKAGE = "public-algorithm-register"
_LOG = "log.json"
_MOST_NOTES = 1000


class RememberedLog(msgspec.Struct, frozen=True, kw_only=True):
    """A log as it was met: origin, verifier key, leaf hash of the first entry in hex, notes.

    `genesis` is None where only proofs of the log were met; the smallest note comes first. `keys`
    are all that the log was seen to have, from the first to the last.
    """

    origin: str
    key: str
    genesis: str | None = None
    notes: list[bytes] = []
    keys: Sequence[str] = ()


class CheckpointMemory:
    """The logs that a user has met, below one folder."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; it is made when there is something to remember."""
        self._folder = folder

    def place(self, origin: str) -> Path:
        """Return the folder of a log: who removes it forgets the log."""
        return self._folder / sha256(origin.encode()).hexdigest()

    def recall(self, origin: str) -> RememberedLog | None:
        """Return what is remembered of a log; None where it was never met."""
        place = self.place(origin)
        try:
            log = msgspec.json.decode((place / _LOG).read_bytes(), type=RememberedLog)
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise ConfigurationError(
                f"{place / _LOG} is not what was written there: {error}; to forget the log, remove "
                "its folder"
            ) from error
        files = sorted(place.glob("checkpoint-*"), key=lambda one: int(one.name.split("-")[1]))
        return msgspec.structs.replace(log, notes=[one.read_bytes() for one in files])

    def add(self, log: RememberedLog) -> None:
        """Remember further notes of a log, beside those that are there; each must be signed."""
        before = self.recall(log.origin)
        notes = [] if before is None else before.notes
        self._write(log if before is None else before)
        for note in log.notes:
            if note not in notes and len(notes) < _MOST_NOTES:
                self._write_note(log.origin, note)
                notes.append(note)

    def settle(self, log: RememberedLog) -> None:
        """Remember one note in place of all, since it was shown that the log goes on from them."""
        [note] = log.notes
        self._write(log)
        kept = self._write_note(log.origin, note)
        for path in self.place(log.origin).glob("checkpoint-*"):
            if path != kept and int(path.name.split("-")[1]) <= stated(note).size:
                path.unlink(missing_ok=True)

    def _write(self, log: RememberedLog) -> None:
        content = msgspec.json.encode(
            {"origin": log.origin, "key": log.key, "genesis": log.genesis, "keys": log.keys}
        )
        self._replace(self.place(log.origin), _LOG, content)

    def _write_note(self, origin: str, note: bytes) -> Path:
        place = self.place(origin)
        name = f"checkpoint-{stated(note).size}-{sha256(note).hexdigest()[:8]}"
        self._replace(place, name, note)
        return place / name

    def _replace(self, place: Path, name: str, content: bytes) -> None:
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (place / name).exists() or (place / name).read_bytes() != content:
            replace_durable(place, name, content)


def memory_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of the logs that a user has met, XDG Base Directory Specification."""
    base = environment.get("XDG_STATE_HOME", "")
    # A relative path is invalid and to be ignored, says the specification.
    state = Path(base) if base.startswith("/") else Path.home() / ".local/state"
    return state / PACKAGE / "logs"
