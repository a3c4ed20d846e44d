"""The snapshot of a build, read from a register in which records came and went."""

import datetime as dt

import msgspec
import pytest

from registry.api.site import StaticSite
from registry.pages.build import plan
from registry.pages.build.read_snapshot import build_register, day_of, is_current, read_snapshot
from registry.pages.site import demonstration_of
from registry.record.origin import Origin
from registry.record.pack import Agency
from registry.record.validate import validate
from registry.services.filing.drafts import Precondition
from registry.services.importing.matching import ForeignFiling
from registry.services.people.access import Actor
from registry.services.statements.attestation import attest
from registry.services.statements.withdrawal import withdraw
from registry.store import agencies, log_checks
from tests.built import build, changing_pages
from tests.imported import import_filings

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
AGENCY = Actor(name="records", agency="demo-sante", scopes=frozenset({"file"}), token=1)
REASON = {"reason": "filed_in_error", "note": {"fr": "Déposée deux fois."}}


@pytest.fixture(autouse=True)
def fewer(monkeypatch):
    monkeypatch.setattr(plan, "all_pages", changing_pages)


async def taken_out(context, published):
    return await withdraw(
        context,
        AGENCY,
        published.id,
        REASON,
        precondition=Precondition(tag=published.hash[:16]),
        now=NOW,
    )


async def snapshot_of(context):
    async with context.database.snapshot() as connection:
        return await read_snapshot(connection, context.pack, as_of=day_of(context.pack, NOW))


