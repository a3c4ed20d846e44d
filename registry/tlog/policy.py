"""Trust policies, c2sp.org/tlog-policy: logs, witnesses, and the quorum of them.

A policy says which checkpoints are believed: those that one of its logs has signed, where it names
any, and a quorum of its witnesses has cosigned.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from registry.tlog.keys import COSIGNATURES, ED25519, Verifier, parse_verifier

NONE = "none"
"""The predefined quorum without members (§ Defining the quorum)."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_NUMBER = re.compile(r"[1-9][0-9]{0,3}")


class PolicyRefused(ValueError):
    """A policy that is malformed, with the line of its first fault."""


class PolicyLog(msgspec.Struct, frozen=True, kw_only=True):
    """A log whose checkpoints are believed; the address is the log's, if one is stated."""

    verifier: Verifier
    url: str | None = None


class PolicyWitness(msgspec.Struct, frozen=True, kw_only=True):
    """A witness: its name in the policy, its key, and the address at which it is asked, if any."""

    name: str
    verifier: Verifier
    url: str | None = None


class PolicyGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group of witnesses and groups, of whose members `threshold` must have cosigned."""

    name: str
    threshold: int
    members: tuple[str, ...]


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy. `text` is the file as it was read; groups name only what is before them."""

    text: str
    logs: tuple[PolicyLog, ...] = ()
    witnesses: tuple[PolicyWitness, ...] = ()
    groups: tuple[PolicyGroup, ...] = ()
    quorum: str = NONE

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """The keys of the witnesses."""
        return tuple(one.verifier for one in self.witnesses)

    @property
    def least(self) -> int:
        """The least number of witnesses that satisfy it."""
        counts = {one.name: 1 for one in self.witnesses} | {NONE: 0}
        for group in self.groups:
            counts[group.name] = sum(
                sorted(map(counts.__getitem__, group.members))[: group.threshold]
            )
        return counts[self.quorum]

    def count(self, verifiers: Iterable[Verifier]) -> int:
        """Return the number of witnesses among keys whose signatures hold, a key once."""
        signed = set(verifiers)
        return len({one.public for one in self.verifiers if one in signed})

    def is_satisfied(self, verifiers: Iterable[Verifier]) -> bool:
        """Return whether a checkpoint is believed on which the signatures of these keys hold."""
        return self.fault(verifiers) is None

    def fault(self, verifiers: Iterable[Verifier]) -> str | None:
        """Return the reason not to believe a checkpoint that these keys have signed, or None."""
        signed = list(verifiers)
        if self.logs and not any(one.verifier in signed for one in self.logs):
            return "none of the policy's logs has signed the checkpoint"
        met = {one.name: one.verifier in signed for one in self.witnesses}
        for group in self.groups:
            met[group.name] = sum(met[name] for name in group.members) >= group.threshold
        if self.quorum == NONE or met[self.quorum]:
            return None
        return f"{self.count(signed)} known witnesses have cosigned, not {self._wanted()}"

    def _wanted(self) -> str:
        group = next((one for one in self.groups if one.name == self.quorum), None)
        if group is None:
            return self.quorum
        if set(group.members) == {one.name for one in self.witnesses}:
            return str(group.threshold)
        return f"{group.threshold} of {', '.join(group.members)}"


ANYBODY = Policy(text=f"quorum {NONE}\n")
"""The policy without a witness."""


def quorum_of(verifiers: Sequence[Verifier], quorum: int) -> Policy:
    """Return the policy that a number of these keys has cosigned, each counted once."""
    witnesses = tuple(
        PolicyWitness(name=f"w{number}", verifier=one)
        for number, one in enumerate(dict.fromkeys(verifiers), 1)
    )
    if not quorum:
        return Policy(text="", witnesses=witnesses)
    by_key: dict[bytes, list[str]] = {}
    for one in witnesses:
        by_key.setdefault(one.verifier.public, []).append(one.name)
    # One key may have cosigned under several names.
    groups = [
        PolicyGroup(name="=".join(names), threshold=1, members=tuple(names))
        for names in by_key.values()
        if len(names) > 1
    ]
    members = tuple("=".join(names) for names in by_key.values())
    groups.append(PolicyGroup(name="quorum", threshold=quorum, members=members))
    return Policy(text="", witnesses=witnesses, groups=tuple(groups), quorum="quorum")


