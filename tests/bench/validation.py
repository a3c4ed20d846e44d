"""Validation of good records, from bytes to findings, beside jsonschema on the parsed ones."""

import datetime as dt
import json
from collections.abc import Iterator

from registry.record.fast_validator import FastValidator
from registry.record.pack import load_pack
from registry.record.parse import parse
from registry.record.schema import shape
from registry.record.validate import validate
from registry.record.validators import build_validator
from tests.bench.documents import local_documents
from tests.bench.measure import Row, work_in

TODAY = dt.date(2026, 11, 24)
RECORDS = 600
BLOCK = 50


def run() -> Iterator[Row]:
    pack, fast = load_pack("ma"), FastValidator()
    reference = build_validator(shape("publication"))
    documents = local_documents(RECORDS)
    # What a process computes once: compiled schemas by languages, requirements by conditions.
    for document in documents[:BLOCK]:
        validate(document, profile="publication", pack=pack, today=TODAY, fast=fast)
    ours = beside = 0.0
    for start in range(0, RECORDS, BLOCK):
        parsed = documents[start : start + BLOCK]
        written = [json.dumps(document, ensure_ascii=False).encode() for document in parsed]
        ours += work_in(
            lambda written=written: [
                validate(parse(raw), profile="publication", pack=pack, today=TODAY, fast=fast)
                for raw in written
            ]
        )
        beside += work_in(
            lambda parsed=parsed: [list(reference.iter_errors(document)) for document in parsed]
        )
    yield Row(
        what="validate, bytes to findings, a good record",
        figure=beside / ours,
        unit="×",
        at_least=10,
        beside=f"{RECORDS / ours:,.0f}/s, jsonschema {RECORDS / beside:,.0f}/s",
    )
