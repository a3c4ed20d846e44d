"""`registry audit-trail`: followed from where it ended, and verified with what was kept."""

import getpass
import json
import subprocess
import sys


def make_acts(run, *names):
    for name in names:
        done = run("token", "create", "--scope", "audit", "--actor", name)
        assert done.returncode == 0, done.stderr


def test_it_goes_on_from_where_it_ended(with_database, tmp_path):
    make_acts(with_database, "one", "two")
    state = tmp_path / "head"
    first = with_database("audit-trail", "follow", "--once", "--state", state)
    assert first.returncode == 0, first.stderr
    acts = [json.loads(line) for line in first.stdout.splitlines()]
    assert [one["position"] for one in acts] == list(range(1, len(acts) + 1))
    assert [one["action"] for one in acts][-2:] == ["create_token", "create_token"]
    assert f", by {getpass.getuser()}" in acts[-1]["before"]
    assert with_database("audit-trail", "follow", "--once", "--state", state).stdout == ""
    make_acts(with_database, "three")
    [line] = with_database("audit-trail", "follow", "--once", "--state", state).stdout.splitlines()
    assert json.loads(line)["previous"] == acts[-1]["hash"]
    last = with_database("audit-trail", "follow", "--once", "--from", len(acts) + 1).stdout
    assert last == line + "\n"
    shipped = tmp_path / "shipped.jsonl"
    shipped.write_text(first.stdout + line + "\n")
    head = state.read_text().strip()
    alone = with_database("audit-trail", "verify", shipped, "--head", head)
    assert (alone.returncode, alone.stdout) == (0, head + "\n"), alone.stderr
    done = with_database("audit-trail", "verify", "--head", head)
    assert (done.returncode, done.stdout) == (0, head + "\n")
    other = head[:-1] + ("1" if head.endswith("0") else "0")
    wrong = with_database("audit-trail", "verify", "--head", other)
    assert wrong.returncode == 1
    assert "not the one that was followed" in wrong.stderr
    state.write_text("nonsense")
    assert with_database("audit-trail", "follow", "--state", state).returncode == 2


def test_it_follows_until_it_is_ended(with_database, database_url, tmp_path, environment):
    make_acts(with_database, "one")
    named = {"REGISTRY_DATABASE_URL": database_url, "REGISTRY_DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "registry", "audit-trail", "follow"]
    with subprocess.Popen(
        command, env=environment | named, cwd=tmp_path, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert json.loads(process.stdout.readline())["action"] == "create_token"
            make_acts(with_database, "two")
            assert json.loads(process.stdout.readline())["position"] == 2
            process.terminate()
            assert process.wait(60) == 0
        finally:
            process.kill()
