"""Answers of a register that can be cited: each with its address, its entry, and its proof."""

from __future__ import annotations

from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlencode

import msgspec

from registry.api.receipts import PARAMETER, AnswerReceipt
from registry.audit.remote import RemoteRegister
from registry.log.replay import LogInconsistent
from registry.record.ids import split_id
from registry.tlog.keys import Verifier
from registry.tlog.policy import ANYBODY
from registry.verify.consistency import signed_checkpoint
from registry.verify.record import VerifiedRecord, check_same, verify_record

Cited: TypeAlias = dict[str, Any]
"""`answer` with the `address` that gives it again, its `entry`, and its `proof`."""

_API = "/api/v1/"
_OK = 200


class NotCitable(Exception):
    """What is asked has no answer that could be cited."""


class CitedRegister:
    """A register that is asked as of the last entry that its log has signed."""

    def __init__(self, register: RemoteRegister, key: Verifier | None) -> None:
        """Take the register, and the key of its log, if that is known from elsewhere."""
        self._register = register
        self._key = key

    @property
    def url(self) -> str:
        """The address of the register, without a slash at its end."""
        return self._register.url

    def ask(self, question: str, *, as_of: str = "", limit: int) -> Cited:
        """Return the answer to a question, a query string, of the records, from its receipt.

        `as_of` counts before that of the question, and the question's own `limit` before this one.
        Raises `NotCitable` for what the register refuses, or whose receipt does not hold.
        """
        pairs = parse_qsl(question, keep_blank_values=True)
        if any(name == PARAMETER for name, _ in pairs):
            raise NotCitable(f"{PARAMETER}: leave it out; every answer is taken from its receipt")
        if as_of:
            pairs = [*(pair for pair in pairs if pair[0] != "as_of"), ("as_of", as_of)]
        if all(name != "limit" for name, _ in pairs):
            pairs.append(("limit", str(limit)))
        content = self._content(f"{_API}records?{urlencode([*pairs, (PARAMETER, '1')])}")
        receipt = msgspec.json.decode(content, type=AnswerReceipt)
        self._check(receipt)
        address = self.url + receipt.question
        file = f"answer-{receipt.code}.json"
        return {
            "address": address,
            "entry": receipt.entry,
            "proof": {
                "checkpoint": receipt.checkpoint,
                "root": receipt.root,
                "code": receipt.code,
                "is_signed_by_a_key_known_from_elsewhere": self._key is not None,
                "check": f"curl -fo {file} '{address}&{PARAMETER}=1' && "
                f"registry verify {file} --mirror {self.url}/log",
            },
            "answer": receipt.answer,
        }

    def read(self, record: str, version: int | None) -> Cited:
        """Return a version of a record, the latest without a number, once its proof holds.

        Raises `NotCitable` where that does not hold.
        """
        place = _place(record)
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
        address = f"{_place(record)}/changes?from={before}&to={after}"
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
        address = f"{_place(record)}/proof?version={version}"
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

    def _check(self, receipt: AnswerReceipt) -> None:
        """Raise `NotCitable` for a receipt of which the code, or the signature, does not hold."""
        if receipt.code != receipt.own_code():
            raise NotCitable(f"the receipt of {receipt.question} is not as its code says")
        if self._key is None:
            return
        note = receipt.checkpoint.encode()
        try:
            signed = signed_checkpoint("checkpoint", note, self._key.name, [self._key])
        except LogInconsistent as error:
            raise NotCitable(f"the log of {self.url} is not as named: {error.detail}") from error
        if signed is None or not receipt.entry < signed.size:
            raise NotCitable(f"entry {receipt.entry} is not signed by the key named")

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


def _place(record: str) -> str:
    """Return the path of a record. Raises `InvalidParameter` for what names none."""
    return f"{_API}records/{'/'.join(split_id(record))}"
