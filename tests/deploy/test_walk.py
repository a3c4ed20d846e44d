"""`deploy/README.md`, followed on a clean machine: installed, updated under load, stopped.

The first program is that of the commit before, or of the environment variable FROM.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.deploy.unit import missing
from tests.prepared import make_folder
from tools.release.wheels import build_wheel

PROGRAMS = ("nginx", "openssl", "ip", "curl", "unshare", "runuser", "systemd-sysusers", "psql")


def git(*words, cwd=ROOT):
    done = subprocess.run(["git", *words], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def releases():
    """The folders of two releases, each with its wheel: of the commit before, and of this tree."""
    lacking = missing() or next(
        (
            f"{one} is not here; .ci/run names its package"
            for one in PROGRAMS
            if not shutil.which(one)
        ),
        None,
    )
    if lacking is None and not list(Path("/usr/lib/postgresql").glob("*/bin/postgres")):
        lacking = "Debian's PostgreSQL is not here; .ci/run names its package"
    if lacking:
        pytest.skip(lacking)
    before = os.environ.get("FROM", "HEAD~1")
    known = ("git", "rev-parse", "--quiet", "--verify", before)
    if subprocess.run(known, cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip(f"{before} is not in this clone")
    folder = make_folder("walk")
    # With what is not committed yet.
    for name, ref in (("old", before), ("new", git("stash", "create") or "HEAD")):
        tree = folder / name
        tree.mkdir()
        archive = subprocess.run(["git", "archive", ref], cwd=ROOT, capture_output=True, check=True)
        subprocess.run(["tar", "-x"], cwd=tree, input=archive.stdout, check=True)
        git("init", "--quiet", cwd=tree)
        git("add", "--all", cwd=tree)
        who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        git(*who, "commit", "--quiet", "--message", name, cwd=tree)
        build_wheel(tree, tree)
    yield folder / "old", folder / "new"
    shutil.rmtree(folder)


def test_what_the_readme_says_starts_a_register_and_updates_it_under_load(releases):
    folder = make_folder("m")
    try:
        apart = ("--mount", "--pid", "--net", "--fork", "--kill-child", "--propagation", "private")
        done = subprocess.run(
            ["unshare", *apart, sys.executable, "-m", "tests.deploy.walk", folder, *releases],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=900,
        )  # fmt: skip
    finally:
        folder.rmdir()
    assert done.returncode == 0, done.stderr[-8000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["lost"] == told["refused"] == told["running"] == []
    assert told["acknowledged"] > told["during"] > 0, told
    assert told["programs"] == ["/opt/registry-0.1.0", "/opt/registry-0.2.0"]
    assert told["longest_unpublished"] < 60, told
    assert told["doctor"][0] == 0, told["doctor"][1]
    assert "FINDING" not in told["doctor"][1]
