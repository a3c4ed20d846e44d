"""A register with the demonstration corpus and, where they are, real records of others."""

import secrets
from functools import partial

import msgspec

from registry.imports.convert import convert_file
from registry.imports.crosswalk import load_crosswalk
from registry.imports.identity import record_key
from registry.imports.report import ForeignRecord, ImportReport
from registry.record.fast_validator import FastValidator
from registry.record.origin import Origin
from registry.services.context import ServiceContext
from registry.services.filing.loading import load
from registry.services.importing.importing import import_foreign
from registry.services.importing.matching import RecordKey
from registry.store.imports import ImportFile
from tests.conftest import NOW, ROOT
from tests.published import given_times

_SHARED = ROOT.parent / "shared" / "data"
REGISTERS = {
    "us-omb-2025": _SHARED / "us-omb-2025" / "2025_individually_reported_AI_use_cases.csv",
    "nl-algoritmeregister": _SHARED / "nl" / "algoritmes_2026-08-08.json",
}


async def import_filings(context, filings, *, now=lambda: NOW, origin=None, **options):
    """Import filings of one register, as a file of it; without keys by their proposed ids.

    `origin` is its code, or all that is known of it.
    """
    [code] = {origin} if origin else {one.agency.origin for one in filings}
    known = code if isinstance(code, Origin) else Origin(code=code, title=code.upper())
    keyed = [
        one if one.of or one.source_id else msgspec.structs.replace(one, of=(one.document["id"],))
        for one in filings
    ]

    def key_of(document, agency, source_id):
        if source_id:
            return RecordKey(agency=agency, source_id=source_id, of=(), telling_apart=())
        return RecordKey(agency=agency, source_id="", of=(document["id"],), telling_apart=())

    file = {
        "origin": known,
        "name": "file.csv",
        "sha256": "00" * 32,
        "crosswalk_sha256": "11" * 32,
        "complete": options.pop("complete", False),
        "as_of": options.pop("as_of", None),
    }
    options.setdefault("key_of", key_of)
    return await import_foreign(context, ImportFile(**file), keyed, now=now, **options)


async def load_and_import(database, pack, *, every):
    """File the demonstration corpus and every so many of the foreign records."""
    context = ServiceContext(
        database=database, pack=pack, random=secrets.token_bytes, guard=given_times()
    )
    for name, path in REGISTERS.items():
        if path.exists():
            crosswalk = load_crosswalk(name)
            bring = partial(import_filings, context, key_of=partial(record_key, crosswalk))
            outcomes = convert_file(
                crosswalk,
                path,
                pack=pack,
                today=NOW.date(),
                report=ImportReport(origin=name),
                fast=FastValidator(),
            )
            filings = [
                one
                for number, one in enumerate(outcomes)
                if isinstance(one, ForeignRecord) and number % every == 0
            ]
            # Some are gone for a while, and some of these are back.
            await bring(filings)
            there = [one for number, one in enumerate(filings) if number % 20]
            await bring(there, complete=True)
            await bring(filings[::40])
    await load(context, ROOT / "records", now=lambda: NOW)
