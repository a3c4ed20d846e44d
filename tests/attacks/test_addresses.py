"""Addresses, headers and methods that no client would send."""

import json
import re

import pytest

pytestmark = pytest.mark.usefixtures("untouched")

RECORD = "/api/v1/records/demo-sante/prevision-lits"

# Ways out of a folder, into another address, or through a name; after each comes what is wanted.
TRICKS = (
    "..%2f", "..%2F..%2F", "%2e%2e/", "%2e%2e%2f", "../", "../../../../", "..\\", "..%5c", "....//",
    "%252e%252e%252f", "..%c0%af", "%c0%ae%c0%ae/", "..%00/", "%00", "//", "/./", ";/", "..;/",
    "%0d%0a", "%09", "%20", "%7f", "%ef%bc%8f", "%u002e%u002e/", "%", "%zz", "%2",
)  # fmt: skip
WANTED = ("keys/log.key", "etc/passwd", "serve.log")
FOLDERS = ("/", "/assets/", "/fr/", "/fr/records/", "/problems/", "/api/v1/records/",
           "/api/v1/agencies/", "/api/v1/codelists/", "/api/v1/filings/", "/health/")  # fmt: skip


@pytest.fixture
def ask(register):
    """Send a request line as it is."""

    def send(target, *headers, method="GET", host=None):
        lines = [
            f"{method} {target} HTTP/1.1",
            f"Host: {host or f'127.0.0.1:{register.port}'}",
            "Connection: close",
            *headers,
        ]
        return register.raw("\r\n".join([*lines, "", ""]).encode("utf-8"))

    return send


@pytest.fixture(scope="session")
def secrets_of(register):
    """What lies in the register's folder and must never be served."""
    key = (register.register.data / "keys/log.key").read_bytes().strip()
    return [key, b"root:x:", b"PRIVATE KEY"]


def test_path_tricks(ask, secrets_of):
    tricks = [
        folder + way
        for folder in FOLDERS
        for trick in TRICKS
        for wanted in WANTED
        for way in (f"{trick}{wanted}", f"x{trick}", f"{trick * 5}{wanted}")
    ]
    answers = {target: ask(target) for target in dict.fromkeys(tricks)}
    taken = {
        target: answer
        for target, answer in answers.items()
        if not is_refusal(*answer) or any(secret in answer[2] for secret in secrets_of)
    }
    assert taken == {}


def is_refusal(status, headers, body):
    """Whether an answer is a problem; what is no address is refused without a word."""
    if status == 400 and not body:
        return True
    return (
        status in {400, 401, 404, 414}
        and headers["content-type"] == "application/problem+json"
        and json.loads(body)["status"] == status
    )


@pytest.mark.parametrize(
    "target",
    ["*", "", "x", "api/v1/records", "http://evil.example/api/v1/audit", "//evil.example/", "/x#a",
     "http://[::1", "/" + "a" * 100_000, "/?" + "a=b&" * 20_000, "\\", "/api/v1/records?q=\x01"],
    ids=lambda target: target[:30] or "nothing",
)  # fmt: skip
def test_targets_that_are_no_path_of_ours(ask, target):
    status, headers, body = ask(target)
    assert status in {0, 400, 401, 404, 414, 421, 431}, (status, body)
    assert "location" not in headers


# --- SQL

METACHARACTERS = (
    "'", "''", '"', "\\", "\\'", "%", "_", "%%", ";", "--", "/*", "*/", "$1", "$$", "$q$", "::int",
    "'; drop table record; --", "' or '1'='1", "' or 1=1 --", "x') or ('1'='1",
    "1; select pg_sleep(9)",
    "' union select document from draft --", "\\'; delete from log_entry; --", "E'\\x27'",
    "{1,2}", "{}", "null", "&", "|", "!", ":*", "<->", "a & | b", "!!", "()", "<1000000>",
)  # fmt: skip
QUESTIONS = ("q", "lang", "risk", "sector", "function", "agency", "status", "role", "area",
             "personal_data", "origin", "sort", "limit", "cursor", "facets")  # fmt: skip


