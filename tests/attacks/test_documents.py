"""Documents that are no documents: what a body can be, on every address that takes one."""

import json

import pytest

pytestmark = pytest.mark.usefixtures("untouched")

MEGABYTE = 1024 * 1024
JSON = {"content-type": "application/json"}

# Every address that takes a document; `validate` is for everybody and keeps nothing.
GATES = {
    "validate": ("POST", "/api/v1/validate", ""),
    "save": ("PUT", "/api/v1/filings/demo-sante/prevision-lits", "If-None-Match: *"),
    "return": ("POST", "/api/v1/filings/demo-sante/prevision-lits/return", ""),
    "withdraw": (
        "POST",
        "/api/v1/records/demo-sante/prevision-lits/withdraw",
        'If-Match: "0123456789abcdef"',
    ),
    "return_act": ("POST", "/api/v1/acts/1/return", ""),
    "attest": ("PUT", "/api/v1/attestations/demo-sante", ""),
}
each_gate = pytest.mark.parametrize("gate", GATES)


@pytest.fixture(scope="module")
def anything(register):
    """The headers of a token that may do everything."""
    return register.bearer("demo-sante", "file", "review")


@pytest.fixture
def send(register, anything):
    def ask(gate, content, headers=JSON):
        method, path, condition = GATES[gate]
        known = anything | dict([condition.split(": ")] if condition else [])
        return register.client.request(method, path, content=content, headers=known | headers)

    return ask


@pytest.fixture
def send_raw(register, anything):
    """Send a body with headers that no client would write, and then no more."""

    def ask(gate, body, *headers, cut=False):
        method, path, condition = GATES[gate]
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{register.port}",
            f"Authorization: {anything['authorization']}",
            *([condition] if condition else []),
            "Content-Type: application/json",
            *headers,
        ]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        return register.raw(head + body, cut=cut)

    return ask


NOT_STRICT = {
    "duplicate keys": b'{"id": "demo-sante/prevision-lits", "id": "demo-sante/other"}',
    "duplicate keys, one of them escaped": b'{"id": 1, "\\u0069d": 2}',
    "duplicate keys, far down": b'{"risk": {"level": "low", "level": "high"}}',
    "NaN": b'{"risks": NaN}',
    "Infinity": b'{"risks": [Infinity]}',
    "minus Infinity": b'{"risks": {"a": -Infinity}}',
    "a number that no double holds": b'{"risks": 1e999}',
    "an exponent that no decimal has": b'{"risks": 1e-99999999999999999999}',
    "invalid UTF-8": b'{"id": "demo-sante/\xff"}',
    "invalid UTF-8, overlong": b'{"id": "\xc0\xae\xc0\xae"}',
    "invalid UTF-8, a surrogate": b'{"id": "\xed\xa0\x80"}',
    "invalid UTF-8, cut off": b'{"id": "\xe2\x82"}',
    "UTF-16": '{"id": "x"}'.encode("utf-16"),
    "a lone surrogate, escaped": b'{"id": "\\ud800"}',
    "deep nesting of lists": b"[" * 100_000 + b"]" * 100_000,
    "deep nesting of objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "deep nesting, one level too many": b"[" * 33 + b"]" * 33,
    "deep nesting without an end": b'{"a":[' * 100_000,
    "something after the end": b'{"id": "x"} {"id": "y"}',
    "a comment": b'{"id": "x" /* y */}',
    "a comma too many": b'{"id": "x",}',
    "nothing": b"",
    "only a space": b" ",
    "a control character": b'{"id": "a\nb"}',
    "a NUL": b'{"id": "a\x00b"}',
}


@each_gate
def test_what_is_not_strict_json(send, refused, gate, subtests):
    for fault, body in NOT_STRICT.items():
        with subtests.test(fault=fault):
            refused(send(gate, body), 400, "unreadable-document")


@each_gate
def test_one_megabyte_and_one_byte(send, refused, gate):
    body = b'{"a":"' + b"x" * (MEGABYTE - 7) + b'"}'
    assert len(body) == MEGABYTE + 1
    refused(send(gate, body), 413, "payload-too-large")


@each_gate
def test_one_megabyte_and_one_byte_chunked_without_length(send, refused, gate):
    body = b'{"a":"' + b"x" * (MEGABYTE - 7) + b'"}'
    chunks = (body[start : start + 65536] for start in range(0, len(body), 65536))
    refused(send(gate, chunks), 413, "payload-too-large")


def test_a_document_chunked_without_length(register, document):
    """Nobody has to know beforehand how long it is."""
    body = json.dumps(document).encode()
    chunks = (body[start : start + 100] for start in range(0, len(body), 100))
    answer = register.client.post("/api/v1/validate", content=chunks, headers=JSON)
    assert answer.json()["publishable"] is True


@each_gate
def test_a_length_is_refused_before_the_body_is_sent(send_raw, refused, gate):
    refused(send_raw(gate, b"", "Content-Length: 99999999999"), 413, "payload-too-large")


@each_gate
def test_a_body_that_is_shorter_than_it_says_is_never_taken(send_raw, gate):
    """The connection ends in the middle: there is nobody to answer, or the body is refused."""
    status, _, _ = send_raw(gate, b'{"id": "x"}', "Content-Length: 5000", cut=True)
    assert status in {0, 400, 408}


