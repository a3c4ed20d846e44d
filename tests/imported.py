"""A register with the demonstration corpus and, where they are, real records of others."""

import secrets

from registry.exchange.convert import convert_file
from registry.exchange.crosswalk import load_crosswalk
from registry.exchange.outcome import ForeignRecord
from registry.exchange.report import ImportReport
from registry.record.fast_validator import FastValidator
from registry.services.context import ServiceContext
from registry.services.importing import import_foreign
from registry.services.loading import load
from tests.conftest import NOW, ROOT

_SHARED = ROOT.parent / "shared" / "data"
_REGISTERS = {
    "us-omb-2025": _SHARED / "us-omb-2025" / "2025_individually_reported_AI_use_cases.csv",
    "nl-algoritmeregister": _SHARED / "nl" / "algoritmes_2026-08-08.json",
}


async def load_and_import(database, pack, *, every):
    """File the demonstration corpus and every so many of the foreign records."""
    context = ServiceContext(database=database, pack=pack, random=secrets.token_bytes)
    for name, path in _REGISTERS.items():
        if path.exists():
            outcomes = convert_file(
                load_crosswalk(name),
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
            await import_foreign(context, filings, now=lambda: NOW)
    await load(context, ROOT / "records", now=lambda: NOW)
