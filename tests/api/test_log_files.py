"""The log over HTTP: its files, its proofs, and how long they may be kept."""

import asyncio
import datetime as dt

import msgspec
import pytest

from registry.api.app import create_app
from registry.api.receipts import KEPT, MEDIA_TYPE, PARAMETER
from registry.ledger.key import read
from registry.ledger.publish_files import publish_log
from registry.log.blob import check_content, content_path
from registry.log.entry import decode_entry
from registry.log.files import read_checkpoint
from registry.services.operations.startup import open_register
from registry.settings import Settings
from registry.store.database import connect
from registry.store.published_files import write_files
from registry.tlog.bundle import parse_bundle
from registry.tlog.checkpoint import open_checkpoint
from registry.tlog.hashing import leaf_hash
from registry.tlog.tlog_proof import check_tlog_proof, parse_tlog_proof
from registry.verify.log import verify_log

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)


@pytest.fixture
def database_url(migrated_url, settings_of, pack):
    """A register whose log has a key of its own."""

    async def make():
        opened = await connect(migrated_url)
        await open_register(opened, pack, settings_of(migrated_url), now=NOW)
        await opened.close()

    asyncio.run(make())
    return migrated_url


@pytest.fixture
def settings_of(tmp_path):
    return lambda url: Settings(
        data_dir=tmp_path,
        database_url=url,
        base_url="https://algorithms.example",
        allowed_hosts="algorithms.example,register",
    )


@pytest.fixture
def settings(database_url, settings_of):
    return settings_of(database_url)


@pytest.fixture
async def published(database, settings, publish, record):
    await publish(record)
    await publish_log(database, settings, now=NOW)
    return record


@pytest.fixture
def verifier(settings):
    return read(settings.key_file).verifier


async def test_the_files_say_how_long_they_may_be_kept(client, published, settings, database):
    files = {"policy": b"quorum none\n", "witnessed": read_checkpoint(settings.log_dir)}
    for path in files:
        assert (await client.get(f"/log/{path}")).status_code == 404
    async with database.connection() as connection:
        await write_files(connection, files, size=2)
    for path, kind, caching in (
        ("checkpoint", "text/plain; charset=utf-8", "no-cache"),
        ("tile/0/000.p/2", "application/octet-stream", "public, max-age=31536000, immutable"),
        ("tile/entries/000.p/2", "application/octet-stream", "public, max-age=31536000, immutable"),
        ("content/1.json", "application/json", "no-cache"),
        ("proof/1.tlog-proof", "text/plain; charset=utf-8", "no-cache"),
        ("log.json", "application/json", "no-cache"),
        ("policy", "text/plain; charset=utf-8", "no-cache"),
        ("witnessed", "text/plain; charset=utf-8", "no-cache"),
    ):
        answer = await client.get(f"/log/{path}")
        assert answer.status_code == 200, path
        assert answer.headers["content-type"] == kind
        assert answer.headers["cache-control"] == caching
        assert answer.headers["access-control-allow-origin"] == "*"
        again = await client.get(f"/log/{path}", headers={"if-none-match": answer.headers["etag"]})
        assert again.status_code == 304
        head = await client.head(f"/log/{path}")
        assert head.headers["content-length"] == str(len(answer.content))


async def test_they_prove_what_they_say(client, published, verifier):
    note = (await client.get("/log/checkpoint")).content
    opened = open_checkpoint(note, origin=verifier.name, verifiers=[verifier])
    assert opened.checkpoint.size == 2
    entries = parse_bundle((await client.get("/log/tile/entries/000.p/2")).content, 2)
    for index, entry in enumerate(entries):
        proof = parse_tlog_proof((await client.get(f"/log/proof/{index}.tlog-proof")).content)
        check_tlog_proof(proof, leaf=leaf_hash(entry), origin=verifier.name, verifiers=[verifier])
        content = (await client.get(f"/log/{content_path(index)}")).content
        said = decode_entry(entry)
        check_content(content, index=index, commitments=said.commitments, digest=said.digest)
    said = (await client.get("/log/log.json")).json()
    assert said["origin"] == verifier.name
    assert said["keys"] == [verifier.to_text()]


NO_FILES = [
    "tile/0/000", "tile/0/000.p/3", "tile/1/000.p/1", "tile/0/0", "tile/0/../checkpoint",
    "tile/entries/000",
    "tile/0/%2e%2e/%2e%2e/keys/log.key", "content/2.json", "content/01.json", "content/x.json",
    "proof/2.tlog-proof", "proof/-1.tlog-proof", "proof/1", "", "keys/log.key", "site.json",
    "tile/entries/%2e%2e/0/000.p/2", "content/99999999999999999999.json", "../keys/log.key",
    ".new/x",
]  # fmt: skip


async def test_what_is_no_file_of_the_log_is_not_found(client, published):
    found = {path: (await client.get(f"/log/{path}")).status_code for path in NO_FILES}
    assert found == dict.fromkeys(NO_FILES, 404)


async def test_the_site_says_what_it_was_built_from(client, published, settings):
    settings.site_dir.mkdir()
    made_from = {"log": {"size": 2, "root": "ab"}, "pages": 1}
    (settings.site_dir / "build.json").write_bytes(msgspec.json.encode(made_from))
    assert (await client.get("/log/site.json")).json() == made_from["log"]


async def test_nothing_is_proven_before_it_is_published(client, publish, record, problem):
    assert (await client.get("/log/checkpoint")).status_code == 404
    [receipt] = await publish(record)
    answer = await client.get(f"/api/v1/records/{receipt.id}/proof")
    assert problem(answer, 404, "not-found")["detail"].startswith("entry 1 is in the log")


