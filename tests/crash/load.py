"""Clients that file over HTTP, remember what they were answered, and know what must be there.

Each has records of its own, of which it knows every version, and shares some with the others of
its agency. A request whose answer is lost is sent again until it is answered.
"""

import asyncio
import copy
import json
import random
import secrets
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec

from registry.record.canonical import canonical
from tests.crash.asking import PATIENCE, UNAVAILABLE, Asker, Violation
from tests.crash.invariants import Receipt

RECORDS = 30
BULK = 12

_MODEL = Path(__file__).parents[2] / "records/demo-sante/prevision-lits.json"
_OF_OTHERS = {200, 201, 404, 409, 412}
"""What may be answered about a record that others file too."""


class Own(msgspec.Struct, kw_only=True):
    """A record that only one client files, as that client knows it.

    `cut`: a request for it may still be under way, since its answer was not waited for.
    """

    id: str
    number: int
    edits: int = 0
    versions: list[Receipt] = []
    document: dict[str, Any] | None = None
    draft: tuple[str, dict[str, Any]] | None = None
    withdrawn: bool = False
    cut: bool = False

    @property
    def tag(self) -> str:
        """The published version's tag."""
        return self.versions[-1].hash[:16]


class Client(Asker):
    """One filing client of an agency; `work` goes on until `stop` is set."""

    def __init__(
        self, name: str, agency: str, token: str, base_url: str, chance: random.Random
    ) -> None:
        super().__init__(name, token, base_url, chance)
        self.agency = agency
        self.records: list[Own] = []
        self.shared = [f"{agency}/shared-{number}" for number in range(2)]
        self.acknowledged: list[Receipt] = []
        self.attests = name.endswith("-0")
        self.attestation: dict[str, Any] | None = None

    async def work(self, stop: asyncio.Event) -> None:
        """File whatever chance says until told to stop; what was begun is brought to its end."""
        while not stop.is_set():
            await self._chance.choices(*zip(*self._possible(), strict=True))[0]()

    def _possible(self) -> list[tuple[Any, int]]:
        acts = [(self.contend, 4), (self.bulk, 1)]
        if len(self.records) < RECORDS:
            acts.append((self.create, 6))
        if self._published():
            acts += [(self.amend, 8), (self.submit_again, 1)]
        if self._drafts():
            acts.append((self.finish, 3))
        if self._discardable():
            acts.append((self.discard, 1))
        if self._withdrawable():
            acts.append((self.withdraw, 1))
        if self._withdrawn():
            acts.append((self.reinstate, 2))
        if self.attests:
            acts.append((self.attest, 1))
        return acts

    def _published(self) -> list[Own]:
        return [one for one in self.records if one.versions and not one.withdrawn and not one.draft]

    def _withdrawable(self) -> list[Own]:
        return [one for one in self._published() if not one.cut]

    def _withdrawn(self) -> list[Own]:
        return [one for one in self.records if one.withdrawn and not one.draft]

    def _drafts(self) -> list[Own]:
        return [one for one in self.records if one.draft]

    def _discardable(self) -> list[Own]:
        return [one for one in self._drafts() if not one.cut]

    def _new(self) -> Own:
        number = len(self.records)
        self.records.append(Own(id=f"{self.agency}/{self.name}-{number}", number=number))
        return self.records[-1]

    async def create(self) -> None:
        begun = [one for one in self.records if not one.versions and not one.draft]
        own = begun[0] if begun else self._new()
        await self._save(own, {"if-none-match": "*"})
        await self._submit_or_leave(own)

    async def amend(self) -> None:
        own = self._chance.choice(self._published())
        await self._save(own, {"if-match": f'"{own.tag}"'})
        await self._submit_or_leave(own)

    async def reinstate(self) -> None:
        own = self._chance.choice(self._withdrawn())
        await self._save(own, {"if-none-match": "*"})
        await self._submit_or_leave(own)

    async def finish(self) -> None:
        own = self._chance.choice(self._drafts())
        if self._chance.random() < 0.5:
            await self._save(own, {"if-match": f'"{own.draft[0]}"'})
        await self._submit(own)

    async def discard(self) -> None:
        own = self._chance.choice(self._discardable())
        headers = {"if-match": f'"{own.draft[0]}"'}
        answer, lost = await self.ask("DELETE", f"/api/v1/filings/{own.id}", headers=headers)
        self.require(answer, {204, 404} if lost else {204})
        own.draft = None

    async def submit_again(self) -> None:
        own = self._chance.choice(self._published())
        answer, _ = await self.ask("POST", f"/api/v1/filings/{own.id}/submit")
        self.require(answer, {200})
        if self._receipt(answer.json()) != own.versions[-1]:
            raise Violation(f"{own.id}: submitting again gave {answer.text}")

    async def withdraw(self) -> None:
        own = self._chance.choice(self._withdrawable())
        body = {"reason": "filed_in_error", "note": {"fr": "Retrait", "ar": "سحب"}}
        headers = {"if-match": f'"{own.tag}"'}
        answer = await self._filed("POST", f"/api/v1/records/{own.id}/withdraw", body, headers)
        self._receipt(answer, version=False)
        own.withdrawn = True

    async def attest(self) -> None:
        body = {
            "day": time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86400)),
            "systems_total": self._chance.randrange(10_000, 20_000),
            "contact": {"email": "registre@demo.example"},
        }
        answer = await self._filed("PUT", f"/api/v1/attestations/{self.agency}", body, {})
        self._receipt(answer | {"id": self.agency}, version=False)
        if answer["systems_total"] != body["systems_total"]:
            raise Violation(f"{self.agency} attested {body} and was answered {answer}")
        self.attestation = body

    async def contend(self) -> None:
        """Amend a record that others amend at this moment; one wins, whoever loses is told so."""
        record = self._chance.choice(self.shared)
        path = f"/api/v1/filings/{record}"
        now, _ = await self.ask("GET", f"/api/v1/records/{record}")
        self.require(now, _OF_OTHERS)
        headers = {"if-none-match": "*"} if now.is_error else {"if-match": now.headers["etag"]}
        document = self._document(record, f"{self.name}-{self._chance.randrange(10**6)}")
        saved, _ = await self.ask("PUT", path, body=document, headers=headers)
        self.require(saved, _OF_OTHERS)
        headers = {} if saved.is_error else {"if-match": saved.headers["etag"]}
        done, _ = await self.ask("POST", f"{path}/submit", headers=headers)
        self.require(done, _OF_OTHERS)
        if done.is_success:
            self._receipt(done.json())
        elif done.status_code == 409 and saved.is_success:
            await self.ask("DELETE", path, headers=headers)

    async def bulk(self) -> None:
        """Publish many at once; a stream that breaks off is sent again from its beginning."""
        chosen = self._withdrawable()[: BULK // 2]
        while len(chosen) < BULK and len(self.records) < RECORDS:
            chosen.append(self._new())
        waiting = {own.id: (own, self._next_document(own)) for own in chosen}
        deadline = time.monotonic() + PATIENCE
        while waiting:
            if time.monotonic() > deadline:
                raise Violation(f"{self.name}: {len(waiting)} lines were never answered")
            await self._bulk_once(waiting)

    async def _bulk_once(self, waiting: dict[str, tuple[Own, dict[str, Any]]]) -> None:
        sent = [document for _, document in waiting.values()]
        body = b"".join(canonical(document) + b"\n" for document in sent)
        headers = {"content-type": "application/x-ndjson"}
        asked = self._http.stream(
            "POST", "/api/v1/filings?action=submit", content=body, headers=headers, timeout=PATIENCE
        )
        lines = 0
        try:
            async with asked as answer:
                self.answers[str(answer.status_code)] += 1
                if answer.status_code == UNAVAILABLE:
                    await asyncio.sleep(0.2)
                    return
                self.require(answer, {200})
                async for line in answer.aiter_lines():
                    result = json.loads(line)
                    lines += 1
                    if (result["line"], result["id"]) != (lines, sent[lines - 1]["id"]):
                        raise Violation(f"line {lines} of {self.name} was answered {line}")
                    self._take_line(result, waiting)
        except (httpx.TransportError, json.JSONDecodeError):
            self.answers["lost"] += 1
            await asyncio.sleep(0.1)
            return
        if lines != len(sent):
            raise Violation(f"{self.name}: {len(sent)} lines sent and {lines} answered")

    def _take_line(
        self, result: dict[str, Any], waiting: dict[str, tuple[Own, dict[str, Any]]]
    ) -> None:
        self.answers[f"line {result['outcome']}"] += 1
        if result["outcome"] == "refused":
            if result["problem"]["status"] != UNAVAILABLE:
                raise Violation(f"{self.name}: {result}")
            return
        own, document = waiting.pop(result["id"])
        self._published_as(own, document, result["receipt"])

    async def _save(self, own: Own, headers: dict[str, str]) -> None:
        document = self._next_document(own)
        path = f"/api/v1/filings/{own.id}"
        answer, _ = await self.ask(
            "PUT", path, body=document, headers=self._keyed(headers), cut=self._cuts(own)
        )
        self.require(answer, {200, 201})
        own.draft = (answer.headers["etag"].strip('"'), document)

    async def _submit_or_leave(self, own: Own) -> None:
        if self._chance.random() < 0.85:
            await self._submit(own)

    async def _submit(self, own: Own) -> None:
        tag, document = own.draft
        cut = self._cuts(own)
        named = cut or own.cut or self._chance.random() < 0.5
        headers = self._keyed({"if-match": f'"{tag}"'} if named else {})
        path = f"/api/v1/filings/{own.id}/submit"
        answer, lost = await self.ask("POST", path, headers=headers, cut=cut)
        self.require(answer, {200, 201} if lost else {201})
        self._published_as(own, document, answer.json())
        own.draft = None
        if lost or self._chance.random() < 0.1:
            again, _ = await self.ask("POST", path, headers=headers)
            self.require(again, {200, 201})
            if self._receipt(again.json()) != own.versions[-1]:
                raise Violation(f"{own.id}: {answer.text}, and sent again {again.text}")
        if self._chance.random() < 0.3:
            read, _ = await self.ask("GET", f"/api/v1/records/{own.id}")
            self.require(read, {200})
            if read.json()["register"]["hash"] != own.versions[-1].hash:
                raise Violation(f"{own.id} is not what was just published: {read.text[:200]}")

    def _published_as(self, own: Own, document: dict[str, Any], answer: dict[str, Any]) -> None:
        receipt = self._receipt(answer)
        if receipt.id != own.id or receipt.version != len(own.versions) + 1:
            raise Violation(f"{own.id}: version {len(own.versions) + 1} was answered {receipt}")
        own.versions = [*own.versions, receipt]
        own.document, own.withdrawn = document, False

    async def _filed(
        self, method: str, path: str, body: dict[str, Any], headers: dict[str, str]
    ) -> dict[str, Any]:
        """Do what appends an entry, sometimes twice; give its receipt."""
        headers = self._keyed(headers)
        answer, lost = await self.ask(method, path, body=body, headers=headers)
        self.require(answer, {200, 201})
        if lost or self._chance.random() < 0.2:
            again, _ = await self.ask(method, path, body=body, headers=headers)
            self.require(again, {200, 201})
            if again.json()["hash"] != answer.json()["hash"]:
                raise Violation(f"{path}: {answer.text}, and sent again {again.text}")
        return dict(answer.json())

    def _receipt(self, answer: dict[str, Any], *, version: bool = True) -> Receipt:
        receipt = Receipt(
            id=answer["id"],
            entry=answer["entry"],
            hash=answer["hash"],
            version=answer["version"] if version else None,
        )
        self.acknowledged.append(receipt)
        return receipt

    def _cuts(self, own: Own) -> bool:
        cut = self._chance.random() < 0.05
        own.cut = own.cut or cut
        return cut

    def _keyed(self, headers: dict[str, str]) -> dict[str, str]:
        if self._chance.random() < 0.5:
            return headers
        return headers | {"idempotency-key": secrets.token_hex(8)}

    def _next_document(self, own: Own) -> dict[str, Any]:
        own.edits += 1
        return self._document(own.id, f"{self.name}-{own.number}.{own.edits}")

    def _document(self, record: str, text: str) -> dict[str, Any]:
        document = copy.deepcopy(_DOCUMENT)
        document["id"] = record
        document["source_id"] = record
        document["system_version"] = text
        document["name"] = {tag: f"{name} {record}" for tag, name in document["name"].items()}
        note = {"ar": f"تصحيح المعلومات: {text}", "fr": f"Correction des informations : {text}"}
        document["publication"] = document["publication"] | {"change_note": note}
        return document


def _readable() -> dict[str, Any]:
    return dict(json.loads(_MODEL.read_text(encoding="utf-8")))


_DOCUMENT = _readable()
