"""Log and site in a store that speaks S3, and API hosts with empty data folders beside it."""

import asyncio
import datetime as dt
import json
import secrets
from http.server import BaseHTTPRequestHandler
from urllib.error import HTTPError

import msgspec
import pytest

from registry.audit.audit import audit_register
from registry.errors import ConfigurationError, Unavailable
from registry.ledger import append, key
from registry.ledger.export import CopiedLog, copy_log
from registry.ledger.key import read
from registry.ledger.publish_files import publish_log
from registry.ledger.published_log import LogTree
from registry.ledger.targets import Folder, ObjectStore
from registry.log.files import LogBehind, LogRefused
from registry.pages.build import plan
from registry.services.context import ServiceContext
from registry.settings import from_environment
from registry.store import published_files
from registry.tlog.checkpoint import Checkpoint, stated
from registry.tlog.note import sign_note
from registry.verify.log import verify_log
from registry.verify.remote_register import reader
from registry.web.app import create_app
from registry.worker import publishing
from registry.worker.publishing import StoredLog, StoredSite, _prune, purge, read_stored
from registry.worker.site_keeping import build_site
from registry.worker.tasks import WorkReport
from tests.api.conftest import lifespan
from tests.built import changing_pages, share_templates
from tests.conftest import NOW, amended, make_record
from tests.listening import dripping, listening
from tests.published import given_times
from tests.stored import Balancer, make_bucket, running_store


@pytest.fixture(scope="session")
def store_url():
    with running_store() as url:
        yield url


@pytest.fixture
def bucket(store_url):
    return make_bucket(store_url)


@pytest.fixture
def database(logged):
    return logged


@pytest.fixture
def context(logged, pack):
    return ServiceContext(
        database=logged, pack=pack, random=secrets.token_bytes, guard=given_times()
    )


@pytest.fixture
def grow(logged, publication, publish_it):
    """Publish documents, and the log with them."""

    async def go(*documents):
        async with logged.transaction() as connection:
            await append.publish(
                connection,
                [publication(one) for one in documents],
                guard=given_times(),
                now=NOW,
                random=secrets.token_bytes,
            )
        return await publish_it()

    return go


def verified(url, verifier):
    with reader(url) as read_file:
        return verify_log(read_file, verifier=verifier, progress=lambda *_: None)


async def test_hosts_with_empty_folders_and_a_store_are_one_register(
    logged, settings, grow, context, bucket, migrated_url, tmp_path, monkeypatch
):
    """An empty data folder, two API hosts, one worker, a store: ready, proofs, log, site, audit."""
    others = ("ar/", "en/", "zgh/")  # each page of which would be put, asked for and audited
    monkeypatch.setattr(
        plan,
        "all_pages",
        lambda *given: [one for one in changing_pages(*given) if not one.file.startswith(others)],
    )
    balancer = Balancer()
    settings = msgspec.structs.replace(
        settings,
        database_url=migrated_url,
        base_url=balancer.url,
        log_origin="algorithms.example/log",
        publish_to=bucket.address,
    )
    await grow(make_record())
    share_templates(settings.data_dir)
    await build_site(settings, context)
    await StoredLog(ObjectStore(bucket.address), context).go_on()
    await StoredSite(settings, context, WorkReport()).go_on()
    hosts = [
        msgspec.structs.replace(settings, data_dir=tmp_path / name, log_key_file=None)
        for name in ("api1", "api2")
    ]
    one, two = (create_app(host, tell=None) for host in hosts)
    async with lifespan(one), lifespan(two), balancer.before(one, two) as clients:
        for client in clients:
            assert (await client.get("/health/ready")).status_code == 200
            assert (await client.get("/fr/")).text.startswith("<!doctype html>")
            assert (await client.get("/fr/about/")).headers["location"] == "/fr/about"
            assert (await client.get("/fr/none")).status_code == 404
            assert (await client.get("/.published/log.json")).status_code == 404
            assert (await client.get("/log/site.json")).json()["size"] == 2
            proof = await client.get("/api/v1/records/demo-sante/prevision-lits/proof")
            assert proof.json()["version_entry"]["index"] == 1
            figures = (await client.get("/metrics", headers={"host": "127.0.0.1:8000"})).text
            assert "registry_log_published_entries 2.0" in figures
            assert "registry_store_log_entries 2.0" in figures
            assert "registry_store_site_entries 2.0" in figures
            assert "registry_site_entries" not in figures
        verifier = read(settings.key_file).verifier

        def verify(read_file, replay):
            return verify_log(read_file, verifier=verifier, progress=lambda *_: None, replay=replay)

        report = await asyncio.to_thread(
            audit_register, balancer.url, verify=verify, progress=lambda *_: None
        )
        assert (list(report.differences), report.verdict) == ([], "in order")
        assert report.checked["pages"] > 0
    found = await asyncio.to_thread(verified, f"{bucket.url}/log", verifier)
    assert found.checkpoint.size == 2
    assert not (hosts[0].data_dir / "log").exists()
    assert not (hosts[0].data_dir / "site").exists()


