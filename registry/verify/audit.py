"""Auditing a register's answers: what its API says, compared with what its log says.

A stranger does this with nothing but the register's address: the log was verified and replayed
(`log.register`), and what follows from it is compared with what is answered, as of the last
entry of that log, so that what is filed meanwhile changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from registry.log.entry import entry_summary
from registry.log.register import RegisterReplay, ReplayedVersion, RiskMove, StoredRecord, risk_move
from registry.record.facets import PublishedState
from registry.record.model import NOT_STATED
from registry.record.origin import Origin
from registry.record.pack import Agency
from registry.record.rules import LOWERED_ANEW
from registry.record.search_document import SearchDocument, build
from registry.verify.remote_register import (
    CopiedRecord,
    RemoteAgencies,
    RemoteAnswer,
    RemoteChanges,
    RemoteRecords,
    RemoteRegister,
    RemoteStatistics,
    UnboundSource,
)
from registry.verify.statistics import CountedRegister

_LONGEST = 120


class AnswerDifference(msgspec.Struct, frozen=True, kw_only=True):
    """Where a register answers otherwise than its log says, and how."""

    at: str
    why: str


class WholeObject(dict[str, Any]):
    """An object that must have no other members."""


def unlike(log: Any, answered: Any, where: str = "") -> str | None:
    """Return in what an answer differs from what the log says: its first member that does.

    Objects may have further members, but for documents.
    """
    if isinstance(log, dict) and isinstance(answered, dict):
        return _unlike_members(log, answered, where)
    if isinstance(log, list) and isinstance(answered, list):
        for at, (one, other) in enumerate(zip(log, answered, strict=False)):
            if why := unlike(one, other, f"{where}, {at}" if where else f"item {at}"):
                return why
        if len(log) != len(answered):
            return unlike_value(f"the number of {where}", len(answered), len(log))
        return None
    said = msgspec.to_builtins(log)
    if isinstance(log, msgspec.Struct):
        return unlike(said, answered, where)
    return None if said == answered else unlike_value(where, answered, said)


def _unlike_members(log: Mapping[str, Any], answered: Mapping[str, Any], where: str) -> str | None:
    is_whole = isinstance(log, WholeObject)
    for name in sorted(log.keys() | answered.keys()) if is_whole else log:
        inner = f"{where}, {name}" if where else name
        if name not in answered or name not in log:
            return unlike_value(inner, answered.get(name), log.get(name))
        value = log[name]
        if is_whole and isinstance(value, dict):
            value = WholeObject(value)
        if why := unlike(value, answered[name], inner):
            return why
    return None


def unlike_value(where: str, answered: Any, log: Any) -> str:
    """Return that a value is another one than follows from the log."""
    return f"{where} is {_shown(answered)}, and {_shown(log)} follows from the log"


def _shown(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


LISTED = ("risk", "sector", "agency", "status", "origin", "source_state")
"""The filters of which every code is asked for, with the records that it finds."""

COUNTED = ("personal_data", "finding", "missing", "withheld", "restricted")
"""The facets that are compared by their counts alone."""

_OK, _GONE = 200, 410
_PAGE = 100
_BY = ("risk", "sector", "agency", "status")


class ApiAudit:
    """The comparison of a register's API with the replay of its log.

    `checked` counts what was compared, `unbound` what was found to be in no entry. `in_force` are
    the versions in force, by id. `lowered` has, by entry, what is answered of first versions at a
    lower level than a withdrawn record's of the same system, which a finding says and no entry.
    """

    def __init__(self, remote: RemoteRegister, replay: RegisterReplay) -> None:
        """Take a register and what its log says, of which the last entry counts."""
        self.checked: Counter[str] = Counter()
        self.unbound: Counter[str] = Counter()
        self.agencies: dict[str, Agency] = {}
        self.origins: dict[str, Origin] = {}
        self.as_of = f"entry:{replay.size - 1}"
        self.lowered: dict[int, RiskMove] = {}
        self._sources: dict[tuple[str, int], UnboundSource] = {}
        self._remote = remote
        self._replay = replay
        self._last = replay.size - 1
        self._standing = list(replay.standing(as_of=self._last))
        self.in_force = [one for one, is_in_force in self._standing if is_in_force]
        self._counts = Counter(one.agency for one in self.in_force)

    def differences(self) -> Iterator[AnswerDifference]:
        """Yield every difference; raises `Unavailable` where the register does not answer."""
        yield from self._agencies()
        yield from compare_changes(self._remote, self._replay, self.lowered, self.checked)
        yield from self._lists()
        yield from self._statistics()
        yield from self._attestations()
        for _, found in self._remote.each(self._standing, self._record):
            yield from found

    def agency(self, code: str, origin: str | None = None) -> Agency:
        """Return what is known of an agency, at least its id."""
        return self.agencies.get(code) or Agency(id=code, name={}, kind="other", origin=origin)

    def _agencies(self) -> Iterator[AnswerDifference]:
        """Read the agencies, whose names the log has where it has entries of them."""
        path = "/api/v1/agencies"
        listed = self._remote.get(path).read(RemoteAgencies)
        counted = {one.id: one.records for one in listed.items} if listed else {}
        self.agencies = {one.id: one for one in listed.items} if listed else {}
        # They are counted as the register is now: that must be as its log was verified.
        now = self._remote.get(f"/api/v1/changes?since={self._last}&limit=1").read(RemoteChanges)
        is_as_verified = now is not None and now.size == self._replay.size
        for code, agency in self._replay.agencies.items():
            known = self.agencies.get(code)
            if known is None:
                yield AnswerDifference(at=path, why=f"{code} is missing, and follows from the log")
            elif why := unlike(agency, msgspec.to_builtins(known)):
                yield AnswerDifference(at=path, why=f"{code}: {why}")
            self.agencies[code] = agency
        used = {one.agency for one, _ in self._standing} | set(self._replay.attesting)
        for code in sorted(used):
            self.checked["agencies"] += 1
            self.unbound["names"] += code not in self._replay.agencies
            if code not in self.agencies:
                yield AnswerDifference(at=path, why=f"{code} is missing, and follows from the log")
            elif is_as_verified and counted.get(code) != self._counts[code]:
                why = unlike_value(f"{code}: records", counted.get(code), self._counts[code])
                yield AnswerDifference(at=path, why=why)

    def _lists(self) -> Iterator[AnswerDifference]:
        """Compare the list of all records, the counts of facets, and what each code finds."""
        documents = {one.record: self._search_document(one) for one in self.in_force}
        path = self._listed(limit=1, facets=",".join((*LISTED, *COUNTED)))
        answer = self._remote.get(path)
        page = answer.read(RemoteRecords)
        yield from self._compare(path, answer, {"total": len(documents)})
        expected: dict[str, dict[str, set[str]]] = {}
        for record, document in documents.items():
            for kind in (*LISTED, *COUNTED):
                for code in document.codes.get(kind, ()):
                    expected.setdefault(kind, {}).setdefault(code, set()).add(record)
        questions = [("", "")]
        for kind in (*LISTED, *COUNTED):
            listed = page.facets.get(kind, []) if page is not None else []
            found = {one.code: one.count for one in listed}
            of_kind = expected.get(kind, {})
            codes = sorted(of_kind.keys() | found.keys())
            for code in codes:
                self.checked["counts"] += 1
                here, there = found.get(code, 0), len(of_kind.get(code, ()))
                if here != there:
                    yield AnswerDifference(
                        at=path, why=unlike_value(f"{kind}, {code}", here, there)
                    )
            questions += [(kind, code) for code in codes if kind in LISTED]
        for (kind, code), cards in self._remote.each(questions, self._read_list):
            ids = expected[kind].get(code, set()) if kind else documents.keys()
            yield from self._list(kind, code, cards, {one: documents[one] for one in ids})

    def _read_list(self, question: tuple[str, str]) -> list[dict[str, Any]]:
        """Return every card that a code finds; no more than a page beyond all that can be."""
        kind, code = question
        cards: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            more = {} if cursor is None else {"cursor": cursor}
            answer = self._remote.get(
                self._listed(limit=_PAGE, **({kind: code} if kind else {}), **more)
            )
            page = answer.read(RemoteRecords)
            if page is None:
                return cards
            cards += page.items
            cursor = page.next
            if cursor is None or not page.items or len(cards) > len(self.in_force):
                return cards

    def _list(
        self,
        kind: str,
        code: str,
        found: Sequence[Mapping[str, Any]],
        expected: Mapping[str, SearchDocument],
    ) -> Iterator[AnswerDifference]:
        self.checked["lists"] += 1
        path = "/api/v1/records" + (f"?{urlencode({kind: code})}" if kind else "")
        ids = {str(card.get("id")) for card in found}
        for one in sorted(expected.keys() - ids):
            yield AnswerDifference(at=path, why=f"{one} is missing, and follows from the log")
        for one in sorted(ids - expected.keys()):
            yield AnswerDifference(
                at=path, why=f"{one} is listed, and does not follow from the log"
            )
        if len(found) != len(ids):
            yield AnswerDifference(at=path, why="a record is listed twice")
        if kind:
            return
        for card in found:
            record = str(card.get("id"))
            if record not in expected:
                continue
            said = msgspec.json.decode(expected[record].card)
            if why := unlike(said, card):
                yield AnswerDifference(at=path, why=f"{record}: {why}")

    def card(self, version: ReplayedVersion) -> str:
        """Return a version as lists show it, JSON."""
        return self._search_document(version).card

    def _listed(self, **asked: Any) -> str:
        return "/api/v1/records?" + urlencode({**asked, "as_of": self.as_of}, safe=":")

    def _search_document(self, version: ReplayedVersion) -> SearchDocument:
        agency = self.agency(version.agency, version.origin)
        made = build(
            msgspec.json.decode(version.document),
            agency,
            {},
            PublishedState(
                version=version.version,
                entry=version.entry,
                published_at=version.at,
                completeness=version.completeness,
                missing=version.missing,
                findings=version.findings,
                risk_changes=(),
            ),
        )
        state = self._replay.source_state(version, as_of=self._last)
        codes = {**made.codes, **({} if state is None else {"source_state": [state]})}
        return msgspec.structs.replace(made, codes=codes)

    def _statistics(self) -> Iterator[AnswerDifference]:
        path = f"/api/v1/statistics?by={','.join(_BY)}&as_of={self.as_of}"
        answer = self._remote.get(path)
        page = answer.read(RemoteStatistics)
        counted = CountedRegister(self._replay, self.agencies, as_of=self._last)
        known = [one.agency for one in page.agencies] if page is not None else []
        log = msgspec.to_builtins(counted.statistics(_BY, known))
        self.checked["statistics"] += 1
        yield from self._compare(path, answer, log)

    def _attestations(self) -> Iterator[AnswerDifference]:
        latest = []
        for agency in self._replay.attesting:
            history = self._replay.attestations(
                agency, records=self._counts[agency], as_of=self._last
            )
            latest += history[:1]
            path = f"/api/v1/attestations?agency={quote(agency)}&as_of={self.as_of}"
            self.checked["attestations"] += len(history)
            yield from self._compare(path, self._remote.get(path), {"items": history})
        path = f"/api/v1/attestations?as_of={self.as_of}"
        yield from self._compare(path, self._remote.get(path), {"items": latest})

    def _record(self, standing: tuple[ReplayedVersion, bool]) -> list[AnswerDifference]:
        """Compare all that is answered of one record: it, its history, each of its versions."""
        last, is_in_force = standing
        record, as_of = last.record, f"as_of={self.as_of}"
        path = f"/api/v1/records/{record}"
        lines = self._replay.lines(record, as_of=self._last)
        withdrawn = self._replay.withdrawals(record, as_of=self._last)
        self.checked["records"] += 1
        self.checked["withdrawals"] += len(withdrawn)
        answer = self._remote.get(f"{path}?{as_of}")
        if is_in_force:
            found = list(self._compare(path, answer, self.answer_of(last)))
        else:
            document = msgspec.json.decode(last.document)
            stone = {
                "id": record,
                "agency": last.agency,
                "origin": last.origin,
                "name": document.get("name"),
                **msgspec.structs.asdict(entry_summary(document)),
                **msgspec.to_builtins(withdrawn[-1]),
            }
            found = list(self._compare(path, answer, {"tombstone": stone}, status=_GONE))
        answer = self._remote.get(f"{path}/versions?{as_of}")
        history = {"items": lines, "withdrawals": withdrawn}
        found += self._compare(f"{path}/versions", answer, history)
        for version in self._replay.versions[record][: len(lines)]:
            self.checked["versions"] += 1
            one = f"{path}/versions/{version.version}"
            answer = self._remote.get(f"{one}?{as_of}")
            found += self._compare(one, answer, self.answer_of(version))
        if (code := self._replay.codes.get(record)) is not None:
            path = f"/api/v1/codes/{code}"
            coded = {"code": code, "id": record, "agency": last.agency}
            found += self._compare(path, self._remote.get(path), coded)
        return found

    def stored(self, version: ReplayedVersion, *, as_of: int) -> StoredRecord:
        """Return a version as it is stored; of its source what no entry says is as answered."""
        agency = self.agencies.get(version.agency)
        stored = self._replay.stored(
            version, fictitious=bool(agency and agency.fictitious), as_of=as_of
        )
        source = stored.register.source
        if isinstance(source, msgspec.UnsetType):
            return stored
        said = self._sources.get((version.record, version.version), UnboundSource())
        known = msgspec.structs.replace(source, **msgspec.structs.asdict(said))
        register = msgspec.structs.replace(stored.register, source=known)
        return msgspec.structs.replace(stored, register=register)

    def answer_of(self, version: ReplayedVersion) -> dict[str, Any]:
        """Return what is answered of a version, without what no entry says."""
        stored = self.stored(version, as_of=self._last)
        register: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(stored.register))
        if "source" in register:
            unbound = UnboundSource.__struct_fields__
            source = register["source"]
            register["source"] = {name: source[name] for name in source if name not in unbound}
        return {"record": WholeObject(msgspec.json.decode(version.document)), "register": register}

    def _compare(
        self, path: str, answer: RemoteAnswer, log: Mapping[str, Any], *, status: int = _OK
    ) -> Iterator[AnswerDifference]:
        """Compare an answer with what the log says; members that are unknown here count nothing."""
        if answer.status != status:
            wrong = f"it answers {answer.status}, and {status} follows from the log"
            yield AnswerDifference(at=path, why=wrong)
            return
        if why := unlike(log, answer.json):
            yield AnswerDifference(at=path, why=why)
            return
        copied = answer.read(CopiedRecord)
        if copied is not None:
            source = copied.register.source
            self._sources[copied.record.id, copied.register.version] = source
            if source.register is not None:
                self.origins[source.register.code] = source.register


_AT_ONCE = 1000


def compare_changes(
    remote: RemoteRegister,
    replay: RegisterReplay,
    lowered: dict[int, RiskMove],
    checked: Counter[str],
) -> Iterator[AnswerDifference]:
    """Yield the first entry of the list that differs, if one does; count those that do not.

    `lowered` gets, by entry, what is answered of first versions at another level than another
    record's of the same system: of these a finding says that there is one, and no entry which.
    """
    since, last = -1, replay.size - 1
    while since < last:
        path = f"/api/v1/changes?origin=all&since={since}&limit={_AT_ONCE}"
        page = remote.get(f"{path}&as_of=entry:{last}").read(RemoteChanges)
        items = [] if page is None else page.items[: last - since]
        for at, item in enumerate(items, start=since + 1):
            checked["changes"] += 1
            move = _move(replay, at, item.get("risk"), lowered)
            if why := unlike({"index": at, "hash": replay.leaf(at), "risk": move}, item):
                yield AnswerDifference(at=path, why=f"entry {at}: {why}")
                return
        if not items:
            yield AnswerDifference(at=path, why=f"entry {since + 1} is missing")
            return
        since += len(items)


def _move(
    replay: RegisterReplay, index: int, answered: Any, lowered: dict[int, RiskMove]
) -> RiskMove | None:
    """Return how an entry moved a risk level; of a first version as answered, if it can be."""
    line = replay.log[index]
    versions = replay.versions.get(line.subject or "")
    first = versions[0] if versions else None
    if first is None or first.entry != index or not isinstance(answered, dict):
        return line.risk
    if LOWERED_ANEW not in {one.rule for one in first.findings}:
        return None
    move = risk_move(str(answered.get("before")), first.said.risk or NOT_STATED)
    if move is not None:
        lowered[index] = move
    return move
