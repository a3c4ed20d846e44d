"""Filing by the form, without a script: begun, filled page by page, refused, mended, published."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import msgspec
import pytest

from registry.services import drafts
from registry.services.access import Actor
from registry.web.console.form_layout import PAGES
from tests.record.test_faults import DATA, read
from tests.typed import Typist

EDITOR = Actor(name="demo-services", agency="demo-services", scopes=frozenset({"file"}), token=None)


def for_agency(name, agency="demo-services"):
    document = read(DATA / "valid" / f"{name}.json")
    return {**document, "id": f"{agency}/par-formulaire"}


async def typist(office, *roles, agency="demo-services", language="fr"):
    browser, _ = await office.member(*(roles or ("editor",)), agency=agency, language=language)
    return Typist(browser, language)


async def begin(someone, document):
    """Begin a record that will say what a document says."""
    await someone.open("records/new")
    form = someone.form("new")
    form.set("name", document["name"][document["languages"]["source"]])
    form.set("source", document["languages"]["source"])
    form.set("language", *document["languages"]["translation_status"])
    form.set("slug", document["id"].partition("/")[2])
    return await someone.send(form)


async def file_all(someone, document):
    """Fill page after page, as the form leads, until it leads to the overview."""
    await begin(someone, document)
    assert someone.answer.status_code == 200, someone.text
    while True:
        slug = urlsplit(str(someone.answer.url)).path.rpartition("/")[2]
        if not slug:
            return
        await someone.fill(document, slug)
        assert someone.answer.status_code == 200, someone.text


async def draft_of(office, record):
    async with office.database.connection() as connection:
        draft = await drafts.drafts.read(connection, record)
    return None if draft is None else msgspec.json.decode(draft.document)


async def published(office, record):
    rows = await office.run(
        "select document from content where record = $1 order by version desc limit 1", record
    )
    return json.loads(rows[0]["document"]) if rows else None


@pytest.mark.parametrize("name", ["minimal", "limited", "high"])
async def test_a_record_is_filed_by_the_form_alone(office, name):
    document = for_agency(name)
    someone = await typist(office)
    await file_all(someone, document)
    for page in PAGES:
        # What is not asked may be said all the same.
        await someone.open(f"records/{document['id']}/{page.slug}")
        await someone.fill(document, page.slug, then="list")
        assert someone.answer.status_code == 200, someone.text
    assert await draft_of(office, document["id"]) == document
    await someone.send(someone.form("submit"))
    assert "Publié" in someone.text
    assert await published(office, document["id"]) == document