async def test_what_is_put_says_what_it_is_and_how_long_it_may_be_kept(grow, context, bucket):
    await grow(make_record())
    await StoredLog(ObjectStore(bucket.address), context).go_on()
    lasting = "public, max-age=31536000, immutable"
    for path, kind, caching in (
        ("checkpoint", "text/plain; charset=utf-8", "no-cache"),
        ("tile/0/000.p/2", "application/octet-stream", lasting),
        ("tile/entries/000.p/2", "application/octet-stream", lasting),
        ("content/1.json", "application/json", "no-cache"),
        ("content/bundle/0", "application/jsonl", "no-cache"),
        ("log.json", "application/json", "no-cache"),
    ):
        headers, _ = bucket.get(f"log/{path}")
        assert (headers["content-type"], headers["cache-control"]) == (kind, caching), path


async def test_only_what_is_new_is_put_and_the_checkpoint_comes_last(
    grow, context, bucket, settings
):
    class Watched(ObjectStore):
        put: list[str]

        async def _put(self, path, content, mode):
            self.put.append(path)
            await super()._put(path, content, mode)

    target = Watched(bucket.address)
    target.put = []
    stored = StoredLog(target, context)
    record = make_record()
    await grow(record)
    await stored.go_on()
    await stored.go_on()
    assert target.put.count("log/checkpoint") == 1
    assert target.put[-2:] == ["log/checkpoint", ".published/log.json"]
    target.put.clear()
    await grow(amended(record))
    await stored.go_on()
    assert "log/content/1.json" not in target.put
    assert {"log/content/2.json", "log/tile/0/000.p/3", "log/tile/entries/000.p/3"} < {*target.put}
    assert target.put[-2:] == ["log/checkpoint", ".published/log.json"]
    # A process that begins anew puts nothing that is there.
    target.put.clear()
    await StoredLog(target, context).go_on()
    assert [path for path in target.put if path.startswith("log/tile/")] == []
    verifier = read(settings.key_file).verifier
    await asyncio.to_thread(verified, f"{bucket.url}/log", verifier)


async def test_two_publishers_never_put_the_checkpoint_back(grow, logged, bucket):
    """The slower one has read the smaller log, and puts it last."""
    record = make_record()
    fast, slow = ObjectStore(bucket.address), ObjectStore(bucket.address)
    await grow(record)
    began, may_go_on = asyncio.Event(), asyncio.Event()

    class Slow(ObjectStore):
        async def update(self, path, change):
            began.set()
            await may_go_on.wait()
            await super().update(path, change)

    slow = asyncio.create_task(copy_log(logged, Slow(bucket.address), LogTree(), CopiedLog()))
    await asyncio.wait_for(began.wait(), 60)
    await grow(amended(record))
    await copy_log(logged, fast, LogTree(), CopiedLog())
    may_go_on.set()
    await slow
    assert stated(await fast.read("log/checkpoint")).size == 3

    # Both read, then both put: one of them is told that it came too late, and reads again.
    met = asyncio.Barrier(2)

    async def count(target):
        tries = []

        async def read_together(path):
            content, tag = await ObjectStore._read(target, path)
            tries.append(path)
            if len(tries) == 1:
                await met.wait()
            return content, tag

        target._read = read_together
        await target.update("log/count", lambda now: str(int(now or 0) + 1).encode())
        return len(tries)

    tries = await asyncio.gather(count(fast), count(ObjectStore(bucket.address)))
    assert sorted(tries) == [1, 2]
    assert bucket.get("log/count")[1] == b"2"


async def test_a_store_that_has_more_or_another_log_is_left_alone(grow, logged, bucket, tmp_path):
    record = make_record()
    signed = await grow(record)
    target, tree = ObjectStore(bucket.address), LogTree()
    await copy_log(logged, target, tree, CopiedLog())
    note = await target.read("log/checkpoint")
    for size, root, why in ((9, signed.root, "of 9 entries"), (1, bytes(32), "of another log")):
        lines = note.decode().split("\n")
        other = [lines[0], str(size), msgspec.json.encode(root).decode().strip('"'), *lines[3:]]
        await target.write([("log/checkpoint", "\n".join(other).encode())])
        with pytest.raises(LogRefused, match=why):
            await copy_log(logged, target, tree, CopiedLog())
        assert (await target.read("log/checkpoint")).decode().split("\n")[1] == str(size)


