"""Log entries: canonical, small, and silent about what may have to be erased."""

import base64
import datetime as dt
import hashlib
import json
import secrets

import pytest
import rfc8785

from registry.record.canonical import canonical
from registry.record.entry import (
    Imported,
    Previous,
    attestation_entry,
    outline,
    timestamp,
    version_entry,
    withdrawal_entry,
)
from registry.record.log_entry import genesis_entry
from registry.record.sections import seal

AT = dt.datetime(2026, 11, 24, 13, 5, 9, tzinfo=dt.UTC)
LARGEST = 8 * 1024
VERDICT = {"rules": "1", "completeness": 100, "accountability": 7, "digest": "A" * 43}
MEMBERS = {
    "actor", "at", "id", "kind", "prev", "risk", "schema", "sections", "sector", "status", "v",
    "verdict", "version",
}  # fmt: skip


def entry_of(document, *, origin=None, previous=None, actor="dgi"):
    return version_entry(
        actor=actor,
        at=AT,
        record=document["id"],
        version=3,
        schema="1.0",
        stated=outline(document),
        agency=document["id"].split("/")[0],
        imported=None if origin is None else Imported(origin=origin),
        previous=previous,
        sections=seal(document, secrets.token_bytes),
        verdict=VERDICT,
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
def complete(examples):
    return examples["complete"]


def test_an_entry_says_what_the_log_page_shows(complete):
    previous = Previous(index=41, leaf=b"\xab" * 32)
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
    allowed |= {outline(complete).risk, outline(complete).sector, outline(complete).status}
    for value in values(complete):
        if isinstance(value, str) and len(value) > 12 and value not in allowed:
            assert value not in content


def test_the_outline_of_a_document_of_any_shape_does_not_fail():
    assert outline({}) == outline({"risk": "high", "sector": [], "lifecycle": {"status": 3}})


def test_the_genesis_entry_names_log_key_and_schema():
    content = genesis_entry(at=AT, origin="a.example/log", key="k", schema_sha256="00")
    assert rfc8785.dumps(json.loads(content)) == content
    assert json.loads(content) == {
        "v": 1,
        "kind": "genesis",
        "at": "2026-11-24T13:05:09Z",
        "origin": "a.example/log",
        "key": "k",
        "schema": "00",
    }


def test_the_entry_of_a_withdrawal_commits_to_its_note():
    note = {"fr": "Déposé deux fois, par erreur."}
    [section] = seal({"note": note}, secrets.token_bytes)
    content = withdrawal_entry(
        actor="dgi",
        at=AT,
        record="dgi/x",
        version=3,
        reason="filed_in_error",
        previous=Previous(index=41, leaf=b"\xab" * 32),
        sections=[section],
    )
    assert rfc8785.dumps(json.loads(content)) == content
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


@pytest.mark.parametrize("previous", [None, Previous(index=7, leaf=b"\x01" * 32)], ids=str)
def test_the_entry_of_an_attestation_names_agency_day_and_number(previous):
    sections = seal({"contact": {"email": "a@dgi.example"}}, secrets.token_bytes)
    content = attestation_entry(
        actor="dgi",
        at=AT,
        agency="dgi",
        day=dt.date(2026, 11, 20),
        systems_total=12,
        previous=previous,
        sections=sections,
    )
    assert rfc8785.dumps(json.loads(content)) == content
    assert json.loads(content) == {
        "v": 1,
        "kind": "attestation",
        "actor": "dgi",
        "at": "2026-11-24T13:05:09Z",
        "agency": "dgi",
        "day": "2026-11-20",
        "systems_total": 12,
        "prev": previous and {"index": 7, "leaf": "01" * 32},
        "sections": {"contact": sections[0].commitment},
    }
    assert b"a@dgi.example" not in content


def test_the_entry_of_what_took_two_says_for_whom_and_differs_in_nothing_else():
    previous, sections = Previous(index=7, leaf=b"\x01" * 32), seal({}, secrets.token_bytes)
    of_record = {"record": "dgi/x", "version": 3, "reason": "other", "previous": previous}
    of_agency = {"agency": "dgi", "day": AT.date(), "systems_total": 1, "previous": None}
    for write, said in ((withdrawal_entry, of_record), (attestation_entry, of_agency)):
        alone = write(actor="dgi", at=AT, sections=sections, **said)
        by_two = write(actor="dgi", at=AT, sections=sections, **said, approved_by="agency")
        assert canonical(json.loads(alone) | {"approved_by": "agency"}) == by_two


def test_times_are_whole_seconds_of_utc():
    rabat = dt.timezone(dt.timedelta(hours=1))
    assert timestamp(AT.astimezone(rabat).replace(microsecond=999_999)) == "2026-11-24T13:05:09Z"
