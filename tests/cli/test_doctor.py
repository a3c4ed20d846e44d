"""`registry doctor` as a command: its exit codes and its two forms."""

import json


def test_findings_have_their_exit_code_and_their_advice(with_database, registry, tmp_path):
    done = with_database("doctor", "--format", "json")
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    found = {one["name"]: one for one in told["checks"] if one["state"] == "finding"}
    assert told["findings"] == len(found) > 2
    assert all(one["advice"].endswith(".") for one in found.values())
    lines = with_database("doctor").stdout.splitlines()
    assert "FINDING   security contact: nobody can learn where to report a weakness" in lines
    assert lines[-1] == f"{len(found)} findings"


def test_a_database_that_is_down_and_a_wrong_setting_are_told_apart(registry, tmp_path):
    down = registry("doctor", database_url="postgresql://a@127.0.0.1:1/x", data_dir=tmp_path)
    assert down.returncode == 3
    assert "FINDING   database: no database answers at 127.0.0.1:1/x" in down.stdout
    wrong = registry("doctor", prot=1)
    assert wrong.returncode == 1
    assert "did you mean REGISTRY_PORT?" in wrong.stdout
