"""Compressed answers: the same bytes, a tag for each coding, and never what is somebody's own."""

import gzip
from urllib.parse import urlsplit

import httpx
import pytest

RECORDS = "/api/v1/records"
RECORD = f"{RECORDS}/demo-sante/prevision-lits"
DRAFT = "/api/v1/filings/demo-sante/prevision-lits"
GZIP = {"accept-encoding": "gzip, deflate, br"}
PLAIN = {"accept-encoding": "identity"}
TEXT = "Prévision des lits. " * 100
FILES = {
    "fr/about.html": TEXT,
    "large.json": f'"{TEXT * 100}"',
    "assets/style.0123.css": TEXT,
    "assets/finder.0123.js": TEXT,
    "assets/icon.0123.svg": TEXT,
    "feeds/all.atom": TEXT,
    "fr/gone.html": f'<!doctype html>\n<html data-status="410">{TEXT}',
    "404.html": TEXT,
    "fr/small.html": TEXT[:460],
    "assets/font.0123.woff2": TEXT,
    "assets/card.0123.png": TEXT,
}
PLAIN_FILES = ("/fr/small", "/assets/font.0123.woff2", "/assets/card.0123.png")
HEADS = ("etag", "vary", "content-type", "content-encoding", "content-length", "cache-control")


@pytest.fixture
async def published(publish, record):
    """A record in force; each of the addresses has something to say."""
    await publish(record)
    return record


@pytest.fixture
def site(settings, app):
    for name, content in FILES.items():
        path = settings.site_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


@pytest.fixture
async def client(app):
    """A client that shows what was sent, without a look at it before."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://register", headers=PLAIN
    ) as opened:
        yield opened


async def raw(client, path, method="GET", **headers):
    """Give an answer with its body as it was sent."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    request = client.build_request(method, path, headers=headers)
    response = await client.send(request, stream=True)
    body = b"".join([part async for part in response.aiter_raw()])
    await response.aclose()
    return response, body


def coded(tag):
    return f'{tag[:-1]}-gz"'


COMPRESSED = [
    RECORD,
    f"{RECORD}/versions/1",
    RECORDS,
    f"{RECORDS}?q=lits&facets=risk,agency",
    "/api/v1/statistics",
    "/api/v1/changes",
    "/api/v1/agencies",
    "/api/v1/codelists",
    "/api/v1/schemas/record/1.0",
    "/api/v1/catalogue",
    "/openapi.json",
    "/fr/about",
    "/large.json",
    "/assets/style.0123.css",
    "/assets/finder.0123.js",
    "/assets/icon.0123.svg",
    "/feeds/all.atom",
]


RECEIPTED = {"/api/v1/records", "/api/v1/statistics", "/api/v1/changes"}
"""Of those, what also answers with a receipt to who asks for one."""


async def test_whoever_takes_gzip_gets_the_same_smaller_with_a_tag_of_its_own(
    client, published, site, subtests
):
    for path in COMPRESSED:
        with subtests.test(path=path):
            plain, whole = await raw(client, path)
            small, body = await raw(client, path, **GZIP)
            assert (plain.status_code, small.status_code) == (200, 200)
            assert gzip.decompress(body) == whole
            assert len(body) < len(whole)
            known = ["accept"] if urlsplit(path).path in RECEIPTED else []
            varying = ",".join([*known, "accept-encoding"])
            assert plain.headers["vary"] == small.headers["vary"] == varying
            assert "content-encoding" not in plain.headers
            assert small.headers["content-encoding"] == "gzip"
            assert (plain.headers["content-length"], small.headers["content-length"]) == (
                str(len(whole)),
                str(len(body)),
            )
            tag = plain.headers["etag"]
            assert small.headers["etag"] == coded(tag)
            for given, asked in (({}, plain), (GZIP, small)):
                head, nothing = await raw(client, path, "HEAD", **given)
                assert nothing == b""
                for name in HEADS:
                    assert head.headers.get(name) == asked.headers.get(name)
                for known in (tag, coded(tag)):
                    unchanged, nothing = await raw(
                        client, path, if_none_match=f'"other", {known}', **given
                    )
                    assert (unchanged.status_code, nothing) == (304, b"")
                    assert unchanged.headers["etag"] == known
                    assert unchanged.headers["vary"] == varying
                    assert "content-encoding" not in unchanged.headers
                fresh, _ = await raw(client, path, if_none_match='"other"', **given)
                assert fresh.status_code == 200


