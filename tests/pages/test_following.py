"""Builds that follow others: they read and render what changed, and end in the very same bytes."""

import asyncio
import datetime as dt
import json
import re
import threading
from pathlib import Path

import msgspec
import pytest

from registry import resources
from registry.pages.build import plan, read_snapshot
from registry.pages.build.build_directory import builds_folder, manifest_file
from registry.pages.build.read_snapshot import build_register
from registry.record.pack import Agency
from registry.record.validate import Verdict
from registry.services.filing.drafts import Precondition
from registry.services.importing import importing
from registry.services.importing.matching import ForeignFiling
from registry.services.people.access import Actor
from registry.services.statements import redaction
from registry.services.statements.attestation import attest
from registry.services.statements.withdrawal import withdraw
from registry.store import agencies, records
from registry.worker.runner import publish as publish_log
from tests.built import changing_pages, share_templates
from tests.imported import import_filings

from .conftest import files

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
TODAY = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
AGENCY = Actor(name="records", agency="demo-sante", scopes=frozenset({"file"}), token=1)
PHONE = "+212537000199"
FOREIGN = {
    "schema_version": "1.0",
    "name": {"en": "Letter sorting"},
    "summary": {"en": "Sorts incoming letters."},
    "lifecycle": {"status": "in_use"},
}


def demonstration():
    """Some of the demonstration records as they are last."""
    paths = [
        path for path in sorted(resources.RECORDS.glob("*/*.json")) if path.name.count(".") == 1
    ]
    return [json.loads(path.read_text("utf-8")) for path in paths[::6]]


class Register:
    """A register with a site that follows it, and one that is built whole beside it."""

    def __init__(self, context, settings, publish, folder):
        self.context, self.settings, self.publish = context, settings, publish
        self.out, self.whole = folder / "site", folder / "whole" / "site"

    async def build(self, as_of=TODAY, *, out=None, **how):
        out = out or self.out
        # A site that lies elsewhere than the settings say is a copy, which has other pages.
        out.parent.mkdir(exist_ok=True)
        share_templates(out.parent)
        settings = msgspec.structs.replace(self.settings, data_dir=out.parent)
        return await build_register(
            self.context.database, self.context.pack, settings, out=out, as_of=as_of, **how
        )

    async def follows(self, as_of=TODAY):
        """Build the site, and hold that it is as a build of the same state from nothing."""
        report = await self.build(as_of)
        full = await self.build(as_of, out=self.whole, full=True, processes=2)
        followed, whole = files(self.out), files(self.whole)
        assert {name for name in whole if followed.get(name) != whole[name]} == set()
        assert followed.keys() == whole.keys()
        assert report.files == full.files == full.rendered
        return report

    async def amended(self, document, **changes):
        [published] = await self.publish(document | changes, now=NOW)
        return published

    async def take_out(self, published):
        return await withdraw(
            self.context,
            AGENCY,
            published.id,
            {"reason": "filed_in_error", "note": {"fr": "Déposée deux fois."}},
            precondition=Precondition(tag=published.hash[:16]),
            now=NOW,
        )

    async def attest(self, systems):
        statement = {"day": "2026-11-01", "systems_total": systems}
        statement["contact"] = {"email": "a@demo-sante.example"}
        await attest(self.context, AGENCY, "demo-sante", statement, now=NOW)

    async def copy(self, *names):
        agency = Agency(id="us.demo", name={"en": "Letters"}, kind="other", origin="us-demo")
        filings = []
        for name in names:
            document = FOREIGN | {"id": f"us.demo/{name}", "name": {"en": f"Sorting {name}"}}
            verdict = Verdict(
                publishable=True,
                findings=(),
                findings_total=0,
                completeness=10,
                accountability=0,
                missing=(),
            )
            filings.append(
                ForeignFiling(document=document, agency=agency, verdict=verdict, source_row={})
            )
        await import_filings(self.context, filings, now=lambda: NOW)

    async def redact(self, record, *pointers):
        statement = {"record": record, "pointers": list(pointers), "basis": "data_protection"}
        one, other = (
            Actor(name=name, agency=None, scopes=frozenset({"redact"}), token=1, request="r")
            for name in ("one", "other")
        )
        asked = await redaction.request(
            self.context, one, statement | {"authority": "CNDP"}, now=NOW
        )
        await redaction.confirm(self.context, other, asked.redaction, now=NOW)
        await publish_log(self.settings, self.context)

    async def rename(self, agency, name):
        known = self.context.pack.agencies[agency]
        async with self.context.database.transaction() as connection:
            await agencies.save(connection, [msgspec.structs.replace(known, name=name)])


