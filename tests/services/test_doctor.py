"""The examination of an installation: each thing is broken once, and its finding is there."""

import datetime as dt
import json
import shutil
import ssl
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace
from urllib.parse import urlsplit

import msgspec
import pytest
from joserfc.jwk import ECKey, KeySet

from registry.services.operations.doctor import database as of_database
from registry.services.operations.doctor import host, proxy
from registry.services.operations.doctor import log as of_log
from registry.services.operations.doctor.checks import Installation
from registry.services.operations.doctor.examination import examine
from registry.services.operations.heartbeat import figures_of_host, note_run
from registry.services.people import access_tokens
from registry.settings import LIMITS
from registry.store import heartbeats, log, log_checks, published_files
from registry.store.database import connect
from registry.store.heartbeats import ProcessFigures
from registry.store.server import read_server
from tests.conftest import NOW, ROOT, as_role, grant_serving
from tests.crash.register import free_port
from tests.listening import listening, write_certificate
from tests.worker.test_notices import running


class Sink:
    """Takes every e-mail."""

    async def handle_DATA(self, *_):  # noqa: N802  the name is aiosmtpd's
        return "250 OK"


class Provider(BaseHTTPRequestHandler):
    """An identity provider, as far as its keys."""

    def do_GET(self):
        told = KeySet([ECKey.generate_key("P-256", private=False)]).as_dict()
        if self.path.endswith("openid-configuration"):
            places = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            told = dict.fromkeys(places, f"http://127.0.0.1:{self.server.server_port}/keys")
            told["issuer"] = self.server.issuer
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(told).encode())

    def log_message(self, *_):
        pass


SEEN = {"content-security-policy": "x", "x-content-type-options": "x", "referrer-policy": "x"}


