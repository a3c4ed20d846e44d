"""The edge: request ids, hosts, addresses, reading from other origins, the access log."""

import datetime as dt
import re

import httpx
import msgspec
import pytest

from registry.api.app import create_app
from registry.api.request import client_address
from registry.settings import Settings, from_environment

RECORDS = "/api/v1/records"
PAGE = "/fr/about"
DRAFT = "/api/v1/filings/demo-sante/prevision-lits"
READS = [RECORDS, "/api/v1/agencies", "/openapi.json", "/health/live", PAGE]
OPEN = "access-control-allow-origin"
PROXY = "10.1.2.3"


@pytest.fixture
def settings(settings):
    settings.site_dir.mkdir()
    for name in ("index.html", "404.html"):
        (settings.site_dir / name).write_text("<!doctype html>", encoding="utf-8")
    (settings.site_dir / "fr").mkdir()
    (settings.site_dir / "fr/about.html").write_text("<!doctype html>", encoding="utf-8")
    return msgspec.structs.replace(settings, trusted_proxies="10.0.0.0/8")


@pytest.fixture
def with_settings(settings):
    """A client of an application with other settings, and without its database."""

    def make(**changes):
        application = create_app(msgspec.structs.replace(settings, **changes), tell=None)
        return httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://a")

    return make


async def test_every_answer_has_an_id_of_its_own_and_a_problem_names_it(client, problem):
    seen = []
    for method, path in [
        *[("GET", path) for path in [*READS, RECORDS + "/no/where", "/nowhere"]],
        ("HEAD", RECORDS),
        ("HEAD", "/nowhere"),
        ("OPTIONS", RECORDS),
        ("BREW", RECORDS),
        ("POST", PAGE),
        ("PUT", DRAFT),
    ]:
        answer = await client.request(method, path)
        found = answer.headers["x-request-id"]
        assert re.fullmatch(r"[0-9a-f]{16}", found)
        if answer.status_code >= 400 and method != "HEAD":
            assert answer.json()["request"] == found
        seen.append(found)
    assert len(set(seen)) == len(seen)
    known = {"if-none-match": (await client.get(PAGE)).headers["etag"]}
    unchanged = await client.get(PAGE, headers=known)
    assert (unchanged.status_code, len(unchanged.headers["x-request-id"])) == (304, 16)


async def test_an_id_is_taken_from_a_trusted_proxy_only(raw):
    given = [(b"x-request-id", b"Trace_1.2-3")]
    assert (await raw(RECORDS, headers=given, peer=PROXY)).headers["x-request-id"] == "Trace_1.2-3"
    for headers, peer in [
        (given, "127.0.0.1"),
        (given, "192.0.2.1"),
        ([(b"x-request-id", b"x" * 65)], PROXY),
        ([(b"x-request-id", b"a b")], PROXY),
        ([(b"x-request-id", b"a\r\nset-cookie: x=y")], PROXY),
        ([(b"x-request-id", b"")], PROXY),
    ]:
        answer = await raw(RECORDS, headers=headers, peer=peer)
        assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["x-request-id"])
        assert "set-cookie" not in answer.headers


# --- who asks


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),
        (PROXY, [], PROXY),
        (PROXY, ["198.51.100.7"], "198.51.100.7"),
        (PROXY, ["127.0.0.1, 198.51.100.7"], "198.51.100.7"),
        (PROXY, ["127.0.0.1", "198.51.100.7"], "198.51.100.7"),
        (PROXY, ["198.51.100.7, 10.9.9.9"], "198.51.100.7"),
        (PROXY, ["198.51.100.7, nonsense, 10.9.9.9"], "10.9.9.9"),
        (PROXY, ["nonsense"], PROXY),
        (PROXY, [""], PROXY),
        (PROXY, ["10.1.1.1"], "10.1.1.1"),
        ("2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", [], "192.0.2.1"),
        ("::ffff:10.1.2.3", ["2001:db8:1:2::9"], "2001:db8:1:2::/64"),
        ("", [], "unknown"),
    ],
)
def test_the_client_is_the_last_address_that_no_trusted_proxy_has(peer, forwarded, found):
    scope = {
        "client": (peer, 1),
        "headers": [(b"x-forwarded-for", value.encode()) for value in forwarded],
    }
    assert client_address(scope, Settings(trusted_proxies="10.0.0.0/8").proxies) == found


