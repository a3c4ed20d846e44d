"""The gate before every document: type, size, strict JSON; nothing hostile comes through."""

import asyncio
import gzip
import itertools
import json

import pytest

from registry.api import request as api_gate

VALIDATE = "/api/v1/validate"
JSON = {"content-type": "application/json"}
MEGABYTE = 1_048_576
GATES = [("POST", VALIDATE), ("PUT", "/api/v1/filings/demo-sante/prevision-lits")]
VERDICT = {
    "publishable",
    "completeness",
    "accountability",
    "findings",
    "findings_total",
    "upcoming",
}


def send(agency, gate, content, headers=JSON):
    return agency.request(*gate, content=content, headers=headers | {"if-none-match": "*"})


async def chunks(content, size=65_536):
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def test_a_good_document_is_publishable_by_both_profiles(reader, record):
    for profile in ("", "?profile=publication", "?profile=draft"):
        response = await reader.post(VALIDATE + profile, json=record)
        assert response.status_code == 200
        answer = response.json()
        assert set(answer) == VERDICT
        assert answer["publishable"] is True
        assert type(answer["completeness"]) is int
        assert 0 < answer["completeness"] <= 100


@pytest.mark.parametrize("value", [{}, [], "text", 3, None, True, {"id": 3, "unknown": []}])
async def test_any_readable_json_gets_a_verdict(reader, value):
    response = await reader.post(VALIDATE, content=json.dumps(value), headers=JSON)
    assert response.status_code == 200
    answer = response.json()
    assert answer["publishable"] is False
    assert answer["findings"]
    for finding in answer["findings"]:
        assert set(finding) >= {"pointer", "rule", "severity", "message"}


@pytest.mark.parametrize(
    "query", ["profile=foreign", "profile=", "profile=x", "profile=draft&profile=draft"]
)
async def test_a_profile_that_is_none_is_refused(reader, problem, record, query):
    problem(await reader.post(f"{VALIDATE}?{query}", json=record), 400, "invalid-parameter")


NOT_STRICT = [
    (b"{", "line 1"),
    (b'{"id": "x",\n "id": "y"}', "'id' comes twice; keep one (line 2"),
    (b"[" * 10_000, "nested deeper than 32"),
]


async def test_what_is_not_strict_json_is_refused_with_its_place(agency, problem, subtests):
    for gate, (content, words) in itertools.product(GATES, NOT_STRICT):
        with subtests.test(gate=gate, words=words):
            response = await send(agency, gate, content)
            assert words in problem(response, 400, "unreadable-document")["detail"]


async def test_the_limit_is_to_the_byte(reader, problem):
    body = b'{"a":"' + b"x" * (MEGABYTE - 8) + b'"}'
    assert (await reader.post(VALIDATE, content=body, headers=JSON)).status_code == 200
    problem(
        await reader.post(VALIDATE, content=body + b" ", headers=JSON), 413, "payload-too-large"
    )


async def test_a_body_in_pieces_is_one_document(client, record):
    body = json.dumps(record).encode()
    response = await client.post(VALIDATE, content=chunks(body, 7), headers=JSON)
    assert response.json()["publishable"] is True


OTHER_TYPES = [
    {},
    {"content-type": ""},
    {"content-type": "text/plain"},
    {"content-type": "application/x-www-form-urlencoded"},
    {"content-type": "application/jsonp"},
    {"content-type": "multipart/form-data; boundary=x"},
    {"content-type": "application/json; charset=latin-1"},
    {"content-type": 'application/json; x=y; Charset="UTF-16"'},
    {"content-type": "application/json", "content-encoding": "gzip"},
    {"content-type": "application/json", "content-encoding": "br, gzip"},
]


async def test_a_body_of_another_type_or_coding_is_refused(agency, problem, subtests):
    for gate, headers in itertools.product(GATES, OTHER_TYPES):
        with subtests.test(gate=gate, headers=headers):
            body = gzip.compress(b"{}") if "content-encoding" in headers else b"{}"
            response = await send(agency, gate, body, headers)
            problem(response, 415, "unsupported-media-type")


async def test_a_body_in_other_letters_is_refused_by_their_name(agency, problem):
    headers = {"content-type": "application/json; charset=Latin-1"}
    refused = await send(agency, GATES[0], '{"a": "é"}'.encode("latin-1"), headers)
    assert (
        "in Latin-1; send it in UTF-8" in problem(refused, 415, "unsupported-media-type")["detail"]
    )


@pytest.mark.parametrize(
    "kind",
    [
        "application/json; charset=utf-8",
        'application/json;Charset="UTF-8"',
        "Application/JSON",
        "application/json ;x=y",
    ],
)
async def test_a_type_may_be_written_in_its_usual_ways(reader, kind):
    response = await reader.post(VALIDATE, content=b"{}", headers={"content-type": kind})
    assert response.status_code == 200


async def test_a_filing_is_an_object(agency, problem, subtests):
    for body in [b"[]", b"3", b'"x"', b"null"]:
        with subtests.test(body=body):
            problem(await send(agency, GATES[1], body), 400, "unreadable-document")


async def test_nothing_is_kept_of_what_was_refused_or_only_validated(agency, record):
    await agency.post(VALIDATE, json=record)
    await send(agency, GATES[1], b'{"id": "demo-sante/prevision-lits",')
    assert (await agency.get("/api/v1/filings")).json() == {"items": []}
    assert (await agency.get("/api/v1/records")).json()["total"] == 0


async def test_a_body_that_does_not_come_in_time_is_not_waited_for(agency, problem, monkeypatch):
    monkeypatch.setattr(api_gate, "BODY_SECONDS", 0.05)
    never = asyncio.Event()

    async def slow():
        yield b"{"
        await never.wait()

    for gate in GATES:
        response = await send(agency, gate, slow())
        problem(response, 408, "request-timeout")
        assert response.headers["connection"] == "close"


async def test_a_body_that_breaks_off_is_no_fault(raw, problem):
    headers = [(b"content-type", b"application/json"), (b"content-length", b"100")]
    pieces = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]
    response = await raw(VALIDATE, method="POST", headers=headers, messages=pieces)
    problem(response, 400, "unreadable-document")


async def test_one_piece_of_any_size_is_refused_by_its_size(raw, problem):
    headers = [(b"content-type", b"application/json")]
    pieces = [{"type": "http.request", "body": b" " * 20_000_000, "more_body": True}]
    response = await raw(VALIDATE, method="POST", headers=headers, messages=pieces)
    problem(response, 413, "payload-too-large")