@pytest.fixture(autouse=True)
def fewer(monkeypatch):
    monkeypatch.setattr(plan, "all_pages", changing_pages)


@pytest.fixture
def database(logged):
    """The register whose log has a key of its own, for redactions."""
    return logged


@pytest.fixture
async def register(context, settings, publish, tmp_path):
    """A register with records of its own and copies, and the site built once."""
    following = Register(context, settings, publish, tmp_path)
    await publish(*demonstration(), now=NOW)
    await following.copy("one", "two")
    await following.build()
    return following


@pytest.fixture
def read(monkeypatch):
    """What builds read of records: names, or None for all of them."""
    asked = []
    whole = records.read_all

    def noting(connection, *, withdrawn, only):
        asked.append(only)
        return whole(connection, withdrawn=withdrawn, only=only)

    monkeypatch.setattr(read_snapshot.records, "read_all", noting)
    return asked


async def test_after_every_kind_of_change_the_bytes_are_those_of_a_full_build(register, record):
    other = record | {"id": "demo-sante/autre", "name": {"fr": "Autre", "ar": "آخر"}}
    summary = {"fr": "Résumé zygomorphe.", "ar": "ملخص آخر."}

    await register.amended(other)
    related = [{"relation": "part_of", "record": other["id"]}]
    await register.amended(record, related_records=related)
    await register.amended(record, related_records=related, summary=summary)
    await register.build()
    published = await register.amended(other, name={"fr": "Renommé", "ar": "آخر"})
    await register.take_out(published)
    await register.attest(3)
    # The pictures of what was taken out; its pages say so.
    assert (await register.follows()).removed == 3
    await register.amended(other)
    await register.attest(4)
    await register.copy("one", "three")
    await register.build()

    assert b"zygomorphe" in manifest_file(register.out.resolve()).read_bytes()
    await register.redact(record["id"], "/summary")
    await register.follows()
    beside = [path for path in builds_folder(register.out).rglob("*") if path.is_file()]
    assert manifest_file(register.out.resolve()) in beside
    assert not [path for path in beside if b"zygomorphe" in path.read_bytes()]

    kept = ("id", "schema_version", "risk", "sector", "lifecycle")
    restriction = {"ground": "state_security", "authority": "Ministère", "review_on": "2027-11-24"}
    await register.amended(
        {key: record[key] for key in kept},
        publication={"visibility": "restricted", "restriction": restriction},
    )
    await register.build()
    await register.rename("demo-sante", {"fr": "Santé nouvelle", "ar": "الصحة"})
    await register.build()

    await register.publish(*demonstration()[:4], now=NOW)
    await register.copy(*(f"case-{number}" for number in range(60)))
    # Reviews are late then that were not before.
    await register.follows(as_of=TODAY + dt.timedelta(days=500))


async def test_a_restricted_record_says_what_was_public_before(register, record):
    restricted = {key: record[key] for key in ("id", "schema_version", "sector", "lifecycle")}
    restriction = {"ground": "state_security", "authority": "Comité", "review_on": "2027-11-24"}
    restricted |= {
        "risk": {"level": "high"},
        "publication": {"visibility": "restricted", "restriction": restriction},
    }
    await register.amended(record)
    await register.amended(restricted)
    await register.amended(restricted, lifecycle={"status": "retired"})
    await register.build()
    told = {
        "fr": ("était publique. Son niveau de risque était", "Il est maintenant", "Risque élevé"),
        "ar": ("عموميا. وكان مستوى خطورته", "وهو الآن"),
        "en": ("was public. Its risk level was", "It is now", "High risk"),
    }
    for lang, words in told.items():
        folder = register.out / lang / "records" / f"{record['id']}"
        for page in (folder.with_suffix(".html"), folder / "versions" / "3.html"):
            text = page.read_text("utf-8")
            notice = text[text.index('class="notice restricted"') :].split("</div></div>")[0]
            assert [one for one in words if one not in notice] == []
            [number] = set(re.findall(rf"records/{record['id']}/versions/([0-9]+)", notice))
            public = (folder / "versions" / f"{number}.html").read_text("utf-8")
            assert 'class="notice restricted"' not in public