async def test_an_older_database_is_not_signed_on_a_host_that_has_nothing_but_the_store(
    grow, logged, bucket, settings, context, publish_it, tmp_path
):
    """The disk of the host that has signed is lost, and its database an older one."""
    settings = msgspec.structs.replace(settings, publish_to=bucket.address)
    signed = await grow(make_record())
    target = ObjectStore(bucket.address)
    await StoredLog(target, context).go_on()
    note = await target.read("log/checkpoint")
    assert await read_stored(settings, context) == note
    async with logged.transaction() as connection:
        await connection.execute("set local session_replication_role = replica")
        await connection.execute("delete from checkpoint")
    fresh = msgspec.structs.replace(
        settings, data_dir=tmp_path / "fresh", log_key_file=settings.key_file
    )
    (settings.key_file.with_name("signed-sizes")).unlink()
    own = key.read(settings.key_file)
    text = Checkpoint(origin=own.name, size=9, root=signed.root).to_text()
    larger = sign_note(text, [own]).to_bytes()
    with pytest.raises(LogBehind, match=f"{bucket.address} knows of 9 entries"):
        await publish_log(logged, fresh, now=NOW, stored=larger)
    # What others have written there stops nobody.
    assert (await publish_log(logged, fresh, now=NOW, stored=b"no note")).size == signed.size
    assert await read_stored(settings, context) == note
    async with logged.transaction() as connection:
        await connection.execute("update log_state set discards = discards + 1")
    assert await read_stored(settings, context) is None


async def erase_first(logged, monkeypatch):
    """Let the log say that something of its first version was erased."""

    async def erased(_connection):
        return [1]

    monkeypatch.setattr(published_files, "read_erased", erased)
    async with logged.transaction() as connection:
        await connection.execute("update log_state set erasures = erasures + 1")


async def test_what_was_erased_is_erased_there_too(grow, logged, bucket, context, monkeypatch):
    """Contents that a redaction has changed are put again; so is a page, or it is removed."""
    await grow(make_record())
    target = ObjectStore(bucket.address)
    stored = StoredLog(target, context)
    await stored.go_on()
    shown = bucket.get("log/content/1.json")[1]
    await target.write([("log/content/1.json", b"{}"), ("log/content/bundle/0", b"")])
    await erase_first(logged, monkeypatch)
    await stored.go_on()
    assert bucket.get("log/content/1.json")[1] == shown
    assert bucket.get("log/content/bundle/0")[1].count(b"\n") == 2


class Site:
    """A site of a few files, as a build leaves them."""

    def __init__(self, settings):
        self.link = settings.site_dir
        self.number = 0

    def build(self, size, **pages):
        self.number += 1
        folder = self.link.with_name("site-builds") / str(self.number)
        folder.mkdir(parents=True)
        made = msgspec.json.encode({"log": {"size": size, "root": "00"}}).decode()
        files = {f"{name}.html": content for name, content in pages.items()}
        for name, content in (files | {"build.json": made}).items():
            (folder / name).write_text(content)
        manifest = {"pages": files | {"build.json": f"{made} {self.number}"}}
        folder.with_name(f"{self.number}.json").write_bytes(msgspec.json.encode(manifest))
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(folder)


async def test_of_a_site_what_changed_is_put_and_what_is_gone_removed(
    grow, context, bucket, settings
):
    settings = msgspec.structs.replace(settings, publish_to=bucket.address)
    site, stored = Site(settings), StoredSite(settings, context, WorkReport())
    await grow(make_record())
    site.build(2, a="one", b="two")
    await stored.go_on()
    with pytest.raises(HTTPError):
        bucket.get("a.html")  # The log there is behind the site.
    target = ObjectStore(bucket.address)
    await StoredLog(target, context).go_on()
    await stored.go_on()
    assert (bucket.get("a.html")[1], bucket.get("b.html")[1]) == (b"one", b"two")
    await target.write([("a.html", b"as it was put first")])
    site.build(2, a="one", c="three")
    await stored.go_on()
    assert bucket.get("a.html")[1] == b"as it was put first"
    assert bucket.get("c.html")[1] == b"three"
    with pytest.raises(HTTPError):
        bucket.get("b.html")
    # Another has published meanwhile, which its list of files shows: what was put is put again.
    site.build(2, a="four", c="three")
    before = await target.read(".published/site.json.gz")
    put = ObjectStore._put

    async def and_another(self, path, content, mode):
        await put(self, path, content, mode)
        if path == "a.html":
            await put(self, ".published/site.json.gz", before + bytes(8), "overwrite")

    ObjectStore._put = and_another
    try:
        await stored.go_on()
    finally:
        ObjectStore._put = put
    await target.write([("a.html", b"by the other")])
    await StoredSite(settings, context, WorkReport()).go_on()
    assert bucket.get("a.html")[1] == b"four"