@pytest.mark.parametrize("name", QUESTIONS)
def test_sql_metacharacters_in_every_parameter(register, refused, name):
    """Words are words, wherever they come from; anything else is refused by name."""
    for text in METACHARACTERS:
        answer = register.client.get("/api/v1/records", params={name: text})
        if name == "q":
            assert answer.status_code == 200, answer.text
            assert answer.json()["total"] == 0, text
        elif answer.status_code != 200:
            refused(answer, 400, "invalid-parameter")
        else:
            raise AssertionError((name, text))


@pytest.mark.parametrize("text", METACHARACTERS)
def test_sql_metacharacters_in_every_part_of_an_address(register, agency, refused, text):
    for method, path in (
        ("GET", "/api/v1/records/{}/{}"),
        ("GET", "/api/v1/records/demo-sante/{}"),
        ("GET", "/api/v1/records/demo-sante/{}/versions"),
        ("GET", "/api/v1/records/demo-sante/prevision-lits/versions/{}"),
        ("GET", "/api/v1/agencies/{}"),
        ("GET", "/api/v1/codelists/{}"),
        ("GET", "/api/v1/filings/demo-sante/{}"),
        ("DELETE", "/api/v1/filings/{}/x"),
        ("POST", "/api/v1/filings/demo-sante/{}/submit"),
    ):
        named = path.replace("{}", "".join(f"%{byte:02x}" for byte in text.encode()))
        answer = register.client.request(method, named, headers=agency)
        assert answer.status_code in {400, 403, 404}, answer.text
        slug = {400: "invalid-parameter", 403: "forbidden", 404: "not-found"}
        refused(answer, answer.status_code, slug[answer.status_code])


@pytest.mark.parametrize("name", ["if-none-match", "accept-language", "x-request-id", "user-agent",
                                  "x-forwarded-for", "accept", "range", "origin"])  # fmt: skip
def test_sql_metacharacters_in_headers(register, name):
    for text in METACHARACTERS:
        answer = register.client.get("/api/v1/records", headers={name: text})
        assert answer.status_code == 200
        assert text == "%" or answer.headers["x-request-id"] != text


# --- headers

INJECTED = "x%0d%0aset-cookie:%20a=b%0d%0a%0d%0a<html>"


@pytest.mark.parametrize(
    "target",
    [f"/api/v1/records?q={INJECTED}&limit=1", f"/api/v1/records?cursor={INJECTED}",
     f"/api/v1/records/{INJECTED}/x", f"/{INJECTED}", f"/fr/{INJECTED}/", f"/fr?{INJECTED}",
     f"/api/v1/records?lang={INJECTED}", f"/api/v1/{INJECTED}"],
)  # fmt: skip
def test_header_injection_through_an_address(ask, target):
    status, headers, body = ask(target)
    assert 200 <= status < 500
    assert "set-cookie" not in headers
    assert b"<html>" not in body or headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "line",
    ["X-Request-Id: a\r\nSet-Cookie: b=c", "X-Request-Id: " + "a" * 5000, "X-Request-Id: a b",
     "X-Request-Id: é", "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: evil.example",
     "Forwarded: host=evil.example", "X-Original-URL: /api/v1/audit",
     "X-Rewrite-URL: /api/v1/audit",
     "X-HTTP-Method-Override: DELETE", "X-Method-Override: PUT", "Origin: https://evil.example",
     "Range: bytes=0-1", "Accept: text/plain", "Accept: */*;q=0", "Accept-Language: " + "x," * 2000,
     "If-None-Match: " + '"x",' * 2000, "Expect: 200-ok", "Upgrade: h2c", "Upgrade: websocket"],
    ids=lambda line: line[:40],
)  # fmt: skip
def test_header_injection_through_a_header(ask, line):
    """A header that is not ours changes nothing: the answer is the one that all get."""
    status, headers, body = ask("/api/v1/records?limit=1", line)
    assert status == 200, body
    assert "set-cookie" not in headers
    assert b"evil.example" not in body
    assert re.fullmatch(r"[0-9a-f]{16}", headers["x-request-id"])


