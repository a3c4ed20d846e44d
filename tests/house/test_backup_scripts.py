"""`deploy/backup`: a register is backed up encrypted, copied, and restored from that alone."""

import os
import shutil
import subprocess

import pytest

from tests.cli.conftest import begin
from tests.conftest import ROOT
from tests.crash.register import environment

SCRIPTS = ROOT / "deploy/backup"


@pytest.fixture
def run(warm):
    """Run a script with the register's command and these settings; skip without age."""
    if shutil.which("age") is None:
        pytest.skip("age is not on this machine; .ci/run names its package")

    def run(script, *words, **settings):
        environ = environment() | {"REGISTRY": str(warm.folder / "registry")} | settings
        return subprocess.run(
            [SCRIPTS / script, *words], env=environ, capture_output=True, text=True, check=False
        )

    return run


def test_a_backup_is_encrypted_copied_and_restored_by_whoever_has_the_key(run, empty_url, tmp_path):
    folder, elsewhere, data = (tmp_path / name for name in ("backups", "elsewhere", "data"))
    folder.mkdir()
    begin(empty_url, data)
    key = tmp_path / "restore.key"
    subprocess.run(["age-keygen", "-o", key], check=True, capture_output=True)
    public = subprocess.run(["age-keygen", "-y", key], check=True, capture_output=True).stdout
    (tmp_path / "recipients").write_bytes(public)
    settings = {
        "BACKUP_RECIPIENTS": str(tmp_path / "recipients"),
        "BACKUP_DIR": str(folder),
        "BACKUP_KEEP": "2",
        "REGISTRY_DATABASE_URL": empty_url,
        "REGISTRY_DATA_DIR": str(data),
    }
    if shutil.which("rclone"):
        settings["BACKUP_STORE"] = str(elsewhere)
    for name in ("registry-2026-01-01T000000Z.tar.age", "registry-2026-01-02T000000Z.tar.age"):
        (folder / name).touch()
    done = run("backup.sh", **settings)
    assert done.returncode == 0, done.stderr
    kept = sorted(path.name for path in folder.iterdir())
    assert len(kept) == 2, "the oldest is gone, and nothing half-made is left"
    made = folder / kept[-1]
    assert made.read_bytes().startswith(b"age-encryption.org/v1")
    assert made.stat().st_mode & 0o077 == 0
    if "BACKUP_STORE" in settings:
        assert (elsewhere / made.name).read_bytes() == made.read_bytes()

    done = run("drill.sh", key, made)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "restored, checked and published again" in done.stdout
    subprocess.run(["age-keygen", "-o", tmp_path / "other.key"], check=True, capture_output=True)
    assert run("drill.sh", tmp_path / "other.key", made).returncode != 0
    damaged = tmp_path / made.name
    damaged.write_bytes(made.read_bytes()[:-40] + os.urandom(40))
    assert run("drill.sh", key, damaged).returncode != 0


def test_what_fails_leaves_no_backup(run, tmp_path):
    settings = {"BACKUP_DIR": str(tmp_path), "REGISTRY_DATA_DIR": str(tmp_path / "none")}
    assert "name the file" in run("backup.sh", **settings).stderr
    (tmp_path / "recipients").write_text("nobody\n")
    settings["BACKUP_RECIPIENTS"] = str(tmp_path / "recipients")
    assert run("backup.sh", **settings).returncode != 0
    assert not list(tmp_path.glob("*.age"))
    assert not list(tmp_path.glob(".making*"))
