"""Drafts: saved, read, listed and thrown away, by those who may."""

import asyncio
import copy
import datetime as dt

import msgspec
import pytest

from registry.errors import (
    Conflict,
    Forbidden,
    IdempotencyKeyReused,
    InvalidRecord,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
)
from registry.record.canonical import canonical
from registry.record.fast_validator import FastValidator
from registry.services.context import ServiceContext
from registry.services.filing import drafts
from registry.services.filing.drafts import Precondition
from registry.services.people.access import Actor

NEW = Precondition(new=True)
STALE = Precondition(tag="0" * 16)


async def test_an_incomplete_draft_is_kept_with_what_is_missing(filer, record):
    del record["purpose"]
    saved = await filer.save(record)
    assert saved.created
    assert not saved.verdict.publishable
    assert {"/purpose/goal", "/purpose/public_benefit"} <= {
        finding.pointer for finding in saved.verdict.findings
    }
    read = await filer.read(record)
    assert (read.draft, read.verdict) == (saved.draft, saved.verdict)


class CountingValidator(FastValidator):
    """A validator that keeps the profiles it was asked about."""

    def __init__(self):
        super().__init__()
        self.profiles = []

    def accepts(self, document, profile, pack):
        self.profiles.append(profile)
        return super().accepts(document, profile, pack)


async def test_a_saved_draft_is_validated_once_as_draft_and_once_for_publication(filer, record):
    validator = CountingValidator()
    filer.context = msgspec.structs.replace(filer.context, fast=validator)
    await filer.save(record)
    assert validator.profiles == ["draft", "publication"]


async def test_a_draft_that_is_not_of_the_format_is_not_kept(filer, record):
    record["risk"]["level"] = "huge"
    with pytest.raises(InvalidRecord) as refused:
        await filer.save(record)
    assert [finding.pointer for finding in refused.value.findings] == ["/risk/level"]
    with pytest.raises(NotFound):
        await filer.read(record)


async def test_a_draft_must_be_of_the_record_that_the_address_names(filer, record):
    with pytest.raises(InvalidRecord) as refused:
        await drafts.save_draft(
            filer.context,
            filer.health,
            "demo-sante/another",
            record,
            precondition=NEW,
            now=dt.datetime.now(dt.UTC),
        )
    assert [finding.pointer for finding in refused.value.findings] == ["/id"]


async def test_a_restricted_draft_never_holds_what_it_must_not_show(filer, record):
    record["publication"] = {"visibility": "restricted"}
    with pytest.raises(InvalidRecord) as refused:
        await filer.save(record)
    assert "/name" in {finding.pointer for finding in refused.value.findings}


async def test_a_change_must_say_which_state_it_changes(filer, record):
    with pytest.raises(PreconditionRequired):
        await filer.save(record, None)
    with pytest.raises(PreconditionFailed, match="no such record"):
        await filer.save(record, STALE)
    saved = await filer.save(record)
    record["name"]["fr"] = "Autre nom"
    for precondition in (NEW, STALE):
        with pytest.raises(PreconditionFailed):
            await filer.save(record, precondition)
    changed = await filer.save(record, Precondition(tag=saved.draft.tag))
    assert changed.draft.tag != saved.draft.tag
    record["name"]["fr"] = "Encore un autre"
    with pytest.raises(PreconditionFailed):
        await filer.save(record, Precondition(tag=saved.draft.tag))


async def test_what_is_saved_already_is_saved_whatever_tag_comes_with_it(filer, record):
    first = await filer.save(record)
    for precondition in (NEW, STALE, Precondition(tag=first.draft.tag)):
        again = await filer.save(record, precondition)
        assert again.draft == first.draft
        assert not again.created
    with pytest.raises(PreconditionRequired):
        await filer.save(record, None)
    assert [act[1] for act in await filer.acts()] == ["save_draft"]


async def test_a_published_id_cannot_be_begun_anew(filer, record):
    await filer.publish(record)
    with pytest.raises(PreconditionFailed, match="published record"):
        await filer.save(record)


async def test_the_tag_of_what_is_published_does_not_change_a_draft_of_its_amendment(filer, record):
    await filer.publish(record)
    published = Precondition(tag=await filer.tag(record))
    record["name"]["fr"] = "Autre nom"
    saved = await filer.save(record, published)
    record["name"]["fr"] = "Encore un autre"
    with pytest.raises(PreconditionFailed, match=f'use its tag "{saved.draft.tag}"'):
        await filer.save(record, published)


async def test_nobody_touches_another_agencys_draft(filer, record):
    absent = record | {"id": "demo-sante/absent"}
    await filer.save(record)
    for document in (record, absent):
        with pytest.raises(Forbidden, match="it cannot file for demo-sante"):
            await filer.save(document, by=filer.schools)
        for act in (
            filer.read(document, by=filer.schools),
            filer.delete(document, by=filer.schools),
        ):
            with pytest.raises(NotFound, match=f"there is no draft {document['id']} that"):
                await act
    assert await filer.drafts() == [record["id"]]
    assert await filer.drafts(by=filer.schools) == []


