"""The walk along a log: what an entry or content may not be, whoever has signed it."""

import datetime as dt

import msgspec

from registry.ledger.register_replay import RegisterReplay
from registry.ledger.replay import LogInconsistent, LogReplay, check_erased, step, step_content
from registry.record.agency_entry import agency_entry
from registry.record.canonical import canonical
from registry.record.content_file import KeptSection, content_file
from registry.record.entry import (
    Imported,
    Outline,
    PeerEntry,
    Previous,
    attestation_entry,
    redaction_entry,
    source_entry,
    version_entry,
    withdrawal_entry,
)
from registry.record.kept_verdict import verdict_digest
from registry.record.log_entry import genesis_entry, key_entry, policy_entry
from registry.record.pack import Agency
from registry.record.sections import seal
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
        said = {"actor": "demo-sante", "at": AT}
        self.add(genesis_entry(at=AT, origin=FIRST.name, key=FIRST.verifier_key, schema_sha256=""))
        version = said | {"schema": "1.0", "stated": Outline(risk="high", sector=None, status=None)}
        digest = verdict_digest(verdict)
        self.verdict = verdict
        replaced = seal({"replaced": replaced}, bytes)
        for number in (1, 2):
            code = next(candidates(ID)) if number == 1 else None
            self.chain(
                ID, version_entry, **version, record=ID, version=number, agency="demo-sante",
                code=code, imported=None, sections=SECTIONS, verdict=STATED | {"digest": digest},
            )  # fmt: skip
        imported = Imported(
            origin="us", run=1, moved_from="us.air", changed_on="2026-01-01", undated=True,
            source=SOURCE,
        )  # fmt: skip
        self.chain(
            FOREIGN, version_entry, **version, record=FOREIGN, version=1, agency="us.sea",
            imported=imported, sections=SECTIONS, verdict=STATED | {"digest": digest},
        )  # fmt: skip
        self.chain(
            FOREIGN, source_entry, **said, record=FOREIGN, origin="us", version=1, state="gone",
            day=DAY, run=1,
        )  # fmt: skip
        self.chain(
            ID, redaction_entry, **said, confirmed_by="other", record=ID, agency=None, versions=[1],
            entries=[], pointers=["/name/fr"], basis="data_protection", sections=replaced,
        )  # fmt: skip
        self.chain(
            ID, withdrawal_entry, **said, record=ID, version=2, reason="other", sections=SECTIONS,
            source=SOURCE,
        )  # fmt: skip
        self.chain(
            "demo-sante", attestation_entry, **said, agency="demo-sante", day=DAY, systems_total=4,
            sections=SECTIONS,
        )  # fmt: skip
        agency = Agency(id="demo-sante", name={"fr": "Santé"}, kind="agency", fictitious=True)
        self.chain("agency", agency_entry, **said, agency=agency)
        attested = redaction_entry(
            **said,
            confirmed_by="other",
            record=None,
            agency="demo-sante",
            versions=[],
            entries=[7],
            pointers=["/note"],
            basis="data_protection",
            previous=None,
            sections=(),
        )
        self.add(attested)
        self.add(key_entry(**said, key=SECOND.verifier_key, follows=FIRST.verifier_key))
        self.add(policy_entry(**said, policy="quorum none\n"))

    def chain(self, subject, make, *, sections=(), **members):
        if make not in {source_entry, agency_entry}:
            members["sections"] = sections
        self.add(make(**members, previous=self.last.get(subject)), sections)
        self.last[subject] = Previous(index=len(self.entries) - 1, leaf=leaf_hash(self.entries[-1]))

    def add(self, entry, sections=()):
        kept = [KeptSection(key=one.key, value=one.value, salts=one.salts) for one in sections]
        content = msgspec.json.decode(content_file(len(self.entries), kept))
        if b'"verdict"' in entry:
            content["verdict"] = self.verdict
        self.contents.append(canonical(content))
        self.entries.append(entry)


def read(entries, contents):
    """Walk along a log as far as one who replays the register does."""
    walk, replay = LogReplay(), RegisterReplay()
    for index, (entry, content) in enumerate(zip(entries, contents, strict=True)):
        said = step(walk, "entries", index, entry)
        replay.take(index, said, step_content(walk, "content", index, said, content))
    check_erased(walk)
    replay.finish([leaf_hash(entry) for entry in entries])
    return replay


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
    replay = read(log.entries, log.contents)
    assert [line.kind for line in replay.log] == [
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