async def test_only_what_changed_is_read_and_rendered(register, record, read):
    same = await register.build()
    assert (read, same.rendered, same.removed) == ([], 0, 0)
    assert same.files == len(files(register.out))

    await register.amended(record, summary={"fr": "Autre résumé.", "ar": "ملخص آخر."})
    report = await register.build()
    [changed, needed] = read
    assert changed == [record["id"]]
    # The records beside which this one is shown.
    assert len(needed) < 6
    assert report.rendered < report.files / 2


async def test_an_import_that_changed_nothing_is_shown_and_so_is_its_end(
    register, settings, monkeypatch
):
    async def current():
        shown = msgspec.structs.replace(settings, data_dir=register.out.parent)
        return await read_snapshot.is_current(register.context.database, shown, as_of=TODAY)

    page = register.out / "en/registers/us-demo.html"
    begun = page.read_text("utf-8").count("Report of the import")
    with monkeypatch.context() as stopped:
        stopped.setattr(importing, "end_run", dies)
        with pytest.raises(RuntimeError):
            await register.copy("one", "two")
    assert not await current()
    assert (await register.follows()).rendered < 10
    assert page.read_text("utf-8").count("Report of the import") == begun + 1
    assert "Not finished" in page.read_text("utf-8")
    assert await current()

    async with register.context.database.transaction() as connection:
        await connection.execute("update import_run set ended_at = begun_at")
    assert not await current()
    await register.follows()
    assert "Not finished" not in page.read_text("utf-8")
    assert await current()


async def test_feeds_after_two_imports_have_ids_of_one_entry_each_and_a_name(register):
    await register.copy("one", "two", "three", "four")
    await register.build()
    for path in sorted((register.out / "feeds").rglob("*.json")):
        items = json.loads(path.read_bytes())["items"]
        assert "None" not in "".join(one["id"] + one["title"] + one["url"] for one in items), path
        assert len({one["id"] for one in items}) == len(items), path
        for one in items:
            assert re.fullmatch(r"tag:[a-z0-9.-]+,\d{4}-\d\d-\d\d:\S+", one["id"]), path
    here = json.loads((register.out / "feeds/en/all.json").read_bytes())["items"]
    everything = json.loads((register.out / "feeds/en/everything.json").read_bytes())["items"]
    ended = [one for one in everything if "An import has ended" in one["title"]]
    assert len(ended) == 2
    assert not {one["id"] for one in ended} & {one["id"] for one in here}


async def dies(*_, **__):
    raise RuntimeError


async def test_who_does_not_wait_for_a_build_does_not_spoil_it(register, record, monkeypatch):
    begun, goes_on, done = threading.Event(), threading.Event(), threading.Event()
    whole = read_snapshot.carry_out

    def held_up(*given, **how):
        begun.set()
        goes_on.wait()
        try:
            return whole(*given, **how)
        finally:
            done.set()

    monkeypatch.setattr(read_snapshot, "carry_out", held_up)
    await register.amended(record, summary={"fr": "Autre résumé.", "ar": "ملخص آخر."})
    building = asyncio.create_task(register.build())
    await asyncio.to_thread(begun.wait)
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building
    goes_on.set()
    await asyncio.to_thread(done.wait)
    monkeypatch.undo()
    await register.build()
    assert (await register.build()).rendered == 0
    page = register.out / f"fr/records/{record['id']}.html"
    assert "Autre résumé." in page.read_text("utf-8")


def lose(path):
    path.unlink()


def cut(path):
    content = path.read_bytes()[:-100]
    path.unlink()  # builds share their files
    path.write_bytes(content)


def of_another_log(path):
    manifest = msgspec.json.decode(path.read_bytes())
    manifest["register"]["leaf"] = "ab" * 32
    path.write_bytes(msgspec.json.encode(manifest))


async def test_what_is_lost_or_damaged_is_made_anew(register, record, read):
    for what, harm in (
        ("{build}/fr/records/us.demo/one.html", lose),
        ("{build}.json", lose),
        ("{build}.json", cut),
        ("{build}/find/words-7.json", lose),
        ("{build}/find/words-7.json", cut),
    ):
        harm(Path(what.format(build=register.out.resolve())))
        await register.amended(record, summary={"fr": f"Par {what} {harm}.", "ar": "ملخص آخر."})
        report = await register.build()
        assert report.rendered == report.files == len(files(register.out)), (what, harm)
    of_another_log(manifest_file(register.out.resolve()))
    await register.amended(record, summary={"fr": "Autre journal.", "ar": "ملخص آخر."})
    read.clear()
    await register.build()
    assert None in read