async def test_another_agencys_draft_is_refused_before_the_database_is_asked(filer, record):
    class Untouched:
        def __getattr__(self, name):
            pytest.fail(f"the database was asked for a {name}")

    context = ServiceContext(database=Untouched(), pack=filer.context.pack, random=bytes)
    now = dt.datetime.now(dt.UTC)
    with pytest.raises(NotFound):
        await drafts.read_draft(context, filer.schools, record["id"], now=now)
    with pytest.raises(NotFound):
        await drafts.delete_draft(context, filer.schools, record["id"], precondition=None, now=now)


async def test_who_may_neither_file_nor_review_sees_no_draft(filer, record):
    await filer.save(record)
    admin = Actor(name="admin", agency=None, scopes=frozenset({"admin"}), token=1)
    for act in (filer.read(record, by=admin), filer.drafts(by=admin)):
        with pytest.raises(Forbidden, match="needs the scope file"):
            await act


async def test_a_deleted_draft_leaves_the_published_version(filer, record):
    receipt = await filer.publish(record)
    record["website"] = "https://demo.example/autre"
    saved = await filer.save(record, Precondition(tag=receipt.hash[:16]))
    with pytest.raises(PreconditionFailed):
        await filer.delete(record, "0" * 16)
    await filer.delete(record, saved.draft.tag)
    assert (await filer.stored(record)).register.version == 1
    assert await filer.drafts() == []
    with pytest.raises(NotFound):
        await filer.delete(record)


async def test_of_drafts_begun_at_once_one_is_kept_and_the_others_learn_of_it(filer, record):
    documents = [record | {"source_id": str(number)} for number in range(6)]
    results = await asyncio.gather(
        *(filer.save(document) for document in documents), return_exceptions=True
    )
    [kept] = [one for one in results if not isinstance(one, PreconditionFailed)]
    assert sum(isinstance(one, PreconditionFailed) for one in results) == 5
    assert (await filer.read(record)).draft == kept.draft


async def test_of_two_who_change_one_draft_with_one_tag_one_wins(filer, record):
    tag = Precondition(tag=(await filer.save(record)).draft.tag)
    documents = [record | {"source_id": str(number)} for number in range(2)]
    results = await asyncio.gather(
        *(filer.save(document, tag) for document in documents), return_exceptions=True
    )
    [kept] = [one for one in results if not isinstance(one, Exception)]
    [refused] = [one for one in results if isinstance(one, Exception)]
    assert isinstance(refused, PreconditionFailed)
    assert (await filer.read(record)).draft.document == kept.draft.document


async def test_a_key_stands_for_one_document(filer, with_token, record):
    saved = await filer.save(record, by=with_token, idempotency_key="k")
    again = await filer.save(record, by=with_token, idempotency_key="k")
    assert again.draft == saved.draft
    other = record | {"source_id": "other"}
    with pytest.raises(IdempotencyKeyReused):
        await filer.save(
            other, Precondition(tag=saved.draft.tag), by=with_token, idempotency_key="k"
        )
    assert (await filer.read(record)).draft == saved.draft


async def test_every_write_is_noted_with_what_it_began_from(filer, record):
    saved = await filer.save(record)
    changed = await filer.save(record | {"source_id": "x"}, Precondition(tag=saved.draft.tag))
    await filer.delete(record)
    assert await filer.acts() == [
        ("demo-sante", "save_draft", record["id"], None, "done"),
        ("demo-sante", "save_draft", record["id"], saved.draft.tag, "done"),
        ("demo-sante", "delete_draft", record["id"], changed.draft.tag, "done"),
    ]


async def test_a_draft_in_review_is_kept_as_it_is_and_can_be_taken_back(reviewed, record):
    saved = await reviewed.save(record)
    await reviewed.submit(record)
    again = await reviewed.save(record)
    assert (again.draft.state, again.draft.tag) == ("in_review", saved.draft.tag)
    with pytest.raises(Conflict, match="delete it to take it back"):
        await reviewed.save(record | {"source_id": "x"}, Precondition(tag=saved.draft.tag))
    await reviewed.delete(record, saved.draft.tag)
    assert await reviewed.drafts() == []
    with pytest.raises(NotFound):
        await reviewed.approve(record)


async def test_an_agency_keeps_so_many_bytes_of_drafts(context, filer, record):
    size = len(canonical(record))
    filer.context = msgspec.structs.replace(context, draft_bytes=2 * size + 500)
    others = [copy.deepcopy(record) | {"id": f"demo-sante/d-{number}"} for number in range(3)]
    for other in others[:2]:
        await filer.save(other)
    with pytest.raises(Conflict, match=r"demo-sante has .* of other drafts"):
        await filer.save(others[2])
    # Less than a small draft counts as, and no more than there is room for.
    small = {"id": "demo-sante/small", "schema_version": "1.0"}
    with pytest.raises(Conflict, match="submit some or delete them"):
        await filer.save(small)
    await filer.delete(others[0])
    await filer.save(small)
    there = await filer.read(others[1])
    saved = await filer.save(others[1] | {"source_id": "X"}, Precondition(tag=there.draft.tag))
    assert not saved.created
