"""A small corpus: the demonstration records, one foreign record, one withdrawn, one restricted."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
import os
import shutil
from typing import TYPE_CHECKING

import html5lib
import msgspec
import pytest

from registry import resources
from registry.errors import Finding
from registry.log.register import (
    Attestation,
    LogLine,
    Register,
    StoredRecord,
    VersionLine,
    Withdrawal,
)
from registry.pages.build.plan import all_pages
from registry.pages.site import open_site
from registry.pages.snapshot import RegisterState, Snapshot
from registry.record.origin import Origin
from registry.record.pack import Agency, load_pack
from registry.record.short_code import candidates
from registry.record.validate import validate
from registry.settings import Settings
from registry.store.imports import ImportCounts, ImportRun, OriginSize
from tests.built import TEMPLATES, build
from tests.prepared import copy_prepared

from .counted import count

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = Settings(base_url="https://register.example/sub", console="on")
PACK = load_pack("ma")
FILED = dt.datetime(2026, 10, 1, 9, tzinfo=dt.UTC)
LANGUAGES = {"ar": "rtl", "fr": "ltr", "zgh": "rtl", "en": "ltr"}

FOREIGN = {
    "id": "us.demo/letter-sorting",
    "schema_version": "1.0",
    "name": {"en": "Letter sorting"},
    "summary": {"en": "Sorts incoming letters."},
    "lifecycle": {"status": "in_use"},
}


OLD_FINDING = Finding(
    pointer="/name", rule="R99", severity="warning", message="Noticed by an older rule."
)


def stored(document, *, entry=1, notes=(None,), days=(), findings=(), **register):
    raw = json.dumps(document, ensure_ascii=False).encode()
    leaf = hashlib.sha256(raw).hexdigest()
    facts = {
        "version": len(notes),
        "state": "published",
        "published_at": FILED,
        "superseded_at": None,
        "hash": leaf,
        "entry": entry,
        "origin": None,
        "fictitious": False,
        "completeness": 87,
        "accountability": 80,
        "missing": ["/purpose/goal"],
        "findings": msgspec.Raw(msgspec.json.encode(findings)),
        "redacted": [],
        "code": None if register.get("origin") else next(candidates(document["id"])),
    }
    versions = [
        VersionLine(
            version=n,
            published_at=FILED,
            hash=leaf,
            entry=entry - 2 * (len(notes) - n),
            change_note=note,
            **({"changed_on": days[n - 1]} if days and days[n - 1] else {}),
        )
        for n, note in enumerate(notes, start=1)
    ]
    return StoredRecord(
        id=document["id"],
        agency=document["id"].split("/")[0],
        document=raw,
        register=Register(**(facts | register)),
        versions=versions,
    )


def withdrawal(entry, *, version, reason="merged_into", note=None, successor=None):
    return Withdrawal(
        version=version,
        reason=reason,
        note=note,
        successor=successor,
        withdrawn_at=dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC),
        entry=entry,
        hash=f"{entry:064x}",
        redacted=[],
    )


def attestation(agency, systems, note=None):
    return Attestation(
        agency=agency,
        day=dt.date(2026, 9, 30),
        systems_total=systems,
        uses_none=systems == 0,
        contact={"email": f"algorithmes@{agency}.example"},
        note=note,
        filed_at=dt.datetime(2026, 10, 3, 9, tzinfo=dt.UTC),
        entry=35,
        hash="ef" * 32,
        records=0,
        redacted=[],
    )


@functools.cache
def demonstration():
    """The demonstration records, each as its last version."""
    found = []
    for path in sorted(resources.RECORDS.glob("*/*.json")):
        if not path.stem.rpartition(".")[2].isdigit():
            document = msgspec.json.decode(path.read_bytes())
            verdict = validate(document, profile="publication", pack=PACK, today=FILED.date())
            earlier = sorted(path.parent.glob(f"{path.stem}.[0-9]*.json"))
            said = [
                msgspec.json.decode(file.read_bytes()).get("publication") or {}
                for file in [*earlier, path]
            ]
            notes, days = ([one.get(key) for one in said] for key in ("change_note", "changed_on"))
            found.append(
                stored(document, notes=notes, days=days, fictitious=True, findings=verdict.findings)
            )
    return found


@functools.cache
def earlier_versions():
    """The demonstration records' versions before the last, by record."""
    found = {}
    for path in sorted(resources.RECORDS.glob("*/*.[0-9]*.json")):
        document = msgspec.json.decode(path.read_bytes())
        before = found.setdefault(document["id"], [])
        before.append(
            stored(document, notes=[None] * (len(before) + 1), fictitious=True, superseded_at=FILED)
        )
    return found


def import_run(number, **facts):
    """An import of the other register of the corpus; `facts` may hold counts."""
    counts = {name: facts.pop(name) for name in ImportCounts.__struct_fields__ if name in facts}
    run = {
        "id": number,
        "origin": "us-demo",
        "begun_at": FILED + dt.timedelta(days=number),
        "ended_at": FILED + dt.timedelta(days=number, minutes=1),
        "file_name": f"inventory-{number}.csv",
        "file_sha256": f"{number:064x}",
        "crosswalk_sha256": "11" * 32,
        "as_of": dt.date(2026, 9, number),
        "complete": True,
        "counts": ImportCounts(**counts),
    }
    return ImportRun(**run | facts)


