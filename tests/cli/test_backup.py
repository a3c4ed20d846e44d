"""`registry backup` and `restore`: a register that is lost comes back whole, and in order."""

import asyncio
import json
import shutil
import stat

import asyncpg
import pytest

from registry.errors import ConfigurationError, Unavailable
from registry.ledger.key import files, make, path_of, read, read_or_create, write
from registry.store.dump import _tool, _without_password, restore, statements
from tests.cli.conftest import begin


@pytest.fixture
def own(registry, empty_url, tmp_path):
    """Run a command in the register that is backed up."""

    def run(*arguments, code=0, **settings):
        result = registry(
            *arguments, **{"database_url": empty_url, "data_dir": tmp_path} | settings
        )
        assert result.returncode == code, result.stdout + result.stderr
        assert "Traceback" not in result.stderr
        return result

    return run


@pytest.fixture
def backed_up(own, record, record_file, empty_url, tmp_path):
    """A register with a version, a draft, a token and a key to come, and a backup of it."""
    begin(empty_url, tmp_path)
    first = tmp_path / "keys/log.key"
    following = make(read(first).name)
    write(path_of(first, following.verifier), following)
    own("token", "create", "--agency", "demo-sante", "--scope", "file")
    own("file", record_file())
    own("submit", record["id"])
    own("log", "publish")
    own("file", record_file("draft.json", id="demo-sante/suite", source_id=...))
    folder = tmp_path / "backup"
    assert "3 entries of " in own("backup", folder).stderr
    return folder


async def lose(url):
    connection = await asyncpg.connect(url)
    await connection.execute("drop schema public cascade; create schema public")
    await connection.close()


def state_of(own, **settings):
    """Everything of a register that its commands tell."""
    return [
        own(*arguments, **settings).stdout
        for arguments in (
            ("export", "--format", "jsonl"),
            ("drafts",),
            ("token", "list"),
            ("agency", "list"),
        )
    ]


def test_a_lost_register_comes_back_whole(own, backed_up, tmp_path, data):
    elsewhere = {"database_url": "", "data_dir": data}
    told = own("restore", backed_up, **elsewhere).stderr
    assert "3 entries of " in told
    assert "in order, by its log" in told
    assert state_of(own, **elsewhere) == state_of(own)
    keys = [path.name for path in files(tmp_path / "keys/log.key")]
    assert len(keys) == 2
    for name in (*keys, "signed-sizes"):
        kept = data / "keys" / name
        assert kept.read_bytes() == (tmp_path / "keys" / name).read_bytes()
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    # It goes on from there, in the same log.
    own("log", "publish", **elsewhere)
    assert own("log", "fsck", **elsewhere).stderr == own("log", "fsck").stderr
    own("submit", "demo-sante/suite", **elsewhere)
    assert "4 entries in the database" in own("log", "verify", **elsewhere).stderr


def test_only_its_owner_reads_a_backup(backed_up):
    assert stat.S_IMODE(backed_up.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in backed_up.iterdir()}
    assert modes["log.key"] == modes["database.dump"] == 0o600
    assert not list(backed_up.parent.glob("*.making-*"))


def test_what_was_published_since_is_missed_and_healed(own, backed_up, empty_url, tmp_path):
    own("submit", "demo-sante/suite")
    own("log", "publish")
    before = own("export", "--format", "jsonl").stdout

    asyncio.run(lose(empty_url))
    told = own("restore", backed_up, code=1).stderr
    assert "`registry log heal`" in told
    assert "entry 3" in told
    assert "1 entries were brought back" in own("log", "heal").stderr
    assert "4 entries" in own("log", "verify").stderr
    versions = [json.loads(line)["record"] for line in before.splitlines()]
    after = own("export", "--format", "jsonl").stdout
    assert [json.loads(line)["record"] for line in after.splitlines()] == versions


def spoil_dump(folder):
    dump = folder / "database.dump"
    dump.write_bytes(dump.read_bytes()[:-1])


def open_key(folder):
    (folder / "log.key").chmod(0o644)