def test_without_trusted_proxies_nobody_is_believed():
    scope = {"client": (PROXY, 1), "headers": [(b"x-forwarded-for", b"198.51.100.7")]}
    assert client_address(scope, Settings().proxies) == PROXY


# --- which hosts it answers for


OWN_HOSTS = [
    "algorithms.example", "ALGORITHMS.example:8443", "localhost", "localhost:8000",
    "127.0.0.1:8000", "[::1]:8000", "127.0.0.9",
]  # fmt: skip


async def test_it_answers_for_its_own_name_and_for_this_machine(with_settings, subtests):
    async with with_settings(allowed_hosts=None) as client:
        for host in OWN_HOSTS:
            with subtests.test(host=host):
                for path in ("/openapi.json", PAGE):
                    assert (await client.get(path, headers={"host": host})).status_code == 200


OTHER_HOSTS = [
    "evil.example", "algorithms.example.evil.example", "evil.example:80", "192.0.2.1", "",
    "algorithms.example@evil.example", "evil.example@algorithms.example", "[::1", "a b",
    "algorithms.example/evil.example", "algorithms.example#.evil.example",
    "[2001:db8::1]", "127.0.0.1.evil.example",
]  # fmt: skip


async def test_it_does_not_answer_for_another_name(with_settings, problem, subtests):
    async with with_settings(allowed_hosts=None) as client:
        for host in OTHER_HOSTS:
            with subtests.test(host=host):
                for path in ("/openapi.json", PAGE, RECORDS):
                    answer = await client.get(path, headers={"host": host})
                    found = problem(answer, 421, "misdirected-request")
                    assert found["request"] == answer.headers["x-request-id"]
                head = await client.head(PAGE, headers={"host": host})
                assert (head.status_code, head.content) == (421, b"")


async def test_whoever_looks_after_the_process_asks_it_by_any_address(with_settings):
    async with with_settings() as client:
        for host in ("10.20.30.40:8000", "pod-7", ""):
            assert (await client.get("/health/live", headers={"host": host})).status_code == 200


async def test_two_names_at_once_are_none(raw, problem):
    hosts = [(b"host", b"evil.example")]
    problem(await raw(RECORDS, headers=hosts), 421, "misdirected-request")


@pytest.mark.parametrize(
    "changes",
    [
        {"allowed_hosts": "*"},
        {"allowed_hosts": "a.example, other.example"},
        {"allowed_hosts": None, "base_url": "http://127.0.0.1:8000"},
        {"allowed_hosts": None, "base_url": "http://localhost:8000"},
    ],
    ids=str,
)
async def test_more_names_are_a_setting_and_a_trial_answers_for_any(with_settings, changes):
    async with with_settings(**changes) as client:
        answer = await client.get("/openapi.json", headers={"host": "other.example"})
        assert answer.status_code == 200


# --- scripts of other origins