class Proxied(BaseHTTPRequestHandler):
    """Answers as a register behind a good proxy does, but for what `faults` names."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        faults = self.server.faults
        status, body = 200, b'{"status":"live"}'
        headers = {} if "headers" in faults else dict(SEEN)
        headers["x-request-id"] = "0123456789abcdef"
        if "trust" not in faults:
            headers["x-request-id"] = self.headers.get("x-request-id", "of-the-proxy")
        if self.path == "/metrics":
            status = 200 if "figures" in faults else 401
        elif self.path == "/health/live":
            status = 502 if "path" in faults else 200
        elif "tags" not in faults:
            headers["etag"] = '"1"'
            if self.headers.get("if-none-match") == '"1"':
                status, body = 304, b""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def proxied(context=None):
    return listening(Proxied, context, faults=set())


def findings(checks):
    return {one.name: f"{one.seen} {one.advice}" for one in checks if one.state == "finding"}


@pytest.fixture
async def installed(logged, settings, migrated_url, publish_it):
    """A register in order: signed, with a site, a work, a backup and a check, and a proxy."""
    await publish_it()
    async with logged.connection() as connection:
        size = (await log.read_state(connection)).range.size
        told = figures_of_host(settings, has_key=True)
        await heartbeats.beat(connection, "work", "here", told)
    await note_run(logged, settings, "backup", entries=size)
    await note_run(logged, settings, "log verify", entries=size)
    settings.site_dir.mkdir()
    (settings.site_dir / "build.json").write_text(json.dumps({"log": {"size": size}}))
    with proxied() as server:
        port = server.server_address[1]
        known = msgspec.structs.replace(
            settings,
            base_url=f"http://127.0.0.1:{port}",
            port=port,
            security_contact="mailto:security@example.org",
        )

        async def look(**changed):
            now = msgspec.structs.replace(known, **changed)
            ready = msgspec.structs.replace(
                now, database_url=changed.get("database_url", migrated_url)
            )
            return await examine(now, ready)

        yield SimpleNamespace(
            look=look, database=logged, settings=known, proxy=server, url=migrated_url
        )


async def test_what_is_in_order_has_no_finding(installed):
    found = await installed.look()
    assert findings(found.checks) == {}
    assert found.has_database
    seen = {one.name for one in found.checks}
    assert {"database", "migrations", "key", "log", "site", "disk", "proxy", "tags"} <= seen
    told = (ROOT / "docs/operating/doctor.md").read_text(encoding="utf-8")
    assert [name for name in seen if f"`{name}`" not in told] == []


async def test_each_thing_that_is_broken_in_the_database_is_found(installed):
    database, settings = installed.database, installed.settings

    async def run(statement, *arguments):
        async with database.connection() as connection:
            await connection.execute(statement, *arguments)

    async def broken(name, words, statement, back, **changed):
        await run(statement)
        found = findings((await installed.look(**changed)).checks)
        await run(back)
        assert list(found) == [name], found
        assert words in found[name]

    off = f"alter database {urlsplit(installed.url).path[1:]}"
    await broken(
        "durability", "synchronous_commit off", f"{off} set synchronous_commit = off",
        f"{off} reset synchronous_commit",
    )  # fmt: skip
    await broken(
        "migrations", "lacks 1 (register)", "update migration set number = 0 where number = 1",
        "update migration set number = 1 where number = 0",
    )  # fmt: skip
    await broken(
        "migrations", "migration 999 (later), which",
        "insert into migration values (999, 'later', '', now(), 'contract')",
        "delete from migration where number = 999",
    )  # fmt: skip
    await broken(
        "migrations", "by an earlier, unreleased version",
        "update migration set checksum = 'x' || checksum",
        "update migration set checksum = substr(checksum, 2)",
    )  # fmt: skip
    await broken(
        "work", "told anything for 3 hours",
        "update heartbeat set at = at - interval '3 hours' where process = 'work'",
        "update heartbeat set at = clock_timestamp() where process = 'work'",
    )  # fmt: skip
    await broken(
        "backup", "See why the nightly registry backup fails",
        "update heartbeat set at = at - interval '3 days' where process = 'backup'",
        "update heartbeat set at = clock_timestamp() where process = 'backup'",
    )  # fmt: skip
    await broken(
        "last verification", "never run",
        "update heartbeat set process = 'x' where process = 'log verify'",
        "update heartbeat set process = 'log verify' where process = 'x'",
    )  # fmt: skip
    await broken(
        "log", "nothing is filed or published: it is older",
        "update log_state set stopped = 'it is older'", "update log_state set stopped = null",
    )  # fmt: skip
    async with database.transaction() as connection:
        await log_checks.set_fault(connection, "entry 1 is not as it was.")
    found = findings((await installed.look()).checks)
    assert "registry log verify" in found["log"]
    async with database.transaction() as connection:
        await log_checks.set_fault(connection, None)
        told = ProcessFigures(
            version="0.0.9", faults={"the site could not be built": "no room"},
            disk_bytes=100, disk_free_bytes=9,
        )  # fmt: skip
        await heartbeats.beat(connection, "work", "elsewhere", told)
    found = findings((await installed.look()).checks)
    assert found.keys() == {"work", "versions", "disk"}
    assert "no room" in found["work"]
    assert "9% of the data folder's disk on elsewhere" in found["disk"]
    await run("delete from heartbeat where host = 'elsewhere'")
    await access_tokens.create_token(
        database, agency=None, scopes=["metrics"], actor="prometheus", days=3,
        now=dt.datetime.now(dt.UTC), random=bytes,
    )  # fmt: skip
    found = findings((await installed.look()).checks)
    assert "number 1 of prometheus expires" in found["tokens"]
    found = findings((await installed.look(database_url=installed.url)).checks)
    assert "superuser" in found["database"]
    assert settings.key_file.exists()


async def test_each_thing_that_is_broken_on_the_host_is_found(installed, monkeypatch, tmp_path):
    settings = installed.settings
    key = settings.key_file
    kept = key.read_text()

    async def found(**changed):
        return findings((await installed.look(**changed)).checks)

    key.chmod(0o644)
    assert "chmod 600" in (await found())["key"]
    key.chmod(0o600)
    other = installed.settings.data_dir / "other.key"
    key.rename(other)
    async with installed.database.connection() as connection:
        await heartbeats.beat(connection, "work", "here", figures_of_host(settings, has_key=False))
    assert "nothing more can be signed" in (await found())["key"]
    key.write_text(kept.replace(kept.rstrip().rpartition("+")[2], "AQ" + "A" * 42))
    key.chmod(0o600)
    assert "log key" in (await found())["key"]
    other.rename(key)
    (settings.site_dir / "build.json").unlink()
    assert "site build" in (await found())["site"]
    assert "site" not in await found(site="elsewhere")
    to = "s3://bucket/prefix"
    assert "nothing was published" in (await found(publish_to=to))["store"]
    for log_size, fault, words in ((0, "no way", "gets to s3://bucket"), (9, None, "")):
        async with installed.database.transaction() as connection:
            await published_files.note_target(
                connection, to, now=NOW, log_size=log_size, fault=fault
            )
        assert words in (await found(publish_to=to)).get("store", "")
    (settings.site_dir / "build.json").write_text('{"log": {"size": 0}}')
    async with installed.database.connection() as connection:
        await connection.execute("alter table log_entry disable trigger all")
        await connection.execute("update log_entry set at = at - interval '1 hour'")
    assert "shows 0 of 1 entries" in (await found())["site"]
    (settings.site_dir / "build.json").write_text('{"log": {"size": 1}}')
    settings.search_dir.mkdir()
    assert "registry search rebuild" in (await found())["search index"]
    settings.search_dir.rmdir()
    assert "REGISTRY_SECURITY_CONTACT" in (await found(security_contact=None))["security contact"]
    assert "is not encrypted" in (await found(base_url="http://algorithms.invalid"))["address"]
    assert "is not there" in (await found(data_dir=tmp_path / "nowhere"))["data folder"]
    full = {"disk_bytes": 100, "disk_free_bytes": 9, "disk_inodes": 100, "disk_free_inodes": 1}
    monkeypatch.setattr(host, "disk_room", lambda _: full)
    assert (await found()).keys() == {"disk", "inodes"}
    monkeypatch.undo()
    installed.proxy.faults.add("path")
    assert "answers 502" in (await found())["proxy"]


def test_a_register_whose_pack_names_no_licence_is_told_so(settings, tmp_path):
    seen = []
    for name, left_out in (("zz", "nothing"), ("yy", "licence")):
        folder = shutil.copytree(ROOT / "docs/small-pack", tmp_path / name)
        told = json.loads((folder / "pack.json").read_text("utf-8")) | {"code": name}
        told.pop(left_out, None)
        (folder / "pack.json").write_text(json.dumps(told), "utf-8")
        seen += host.check_pack(msgspec.structs.replace(settings, pack=name, packs=tmp_path))
    assert [(one.state, "pack.json" in (one.advice or "")) for one in seen] == [
        ("in order", False),
        ("finding", True),
    ]


def test_settings_that_open_a_public_register_are_named(settings):
    def named(**changed):
        checks = host.check_settings(msgspec.structs.replace(settings, **changed))
        return {one.name: one for one in checks if one.state in {"finding", "asks"}}

    public = {"security_contact": "mailto:a@b.example", "review": "authority"}
    assert named(**public) == {}
    open_to_all = public | {"review": "none"}
    assert named(**open_to_all, base_url="http://127.0.0.1:8000") == {}
    assert named(**open_to_all)["review"].state == "asks"
    assert "REGISTRY_REVIEW" in named(**open_to_all)["review"].advice
    off = dict.fromkeys(LIMITS, 0)
    assert named(**public, **off)["limits"].state == "finding"
    some = named(**public, limit_exports=0, limit_work=0)["limits"]
    assert (some.state, some.seen) == (
        "asks", "no limit: REGISTRY_LIMIT_EXPORTS=0, REGISTRY_LIMIT_WORK=0",
    )  # fmt: skip
    for everybody in ("0.0.0.0/0", "127.0.0.1,::/0", "128.0.0.0/1"):
        found = named(**public, trusted_proxies=everybody)
        assert everybody.rpartition(",")[2] in found["trusted proxies"].seen
    assert named(**public, trusted_proxies="10.0.0.0/8,fd00::/8") == {}


def test_a_data_folder_that_is_open_to_others_is_found(settings):
    def found():
        return findings(host.check_disk(settings))

    settings.data_dir.chmod(0o2775)
    assert "data folder" not in found()
    settings.data_dir.chmod(0o777)
    assert f"Run chmod o-w {settings.data_dir}." in found()["data folder"]


async def test_others_that_do_not_answer_are_found(settings):
    """Ports where nothing listens, where something else does, and those that are right."""
    port = free_port()
    with running(Sink()) as smtp, listening(Provider) as provider:
        issuer = f"http://127.0.0.1:{provider.server_port}"
        provider.issuer = issuer

        async def look(**changed):
            given = {"publish_to": "s3://bucket/x", **changed}
            now = msgspec.structs.replace(settings, **given)
            checks = [one async for one in proxy.check_others(now)]
            return [one.name for one in checks], findings(checks)

        assert await look() == ([], {})
        dead = f"127.0.0.1:{port}"
        names, found = await look(
            smtp_url=f"smtp://u:secret@{dead}", oidc_issuer=f"http://{dead}",
            purge_url=f"http://{dead}/secret",
        )  # fmt: skip
        assert names == list(found) == ["mail", "identity provider", "cache"]
        for name, setting in zip(names, ("SMTP_URL", "OIDC_ISSUER", "PURGE_URL"), strict=True):
            assert f"mend REGISTRY_{setting}" in found[name]
            assert "secret" not in found[name]
        other = f"127.0.0.1:{smtp}"
        assert (await look(oidc_issuer=f"http://{other}"))[1].keys() == {"identity provider"}
        assert await look(smtp_url=f"smtp://{other}", oidc_issuer=issuer, purge_url=issuer) == (
            names, {},
        )  # fmt: skip
        provider.issuer = "http://127.0.0.1:1"
        assert (await look(oidc_issuer=issuer))[1].keys() == {"identity provider"}


async def test_rights_of_the_role_that_serves_are_those_of_the_file(installed):
    """Asked by the owner and by that role itself: all on all tables, a column, one too few."""

    async def found(**changed):
        checks = (await installed.look(**changed)).checks
        [of_rights] = [one for one in checks if one.name == "rights"]
        return of_rights

    async def run(statement):
        async with installed.database.connection() as connection:
            await connection.execute(statement)

    assert (await found()).state == "not seen"
    await grant_serving(installed.database)
    as_serving = {"database_url": as_role("serving", installed.url)}
    for changed in ({}, as_serving):
        assert (await found(**changed)).state == "in order", await found(**changed)
    await run("grant all on all tables in schema public to serving")
    for changed in ({}, as_serving):
        wide = await found(**changed)
        assert wide.state == "finding"
        assert "may do more than it needs: delete on agency, delete on agency_entry" in wide.seen
        assert wide.seen.endswith(" more")
        assert "grants.sql again" in wide.advice
    await grant_serving(installed.database)
    assert (await found()).state == "in order"
    for statement, seen, back in (
        (
            "grant update (digest) on token to serving",
            "may do more than it needs: update (digest) on token",
            "revoke update (digest) on token from serving",
        ),
        (
            "revoke insert on log_entry from serving",
            "lacks: insert on log_entry",
            "grant insert on log_entry to serving",
        ),
    ):
        await run(statement)
        assert (await found()).seen == f"role serving {seen}"
        await run(back)
    assert (await found()).state == "in order"


async def test_what_a_proxy_breaks_is_found(installed, monkeypatch):
    monkeypatch.setattr(proxy, "is_loopback", lambda _: False)

    def found():
        return findings(proxy.check_proxy(installed.settings))

    assert found() == {}
    for fault, name, words in (
        ("trust", "forwarded address", "REGISTRY_TRUSTED_PROXIES"),
        ("headers", "headers", "without content-security-policy"),
        ("tags", "tags", "has no ETag"),
        ("figures", "figures", "shown to anybody"),
    ):
        installed.proxy.faults = {fault}
        assert words in found()[name]
        assert list(found()) == [name]
    installed.proxy.faults = set()


@pytest.mark.parametrize(("days", "names"), [(5, ["TLS"]), (90, [])])
def test_a_certificate_that_ends_soon_is_found(settings, tmp_path, monkeypatch, days, names):
    file = write_certificate(tmp_path, days=days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with proxied(context) as server:
        url = f"https://127.0.0.1:{server.server_address[1]}"
        changed = msgspec.structs.replace(settings, base_url=url)
        # Of an authority that nobody knows:
        assert "certificate" in findings(proxy.check_proxy(changed))["proxy"]
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        found = findings(proxy.check_proxy(changed))
    assert list(found) == [*names, "headers"]
    assert "without strict-transport-security" in found["headers"]


async def test_it_looks_at_the_rest_while_the_database_is_down(installed):
    found = await installed.look(database_url="postgresql://nobody@127.0.0.1:1/none")
    assert not found.has_database
    assert "no database answers" in findings(found.checks)["database"]
    assert {"disk", "port", "proxy"} <= {one.name for one in found.checks}
    wrong = await installed.look(database_url="postgresql://nobody@@:x/none")
    assert wrong.has_database
    assert "is not the address of a database" in findings(wrong.checks)["database"]


async def test_an_empty_database_and_what_cannot_be_looked_at_are_findings(installed, monkeypatch):
    def fails(*_):
        raise ValueError("odd")

    with monkeypatch.context() as changed:
        changed.setattr(of_log, "published_size", fails)
        found = findings((await installed.look()).checks)
    assert "cannot be looked at: ValueError: odd" in found["log"]
    async with installed.database.connection() as connection:
        await connection.execute("alter table migration rename to other")
    found = findings((await installed.look()).checks)
    assert "no register in this database" in found["migrations"]


async def test_what_a_server_lacks_is_said(shared_url, settings):
    database = await connect(shared_url, size=1)
    async with database.connection() as connection:
        facts = await read_server(connection)
    await database.close()

    def found(**changed):
        now = msgspec.structs.replace(facts, is_superuser=False, **changed)
        own = msgspec.structs.replace(settings, database_url=shared_url)
        return findings(of_database._of_server(now, own))

    assert found() == {}
    assert "15 or later" in found(number=140_012)["database"]
    assert "template0" in found(encoding="LATIN1")["database"]
    assert (
        "fsync and full_page_writes off" in found(fsync=False, full_page_writes=False)["durability"]
    )
    assert "sslmode=verify-full" in found(is_remote=True)["way to the database"]
    assert "Set max_connections to 20" in found(max_connections=12)["connections"]
    ahead = of_database._of_clock(dt.timedelta(seconds=-3))
    assert (ahead.state, ahead.name) == ("finding", "clock")
    assert "behind ours by 3.0 seconds" in ahead.seen


async def test_a_replica_that_is_gone_or_behind_is_found(
    database, publish, record, settings, database_url, logged, migrated_url
):
    await publish(record)

    async def found(url):
        now = msgspec.structs.replace(settings, read_url=url)
        async with database.connection() as connection:
            looked = Installation(settings=now, database=database, connection=connection, told=[])
            return [one async for one in of_database.check_replica(looked)]

    assert await found(None) == []
    [same] = await found(database_url)
    assert (same.state, same.seen) == ("in order", "has 2 of 2 entries")
    [behind] = await found(migrated_url)
    assert (behind.state, behind.seen) == ("finding", "has 1 of 2 entries")
    [gone] = await found("postgresql://nobody@127.0.0.1:1/none")
    assert "REGISTRY_READ_URL" in gone.advice