async def test_the_proof_of_a_record_can_be_kept(client, published, verifier):
    answer = await client.get(f"/api/v1/records/{published['id']}/proof")
    said = answer.json()
    assert (said["id"], said["version"], said["redactions"]) == (published["id"], 1, [])
    assert (said["origin"], said["key"]) == (verifier.name, verifier.to_text())
    kept = said["version_entry"]
    leaf = leaf_hash(kept["entry"].encode())
    assert kept["leaf"] == leaf.hex()
    check_tlog_proof(
        parse_tlog_proof(kept["proof"].encode()),
        leaf=leaf,
        origin=verifier.name,
        verifiers=[verifier],
    )
    said = msgspec.json.decode(kept["entry"])
    content = check_content(
        kept["content"].encode(),
        index=kept["index"],
        commitments=said["sections"],
        digest=said["verdict"]["digest"],
    )
    kept_values = {key: msgspec.json.decode(one.value) for key, one in content.sections.items()}
    assert kept_values == published


async def test_an_earlier_version_has_its_proof_too(
    client, published, publish, database, settings, problem
):
    amended = published | {"summary": {"fr": "Autre résumé, plus court.", "ar": "ملخص آخر"}}
    await publish(amended)
    await publish_log(database, settings, now=NOW)
    address = f"/api/v1/records/{published['id']}/proof"
    assert (await client.get(address)).json()["version_entry"]["index"] == 2
    assert (await client.get(address, params={"version": 1})).json()["version_entry"]["index"] == 1
    problem(await client.get(address, params={"version": 3}), 404, "not-found")
    problem(await client.get("/api/v1/records/demo-sante/none/proof"), 404, "not-found")
    problem(await client.get(address, params={"versoin": 3}), 400, "invalid-parameter")


async def test_a_log_that_only_others_host_needs_no_key(published, settings, started):
    settings.key_file.unlink()
    async with started(create_app(settings, tell=None)) as client:
        assert (await client.get("/log/proof/1.tlog-proof")).status_code == 200


async def test_the_figures_tell_when_nobody_publishes_any_more(
    client, published, publish, database, settings
):
    async def standing():
        text = (await client.get("/metrics", headers={"host": "127.0.0.1:8000"})).text
        lines = (line.split() for line in text.splitlines() if not line.startswith("#"))
        figures = {name: float(number) for name, number in lines if "{" not in name}
        return [
            figures["registry_log_entries"],
            figures["registry_log_published_entries"],
            figures["registry_log_lag_seconds"] > 0,
            figures["registry_site_entries"],
        ]

    assert await standing() == [2, 2, False, 0]
    await publish(published | {"summary": {"fr": "Autre résumé, plus court.", "ar": "ملخص آخر"}})
    assert await standing() == [3, 2, True, 0]
    await publish_log(database, settings, now=NOW)
    settings.site_dir.mkdir()
    made_from = {"log": {"size": 2, "root": "00" * 32}}
    (settings.site_dir / "build.json").write_bytes(msgspec.json.encode(made_from))
    assert await standing() == [3, 3, False, 2]


async def test_a_host_with_an_empty_data_folder_serves_the_whole_log(
    client, published, settings, started, tmp_path, verifier
):
    empty = tmp_path / "other-host"
    elsewhere = msgspec.structs.replace(settings, data_dir=empty)
    async with started(create_app(elsewhere, tell=None)) as other:

        async def files(asked):
            loop = asyncio.get_running_loop()

            def read_file(path):
                answer = asyncio.run_coroutine_threadsafe(asked.get(f"/log/{path}"), loop).result()
                if answer.status_code == 404:
                    raise FileNotFoundError(path)
                assert answer.status_code == 200, path
                return answer.content

            def verify():
                return verify_log(read_file, verifier=verifier, progress=lambda *_: None)

            return await asyncio.to_thread(verify)

        assert (await files(other)).note == (await files(client)).note
        for path in ("log.json", "proof/1.tlog-proof", "content/bundle/0", "incidents.json"):
            there = await other.get(f"/log/{path}")
            assert there.status_code == 200, path
            assert there.content == (await client.get(f"/log/{path}")).content
        proof = f"/api/v1/records/{published['id']}/proof"
        assert (await other.get(proof)).json() == (await client.get(proof)).json()
        figures = (await other.get("/metrics", headers={"host": "127.0.0.1:8000"})).text
        assert "registry_log_published_entries 2.0" in figures
        assert "registry_log_lag_seconds 0.0" in figures
    assert not (empty / "log").exists()


async def test_a_receipt_is_as_the_description_of_the_api_has_it(client, published, described):
    """Every answer of this suite is compared with the description, and so these are."""
    paths = [path for path in described.document["paths"] if KEPT.fullmatch(path)]
    assert len(paths) == 7
    for path in paths:
        operation = described.document["paths"][path]["get"]
        assert MEDIA_TYPE in operation["responses"]["200"]["content"]
        assert PARAMETER in {one["name"] for one in operation["parameters"]}
        for asked in ({"params": {PARAMETER: "1"}}, {"headers": {"accept": MEDIA_TYPE}}):
            answer = await client.get(path, **asked)
            assert answer.headers["content-type"] == MEDIA_TYPE, path
            assert published["id"] in answer.text or path.endswith(("xlsx", "statistics"))
    asked = {"q": "prevsion", PARAMETER: "1"}
    mended = await client.get("/api/v1/exports/records.csv", params=asked)
    assert mended.json()["mended"] == "prevision"
