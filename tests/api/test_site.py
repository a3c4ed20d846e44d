"""The built site as the register serves it: flat files, and nothing outside its folder."""

from urllib.parse import unquote

import pytest

GONE = '<!doctype html>\n<html lang="fr" dir="ltr" data-status="410">retirée'
FILES = {
    "fr/records/demo-sante/gone.html": GONE,
    "index.html": "root",
    "404.html": "not found page",
    "fr/index.html": "accueil",
    "fr/about.html": "à propos",
    "fr/records/demo-sante/x.html": "fiche",
    "fr/records/demo-sante/x/versions/1.html": "version",
    "assets/style.0123.css": "body{}",
    "feeds/all.xml": "<feed/>",
    "assets/icon.0123.svg": "<svg/>",
    "favicon.ico": "drawing",
}
SECRET = "the log's key"


@pytest.fixture
def site(settings, app):
    for name, content in FILES.items():
        path = settings.site_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    (settings.data_dir / "keys").mkdir()
    (settings.data_dir / "keys/log.key").write_text(SECRET)
    (settings.data_dir / "site-other").mkdir()
    (settings.data_dir / "site-other/index.html").write_text(SECRET)
    return settings.site_dir


SERVED = [
    ("/", "index.html", "text/html; charset=utf-8"),
    ("/fr/", "fr/index.html", "text/html; charset=utf-8"),
    ("/fr/about", "fr/about.html", "text/html; charset=utf-8"),
    ("/fr/about.html", "fr/about.html", "text/html; charset=utf-8"),
    ("/fr/records/demo-sante/x", "fr/records/demo-sante/x.html", "text/html; charset=utf-8"),
    (
        "/fr/records/demo-sante/x/versions/1",
        "fr/records/demo-sante/x/versions/1.html",
        "text/html; charset=utf-8",
    ),
    ("/assets/style.0123.css", "assets/style.0123.css", "text/css; charset=utf-8"),
    ("/feeds/all.xml", "feeds/all.xml", "application/xml"),
    ("/assets/icon.0123.svg", "assets/icon.0123.svg", "image/svg+xml"),
    ("/favicon.ico", "favicon.ico", "image/x-icon"),
]


async def test_every_file_has_its_address_type_and_tag(client, site, subtests):
    for path, file, kind in SERVED:
        with subtests.test(path=path, file=file, kind=kind):
            response = await client.get(path)
            assert (response.status_code, response.text) == (200, FILES[file])
            assert response.headers["content-type"] == kind
            assert response.headers["x-content-type-options"] == "nosniff"
            policy = response.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; ")
            assert "unsafe" not in policy
            immutable = "immutable" in response.headers["cache-control"]
            assert immutable is path.startswith("/assets/")
            head = await client.head(path)
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["content-length"] == response.headers["content-length"]
            tag = response.headers["etag"]
            known = await client.get(path, headers={"if-none-match": tag})
            assert (known.status_code, known.content) == (304, b"")
            (site / file).write_text("another text", encoding="utf-8")
            fresh = await client.get(path, headers={"if-none-match": tag})
            assert (fresh.status_code, fresh.text) == (200, "another text")
            (site / file).write_text(FILES[file], encoding="utf-8")


async def test_only_what_is_made_for_frames_may_be_framed(client, site):
    (site / "fr/statistics/levels").mkdir(parents=True)
    # An agency, or a system, may be called so.
    for file in ("statistics/levels", "agencies", "records/demo-sante"):
        (site / "fr" / file).mkdir(parents=True, exist_ok=True)
        (site / "fr" / file / "embed.html").write_text("page", encoding="utf-8")
    policies = {
        path: (await client.get(path)).headers["content-security-policy"]
        for path in (
            "/fr/statistics/levels/embed",
            "/fr/about",
            "/fr/records/demo-sante/x",
            "/fr/records/demo-sante/embed",
            "/fr/agencies/embed",
            "/no",
        )
    }
    framed = policies.pop("/fr/statistics/levels/embed")
    assert framed.endswith("frame-ancestors *")
    assert "script-src" not in framed
    assert all(one.endswith("frame-ancestors 'none'") for one in policies.values())


async def test_a_slash_too_many_or_too_few_is_led_to_the_page(client, site):
    for path, target in (("/fr", "/fr/"), ("/fr/about/", "/fr/about")):
        response = await client.get(path)
        assert (response.status_code, response.headers["location"]) == (308, target)
        assert (await client.get(target)).status_code == 200


async def test_the_page_of_a_withdrawn_record_is_gone_and_says_so(client, site):
    response = await client.get("/fr/records/demo-sante/gone")
    assert (response.status_code, response.text) == (410, GONE)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert "etag" not in response.headers
    head = await client.head("/fr/records/demo-sante/gone")
    assert (head.status_code, head.content) == (410, b"")


async def test_only_the_first_element_of_a_page_says_its_status(client, site):
    quoted = f"<!doctype html>\n<html><p>{GONE}</p>"
    (site / "fr/about.html").write_text(quoted, encoding="utf-8")
    assert (await client.get("/fr/about")).status_code == 200


TRICKS = [
    "/../keys/log.key",
    "/fr/../../keys/log.key",
    "/..%2fkeys%2flog.key",
    "/%2e%2e/keys/log.key",
    "/%252e%252e/keys/log.key",
    "/fr/..%5c..%5ckeys",
    "/fr\\..\\about",
    "/fr/about%00",
    "/%00",
    "//fr/",
    "//evil.example/",
    "/fr//about",
    "//",
    "/./fr/about",
    "/fr/.",
    "/site-other/",
    "/.",
    "/..",
    "/" + "x" * 300,
    "/" + "é" * 300,
    "/" + "a/" * 3000,
    "/fr/about.html/",
    "/FR/",
    "/fr/nothing",
    "/~root",
    "/%ff",
    "/\u2215etc",
    "/api",
    "/health",
]


async def test_no_address_leads_out_of_the_folder_or_to_a_fault(raw, site):
    for path in TRICKS:
        for asked in dict.fromkeys([path, unquote(path)]):
            for method in ("GET", "HEAD"):
                response = await raw(asked, method=method)
                assert response.status_code == 404, path
                assert SECRET not in response.text, path
                assert response.headers["content-type"] == "application/problem+json", path
        page = await raw(unquote(path), headers=[(b"accept", b"text/html,*/*;q=0.8")])
        assert (page.status_code, page.text) == (404, FILES["404.html"]), path
        assert page.headers["content-type"].startswith("text/html"), path


async def test_the_site_is_only_read(client, site, problem):
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        response = await client.request(method, "/fr/")
        problem(response, 405, "method-not-allowed")
        assert response.headers["allow"] == "GET, HEAD"


async def test_a_site_that_is_not_built_yet_is_said(client, problem):
    found = problem(await client.get("/fr/"), 404, "not-found")
    assert "not built yet" in found["detail"]
    assert (await client.get("/api/v1/records")).status_code == 200


async def test_the_folder_may_be_a_link_that_moves(client, settings):
    for number in (1, 2):
        folder = settings.data_dir / f"site-{number}"
        folder.mkdir()
        (folder / "index.html").write_text(f"build {number}")
        link = settings.data_dir / "next"
        link.symlink_to(folder.name)
        link.rename(settings.site_dir)
        assert (await client.get("/")).text == f"build {number}"
