"""Validation beside the JSON Schema libraries alone, from the same bytes or parsed documents."""

import datetime as dt
import gc
import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import jsonschema_rs

from registry.ledger.append import SealedDocument, seal_document
from registry.record.canonical import canonical
from registry.record.fast_validator import FastValidator
from registry.record.pack import Pack, load_pack
from registry.record.parse import parse
from registry.record.profiles import shape
from registry.record.validate import Verdict, validate
from registry.record.validators import build_validator
from tests.bench.documents import local_documents
from tests.bench.measure import Comparison, Timing, in_turn

TODAY = dt.date(2026, 11, 24)
RECORDS = 10_000
PARSED = 2_000
BLOCK = 50
SLOW = 600
FAST = FastValidator()
TAMAZIGHT = "ⵜⴰⵎⴰⵣⵉⵖⵜ"


def run() -> Iterator[Comparison]:
    pack = load_pack("ma")
    corpus = [_written(document) for document in local_documents(RECORDS)]
    clean = _without_findings(pack)
    schema = shape("publication")
    reference = build_validator(schema)
    compiled = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    # Full collections shall not walk what only the bench holds.
    gc.collect()
    gc.freeze()

    def plainly(content: bytes) -> bool:
        return compiled.is_valid(json.loads(content))

    yield _line(
        "bytes to accepted, strictly read",
        "json + jsonschema-rs alone",
        _alternately(clean, lambda raw: FAST.accepts(parse(raw), "publication", pack), plainly),
    )
    yield _line(
        "bytes to verdict, rules and scores, no findings",
        "json + jsonschema-rs alone",
        _alternately(clean, lambda raw: _verdict(parse(raw), pack), plainly),
    )
    yield _line(
        "bytes to verdict, rules and scores, with the corpus's warnings",
        "json + jsonschema-rs alone",
        _alternately(corpus, lambda raw: _verdict(parse(raw), pack), plainly),
    )
    yield _line(
        "bytes to all that is published: verdict, canonical bytes, commitments, words",
        "json + jsonschema-rs alone",
        _alternately(corpus, lambda raw: _prepared(raw, pack), plainly),
    )
    parsed = [json.loads(raw) for raw in clean[:PARSED]]
    yield _line(
        "parsed to verdict, rules and scores, no findings",
        "jsonschema-rs alone",
        _alternately(parsed, lambda document: _verdict(document, pack), compiled.is_valid),
    )
    yield _line(
        "parsed to verdict, rules and scores, no findings",
        "jsonschema alone",
        _alternately(
            parsed[:SLOW],
            lambda document: _verdict(document, pack),
            lambda document: list(reference.iter_errors(document)),
        ),
    )
    command = _command(clean)
    for name, check in (
        ("jsonschema-rs alone, parsed", compiled.is_valid),
        ("jsonschema alone, parsed", reference.is_valid),
    ):
        _, beside = in_turn(parsed[:SLOW], len, check)
        yield _line(
            f"`registry validate`, {len(clean):,} files, start included", name, (command, beside)
        )


def _alternately(
    items: Sequence[object], ours: Callable[[object], object], beside: Callable[[object], object]
) -> tuple[Timing, Timing]:
    """Let the one and the other be first to touch a block of items."""
    mine, other = Timing(), Timing()
    for start in range(0, len(items), 2 * BLOCK):
        first, second = items[start : start + BLOCK], items[start + BLOCK : start + 2 * BLOCK]
        for own, its in (in_turn(first, ours, beside), in_turn(second, beside, ours)[::-1]):
            mine.seconds += own.seconds
            other.seconds += its.seconds
    return mine, other


def _without_findings(pack: Pack) -> list[bytes]:
    """Add the recommended language to every record, and keep those that nothing is said of."""
    found = []
    for document in local_documents(RECORDS + RECORDS // 2):
        document["name"]["zgh"] = document["summary"]["zgh"] = TAMAZIGHT
        document["languages"]["translation_status"]["zgh"] = "machine"
        if not _verdict(document, pack).findings:
            found.append(_written(document))
    return found[:RECORDS]


def _written(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


def _verdict(document: object, pack: Pack) -> Verdict:
    return validate(document, profile="publication", pack=pack, today=TODAY, fast=FAST)


def _prepared(raw: bytes, pack: Pack) -> tuple[Verdict, bytes, SealedDocument]:
    """Do of a publication all that needs neither the database nor a place in the log."""
    document = parse(raw)
    verdict = _verdict(document, pack)
    agency = pack.agencies[document["id"].split("/")[0]]
    return verdict, canonical(document), seal_document(document, agency, secrets.token_bytes)


def _command(records: Sequence[bytes]) -> Timing:
    """Time the command over one file a record, each with its share of the whole."""
    with tempfile.TemporaryDirectory(prefix="rb") as folder:
        for number, content in enumerate(records):
            Path(folder, f"{number}.json").write_bytes(content)
        arguments = [sys.executable, "-m", "registry", "validate", folder]
        start = time.perf_counter()
        subprocess.run(arguments, check=True, capture_output=True)
        seconds = time.perf_counter() - start
    return Timing(seconds=[seconds / len(records)] * len(records))


def _line(name: str, beside_name: str, timings: tuple[Timing, Timing]) -> Comparison:
    ours, beside = timings
    return Comparison(name=name, unit="records", beside_name=beside_name, ours=ours, beside=beside)