LENGTHS = [
    ("Content-Length: 11", "Content-Length: 5"),
    ("Content-Length: -1",),
    ("Content-Length: 1e3",),
    ("Content-Length: 11, 11, 12",),
    ("Content-Length: 11", "Transfer-Encoding: chunked"),
    ("Transfer-Encoding: gzip, chunked",),
    ("Transfer-Encoding: chunked, identity",),
    ("Transfer-Encoding: xchunked",),
]


@each_gate
def test_two_lengths_or_none_that_is_one(send_raw, gate, subtests):
    """Whatever of it is read, nothing is smuggled behind it and nothing is filed."""
    for headers in LENGTHS:
        with subtests.test(headers=headers):
            smuggled = b'{"id": "x"}DELETE /api/v1/filings/demo-sante/x HTTP/1.1\r\n\r\n'
            status, _, body = send_raw(gate, smuggled, *headers, cut=True)
            assert status in {0, 400, 411, 501}, body


WRONG_TYPES = [
    {"content-type": "text/plain"},
    {"content-type": "application/x-www-form-urlencoded"},
    {"content-type": "multipart/form-data; boundary=x"},
    {"content-type": "application/jsonp"},
    {"content-type": "application/json+x"},
    {"content-type": "text/json"},
    {"content-type": ""},
    JSON | {"content-encoding": "gzip"},
    JSON | {"content-encoding": "br"},
]


@each_gate
def test_a_wrong_content_type(send, refused, gate, subtests):
    for headers in WRONG_TYPES:
        with subtests.test(headers=headers):
            refused(send(gate, b"{}", headers), 415, "unsupported-media-type")


MEMBERS = [
    "colour", "register", "version", "state", "hash", "entry", "published_at", "superseded_at",
    "completeness", "accountability", "findings", "origin", "fictitious", "agency", "actor",
    "redacted", "tag", "saved_by", "approved_by", "__proto__", "constructor", "$ref", "",
]  # fmt: skip


def test_unknown_and_server_owned_fields(register, agency, refused, document, draft, subtests):
    for member in MEMBERS:
        with subtests.test(member=member):
            answer = register.client.put(
                draft, json=document | {member: "x"}, headers=agency | {"if-none-match": "*"}
            )
            problem = refused(answer, 422, "invalid-record")
            assert f"/{member}" in {one["pointer"] for one in problem["findings"]}


@pytest.mark.parametrize("section", ["risk", "publication", "lifecycle", "data"])
def test_unknown_fields_further_down(register, agency, refused, document, draft, section):
    document.setdefault(section, {})["approved"] = True
    answer = register.client.put(draft, json=document, headers=agency | {"if-none-match": "*"})
    problem = refused(answer, 422, "invalid-record")
    assert f"/{section}/approved" in {one["pointer"] for one in problem["findings"]}


def test_a_document_of_another_record(register, agency, refused, document, draft):
    document["id"] = "demo-sante/another"
    answer = register.client.put(draft, json=document, headers=agency | {"if-none-match": "*"})
    problem = refused(answer, 422, "invalid-record")
    assert "/id" in {one["pointer"] for one in problem["findings"]}


def test_what_is_json_and_no_object(register, agency, refused, draft, subtests):
    for value in [[], "x", 3, None, True]:
        with subtests.test(value=value):
            answer = register.client.put(
                draft, content=json.dumps(value), headers=agency | JSON | {"if-none-match": "*"}
            )
            refused(answer, 400, "unreadable-document")


# --- a document a line

LINES = {"content-type": "application/x-ndjson"}


@pytest.fixture
def send_lines(register, agency):
    def ask(*lines, headers=LINES, action="submit"):
        return register.client.post(
            "/api/v1/filings",
            params={"action": action},
            content=b"\n".join(lines),
            headers=agency | headers,
        )

    return ask


def told(answer):
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.content.splitlines()]
    assert {line["outcome"] for line in lines} == {"refused"}
    assert [line["line"] for line in lines] == list(range(1, len(lines) + 1))
    return [line["problem"]["type"].removeprefix("/problems/") for line in lines]


# A line break within is the end of a line, and a line of nothing is none.
LINE_FAULTS = [fault for fault, body in NOT_STRICT.items() if body.strip() and b"\n" not in body]


def test_a_line_that_is_not_strict_json(send_lines, subtests):
    """Between two lines of another agency: each is refused for itself, and nothing is written."""
    for action in ["submit", "draft"]:
        for fault in LINE_FAULTS:
            with subtests.test(action=action, fault=fault):
                others = b'{"id": "demo-services/x"}'
                answer = send_lines(others, NOT_STRICT[fault], others, action=action)
                assert told(answer) == ["forbidden", "unreadable-document", "forbidden"]


def test_a_line_of_one_megabyte_and_one_byte(send_lines):
    long = b'{"a":"' + b"x" * (MEGABYTE - 7) + b'"}'
    assert told(send_lines(long, b"[]")) == ["payload-too-large", "unreadable-document"]


@pytest.mark.parametrize("member", ["colour", "hash", "state", "fictitious"])
def test_a_line_with_unknown_and_server_owned_fields(send_lines, document, member):
    line = json.dumps(document | {member: "x"}).encode()
    assert told(send_lines(line)) == ["invalid-record"]


@pytest.mark.parametrize(
    "headers", [JSON, {"content-type": ""}, LINES | {"content-encoding": "gzip"}], ids=str
)
def test_lines_of_a_wrong_content_type(send_lines, refused, headers):
    refused(send_lines(b"{}", headers=headers), 415, "unsupported-media-type")
