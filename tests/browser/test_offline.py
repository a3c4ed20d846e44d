"""A copy of the site that is opened by double click: its pages, its search and its proofs."""

from __future__ import annotations

import zipfile

from tests.browser.conftest import DESKTOP

AID = "demo-services/aide-energie-hivernale"


def test_a_copy_opens_searches_and_is_checked_without_any_host(opened, register, tmp_path):
    told = register.register.run("site", "copy", "--out", tmp_path / "copy", "--language", "fr")
    assert told.returncode == 0, told.stderr
    url = f"file://{tmp_path}/copy"
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
            assert not is_file or (tmp_path / address.removeprefix(f"file://{tmp_path}/")).is_file()


def test_an_archive_has_one_folder_and_only_the_languages_asked_for(register, tmp_path):
    out = tmp_path / "register.zip"
    told = register.register.run("site", "copy", "--out", out, "--language", "ar")
    assert told.returncode == 0, told.stderr
    names = zipfile.ZipFile(out).namelist()
    assert {name.split("/")[0] for name in names} == {"register"}
    assert "register/ar/index.html" in names
    assert not [name for name in names if name.startswith(("register/fr/", "register/find/fr"))]
    again = register.register.run("site", "copy", "--out", out)
    assert (again.returncode, "is there already" in again.stderr) == (2, True)
