"""An agency that is added by the command while the register serves is found by its name at once."""

import asyncio

import pytest

from registry.record.pack import load_pack
from tests.cli.conftest import registry_in
from tests.console.conftest import opened_office
from tests.console.test_members import link_in

NAMES = {
    "fr": "Office des phares et balises",
    "ar": "مكتب المنارات والعلامات البحرية",
    "en": "Lighthouse Board",
}
ASKED = [
    "OPHB",
    "ophb",
    "phares",
    "balises office",
    "المنارات",
    "مكتب المنارات",
    "lighthouse board",
]


@pytest.fixture
def add(warm, tmp_path, database_url):
    """Add an agency as the operator does."""
    run = registry_in(tmp_path, warm)

    async def adding(code, names):
        named = [part for tag, name in names.items() for part in ("--name", f"{tag}={name}")]
        done = await asyncio.to_thread(
            run,
            *("agency", "add", code, *named, "--kind", "public_institution"),
            database_url=database_url,
            data_dir=tmp_path,
        )
        assert done.returncode == 0, done.stderr

    return adding


async def named(client, text):
    found = (await client.get("/api/v1/records", params={"q": text})).json()["named"]
    begun = (await client.get("/api/v1/suggestions", params={"q": text})).json()["named"]
    return [one["id"] for one in found], [one["id"] for one in begun]


async def test_it_is_found_by_its_names_and_its_acronym(client, add, subtests):
    assert await named(client, "lighthouse board") == ([], [])
    await add("ophb", NAMES)
    for text in ASKED:
        with subtests.test(text=text):
            found, begun = await named(client, text)
            assert "ophb" in found
            assert "ophb" in begun
    assert (await named(client, "lighth"))[1] == ["ophb"]
    for tag in ("ar", "fr", "en"):
        page = await client.get(f"/{tag}/search", params={"q": "lighthouse board"})
        assert page.status_code == 200
        assert f"/{tag}/agencies/ophb" in page.text
        assert NAMES[tag] in page.text
    # Another one, when the names were made once more.
    await add("ombr", {"fr": "Observatoire des brumes"})
    assert await named(client, "brumes") == (["ombr"], ["ombr"])
    assert (await named(client, "phares"))[0] == ["ophb"]
    # Nothing that others have made something of has changed.
    assert "ophb" not in load_pack("ma").agencies
    described = (await client.get("/openapi.json")).text
    assert '"ombr"' in described


async def test_the_console_offers_and_names_it(settings, database_url, add):
    async with opened_office(settings, database_url) as office:
        admin, _ = await office.member("register_admin", agency=None)
        page = await admin.get("/office/fr/members")
        assert NAMES["fr"] not in page.text
        await add("ophb", NAMES)
        await admin.get("/api/v1/suggestions?q=phares")
        page = await admin.get("/office/fr/members")
        assert NAMES["fr"] in page.text
        answer = await admin.post(
            "/office/fr/members",
            [("name", "Salma"), ("roles", "agency_admin"), ("agency", "ophb"), ("language", "fr")],
        )
        assert answer.status_code == 200
        colleague = office.browser()
        await colleague.sign_in(link_in(answer))
        home = await colleague.get("/office/fr/", follow_redirects=True)
        assert NAMES["fr"] in home.text
