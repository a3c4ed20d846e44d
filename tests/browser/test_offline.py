"""A copy of the site that is opened by double click: its pages, its search and its proofs."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from registry.record.short_code import candidates, with_check
from tests.browser.conftest import DESKTOP

AID = "demo-services/aide-energie-hivernale"


@pytest.fixture(scope="module")
def copied(register, tmp_path_factory):
    """A folder with a copy in French."""
    folder = tmp_path_factory.mktemp("offline") / "copy"
    told = register.register.run("site", "copy", "--out", folder, "--language", "fr")
    assert told.returncode == 0, told.stderr
    return folder


def test_a_copy_opens_searches_and_is_checked_without_any_host(opened, copied):
    url = copied.as_uri()
    with opened(url, viewport=DESKTOP) as page:
        page.goto(f"{url}/index.html")
        page.locator("a[href='fr/index.html']").click()
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == "rgb(251, 250, 247)"
        page.locator("#q").fill("chauffage")
        page.wait_for_selector("#suggestions [role=option]")
        assert page.locator("#suggestions a").first.get_attribute("href").endswith(".html")
        page.locator("#q").press("Enter")
        page.wait_for_selector("#hits .record")
        page.locator(f"#hits a[href$='{AID}.html']").click()
        page.wait_for_url(f"{url}/fr/records/{AID}.html")
        page.locator("#proof-start button").evaluate("(button) => button.click()")
        page.wait_for_selector("#proof-verdict .verdict", state="attached")
        verdict = page.locator("#proof-verdict").text_content()
        assert "Tout est en ordre" in verdict, verdict
        # Each link within the site leads to a file, or to the register's own address.
        for link in page.locator("a[href]").all():
            address = link.evaluate("(one) => one.href.split('#')[0]")
            is_file = address.startswith(f"{url}/")
            assert is_file or not address.startswith("file:"), address
            assert not is_file or (copied / address.removeprefix(f"{url}/")).is_file()


def test_a_code_from_a_letter_is_taken_in_a_copy(opened, register, copied):
    url = copied.as_uri()
    code = next(candidates(AID))
    with opened(url, expected="ERR_FILE_NOT_FOUND") as page:
        page.goto(f"{url}/fr/code.html")
        page.fill("#code", f"{code[:3]} {code[3:].lower()}")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{url}/r/{code}.html")
        # Nothing is guessed: one that is of no record here finds nothing.
        page.goto(f"{url}/fr/code.html")
        page.fill("#code", with_check("ABC123"))
        page.keyboard.press("Enter")
        page.wait_for_selector("#nothing:not([hidden])")
    again = register.register.run("site", "copy", "--out", copied)
    assert (again.returncode, "is there already" in again.stderr) == (2, True)


def test_a_letter_is_written_in_a_copy_that_no_register_serves(opened, copied):
    url = copied.as_uri()
    with opened(url, viewport=DESKTOP) as page:
        page.goto(f"{url}/fr/records/{AID}/letter.html")
        assert page.locator("button[name=then]").count() == 0
        page.locator("#letter-name").click()
        page.keyboard.type("Fatima")
        page.keyboard.press("Enter")
        page.reload()
        assert page.locator("#letter-name").input_value() == "Fatima"
        mail = page.locator("#mail").get_attribute("href")
        assert "Fatima" in mail
        assert mail.startswith("mailto:")


def test_the_page_of_copies_offers_an_archive_of_each_language(opened, register):
    client = register.client
    with opened(register.url) as page:
        page.goto(f"{register.url}/ar/copy")
        offered = [link.get_attribute("href") for link in page.locator(".archives a").all()]
        # It is made with a low priority, which a busy machine lets wait.
        with page.expect_download(timeout=300_000) as download:
            page.locator(".archives a").first.click()
        archive = Path(download.value.path()).read_bytes()
    assert offered == [f"/copies/register{part}.zip" for part in ("-ar", "-fr", "-zgh", "-en", "")]
    names = zipfile.ZipFile(io.BytesIO(archive)).namelist()
    assert {name.split("/")[0] for name in names} == {"register-ar"}
    assert {"register-ar/ar/index.html", f"register-ar/proofs/{AID}/1.json.js"} <= {*names}
    assert not [name for name in names if name.startswith("register-ar/fr/")]
    # It is kept until the site changes, and nothing is left of how it was made.
    again = client.get(offered[0])
    assert (again.content, again.headers["content-type"]) == (archive, "application/zip")
    tag = {"if-none-match": again.headers["etag"]}
    assert client.get(offered[0], headers=tag).status_code == 304
    assert not list(register.register.data.glob("copy-*"))
    assert client.get("/copies/register-de.zip").status_code == 404
