"""Attestations: statements of how many systems an agency runs on a day, filed or not.

Their format is `schemas/attestation/<version>/attestation.schema.json`.
"""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Any

import msgspec

from registry.errors import Finding
from registry.record.messages import PendingFinding, message, to_finding, to_findings
from registry.record.pack import Pack
from registry.record.statements import StatementSchema
from registry.resources import SCHEMAS

SCHEMA_VERSION = "1.0"

_PATH = SCHEMAS / "attestation" / SCHEMA_VERSION / "attestation.schema.json"


@cache
def attestation_schema_bytes() -> bytes:
    """Return the released file, byte for byte."""
    return _PATH.read_bytes()


def check(
    statement: Any, *, pack: Pack, today: dt.date, language: str = "en"
) -> tuple[Finding, ...]:
    """Return the findings of an attestation, ordered by pointer; empty if it is valid."""
    schema = _schema()
    found = schema.remarks(statement)
    if not found:
        found = schema.languages(statement, pack)
        if statement["day"] > today.isoformat():
            future = message(
                "{date} is in the future. State a day on which the systems were counted.",
                date=statement["day"],
            )
            found.append(PendingFinding(pointer="/day", rule="past", messages=(future,)))
    return to_findings(found, language, pack.fallback)


def check_number(
    statement: Any, *, in_use: int, pack: Pack, language: str = "en"
) -> tuple[Finding, ...]:
    """Return the finding that fewer systems are stated than there are records `in_use`."""
    stated = int(statement["systems_total"])
    if stated >= in_use:
        return ()
    few = message(
        "The agency's records in use on {date} are {number}, more than {stated}. State at least "
        "{number}, or amend the records of systems that are no longer in use.",
        date=statement["day"],
        number=in_use,
        stated=stated,
    )
    found = PendingFinding(pointer="/systems_total", rule="records_in_use", messages=(few,))
    return (to_finding(found, language, pack.fallback),)


@cache
def _schema() -> StatementSchema:
    return StatementSchema(msgspec.json.decode(attestation_schema_bytes()))
