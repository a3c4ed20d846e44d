"""Six lines about a log for print, from which anybody can later check the log.

Name, size and root, as in a checkpoint; then the key that signs now, the day, and the address. They
are not signed: the paper that they are printed on is what vouches for them.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from registry.log.replay import LogInconsistent
from registry.tlog import base64_text
from registry.tlog.checkpoint import Checkpoint, parse_checkpoint
from registry.tlog.keys import ED25519, Verifier, parse_verifier
from registry.verify.consistency import TwoHistories
from registry.verify.log import VerifiedLog

_LINES = 6


class Gazette(msgspec.Struct, frozen=True, kw_only=True):
    """What is printed of a log: its checkpoint, the key that signs it, the day, its address."""

    checkpoint: Checkpoint
    verifier: Verifier
    day: dt.date
    address: str

    def to_text(self) -> str:
        """Return the six lines."""
        rest = (self.verifier.to_text(), self.day.isoformat(), self.address)
        return self.checkpoint.to_text() + "".join(f"{line}\n" for line in rest)

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines, one by one."""
        return tuple(self.to_text().splitlines())


def parse_gazette(content: bytes) -> Gazette:
    """Read the six lines, as somebody may have typed them; raises `ValueError`."""
    lines = [line.strip() for line in content.decode("utf-8-sig").split("\n")]
    lines = [line for line in lines if line]
    if len(lines) != _LINES:
        raise ValueError(f"a gazette's notice has {_LINES} lines, not {len(lines)}")
    checkpoint = parse_checkpoint("".join(f"{line}\n" for line in lines[:3]))
    verifier = parse_verifier(lines[3])
    if verifier.kind != ED25519 or verifier.name != checkpoint.origin:
        raise ValueError("the key in a gazette's notice is not of its log")
    return Gazette(
        checkpoint=checkpoint,
        verifier=verifier,
        day=dt.date.fromisoformat(lines[4]),
        address=lines[5],
    )


def check_printed(log: VerifiedLog, where: str, printed: Gazette) -> None:
    """Raise `TwoHistories` unless a verified log goes on from what was printed of it.

    Raises `LogInconsistent` for what is of another log.
    """
    then, now = printed.checkpoint, log.checkpoint
    if then.origin != now.origin:
        raise LogInconsistent(where, None, f"it is of {then.origin}, not of {now.origin}")
    kind, why = "fork", None
    if printed.verifier not in log.keys.verifiers:
        kind, why = "begun-anew", f"the key {printed.verifier.to_text()}, which the log never had"
    elif then.size > now.size:
        kind, why = "rolled-back", f"{then.size:,} entries, and the log has {now.size:,}"
    elif log.root_at(then.size) != then.root:
        root = base64_text.encode(log.root_at(then.size))
        why = f"another root than the first {then.size:,} entries of the log have, {root}"
    if why is not None:
        raise TwoHistories(
            now.origin,
            f"{where}, printed on {printed.day}, names {why}",
            kind=kind,
            notes=[printed.to_text().encode(), log.note],
        )