async def served(folder, path):
    """The status that our own server answers an address of the built site with."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": []}
    await StaticSite(folder)(scope, None, send)
    return sent[0]["status"]


async def test_a_withdrawn_record_keeps_its_page_and_a_reinstated_one_its_history(
    context, settings, publish, record
):
    other = record | {"id": "demo-sante/autre", "name": {"fr": "Autre", "ar": "آخر"}}
    [first], [second] = await publish(record), await publish(other)
    gone = await taken_out(context, first)
    await taken_out(context, second)
    [back] = await publish(other)
    await attest(
        context,
        AGENCY,
        "demo-sante",
        {"day": "2026-11-01", "systems_total": 3, "contact": {"email": "a@demo-sante.example"}},
        now=NOW,
    )
    snapshot = await snapshot_of(context)
    states = {one.id: (one.register.state, one.register.version) for one in snapshot.records}
    assert states == {first.id: ("withdrawn", 1), second.id: ("published", back.version)}
    [withdrawal] = snapshot.withdrawals[first.id]
    assert (withdrawal.entry, withdrawal.hash) == (gone.entry, gone.hash)
    assert withdrawal.note == REASON["note"]
    assert [one.version for one in snapshot.withdrawals[second.id]] == [1]
    assert snapshot.attestations["demo-sante"].systems_total == 3

    build(snapshot, out=settings.site_dir, settings=settings)
    assert await served(settings.site_dir, f"/fr/records/{first.id}") == 410
    assert await served(settings.site_dir, f"/fr/records/{second.id}") == 200
    listed = (settings.site_dir / "sitemap.xml").read_text("utf-8")
    assert (first.id in listed, second.id in listed) == (False, True)
    agency = (settings.site_dir / "fr/agencies/demo-sante.html").read_text("utf-8")
    assert "utilisait <bdi>3</bdi>\u00a0systèmes" in agency


async def test_a_changed_agency_or_a_withdrawal_makes_the_site_out_of_date(
    context, settings, publish, record
):
    second = record | {
        "summary": {"fr": "Autre résumé.", "ar": "ملخص آخر."},
        "publication": record["publication"] | {"change_note": {"fr": "Résumé", "ar": "ملخص"}},
    }
    await publish(record)
    [latest] = await publish(second)
    snapshot = await snapshot_of(context)
    [earlier] = snapshot.earlier[latest.id]
    assert (earlier.register.version, earlier.register.state) == (1, "published")
    assert earlier.register.superseded_at == NOW
    assert [line.kind for line in snapshot.log] == ["genesis", "version", "version"]
    assert snapshot.counted.by_code.local.records == 1

    build(snapshot, out=settings.site_dir, settings=settings)
    changes = (settings.site_dir / "fr/changes.html").read_text("utf-8")
    assert 'href="/fr/records/demo-sante/' in changes
    version = settings.site_dir / f"fr/records/{latest.id}/versions/2.html"
    assert "<del>" in version.read_text("utf-8")

    own = context.pack.agencies["demo-sante"]
    renamed = msgspec.structs.replace(own, name=own.name | {"fr": "Agence renommée"})
    for agency, current in [(own, True), (renamed, False)]:
        async with context.database.transaction() as connection:
            await agencies.save(connection, [agency])
        assert await is_current(context.database, settings, as_of=NOW) is current
    built = await build_register(
        context.database, context.pack, settings, out=settings.site_dir, as_of=NOW
    )
    assert built.rendered > 0
    page = (settings.site_dir / "fr/agencies/demo-sante.html").read_text("utf-8")
    assert "Agence renommée" in page
    assert await is_current(context.database, settings, as_of=NOW)
    # A fault that stops the log is told by the pages about it, in their languages.
    for fault, words in (("the database, entry 1: it is another", True), (None, False)):
        async with context.database.transaction() as connection:
            await log_checks.set_fault(connection, fault)
        assert not await is_current(context.database, settings, as_of=NOW)
        await build_register(
            context.database, context.pack, settings, out=settings.site_dir, as_of=NOW
        )
        assert await is_current(context.database, settings, as_of=NOW)
        for name, notice in (("fr/changes", "est arrêté"), ("ar/changes/1", "السجل متوقف")):
            page = (settings.site_dir / f"{name}.html").read_text("utf-8")
            assert (notice in page) is words
    await taken_out(context, latest)
    assert not await is_current(context.database, settings, as_of=NOW)


async def test_a_whole_text_that_was_replaced_without_a_version_is_shown(context, settings):
    document = {
        "id": "be.demo/tri",
        "schema_version": "1.0",
        "name": {"fr": "Tri"},
        "purpose": {"goal": {"fr": "Trie…"}},
        "languages": {"source": "fr"},
        "source_id": "1",
    }

    async def bring(whole, title="Registre fictif"):
        filing = ForeignFiling(
            document=document,
            agency=Agency(id="be.demo", name={"fr": "Ville"}, kind="other", origin="be-demo"),
            verdict=validate(document, profile="foreign", pack=context.pack, today=NOW.date()),
            source_row={"But": whole},
            source_id="1",
            changed_on=None,
            whole={"/purpose/goal/fr": whole},
        )
        origin = Origin(code="be-demo", title=title)
        await import_filings(context, [filing], now=lambda: NOW, origin=origin)

    async def built():
        report = await build_register(
            context.database,
            context.pack,
            settings,
            out=settings.site_dir,
            as_of=day_of(context.pack, NOW),
        )
        page = (settings.site_dir / "fr/records/be.demo/tri.html").read_text("utf-8")
        return report, page

    await bring("Trie le courrier.")
    assert "Trie le courrier." in (await built())[1]
    assert await is_current(context.database, settings, as_of=NOW)
    await bring("Trie le courrier et les colis.")
    assert not await is_current(context.database, settings, as_of=NOW)
    report, page = await built()
    assert "Trie le courrier et les colis." in page
    assert report.rendered < report.files
    assert await is_current(context.database, settings, as_of=NOW)
    await bring("Trie le courrier et les colis.", title="Autre titre")
    assert not await is_current(context.database, settings, as_of=NOW)
    assert "Autre titre" in (await built())[1]


async def test_no_copied_record_that_is_invented_is_called_real(context, settings, publish, record):
    """As where two demonstrations harvest each other."""
    await publish(record)

    async def bring(slug, *, fictitious):
        agency = Agency(
            id=f"xx.{slug}",
            name={"en": slug.title()},
            kind="ministry",
            origin="xx-register",
            fictitious=fictitious,
        )
        document = {
            "id": f"{agency.id}/one",
            "schema_version": "1.0",
            "name": {"en": "One"},
            "languages": {"source": "en"},
        }
        verdict = validate(document, profile="foreign", pack=context.pack, today=NOW.date())
        filing = ForeignFiling(document=document, agency=agency, verdict=verdict, source_row={})
        await import_filings(context, [filing], now=lambda: NOW)

    async def told(tag):
        build(await snapshot_of(context), out=settings.site_dir, settings=settings)
        async with context.database.connection() as connection:
            kinds = await agencies.read_kinds(connection)
        page = (settings.site_dir / tag / "index.html").read_text("utf-8")
        return page, demonstration_of(kinds)

    await bring("invented", fictitious=True)
    page, kind = await told("en")
    assert "The records copied from other registers are invented too." in page
    assert ("are real" in page, kind) == (False, "invented")

    await bring("real", fictitious=False)
    page, kind = await told("fr")
    assert (
        "certaines sont inventées elles aussi, et le disent\u00a0; les autres sont réelles" in page
    )
    assert ("sont réelles." in page.replace("les autres sont réelles.", ""), kind) == (
        False,
        "partly",
    )
