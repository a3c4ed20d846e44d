"""Validation beside the two JSON Schema libraries alone, on the same parsed documents."""

import datetime as dt
import json
from collections.abc import Iterator

import jsonschema_rs

from registry.record.acceptance import accepts
from registry.record.pack import load_pack
from registry.record.parse import parse
from registry.record.profiles import shape
from registry.record.validate import validate
from registry.record.validators import build_validator
from tests.bench.documents import local_documents
from tests.bench.measure import Comparison, in_turn

TODAY = dt.date(2026, 11, 24)
RECORDS = 10_000
SLOW = 600


def run() -> Iterator[Comparison]:
    pack = load_pack("ma")
    schema = shape("publication")
    documents = local_documents(RECORDS)
    raw = [json.dumps(document, ensure_ascii=False).encode() for document in documents]
    reference = build_validator(schema)
    compiled = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)

    def verdict(document: object) -> object:
        return validate(document, profile="publication", pack=pack, today=TODAY)

    ours, beside = in_turn(documents[:SLOW], verdict, lambda one: list(reference.iter_errors(one)))
    yield _line("a record validated, all rules and scores", "jsonschema alone", ours, beside)
    ours, beside = in_turn(documents, verdict, compiled.is_valid)
    yield _line("a record validated, all rules and scores", "jsonschema-rs alone", ours, beside)
    ours, beside = in_turn(
        raw,
        lambda content: accepts(parse(content), "publication"),
        lambda content: compiled.is_valid(json.loads(content)),
    )
    yield _line("from bytes to accepted, strictly read", "json + jsonschema-rs", ours, beside)


def _line(name: str, beside_name: str, ours: object, beside: object) -> Comparison:
    return Comparison(name=name, unit="records", beside_name=beside_name, ours=ours, beside=beside)
