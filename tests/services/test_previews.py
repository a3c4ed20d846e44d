"""Previews: the version that a draft would be, for those who may read the draft."""

import msgspec
import pytest

from registry.errors import NotFound
from registry.services import previews
from registry.services.drafts import Precondition

from .conftest import NOW, actor


async def preview(filer, record, by=None):
    return await previews.read_preview(filer.context, by or filer.health, record["id"], now=NOW)


async def test_the_preview_of_a_draft_is_the_version_that_it_would_be(filer, record):
    await filer.save(record)
    made = await preview(filer, record)
    register = made.record.register
    assert msgspec.json.decode(made.record.document) == record
    assert (register.version, register.entry, register.hash) == (1, -1, "")
    assert (made.errors, register.fictitious) == (0, True)
    await filer.submit(record)
    published = (await filer.stored(record)).register
    assert (register.completeness, register.missing) == (
        published.completeness,
        published.missing,
    )
    assert msgspec.json.decode(register.findings) == msgspec.json.decode(published.findings)


async def test_an_incomplete_draft_has_a_preview_and_counts_what_keeps_it_back(filer, record):
    draft = {"id": record["id"], "schema_version": "1.0"}
    saved = await filer.save(draft)
    made = await preview(filer, record)
    assert made.errors == saved.verdict.findings_total > 0
    assert made.tag == saved.draft.tag


async def test_an_amendment_previews_its_next_version_with_the_records_that_it_names(
    filer, publish, record
):
    other = record | {"id": "demo-sante/other", "source_id": "other", "name": {"fr": "Autre"}}
    await publish(record)
    await publish(other)
    amended = record | {"related_records": [{"relation": "part_of", "record": other["id"]}]}
    await filer.save(amended, Precondition(tag=await filer.tag(record)))
    made = await preview(filer, record)
    assert made.record.register.version == 2
    assert [one.id for one in made.related] == [other["id"]]


async def test_a_preview_is_for_those_who_may_read_the_draft(reviewed, record):
    await reviewed.save(record)
    stranger = actor("demo-education", "demo-education", "file", "review")
    for by in (stranger, reviewed.authority):
        with pytest.raises(NotFound, match="there is no draft"):
            await preview(reviewed, record, by)
    await reviewed.submit(record)
    assert (await preview(reviewed, record, reviewed.authority)).record.id == record["id"]
    with pytest.raises(NotFound, match="there is no draft"):
        await preview(reviewed, record, stranger)
