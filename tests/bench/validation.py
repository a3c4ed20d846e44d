"""Validation with all our rules beside the JSON Schema library alone."""

import datetime as dt
from collections.abc import Iterator

from registry.record.pack import load_pack
from registry.record.profiles import profile_schema
from registry.record.validate import validate
from registry.record.validators import build_validator
from tests.bench.documents import local_documents
from tests.bench.measure import Comparison, in_turn

TODAY = dt.date(2026, 11, 24)


def run() -> Iterator[Comparison]:
    pack = load_pack("ma")
    plain = build_validator(profile_schema("publication"))
    documents = local_documents(600)
    ours, beside = in_turn(
        documents,
        lambda document: validate(document, profile="publication", pack=pack, today=TODAY),
        lambda document: list(plain.iter_errors(document)),
    )
    yield Comparison(
        name="a record validated for publication, parsed",
        unit="records",
        beside_name="jsonschema alone",
        ours=ours,
        beside=beside,
    )
