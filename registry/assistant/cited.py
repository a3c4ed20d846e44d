"""Answers of a register that can be cited: each with its address, its entry, and its proof."""

from __future__ import annotations

from typing import Any, TypeAlias
from urllib.parse import parse_qsl, quote, urlencode

import msgspec

from registry.audit.remote import RemoteRegister
from registry.errors import RegistryError
from registry.log.replay import LogInconsistent
from registry.tlog.checkpoint import Checkpoint, stated
from registry.tlog.keys import Verifier
from registry.tlog.note import NoteRefused
from registry.tlog.policy import ANYBODY
from registry.verify.consistency import signed_checkpoint
from registry.verify.record import VerifiedRecord, check_same, verify_record

Cited: TypeAlias = dict[str, Any]
"""`answer` with the `address` that gives it again, its `entry`, and its `proof`."""

_API = "/api/v1/"
_OK = 200


class NotCitable(RegistryError):
    """What is asked has no answer that could be cited."""


class CitedRegister:
    """A register that is asked as of the last entry that its log has signed."""

    def __init__(self, register: RemoteRegister, key: Verifier | None) -> None:
        """Take the register, and the key of its log, if that is known from elsewhere."""
        self._register = register
        self._key = key
        self._entries: dict[str, int] = {}

    @property
    def url(self) -> str:
        """The address of the register, without a slash at its end."""
        return self._register.url

    def ask(self, path: str, question: str = "", *, as_of: str = "") -> Cited:
        """Return the answer to a question, a query string, at a path of the API.

        Raises `NotCitable` for what the register refuses, or has not signed yet.
        """
        asked = [pair for pair in parse_qsl(question, keep_blank_values=True) if any(pair)]
        named = as_of or next((value for name, value in asked if name == "as_of"), "")
        note, signed = self._signed()
        then = named or f"entry:{signed.size - 1}"
        entry = self._entry(then)
        if entry >= signed.size:
            raise NotCitable(f"entry {entry} is not signed yet; ask again in a minute")
        pairs = [*(pair for pair in asked if pair[0] != "as_of"), ("as_of", then)]
        address = f"{_API}{path}?{urlencode(pairs, safe=':/')}"
        answer = self._get(address)
        return {
            "address": self.url + address,
            "entry": entry,
            "proof": {
                "checkpoint": note.decode(),
                "root": signed.root.hex(),
                "is_signed_by_a_key_known_from_elsewhere": self._key is not None,
                "check": f"registry audit {self.url}",
            },
            "answer": answer,
        }

    def read(self, record: str, version: int | None) -> Cited:
        """Return a version of a record, the latest without a number, once its proof holds.

        Raises `NotCitable` where that does not hold.
        """
        place = f"{_API}records/{quote(record)}"
        if version is None:
            version = self._get(place)["register"]["version"]
        address = f"{place}/versions/{version}"
        answer = self._get(address)
        proven = self.prove(record, version)
        try:
            check_same(proven.pop("verified"), answer["record"])
        except LogInconsistent as error:
            raise NotCitable(f"the register says what its log has not: {error.detail}") from error
        return proven | {"address": self.url + address, "answer": answer}

    def compare(self, record: str, before: int, after: int) -> Cited:
        """Return what changed between two versions, with the proofs of both."""
        address = f"{_API}records/{quote(record)}/changes?from={before}&to={after}"
        answer = self._get(address)
        proofs = [self.prove(record, version) for version in (before, after)]
        return {
            "address": self.url + address,
            "entry": proofs[1]["entry"],
            "proof": [one["proof"] for one in proofs],
            "answer": answer,
        }

    def prove(self, record: str, version: int) -> Cited:
        """Return where the log has a version, once that is verified; `verified` is what it has."""
        address = f"{_API}records/{quote(record)}/proof?version={version}"
        content = self._content(address)
        try:
            found: VerifiedRecord = verify_record(content, verifier=self._key, policy=ANYBODY)
        except LogInconsistent as error:
            raise NotCitable(f"its proof does not hold: {error.detail}") from error
        return {
            "address": self.url + address,
            "entry": found.index,
            "proof": {
                "address": self.url + address,
                "log": found.origin,
                "size": found.size,
                "leaf": found.leaf,
                "is_signed_by_a_key_known_from_elsewhere": self._key is not None,
                "check": "registry verify FILE",
            },
            "verified": found,
        }

    def description(self) -> str:
        """Return the description of what can be read (OpenAPI)."""
        return self._content(f"{_API}openapi-read.json").decode()

    def _signed(self) -> tuple[bytes, Checkpoint]:
        note = self._content("/log/checkpoint")
        try:
            said = stated(note)
            if self._key is not None:
                checked = signed_checkpoint("log/checkpoint", note, self._key.name, [self._key])
                if checked is None:
                    raise NotCitable(f"{self.url}/log/checkpoint is not signed by the key named")
        except (NoteRefused, LogInconsistent) as error:
            raise NotCitable(f"{self.url} has no log whose signature holds: {error}") from error
        return note, said

    def _entry(self, then: str) -> int:
        """Return the last entry of a moment, which is asked once."""
        kind, _, number = then.partition(":")
        if kind == "entry" and number.isdecimal():
            return int(number)
        if then not in self._entries:
            asked = urlencode({"by": "risk", "as_of": then}, safe=":")
            self._entries[then] = self._get(f"{_API}statistics?{asked}")["entry"]
        return self._entries[then]

    def _get(self, address: str) -> Any:
        return msgspec.json.decode(self._content(address))

    def _content(self, address: str) -> bytes:
        answer = self._register.get(address)
        if answer.status != _OK:
            try:
                detail = msgspec.json.decode(answer.content)["detail"]
            except (msgspec.DecodeError, KeyError, TypeError):
                detail = f"{self.url}{address} answers {answer.status}"
            raise NotCitable(str(detail))
        return answer.content