def parse_policy(text: str) -> Policy:
    """Return the policy of a text. Raises `PolicyRefused` with the line of the first fault."""
    parsing = _Parsing()
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        try:
            parsing.read(line)
        except ValueError as error:
            raise PolicyRefused(f"line {number}: {error}") from error
    if parsing.quorum is None:
        raise PolicyRefused(f"line {len(lines)}: it ends without a quorum line")
    return Policy(
        text=text,
        logs=tuple(parsing.logs),
        witnesses=tuple(parsing.witnesses),
        groups=tuple(parsing.groups),
        quorum=parsing.quorum,
    )


def readable_policy(text: str | None) -> Policy | None:
    """Return the policy of a text; None without one, or where it has a key that is unknown here."""
    try:
        return None if text is None else parse_policy(text)
    except PolicyRefused:
        return None


class _Parsing:
    """A parser of policies, with the definitions of the lines read so far."""

    def __init__(self) -> None:
        self.logs: list[PolicyLog] = []
        self.witnesses: list[PolicyWitness] = []
        self.groups: list[PolicyGroup] = []
        self.quorum: str | None = None
        self._names = {NONE}
        self._lines: Mapping[str, Callable[[list[str]], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }

    def read(self, line: str) -> None:
        """Add a line's definition. Raises `ValueError`."""
        if _CONTROLS.search(line):
            raise ValueError("it holds a control character; only tabs are allowed")
        # Other white space than these two belongs to names, whatever Unicode says of it.
        items = [item for item in re.split("[ \t]+", line) if item]
        if not items or items[0].startswith("#"):
            return
        read = self._lines.get(items[0])
        if read is None:
            raise ValueError(f"{items[0]!r} is none of {', '.join(self._lines)}")
        read(items[1:])

    def _log(self, items: list[str]) -> None:
        if not 1 <= len(items) <= 2:  # noqa: PLR2004  key and address
            raise ValueError("write: log KEY [URL]")
        verifier = parse_verifier(items[0])
        if verifier.kind != ED25519:
            raise ValueError(f"a log's key is of the type 0x{ED25519:02x}")
        if any(one.verifier.public == verifier.public for one in self.logs):
            raise ValueError("a line above has the same key")
        self.logs.append(PolicyLog(verifier=verifier, url=_at(items, 1)))

    def _witness(self, items: list[str]) -> None:
        if not 2 <= len(items) <= 3:  # noqa: PLR2004  name, key and address
            raise ValueError("write: witness NAME KEY [URL]")
        verifier = parse_verifier(items[1])
        if verifier.kind not in COSIGNATURES:
            types = " or ".join(f"0x{kind:02x}" for kind in sorted(COSIGNATURES))
            raise ValueError(f"a witness's key is of the type {types}")
        if any(one.verifier.public == verifier.public for one in self.witnesses):
            raise ValueError("a line above has the same key")
        self._define(items[0])
        self.witnesses.append(PolicyWitness(name=items[0], verifier=verifier, url=_at(items, 2)))

    def _group(self, items: list[str]) -> None:
        if len(items) < 3:  # noqa: PLR2004  name, threshold and a member
            raise ValueError("write: group NAME all|any|NUMBER MEMBER…")
        name, wanted, *members = items
        for member in members:
            if member == NONE or member not in self._names:
                raise ValueError(f"no line above defines {member!r}")
        if len(set(members)) < len(members):
            raise ValueError("it has a member twice")
        # A second group would count the same witness again.
        taken = {member for group in self.groups for member in group.members}
        twice = [member for member in members if member in taken]
        if twice:
            raise ValueError(f"{twice[0]!r} is a member of another group above")
        words = {"all": len(members), "any": 1}
        if wanted not in words and not _NUMBER.fullmatch(wanted):
            raise ValueError(f"{wanted!r} is none of all, any and a number")
        threshold = words[wanted] if wanted in words else int(wanted)
        if threshold > len(members):
            raise ValueError(f"it wants {threshold} of {len(members)} members")
        self._define(name)
        self.groups.append(PolicyGroup(name=name, threshold=threshold, members=tuple(members)))

    def _quorum(self, items: list[str]) -> None:
        if len(items) != 1:
            raise ValueError("write: quorum NAME")
        if self.quorum is not None:
            raise ValueError("a line above is the quorum already")
        if items[0] not in self._names:
            raise ValueError(f"no line above defines {items[0]!r}")
        self.quorum = items[0]

    def _define(self, name: str) -> None:
        if name in self._names:
            raise ValueError(f"the name {name!r} is taken")
        self._names.add(name)


def _at(items: list[str], place: int) -> str | None:
    return items[place] if place < len(items) else None
