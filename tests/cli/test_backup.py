"""`registry backup` and `restore`: a register that is lost comes back whole, and in order."""

import asyncio
import json
import shutil
import stat

import asyncpg
import pytest

from registry.errors import ConfigurationError, Unavailable
from registry.ledger.key import files, make, path_of, read, read_or_create, write
from registry.store import embedded
from registry.store.dump import _tool, _without_password, restore, statements
from tests.cli.conftest import begin, registry_in
from tests.conftest import make_record


class BackedUp:
    """A register with a version, a draft, a token and a key to come, and a backup of it."""

    def __init__(self, warm, url, folder):
        self.url, self.folder, self.backup = url, folder, folder / "backup"
        self._registry = registry_in(folder, warm)
        begin(url, folder)
        first = folder / "keys/log.key"
        following = make(read(first).name)
        write(path_of(first, following.verifier), following)
        self.run("token", "create", "--agency", "demo-sante", "--scope", "file")
        document = make_record()
        self._file(document, "--submit")
        self.run("log", "publish")
        del document["source_id"]
        self._file(document | {"id": "demo-sante/suite"})
        assert "3 entries of " in self.run("backup", self.backup).stderr

    def run(self, *arguments, code=0, **settings):
        """Run a command in the register that is backed up, or in that of other settings."""
        own = {"database_url": self.url, "data_dir": self.folder}
        result = self._registry(*arguments, **own | settings)
        assert result.returncode == code, result.stdout + result.stderr
        assert "Traceback" not in result.stderr
        return result

    def state(self, **settings):
        """Return everything of a register that its commands tell."""
        return [
            self.run(*arguments, **settings).stdout
            for arguments in (
                ("export", "--format", "jsonl"),
                ("drafts",),
                ("token", "list"),
                ("agency", "list"),
            )
        ]

    def _file(self, document, *options):
        path = self.folder / "record.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        self.run("file", path, *options)


@pytest.fixture(scope="module")
def kept(warm, copied, tmp_path_factory):
    """One for all tests that change nothing in it."""
    with copied(embedded.DATABASE) as url:
        yield BackedUp(warm, url, tmp_path_factory.mktemp("kept"))


async def lose(url):
    connection = await asyncpg.connect(url)
    await connection.execute("drop schema public cascade; create schema public")
    await connection.close()


@pytest.fixture
def held():
    """Take embedded servers; they are released at the end."""
    servers = []
    yield servers
    for one in servers:
        one.release()


def test_a_lost_register_comes_back_whole(kept, data, held):
    own = kept.run
    elsewhere = {"database_url": "", "data_dir": data}
    told = own("restore", kept.backup, **elsewhere).stderr
    assert "3 entries of " in told
    assert "in order, by its log" in told
    # Held, so that not each command starts the server of the folder.
    held.append(embedded.start(data))
    elsewhere["database_url"] = held[0].url
    assert kept.state(**elsewhere) == kept.state()
    keys = [path.name for path in files(kept.folder / "keys/log.key")]
    assert len(keys) == 2
    for name in (*keys, "signed-sizes"):
        restored = data / "keys" / name
        assert restored.read_bytes() == (kept.folder / "keys" / name).read_bytes()
        assert stat.S_IMODE(restored.stat().st_mode) == 0o600
    # It goes on from there, in the same log.
    own("log", "publish", **elsewhere)
    assert own("log", "fsck", **elsewhere).stderr == own("log", "fsck").stderr
    own("submit", "demo-sante/suite", **elsewhere)
    assert "4 entries in the database" in own("log", "verify", **elsewhere).stderr


def test_only_its_owner_reads_a_backup(kept):
    assert stat.S_IMODE(kept.backup.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in kept.backup.iterdir()}
    assert modes["log.key"] == modes["database.dump"] == 0o600
    assert not list(kept.folder.glob("*.making-*"))


def test_what_was_published_since_is_missed_and_healed(warm, empty_url, tmp_path):
    register = BackedUp(warm, empty_url, tmp_path)
    own = register.run
    own("submit", "demo-sante/suite")
    own("log", "publish")
    before = own("export", "--format", "jsonl").stdout

    asyncio.run(lose(empty_url))
    told = own("restore", register.backup, code=1).stderr
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


def test_a_lost_database_comes_back_from_the_files_of_the_log(warm, empty_url, tmp_path):
    lost = BackedUp(warm, empty_url, tmp_path)
    published = [lost.run("export", "--format", "jsonl").stdout, lost.run("agency", "list").stdout]
    asyncio.run(lose(empty_url))
    # Nothing begins another log where one was signed.
    assert "registry log heal" in lost.run("load", tmp_path, code=2).stderr
    assert "entries were brought back" in lost.run("log", "heal").stderr
    assert "in order" in lost.run("log", "verify").stderr
    assert published == [
        lost.run("export", "--format", "jsonl").stdout,
        lost.run("agency", "list").stdout,
    ]
    lost.run("file", tmp_path / "record.json", "--submit")
    lost.run("log", "publish")
    assert "in order" in lost.run("log", "fsck").stderr


def test_what_cannot_be_restored_changes_nothing(kept, refused, tmp_path):
    before = kept.state()
    place = {"database_url": kept.url, "data_dir": kept.folder}
    for number, (spoil, code, sentence) in enumerate(SPOILT):
        spoilt = tmp_path / f"spoilt-{number}"
        shutil.copytree(kept.backup, spoilt)
        spoil(spoilt)
        assert sentence in refused(code, "restore", spoilt, **place)
    assert kept.state() == before


def test_another_log_is_not_taken_over(kept, refused, data):
    other = read_or_create(data / "keys" / "log.key", "register.example/log")
    told = refused(1, "restore", kept.backup, data_dir=data)
    assert "another log's key than the backup's" in told
    assert read(data / "keys" / "log.key") == other


def test_a_folder_with_something_in_it_is_no_place_for_a_backup(kept):
    assert "is there already" in kept.run("backup", kept.backup, code=2).stderr


def test_where_there_is_no_register_there_is_nothing_to_back_up(refused, empty_url, tmp_path):
    place = {"database_url": empty_url, "data_dir": tmp_path}
    assert "nothing to back up" in refused(2, "backup", tmp_path / "backup", **place)
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


def test_half_a_dump_is_not_restored_at_all(kept, empty_url, tmp_path):
    async def count_tables():
        connection = await asyncpg.connect(empty_url)
        try:
            return await connection.fetchval(
                "select count(*) from pg_tables where schemaname = 'public'"
            )
        finally:
            await connection.close()

    half = tmp_path / "half.dump"
    half.write_bytes((kept.backup / "database.dump").read_bytes()[:-1000])
    seen = []
    with pytest.raises(Unavailable, match="the restore has stopped: "):
        restore(empty_url, half, server=15, tables=1, progress=lambda *done: seen.append(done))
    assert seen
    assert asyncio.run(count_tables()) == 0