@pytest.mark.parametrize("path", [*READS, RECORDS + "/no/where", "/nowhere", "/api/v1/filings"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_reading_is_open_to_scripts_of_any_origin(reader, method, path):
    answer = await reader.request(method, path, headers={"origin": "https://other.example"})
    assert answer.headers[OPEN] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    exposed = set(answer.headers["access-control-expose-headers"].split(", "))
    assert exposed >= {"ETag", "Link", "Retry-After", "X-Request-Id", "Location"}
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "set-cookie" not in answer.headers


async def test_what_writes_or_has_a_token_is_closed_to_them(client, agency, record):
    origin = {"origin": "https://other.example"}
    for answer in [
        await client.post("/api/v1/validate", json=record, headers=origin),
        await client.put(DRAFT, json=record, headers=origin),
        await agency.put(DRAFT, json=record, headers={**origin, "if-none-match": "*"}),
        await agency.get(DRAFT, headers=origin),
        await agency.get(RECORDS, headers=origin),
        await agency.delete(DRAFT, headers=origin),
        await client.get(RECORDS, headers={**origin, "authorization": "Basic x"}),
    ]:
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


async def test_a_script_may_ask_before_whether_it_may_read(client):
    for method in ("GET", "HEAD"):
        asking = {
            "origin": "https://other.example",
            "access-control-request-method": method,
            "access-control-request-headers": "if-none-match",
        }
        answer = await client.options(RECORDS, headers=asking)
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers[OPEN] == "*"
        assert answer.headers["access-control-allow-methods"] == "GET, HEAD"
        allowed = answer.headers["access-control-allow-headers"]
        assert allowed == "If-None-Match, Accept-Language"


@pytest.mark.parametrize(
    "asking",
    [
        {"access-control-request-method": "PUT"},
        {"access-control-request-method": "DELETE"},
        {"access-control-request-method": "POST"},
        {
            "access-control-request-method": "GET",
            "access-control-request-headers": "accept, Authorization",
        },
    ],
    ids=str,
)
async def test_it_may_not_write_or_send_a_token(reader, asking):
    answer = await reader.options(DRAFT, headers={"origin": "https://other.example"} | asking)
    assert answer.status_code == 204
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_no_answer_is_taken_for_something_else(client, problem):
    for path in [*READS, "/nowhere", RECORDS + "?x=1"]:
        answer = await client.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["server"] == "registry"
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in policy
        assert len(answer.headers.get_list("content-security-policy")) == 1
        # The register speaks plain HTTP; the proxy that ends TLS says this.
        assert "strict-transport-security" not in answer.headers


# --- addresses and methods


async def test_an_address_of_any_length_is_answered(raw, problem):
    assert (await raw("/" + "x" * 8191)).status_code == 404
    problem(await raw("/" + "x" * 8192), 414, "address-too-long")
    problem(await raw(RECORDS, b"q=" + b"x" * 8192), 414, "address-too-long")


async def test_headers_of_any_size_are_answered(raw, problem):
    assert (await raw(RECORDS, headers=[(b"x-filler", b"x" * 32_000)])).status_code == 200
    for name in (b"accept-language", b"accept-encoding", b"if-none-match", b"x-filler"):
        answer = await raw(RECORDS, headers=[(name, b"x" * 33_000)])
        problem(answer, 431, "headers-too-large")


async def test_a_method_that_an_address_does_not_take_is_named_with_those_it_takes(
    raw, problem, subtests
):
    for method in ["BREW", "TRACE", "CONNECT", "PATCH", "DELETE", "PROPFIND"]:
        with subtests.test(method=method):
            for path in (RECORDS, PAGE, "/openapi.json"):
                answer = await raw(path, method=method)
                problem(answer, 405, "method-not-allowed")
                assert answer.headers["allow"].startswith("GET")


async def test_no_cache_chooses_by_itself_how_long_it_keeps_an_answer(
    client, agency, record, described
):
    """What was withdrawn or erased must be gone from what others keep as well."""
    await agency.put(DRAFT, json=record, headers={"if-none-match": "*"})
    await agency.post(f"{DRAFT}/submit")
    agency_code, slug = record["id"].split("/")
    places = {"agency": agency_code, "slug": slug, "version": "1", "name": "sector"}
    places |= {"pack_name": "regions", "run": "1", "act": "1", "code": "sn"}
    paths = [
        path.format_map(places)
        for path, methods in described.document["paths"].items()
        if "get" in methods
    ]
    answers = [await client.get(path) for path in [*paths, *READS]]
    assert [one.url.path for one in answers if "cache-control" not in one.headers] == []
    read = {one.url.path for one in answers if one.is_success}
    assert {f"{RECORDS}/{record['id']}{of}" for of in ("", "/versions", "/findings")} <= read


async def test_what_needs_a_token_is_kept_by_no_cache(client, agency, token, record, described):
    await agency.put(DRAFT, json=record, headers={"if-none-match": "*"})
    admin = {"authorization": f"Bearer {await token(agency=None, scopes=('admin',))}"}
    agency_code, slug = record["id"].split("/")
    asked = {
        path.format(agency=agency_code, slug=slug, act="1"): methods["get"]["operationId"]
        for path, methods in described.document["paths"].items()
        if methods.get("get", {}).get("security")
    }
    answers = [await agency.get(path) for path in asked]
    answers += [await client.get(path, headers=admin) for path in asked]
    assert {asked[one.url.path] for one in answers if one.is_success} > {"get_draft", "list_acts"}
    kept = {asked[one.url.path]: one.headers["cache-control"] for one in answers}
    assert set(kept.values()) == {"no-store"}, kept


async def test_head_is_get_without_the_body_everywhere(client, agency, record):
    await agency.put(DRAFT, json=record, headers={"if-none-match": "*"})
    for path in [*READS, RECORDS + "/no/where", "/nowhere", DRAFT, "/api/v1/filings"]:
        got, head = await agency.get(path), await agency.head(path)
        assert (head.status_code, head.content) == (got.status_code, b"")
        for headers in (got.headers, head.headers):
            headers.pop("x-request-id")
        if got.status_code < 400:
            assert head.headers == got.headers


# --- the access log


async def test_one_line_tells_of_a_request_and_of_nothing_that_was_sent(
    client, agency, record, lines
):
    secret = agency.headers["authorization"].removeprefix("Bearer ")
    before = dt.datetime.now(dt.UTC)
    lines.clear()
    answers = [
        await client.get(RECORDS, params={"q": "cancer"}),
        await agency.put(DRAFT, json=record, headers={"if-none-match": "*"}),
        await client.get(f"{RECORDS}/{secret}/x%0Ay", headers={"host": "evil.example"}),
        await client.get(PAGE),
    ]
    found = [msgspec.to_builtins(line) for line in lines]
    assert [line.pop("request") for line in found] == [
        answer.headers["x-request-id"] for answer in answers[:3]
    ]
    assert all(line.pop("ms") >= 0 for line in found)
    assert all(dt.datetime.fromisoformat(line.pop("timestamp")) >= before for line in found)
    same = {"event": "request", "level": "info"}
    nobody = {"actor": None, "token": None}
    assert found == [
        {**same, **nobody, "method": "GET", "path": RECORDS, "status": 200},
        {
            **same, "method": "PUT", "path": DRAFT, "status": 201,
            "actor": "demo-sante", "token": 1,
        },
        {**same, **nobody, "method": "GET", "path": f"{RECORDS}/regt_/x%0Ay", "status": 421},
    ]  # fmt: skip
    for told in ("cancer", secret, record["source_id"]):
        assert told not in str(found)


# --- settings


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("TRUSTED_PROXIES", "10.0.0.0/8,nginx", "TRUSTED_PROXIES: 'nginx'"),
        ("TRUSTED_PROXIES", "10.0.0.1/8", "has host bits set"),
        ("ALLOWED_HOSTS", "https://algorithms.example", "ALLOWED_HOSTS"),
        ("ALLOWED_HOSTS", "algorithms.example:443", "ALLOWED_HOSTS"),
        ("LIMIT_WRITES", "-1", "LIMIT_WRITES=-1"),
        ("LIMIT_VALIDATIONS", "many", "LIMIT_VALIDATIONS='many'"),
        ("LIMIT_FAILURES", "-5", "LIMIT_FAILURES=-5"),
    ],
)
def test_a_wrong_setting_is_named(name, value, words):
    with pytest.raises(Exception, match=re.escape(words)):
        from_environment({f"REGISTRY_{name}": value})


