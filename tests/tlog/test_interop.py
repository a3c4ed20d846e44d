"""Other people's tools read our log: the Go implementation and Debian's spicy verifier."""

import base64
import datetime as dt
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from registry.ledger.key import read
from registry.ledger.proofs import read_proof
from registry.ledger.publish_files import publish_log
from registry.ledger.published_log import LogTree
from registry.store import checkpoints

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
ROOT = Path(__file__).parents[2]
SOURCE = Path(__file__).with_name("interop") / "main.go"
GO_PATH = Path("/usr/share/gocode")
SIZES = (1, 2, 3, 130, 255, 256, 257)
LAST = 300


def needs(is_there, what):
    """Skip where a tool is not installed; where everything is run it must be."""
    if not is_there and "CI" not in os.environ:
        pytest.skip(f"{what} not installed; .ci/run says how")
    assert is_there, what


@pytest.fixture
def database(logged):
    """The register whose log has a key of its own."""
    return logged


@pytest.fixture
async def published(database, settings, publish, record):
    """A log of more than one bundle, published at several sizes; gives the roots by size."""
    roots = {}
    done = 1
    for size in (*SIZES[1:], LAST):
        await publish(*(record | {"id": f"demo-sante/a{at}"} for at in range(done, size)))
        done = size
        signed = await publish_log(database, settings, now=NOW)
        assert signed.size == size
        roots[size] = base64.b64encode(signed.root).decode()
    return roots


@pytest.fixture
def key(database, settings):
    return read(settings.key_file).verifier_key


@pytest.fixture(scope="module")
def verifier(tmp_path_factory):
    """The program of `interop/`, built by Debian's compiler with Debian's library."""
    library = GO_PATH / "src/golang.org/x/mod/sumdb/tlog"
    needs(shutil.which("go") and library.is_dir(), "golang-go golang-golang-x-mod-dev")
    program = tmp_path_factory.mktemp("go") / "interop"
    environment = os.environ | {
        "GO111MODULE": "off",
        "GOPATH": str(GO_PATH),
        # Go's own library is compiled once a checkout.
        "GOCACHE": str(ROOT / ".pytest_cache" / "go"),
        "GOFLAGS": "",
    }
    built = subprocess.run(
        ["go", "build", "-o", program, SOURCE],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return program


def run(*command):
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False
    )


def test_go_verifies_signature_root_entries_and_consistency(
    verifier, published, settings, key, tmp_path
):
    done = run(verifier, settings.log_dir, key, *SIZES)
    assert done.returncode == 0, done.stderr
    said = dict(line.split() for line in done.stdout.splitlines())
    assert set(said) == {str(size) for size in (*SIZES, LAST)}
    # Of each size we had signed the very root that Go computes for it.
    assert {size: said[str(size)] for size in published} == published

    # With one bit changed in any file it reads, it says no.
    for path in ("checkpoint", "tile/0/000", "tile/1/000.p/1", "tile/entries/001.p/44"):
        folder = tmp_path / "changed" / path.replace("/", "-")
        shutil.copytree(settings.log_dir, folder)
        content = bytearray((folder / path).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / path).write_bytes(content)
        assert run(verifier, folder, key, *SIZES).returncode != 0


async def test_spicy_verifies_a_proof(published, database, settings, key, tmp_path):
    """Its signatures are proofs from before they had a first line of their own."""
    spicy = shutil.which("spicy-litetlog")
    needs(spicy, "litetlog")
    assert published
    tree = LogTree()
    for index in (0, 1, 255, 256, LAST - 1):
        async with database.connection() as connection:
            [entry] = await checkpoints.read_entries(connection, index, index + 1)
            proof = await read_proof(connection, tree, index)
        kept = tmp_path / f"entry-{index}"
        kept.write_bytes(entry.content)
        first, _, rest = proof.partition(b"\n")
        assert first == b"c2sp.org/tlog-proof@v1"
        kept.with_name(f"{kept.name}.spicy").write_bytes(rest)
        done = run(spicy, "-verify", key, kept)
        assert done.returncode == 0, done.stderr
        kept.write_bytes(entry.content + b" ")
        assert run(spicy, "-verify", key, kept).returncode != 0