async def test_a_record_is_changed_by_the_tag_of_either_coding(agency, client, published):
    small, _ = await raw(client, RECORD, **GZIP)
    assert small.headers["etag"].endswith('-gz"')
    begun = await agency.put(DRAFT, json=published, headers={"if-match": small.headers["etag"]})
    assert begun.status_code == 201


async def test_an_amendment_changes_the_tags_of_both_codings(client, publish, published):
    tags = [(await raw(client, RECORD, **given))[0].headers["etag"] for given in ({}, GZIP)]
    published["name"]["fr"] += " bis"
    await publish(published)
    for tag in tags:
        for given in ({}, GZIP):
            fresh, _ = await raw(client, RECORD, if_none_match=tag, **given)
            assert fresh.status_code == 200
            assert fresh.headers["etag"] not in tags


ACCEPTED = [
    ("gzip", True),
    ("br;q=1.0, GZIP ; q=0.5", True),
    ("deflate, *;q=0.1", True),
    ("x-gzip", True),
    ("", False),
    ("br", False),
    ("identity", False),
    ("gzip;q=0", False),
    ("br, gzip;q=0, *;q=0.5", False),
    ("identity, gzip;q=0.9", False),
]


async def test_a_client_says_what_it_takes(client, published, subtests):
    for accepted, packs in ACCEPTED:
        with subtests.test(accepted=accepted, packs=packs):
            response, _ = await raw(client, RECORD, accept_encoding=accepted)
            assert (response.headers.get("content-encoding") == "gzip") == packs


async def test_a_page_that_is_not_there_is_compressed_too(client, site, subtests):
    for path in ["/fr/gone", "/nothing"]:
        with subtests.test(path=path):
            response, body = await raw(client, path, accept="text/html", **GZIP)
            assert response.status_code in {404, 410}
            assert response.headers["content-encoding"] == "gzip"
            assert TEXT.encode() in gzip.decompress(body)
            assert "etag" not in response.headers


AS_IT_IS = [
    *PLAIN_FILES,
    "/health/live",
    "/api/v1/exports/records.xlsx",
    "/api/v1/exports/records.csv",
    "/api/v1/exports/records.jsonl",
    "/api/v1/exports/records.jsonld",
    "/api/v1/records/demo-sante/none",
]


async def test_what_is_short_packed_streamed_or_refused_is_sent_as_it_is(
    client, published, site, subtests
):
    for path in AS_IT_IS:
        with subtests.test(path=path):
            response, body = await raw(client, path, **GZIP)
            plain, same = await raw(client, path)
            assert "content-encoding" not in response.headers
            is_receipted = path.startswith("/api/v1/exports/records.")
            assert response.headers.get("vary") == ("accept" if is_receipted else None)
            assert response.headers.get("etag") == plain.headers.get("etag")
            assert len(body) == len(same)


async def test_what_is_shown_to_a_token_alone_is_never_compressed(agency, client, published):
    tag = (await client.get(RECORD)).headers["etag"]
    saved = await agency.put(DRAFT, json=published, headers={"if-match": tag})
    assert saved.status_code == 201
    token = agency.headers["authorization"]
    response, body = await raw(client, DRAFT, authorization=token, **GZIP)
    assert response.headers["cache-control"] == "no-store"
    assert len(body) > 500
    assert "content-encoding" not in response.headers