def test_the_settings_of_the_edge_are_read():
    settings = from_environment(
        {
            "REGISTRY_TRUSTED_PROXIES": " 127.0.0.1 , 2001:db8::/32,",
            "REGISTRY_ALLOWED_HOSTS": "Algorithms.example, ::1",
            "REGISTRY_LIMIT_WRITES": "0",
        }
    )
    assert [str(network) for network in settings.proxies] == ["127.0.0.1/32", "2001:db8::/32"]
    assert settings.hosts == {"algorithms.example", "::1"}
    assert settings.limit_writes == 0


async def test_options_and_a_wrong_method_name_the_same_methods(reader):
    for path, methods in (
        (RECORDS, "GET, HEAD, OPTIONS"),
        ("/api/v1/filings/demo-sante/x", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
    ):
        for method, status in (("OPTIONS", 204), ("BREW", 405)):
            answer = await reader.request(method, path)
            assert (answer.status_code, answer.headers["allow"]) == (status, methods)


async def test_pages_ask_for_nothing_of_the_device_and_share_no_window(client):
    page, answer = await client.get("/fr/"), await client.get(RECORDS)
    assert "camera=()" in page.headers["permissions-policy"]
    assert page.headers["cross-origin-opener-policy"] == "same-origin"
    assert "permissions-policy" not in answer.headers
