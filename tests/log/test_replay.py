"""The walk along a log: what an entry or content may not be, whoever has signed it."""

import datetime as dt

import msgspec
from msgspec.structs import replace

from registry.log.blob import KeptSection, content_file, verdict_digest
from registry.log.disclosure_tree import commitments, seal
from registry.log.entry import (
    AgencyMove,
    AttestationEntry,
    GenesisEntry,
    KeyEntry,
    PeerEntry,
    PolicyEntry,
    RedactionEntry,
    SourceEntry,
    StatedVerdict,
    VersionEntry,
    WithdrawalEntry,
    entry_bytes,
    named_agency,
    previous_entry,
    timestamp,
)
from registry.log.replay import LogInconsistent, LogReplay
from registry.record.canonical import canonical
from registry.record.pack import Agency
from registry.record.short_code import candidates
from registry.tlog.hashing import leaf_hash
from registry.tlog.keys import Signer

AT = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
DAY = AT.date()
FIRST, SECOND = (Signer(name="a.example/log", seed=bytes([seed]) * 32) for seed in (1, 2))
ID, FOREIGN = "demo-sante/lits", "us.sea/ice"
SECTIONS = seal({"name": {"fr": "Lits"}, "note": {"fr": "x"}}, bytes)
REPLACED = [{"pointer": "/name/fr", "versions": [1], "value": "[…]"}]
VERDICT = {
    "missing": ["/risk"],
    "findings": [{"pointer": "/risk", "rule": "R1", "severity": "warning", "message": "Missing."}],
    "salt": "A" * 43,
}
SOURCE = PeerEntry(index=1, leaf="00", at="2026-11-24T12:00:00Z", version=1)
STATED = {"rules": "1", "completeness": 7, "accountability": 3}


class Log:
    """A log with an entry of each kind, and the content of each."""

    def __init__(self, replaced=REPLACED, verdict=VERDICT):
        self.entries, self.contents, self.last = [], [], {}
        said = {"actor": "demo-sante", "at": timestamp(AT)}
        genesis = {"origin": FIRST.name, "key": FIRST.verifier_key, "schema": ""}
        self.add(GenesisEntry(at=timestamp(AT), **genesis))
        stated = StatedVerdict(**STATED, digest=verdict_digest(verdict))
        version = {"schema": "1.0", "risk": "high", "sector": None, "status": None}
        version |= said | {"verdict": stated}
        self.verdict = verdict
        replaced = seal({"replaced": replaced}, bytes)
        for number in (1, 2):
            code = next(candidates(ID)) if number == 1 else None
            self.chain(VersionEntry, **version, id=ID, version=number, code=code, sections=SECTIONS)
        self.chain(
            VersionEntry, **version, id=FOREIGN, version=1, sections=SECTIONS, origin="us", run=1,
            moved=AgencyMove(before="us.air", to="us.sea"), changed_on="2026-01-01", undated=True,
            source=SOURCE,
        )  # fmt: skip
        self.chain(
            SourceEntry, **said, id=FOREIGN, origin="us", version=1, state="gone", day=DAY, run=1
        )
        self.chain(
            RedactionEntry, **said, confirmed_by="other", id=ID, versions=[1],
            pointers=["/name/fr"], basis="data_protection", sections=replaced,
        )  # fmt: skip
        self.chain(
            WithdrawalEntry, **said, id=ID, version=2, reason="other", sections=SECTIONS,
            source=SOURCE,
        )  # fmt: skip
        self.chain(
            AttestationEntry, **said, agency="demo-sante", day=DAY, systems_total=4,
            sections=SECTIONS,
        )  # fmt: skip
        agency = Agency(id="demo-sante", name={"fr": "Santé"}, kind="agency", fictitious=True)
        self.add(replace(named_agency("demo-sante", agency, None), at=timestamp(AT)))
        self.chain(
            RedactionEntry, **said, confirmed_by="other", agency="demo-sante", entries=[7],
            pointers=["/note"], basis="data_protection",
        )  # fmt: skip
        self.add(KeyEntry(**said, key=SECOND.verifier_key, follows=FIRST.verifier_key))
        self.add(PolicyEntry(**said, policy="quorum none\n"))

    def chain(self, kind, *, sections=(), **members):
        entry = kind(**members, prev=None, sections=commitments(sections))
        entry = replace(entry, prev=self.last.get(entry.subject))
        self.add(entry, sections)
        leaf = leaf_hash(self.entries[-1])
        self.last[entry.subject] = previous_entry(len(self.entries) - 1, leaf)

    def add(self, entry, sections=()):
        kept = [KeptSection(key=one.key, value=one.value, salts=one.salts) for one in sections]
        content = msgspec.json.decode(content_file(len(self.entries), kept))
        if isinstance(entry, VersionEntry):
            content["verdict"] = self.verdict
        self.contents.append(canonical(content))
        self.entries.append(entry_bytes(entry))


def read(entries, contents):
    """Replay a log, and return the kinds of its entries."""
    replay, kinds = LogReplay(), []
    for index, (entry, content) in enumerate(zip(entries, contents, strict=True)):
        stated = replay.step("entries", index, entry)
        replay.step_content("content", index, stated, content)
        kinds.append(stated.kind)
    replay.check_erased()
    return kinds


ODD = (None, True, -1, "x", [[]], [""], {})


def altered(value):
    """Yield a JSON value with something odd in each place of it, and without each member."""
    yield from (one for one in ODD if one != value)
    if isinstance(value, dict):
        for name, part in value.items():
            yield {other: one for other, one in value.items() if other != name}
            yield from (value | {name: one} for one in altered(part))
        yield from (value | {name: one} for name in ("code", "id", "agency") for one in ODD)
    if isinstance(value, list):
        for at, part in enumerate(value):
            yield from ([*value[:at], one, *value[at + 1 :]] for one in altered(part))


def test_every_kind_of_entry_is_read():
    log = Log()
    assert read(log.entries, log.contents) == [
        "genesis", "version", "version", "version", "source", "redaction", "withdrawal",
        "attestation", "agency", "redaction", "key", "policy",
    ]  # fmt: skip


def test_whatever_an_entry_says_is_read_or_refused():
    log = Log()
    refused = 0
    for index, entry in enumerate(log.entries):
        for other in altered(msgspec.json.decode(entry)):
            changed = [*log.entries[:index], canonical(other), *log.entries[index + 1 :]]
            try:
                read(changed[: index + 1], log.contents[: index + 1])
            except LogInconsistent:
                refused += 1
    assert refused > 1000


def test_whatever_a_content_says_is_read_or_refused():
    refused = 0
    contents = [
        *({"replaced": one} for one in altered(REPLACED)),
        *({"verdict": VERDICT | {"findings": one}} for one in altered(VERDICT["findings"])),
        *({"verdict": VERDICT | {"missing": one}} for one in altered(VERDICT["missing"])),
    ]
    for one in contents:
        log = Log(**one)
        try:
            read(log.entries, log.contents)
        except LogInconsistent:
            refused += 1
    assert refused > len(contents) / 2