RUNS = (
    import_run(3, rows=9, records=9, unchanged=9),
    import_run(2, ended_at=None, as_of=None, complete=False, added=250),
    import_run(1, added=3, changed=2, undated=1, moved=4, gone=1, returned=2, refused=5),
)


def make_corpus(*more, log_size=40, runs=RUNS, demonstrated=True):
    """The corpus with more records, or others in their places; with the demonstration, or not."""
    foreign = Agency(
        id="us.demo", name={"en": "Department of Letters"}, kind="other", origin="us-demo"
    )
    restricted = {
        "id": "demo-securite/restricted",
        "schema_version": "1.0",
        "sector": {"primary": "public_safety"},
        "risk": {"level": "high"},
        "lifecycle": {"status": "in_use"},
        "publication": {
            "visibility": "restricted",
            "restriction": {"ground": "state_security", "authority": "Comité fictif"},
        },
    }
    gone = {
        "id": "demo-sante/gone",
        "name": {"fr": "Système retiré"},
        "risk": {"level": "high"},
        "contact": {"email": "algorithmes@demo-sante.example"},
    }
    gone_restricted = restricted | {"id": "demo-sante/gone-restricted"}
    back = {"id": "demo-sante/back", "name": {"fr": "Système revenu"}}
    records = {
        record.id: record
        for record in (
            *(demonstration() if demonstrated else ()),
            stored(FOREIGN, origin="us-demo", findings=[OLD_FINDING]),
            stored(restricted, fictitious=True),
            stored(gone, entry=30, notes=(None, None), fictitious=True, state="withdrawn"),
            stored(gone_restricted, fictitious=True, state="withdrawn"),
            stored(back, entry=33, notes=(None, None), fictitious=True),
            *more,
        )
    }
    ordered = [records[name] for name in sorted(records)]
    agencies = {**PACK.agencies, "us.demo": foreign}
    withdrawals = {
        "demo-sante/back": [withdrawal(32, version=1, reason="court_order")],
        "demo-sante/gone": [
            withdrawal(
                31,
                version=2,
                note={"fr": "Fusionné avec les lits."},
                successor="demo-sante/back",
            )
        ],
        "demo-sante/gone-restricted": [withdrawal(34, version=1, reason="other")],
    }
    attestations = {
        "demo-sante": attestation("demo-sante", 12, note={"ar": "بما فيها التجريبية."}),
        "hcp": attestation("hcp", 0),
        "dgi": attestation("dgi", 7),
    }
    return Snapshot(
        pack=PACK,
        register=RegisterState(size=log_size, root="cd" * 32),
        agencies=agencies,
        records=ordered,
        earlier=(earlier_versions() if demonstrated else {})
        | {
            name: [stored({"id": name}, fictitious=True, superseded_at=FILED)]
            for name in ("demo-sante/gone", "demo-sante/back")
        },
        counted=count(ordered, agencies, attestations),
        log=lines(ordered, withdrawals, attestations),
        as_of=dt.datetime(2026, 11, 24, tzinfo=dt.UTC),
        withdrawals=withdrawals,
        attestations=attestations,
        origins={
            "us-demo": Origin(
                code="us-demo",
                title="A demo inventory",
                publisher="Office of Demonstrations",
                licence="CC0-1.0",
                homepage="https://inventory.example/",
                country="US",
                language="en",
            )
        },
        sizes={"us-demo": OriginSize(records=1, gone=1)},
        imports={"us-demo": list(runs)},
    )


def lines(records, withdrawals, attestations):
    """The log of a corpus: what happened to its records, what its agencies stated."""
    found = [
        LogLine(index=one.entry, at=one.published_at, kind="version", subject=record.id)
        for record in records
        for one in record.versions
    ]
    found += [
        LogLine(index=one.entry, at=one.withdrawn_at, kind="withdrawal", subject=record)
        for record, several in withdrawals.items()
        for one in several
    ]
    found += [
        LogLine(index=one.entry, at=one.filed_at, kind="attestation", subject=one.agency)
        for one in attestations.values()
    ]
    return sorted(found, key=lambda line: (line.index, line.subject))


def parse(path: Path):
    return parsed(path.read_text("utf-8"))


def parsed(text):
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(text)


class Rendered:
    """The site of a snapshot, of which each file is rendered when it is asked for."""

    def __init__(self, snapshot, *, settings=SETTINGS, description=None):
        site = open_site(
            snapshot,
            settings.base_url,
            security_contact=settings.security_contact,
            has_console=settings.has_console,
            bytecode=TEMPLATES,
        )
        self.pages = {page.file: page for page in all_pages(site, description)}

    def text(self, file):
        return self.pages[file].render().decode("utf-8-sig")

    def page(self, file):
        return parsed(self.text(file))


def files(out: Path):
    folder = out.resolve()
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="package")
def corpus():
    return make_corpus()


@pytest.fixture(scope="package")
def built(corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    copy_prepared("pages", lambda made: build(corpus, out=made / "site", settings=SETTINGS), folder)
    return folder / "site"


@pytest.fixture(scope="package")
def site(built):
    return built.resolve()


def copied(built, folder):
    """Return a site that is built once more, for builds that follow; it shares its files."""
    shutil.copytree(built.parent, folder, symlinks=True, copy_function=os.link, dirs_exist_ok=True)
    return folder / "site"


@pytest.fixture(scope="package")
def pages(site):
    """Every page of the site, strictly parsed, by path."""
    return {path.relative_to(site).as_posix(): parse(path) for path in sorted(site.rglob("*.html"))}
