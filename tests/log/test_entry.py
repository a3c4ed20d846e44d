"""Log entries: canonical, small, and silent about what may have to be erased."""

import base64
import datetime as dt
import hashlib
import json
import secrets

import msgspec
import pytest
import rfc8785

from registry.log.disclosure_tree import commitments, seal
from registry.log.entry import (
    ENTRY_KINDS,
    Previous,
    StatedVerdict,
    VersionEntry,
    WithdrawalEntry,
    entry_bytes,
    entry_summary,
    previous_entry,
    read_entry,
    timestamp,
)
from registry.record.canonical import canonical
from registry.resources import SCHEMAS
from tests.conftest import ROOT

AT = dt.datetime(2026, 11, 24, 13, 5, 9, tzinfo=dt.UTC)
KEPT = ROOT / "tests/data/log/entries.jsonl"
LARGEST = 8 * 1024
VERDICT = StatedVerdict(rules="1", completeness=100, accountability=7, digest="A" * 43)
MEMBERS = {
    "actor", "at", "id", "kind", "prev", "risk", "schema", "sections", "sector", "status", "v",
    "verdict", "version",
}  # fmt: skip


def entry_of(document, *, origin=None, previous=None, actor="dgi"):
    return entry_bytes(
        VersionEntry(
            actor=actor,
            at=timestamp(AT),
            id=document["id"],
            version=3,
            schema="1.0",
            **msgspec.structs.asdict(entry_summary(document)),
            prev=previous,
            sections=commitments(seal(document, secrets.token_bytes)),
            verdict=VERDICT,
            origin=origin,
        )
    )


def values(value):
    if isinstance(value, dict):
        for part in value.values():
            yield from values(part)
    elif isinstance(value, list):
        for part in value:
            yield from values(part)
    else:
        yield value


@pytest.fixture
def complete():
    return json.loads((SCHEMAS / "examples/complete.json").read_bytes())


def test_an_entry_says_what_the_log_page_shows(complete):
    previous = Previous(index=41, leaf="ab" * 32)
    content = entry_of(complete, previous=previous)
    entry = json.loads(content)
    assert set(entry) == MEMBERS
    assert (entry["kind"], entry["v"], entry["version"]) == ("version", 1, 3)
    assert (entry["actor"], entry["at"]) == ("dgi", "2026-11-24T13:05:09Z")
    assert entry["prev"] == {"index": 41, "leaf": "ab" * 32}
    assert entry["risk"] == complete["risk"]["level"]
    assert entry["sector"] == complete["sector"]["primary"]
    assert entry["status"] == complete["lifecycle"]["status"]
    assert set(entry["sections"]) == set(complete)
    assert all(len(base64.urlsafe_b64decode(c + "=")) == 32 for c in entry["sections"].values())


def test_an_entry_is_canonical_small_and_has_no_fractions(complete):
    for content in (entry_of(complete), entry_of(complete, origin="us-omb-2025")):
        assert rfc8785.dumps(json.loads(content)) == content
        assert len(content) <= LARGEST
        assert not any(isinstance(value, float) for value in values(json.loads(content)))


def test_a_first_version_has_no_previous_entry_and_what_is_not_stated_is_null(complete):
    document = {"id": "us.hhs/x", "name": {"en": "X"}}
    entry = json.loads(entry_of(document, origin="us-omb-2025", actor="ma"))
    assert entry["prev"] is entry["risk"] is entry["sector"] is entry["status"] is None
    assert entry["origin"] == "us-omb-2025"
    assert "origin" not in json.loads(entry_of(complete))


def test_no_unsalted_digest_of_the_document_is_in_the_entry(complete):
    content = entry_of(complete)
    told = {content.decode()} | {str(value) for value in values(json.loads(content))}
    parts = [complete, *complete.values()]
    for part in parts:
        for raw in (
            canonical(part),
            json.dumps(part).encode(),
            json.dumps(part, ensure_ascii=False).encode(),
        ):
            for algorithm in (hashlib.sha256, hashlib.sha1, hashlib.md5, hashlib.sha512):
                hashed = algorithm(raw).digest()
                for form in (hashed.hex(), base64.urlsafe_b64encode(hashed).decode().rstrip("=")):
                    assert not any(form in text for text in told)


def test_nothing_that_a_person_wrote_is_in_the_entry(complete):
    content = entry_of(complete).decode()
    allowed = {complete["id"], complete["schema_version"]}
    allowed |= {
        entry_summary(complete).risk,
        entry_summary(complete).sector,
        entry_summary(complete).status,
    }
    for value in values(complete):
        if isinstance(value, str) and len(value) > 12 and value not in allowed:
            assert value not in content


def test_the_summary_of_a_document_of_any_shape_does_not_fail():
    assert entry_summary({}) == entry_summary(
        {"risk": "high", "sector": [], "lifecycle": {"status": 3}}
    )


@pytest.mark.parametrize("written", KEPT.read_bytes().splitlines(), ids=lambda one: one[:60])
def test_an_entry_of_each_kind_is_written_as_it_was_read(written):
    entry = read_entry(written)
    assert entry_bytes(entry) == written == rfc8785.dumps(json.loads(written))
    assert entry.kind == json.loads(written)["kind"]


def test_entries_are_kept_of_every_kind():
    assert {read_entry(one).kind for one in KEPT.read_bytes().splitlines()} == {*ENTRY_KINDS}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"kind": "decree"}, "of no kind that this program knows"),
        ({"kind": ["version"]}, "of no kind that this program knows"),
        ({"v": 2}, "is not as entries of its kind are"),
        ({"at": "2026-11-24T13:05:09+01:00"}, "is not a time as entries state it"),
        ({"at": "2026-02-30T00:00:00Z"}, "is not as entries of its kind are"),
        ({"policy": 7}, "is not as entries of its kind are"),
    ],
)
def test_what_is_no_entry_is_refused(changed, why):
    entry = {"v": 1, "kind": "policy", "actor": "x", "at": timestamp(AT), "policy": "quorum none"}
    assert read_entry(canonical(entry | {"more": 1})).policy == "quorum none"
    for wrong in (entry | changed, {key: entry[key] for key in entry if key not in changed}):
        with pytest.raises(ValueError, match=why if wrong == entry | changed else "it is"):
            read_entry(canonical(wrong))


def test_what_is_not_canonical_is_no_entry():
    for content in (b"", b"[]", b"{", b'{"v":1,"kind":"policy"}', b"[" * 100_000):
        with pytest.raises(ValueError, match="it is not"):
            read_entry(content)


def test_the_entry_of_a_withdrawal_commits_to_its_note():
    note = {"fr": "Déposé deux fois, par erreur."}
    [section] = seal({"note": note}, secrets.token_bytes)
    content = entry_bytes(
        WithdrawalEntry(
            actor="dgi",
            at=timestamp(AT),
            id="dgi/x",
            version=3,
            reason="filed_in_error",
            prev=previous_entry(41, b"\xab" * 32),
            sections=commitments([section]),
        )
    )
    assert json.loads(content) == {
        "v": 1,
        "kind": "withdrawal",
        "actor": "dgi",
        "at": "2026-11-24T13:05:09Z",
        "id": "dgi/x",
        "version": 3,
        "reason": "filed_in_error",
        "prev": {"index": 41, "leaf": "ab" * 32},
        "sections": {"note": section.commitment},
    }
    assert note["fr"].encode() not in content


def test_times_are_whole_seconds_of_utc():
    rabat = dt.timezone(dt.timedelta(hours=1))
    assert timestamp(AT.astimezone(rabat).replace(microsecond=999_999)) == "2026-11-24T13:05:09Z"