@pytest.mark.parametrize(
    "lines",
    [("A: b\nC: d",), ("A : b",), (" A: b",), ("A\x00: b",), ("A: b\x00c",), ("A: b\r\n folded",),
     ("A" * 100_000 + ": b",), *[tuple(f"H{number}: x" for number in range(2000))],
     ("Content-Length: 0", "Content-Length: 10"),
     ("Transfer-Encoding: chunked\r\nContent-Length: 3",),
     ("Host: evil.example",)],
    ids=lambda lines: str(lines)[:30],
)  # fmt: skip
def test_heads_that_are_not_http(ask, lines):
    status, headers, body = ask("/api/v1/records?limit=1", *lines)
    assert status in {0, 200, 400, 408, 421, 431}, (status, body)
    assert b"evil.example" not in body or headers["content-type"] == "application/problem+json"


def test_another_hosts_name_is_in_no_link(register, ask):
    """Links come from the configured address, never from what a request says."""
    for host in ("evil.example", "127.0.0.1@evil.example", "evil.example:80"):
        status, headers, body = ask("/api/v1/records?limit=1", host=host)
        assert status in {200, 400, 421}
        assert "evil.example" not in headers.get("link", "")
        assert status != 200 or b"evil.example" not in body


# --- methods

METHODS = (
    "PATCH",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "FOO",
    "get",
    "QUERY",
    "PURGE",
    "DEBUG",
    "TRACK",
)


NO_BODIES = ("/api/v1/records", "/openapi.json", "/health/live", "/")


PLACES = ["/api/v1/records", RECORD, "/api/v1/filings", "/health/live",
                              "/openapi.json", "/", "/fr/", "/problems/not-found"]  # fmt: skip


def test_unknown_methods(ask, refused, subtests):
    for method in METHODS:
        for path in PLACES:
            with subtests.test(method=method, path=path):
                answer = ask(path, method=method)
                if method == "CONNECT" and answer[0] in {0, 400}:
                    # Its target is a host, not a path: the server itself refuses it.
                    continue
                refused(answer, 405, "method-not-allowed")
                assert "GET" in answer[1]["allow"]


@pytest.mark.parametrize(
    ("path", "method"),
    [
        *((path, method) for path in NO_BODIES for method in ("POST", "PUT", "DELETE")),
        # One call publishes a record.
        *((RECORD, method) for method in ("PUT", "DELETE")),
    ],
)
def test_methods_that_the_address_does_not_take(ask, refused, method, path):
    answer = ask(path, "Content-Length: 0", method=method)
    refused(answer, 405, "method-not-allowed")
    assert method not in answer[1]["allow"]


@pytest.mark.parametrize(
    "version", ["HTTP/0.9", "HTTP/1.0", "HTTP/2.0", "HTTP/9.9", "HTCPCP/1.0", ""]
)
def test_other_versions_of_the_protocol(register, version):
    status, _, _ = register.raw(
        f"GET /health/live {version}\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    )
    assert status in {0, 200, 400, 505}


@pytest.mark.parametrize("name", ["host", "content-type", "if-match"])
def test_a_header_twice_is_never_read_two_ways(register, agency, name):
    """A proxy in front may have looked at the other one."""
    values = {
        "host": (f"127.0.0.1:{register.port}", "evil.example"),
        "content-type": ("application/json", "text/plain"),
        "if-match": ('"0123456789abcdef"', '"0123456789abcdee"'),
    }[name]
    for first, second in (values, values[::-1]):
        lines = [
            "POST /api/v1/filings/demo-sante/none/submit HTTP/1.1",
            *([f"Host: 127.0.0.1:{register.port}"] if name != "host" else []),
            f"Authorization: {agency['authorization']}",
            "Connection: close",
            "Content-Length: 0",
            f"{name}: {first}",
            f"{name}: {second}",
        ]
        status, _, body = register.raw("\r\n".join([*lines, "", ""]).encode())
        assert status in {400, 404, 412, 415, 421}, body
