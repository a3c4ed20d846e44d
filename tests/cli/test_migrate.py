"""`registry migrate`, and settings that a platform gives: secrets, services of Kubernetes."""

import json
import shutil

import asyncpg
import pytest

from registry.errors import ConfigurationError
from registry.settings import from_environment
from registry.store.migrate import read_migrations


@pytest.fixture
async def intruder(database_url):
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def test_it_says_what_is_missing_applies_it_and_knows_what_is_ahead(
    registry, database_url, empty_url, intruder
):
    last = read_migrations()[-1]
    checked = registry("migrate", "--check", database_url=database_url)
    assert (checked.returncode, checked.stdout) == (0, ""), checked.stderr
    assert "of this version" in checked.stderr
    checked = registry("migrate", "--check", "--format", "json", database_url=empty_url)
    assert checked.returncode == 1
    told = json.loads(checked.stdout)
    assert (told["missing"][0], told["missing"][-1]) == ("1 (register)", last.title)
    assert told["contracting"] == [one.title for one in read_migrations() if one.kind == "contract"]
    applied = registry("migrate", "--apply", database_url=empty_url)
    assert applied.returncode == 0, applied.stderr
    assert applied.stdout.splitlines()[-1] == f"applied: {last.number} ({last.name})"
    await intruder.execute("insert into migration values (998, 'wider', '', now(), 'expand')")
    checked = registry("migrate", "--check", database_url=database_url)
    assert (checked.returncode, checked.stdout) == (
        0,
        "ahead: 998 (wider); this version works with it\n",
    )
    await intruder.execute("insert into migration values (999, 'narrow', '', now(), 'contract')")
    checked = registry("migrate", "--check", "--format", "json", database_url=database_url)
    assert checked.returncode == 2
    assert json.loads(checked.stdout)["refused"] == ["999 (narrow)"]


@pytest.mark.parametrize(
    "command", [("migrate", "--check"), ("migrate", "--apply"), ("work",), ("serve",)]
)
async def test_a_database_of_an_earlier_commit_is_told_to_begin_anew(
    refused, database_url, intruder, command
):
    await intruder.execute("update migration set checksum = '' where number = 1")
    said = refused(2, *command, database_url=database_url)
    assert "made by an earlier, unreleased version of the register" in said
    assert "begin anew" in said
    assert "make up" in said


def test_it_is_told_what_to_do_and_where(registry, refused, tmp_path):
    assert "--check or --apply" in refused(2, "migrate")
    assert "no database answers" in refused(
        3, "migrate", "--check", database_url="postgresql://u@127.0.0.1:1/r"
    )
    shutil.rmtree(tmp_path / "var", ignore_errors=True)
    assert "there is no register" in refused(2, "migrate", "--check")


def test_what_kubernetes_sets_for_a_service_of_this_name_is_no_setting():
    injected = {
        "REGISTRY_PORT": "tcp://10.0.0.1:8000",
        "REGISTRY_SERVICE_HOST": "10.0.0.1",
        "REGISTRY_SERVICE_PORT": "8000",
        "REGISTRY_SERVICE_PORT_HTTP": "8000",
        "REGISTRY_PORT_8000_TCP": "tcp://10.0.0.1:8000",
        "REGISTRY_PORT_8000_TCP_PROTO": "tcp",
        "REGISTRY_PORT_8000_TCP_PORT": "8000",
        "REGISTRY_PORT_8000_TCP_ADDR": "10.0.0.1",
        "REGISTRY_API_PORT": "tcp://10.0.0.2:80",
        "REGISTRY_API_SERVICE_HOST": "10.0.0.2",
    }
    told = []
    assert from_environment(injected, told.append) == from_environment({})
    [line] = told
    assert all(name in line for name in injected)
    assert from_environment({"REGISTRY_PORT": "8001"}, told.append).port == 8001
    assert len(told) == 1
    for wrong in ("REGISTRY_PROT", "REGISTRY_PORT_8000", "REGISTRY_SERVICE"):
        with pytest.raises(ConfigurationError, match=wrong):
            from_environment({wrong: "8000"})


def test_the_address_of_the_database_may_be_in_a_file(tmp_path):
    file = tmp_path / "secret"
    file.write_text("postgresql://u:p@db/r\n", encoding="utf-8")
    given = {"REGISTRY_DATABASE_URL_FILE": str(file)}
    assert from_environment(given).database_url == "postgresql://u:p@db/r"
    with pytest.raises(ConfigurationError, match="both set"):
        from_environment(given | {"REGISTRY_DATABASE_URL": "postgresql://u@db/r"})
    file.write_text("\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="is empty"):
        from_environment(given)
    file.unlink()
    with pytest.raises(ConfigurationError, match="cannot be read \\(No such file"):
        from_environment(given)