async def test_work_goes_on_while_the_store_is_not_reached(
    grow, context, settings, logged, bucket, monkeypatch
):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    settings = msgspec.structs.replace(settings, publish_to=bucket.address)
    await grow(make_record())
    Site(settings).build(2, a="one")
    report = WorkReport()
    await StoredSite(settings, context, report).go_on()
    why = report.faults["the site could not be published to the store"]
    assert why == (
        f"the store {bucket.address} is not reached, or refuses us: HTTP error: error sending "
        "request (GET)"
    )
    async with logged.connection() as connection:
        noted = await published_files.read_target(connection)
    assert (noted.address, noted.site_size) == (bucket.address, 0)
    assert "is not reached" in noted.fault
    with pytest.raises(Unavailable, match="is not reached"):
        await StoredLog(ObjectStore(bucket.address), context).go_on()


class Cache(BaseHTTPRequestHandler):
    """A cache that is told what to purge; it refuses until `server.refuses` is 0."""

    def do_POST(self):
        told = json.loads(self.rfile.read(int(self.headers["content-length"])))
        refused = self.server.refuses > 0
        self.server.refuses -= 1
        self.send_response(500 if refused else 204)
        self.end_headers()
        if not refused:
            self.server.told.append(told)

    def log_message(self, *_):
        pass


@pytest.fixture
def cache():
    with listening(Cache, told=[], refuses=0) as server:
        yield server


async def test_a_cache_in_front_is_told_what_changed_until_it_has_taken_it(
    grow, context, bucket, settings, logged, cache, monkeypatch
):
    secret = f"http://user:geheim@127.0.0.1:{cache.server_address[1]}/purge"
    settings = msgspec.structs.replace(settings, publish_to=bucket.address, purge_url=secret)
    site, stored = Site(settings), StoredSite(settings, context, WorkReport())
    await grow(make_record())
    log = StoredLog(ObjectStore(bucket.address), context, has_cache=True)
    await log.go_on()
    site.build(2, a="one", b="two", c="three")
    await stored.go_on()
    await purge(settings, context)
    assert cache.told == []  # Nothing was there before.
    site.build(2, a="changed", b="two")
    await stored.go_on()
    cache.refuses = 1
    with pytest.raises(Unavailable, match="REGISTRY_PURGE_URL answers 500") as refused:
        await purge(settings, context)
    assert "geheim" not in refused.value.detail
    async with logged.connection() as connection:
        assert "answers 500" in (await published_files.read_target(connection)).purge_fault
    await purge(settings, context)
    [told] = cache.told
    assert told["objects"] == ["a.html", "build.json", "c.html"]
    assert told["addresses"] == [f"{settings.base_url}/{path}" for path in ("a", "build.json", "c")]
    async with logged.connection() as connection:
        target = await published_files.read_target(connection)
    assert (target.purge_fault, target.purged_at is None) == (None, False)
    await purge(settings, context)
    assert len(cache.told) == 1

    # Contents that were put again without what was erased.
    await erase_first(logged, monkeypatch)
    await log.go_on()
    await purge(settings, context)
    assert cache.told[1]["objects"] == ["log/content/1.json", "log/content/bundle/0"]


async def test_a_cache_whose_answer_never_ends_holds_nothing_up(monkeypatch):
    monkeypatch.setattr(publishing, "_ANSWER_SECONDS", 0.5)
    with dripping() as address:
        assert "does not answer" in await publishing._tell_cache(address, {"addresses": []})


@pytest.mark.parametrize("given", [{"PUBLISH_TO": "s3://bucket", "PURGE_URL": "geheim"}, {}])
def test_an_address_to_purge_that_is_none_is_refused_without_repeating_it(given):
    named = {f"REGISTRY_{name}": value for name, value in given.items()}
    with pytest.raises(ConfigurationError, match="PURGE_URL") as refused:
        from_environment({"REGISTRY_PURGE_URL": "https://u:geheim@cdn.example/"} | named)
    assert "geheim" not in str(refused.value)


async def test_partial_tiles_go_a_day_after_their_full_ones_are_there(bucket):
    target = ObjectStore(bucket.address)
    paths = ["tile/0/000.p/2", "tile/0/000", "tile/0/001.p/1", "tile/entries/000.p/2"]
    await target.write((f"log/{path}", b"x") for path in paths)
    now = dt.datetime.now(dt.UTC)
    for later, left in ((-1, 4), (1, 3)):
        await _prune(target, before=now + dt.timedelta(hours=later))
        assert len([path async for path, _ in target.list("log/tile")]) == left


async def test_a_folder_takes_the_same(grow, logged, tmp_path, settings):
    await grow(make_record())
    target = Folder(tmp_path / "copy")
    await copy_log(logged, target, LogTree(), CopiedLog())
    folder = tmp_path / "copy/log"
    verifier = read(settings.key_file).verifier

    def read_file(path):
        return (folder / path).read_bytes()

    assert verify_log(read_file, verifier=verifier, progress=lambda *_: None).checkpoint.size == 2