def spoil_format(folder):
    about = folder / "backup.json"
    about.write_text(about.read_text().replace('"format": 1', '"format": 2'))


def spoil_about(folder):
    (folder / "backup.json").write_text("{")


def spoil_place(folder):
    (folder / "backup.json").unlink()


SPOILT = [
    (spoil_dump, 2, "not all of it; use another backup"),
    (open_key, 2, "readable by others"),
    (spoil_format, 2, "of a later release"),
    (spoil_about, 2, "is not as it was written"),
    (spoil_place, 2, "is no backup"),
    (lambda _: None, 1, "there is a register in this database"),
]


def test_what_cannot_be_restored_changes_nothing(own, refused, backed_up, empty_url, tmp_path):
    before = state_of(own)
    place = {"database_url": empty_url, "data_dir": tmp_path}
    for number, (spoil, code, sentence) in enumerate(SPOILT):
        spoilt = tmp_path / f"spoilt-{number}"
        shutil.copytree(backed_up, spoilt)
        spoil(spoilt)
        assert sentence in refused(code, "restore", spoilt, **place)
    assert state_of(own) == before


def test_another_log_is_not_taken_over(refused, backed_up, data):
    other = read_or_create(data / "keys" / "log.key", "register.example/log")
    told = refused(1, "restore", backed_up, data_dir=data)
    assert "another log's key than the backup's" in told
    assert read(data / "keys" / "log.key") == other


def test_a_folder_with_something_in_it_is_no_place_for_a_backup(own, backed_up):
    assert "is there already" in own("backup", backed_up, code=2).stderr


def test_where_there_is_no_register_there_is_nothing_to_back_up(own, tmp_path):
    assert "nothing to back up" in own("backup", tmp_path / "backup", code=2).stderr
    assert not (tmp_path / "backup").exists()


def test_a_tool_that_is_older_than_the_server_is_not_used():
    assert _tool("pg_dump", 15).endswith("pg_dump")
    with pytest.raises(ConfigurationError, match="pg_dump of PostgreSQL 999 or later"):
        _tool("pg_dump", 999)


@pytest.mark.parametrize(
    ("url", "address", "password"),
    [
        (
            "postgresql://u:p%40ss@host:1/d?sslmode=require",
            "postgresql://u@host:1/d?sslmode=require",
            "p@ss",
        ),
        ("postgresql://u@/d?host=/tmp/x", "postgresql://u@/d?host=/tmp/x", None),
        ("postgresql:///d", "postgresql:///d", None),
        (
            "postgresql://u@host/d?sslmode=require&password=p%40ss",
            "postgresql://u@host/d?sslmode=require",
            "p@ss",
        ),
        ("postgresql://host/d?password=no&user=u", "postgresql://host/d?user=u", "no"),
    ],
)
def test_no_password_is_among_the_arguments(url, address, password):
    assert _without_password(url) == (address, password)


def test_servers_before_17_are_not_sent_what_they_do_not_know():
    unknown = b"SET transaction_timeout = 0;\n"
    script = [b"SET lock_timeout = 0;\n", unknown, b"COPY t FROM stdin;\n", unknown, b"\\.\n"]
    assert list(statements(script)) == [script[0], *script[2:]]
    assert list(statements(script[:1])) == script[:1]


def test_half_a_dump_is_not_restored_at_all(backed_up, empty_url, tmp_path):
    async def count_tables():
        connection = await asyncpg.connect(empty_url)
        try:
            return await connection.fetchval(
                "select count(*) from pg_tables where schemaname = 'public'"
            )
        finally:
            await connection.close()

    asyncio.run(lose(empty_url))
    half = tmp_path / "half.dump"
    half.write_bytes((backed_up / "database.dump").read_bytes()[:-1000])
    seen = []
    with pytest.raises(Unavailable, match="the restore has stopped: "):
        restore(empty_url, half, server=15, tables=1, progress=lambda *done: seen.append(done))
    assert seen
    assert asyncio.run(count_tables()) == 0
