"""Witnesses and verifiers that nobody here wrote: they cosign our log, and accept it cosigned.

From PyPI, for a Python of 3.12 or later, installed once a machine outside of the checkout; from
Debian, `sigsum-witness`, a tool for tests. What is not there is told, and not asked.
"""

import base64
import datetime as dt
import hashlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import pytest

from registry.ledger.append import append_at
from registry.ledger.entries import StatedEntry
from registry.ledger.export import export_log
from registry.ledger.key import write
from registry.ledger.publish_files import publish_log
from registry.ledger.targets import Folder
from registry.log.entry import PolicyEntry
from registry.log.files import read_checkpoint
from registry.services.log import witness_client
from registry.services.log.witness_client import WitnessClient
from registry.services.log.witness_policy import read_standings
from registry.services.log.witness_rounds import WitnessRounds
from registry.services.operations.startup import open_register
from registry.store import log
from registry.store.database import connect
from registry.tlog.checkpoint import Checkpoint, open_checkpoint, stated
from registry.tlog.keys import COSIGNATURE, Signer, Verifier, parse_verifier
from registry.tlog.note import sign_note
from registry.tlog.policy import parse_policy
from registry.verify.fsck import read_from
from registry.verify.log import verify_log
from tests.conftest import accept_dates
from tests.crash.register import free_port
from tests.witnesses import Witness, running

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
HERE = Path(__file__).with_name("interop")
REQUIREMENTS = HERE / "judges.txt"
PATIENCE = 30


def newer_python():
    """A Python for which the judges are made."""
    asks = "import sys; sys.exit(sys.version_info < (3, 12))"
    for name in (sys.executable, "/usr/bin/python3", "python3.13", "python3.12", "python3.14"):
        found = shutil.which(name)
        if found and subprocess.run([found, "-c", asks], check=False).returncode == 0:
            return found
    pytest.skip("no Python of 3.12 or later is here, which the judges of PyPI need")


class Judges:
    """The programs of a folder of packages, and the Python that runs them."""

    def __init__(self, python, packages):
        self._python = python
        self.environment = os.environ | {"PYTHONPATH": str(packages), "PYTHONSAFEPATH": "1"}

    def command(self, *given):
        return [self._python, *map(str, given)]

    def run(self, *given):
        return subprocess.run(
            self.command(*given), env=self.environment, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="session")
def judges():
    """The packages of `judges.txt`, pinned by their hashes, installed once a machine."""
    python = newer_python()
    version = hashlib.sha256(REQUIREMENTS.read_bytes() + python.encode()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"judges-{os.getuid()}-{version}"
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=folder.parent) as made:
            target = Path(made) / "packages"
            installed = subprocess.run(
                [
                    *(sys.executable, "-m", "uv", "pip", "install", "--quiet"),
                    *("--require-hashes", "-r", REQUIREMENTS),
                    *("--python", python, "--target", target),
                ],
                cwd=made,  # uv would take what the project says of its own packages
                capture_output=True,
                text=True,
                check=False,
            )
            if installed.returncode:
                pytest.skip(f"the judges of PyPI cannot be installed: {installed.stderr[-300:]}")
            try:
                target.rename(folder)
            except OSError:
                # Another process was faster.
                assert folder.is_dir()
    assert folder.stat().st_uid == os.getuid()
    return Judges(python, folder)


@contextmanager
def listening(command, environment, port):
    """A server as a process, until the block ends; it listens when the block begins."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
        try:
            until = time.monotonic() + PATIENCE
            while True:
                with socket.socket() as asking:
                    if asking.connect_ex(("127.0.0.1", port)) == 0:
                        break
                if process.poll() is not None or time.monotonic() > until:
                    said.seek(0)
                    pytest.fail(f"{command} does not listen: {said.read()}")
                time.sleep(0.05)
            yield
        finally:
            process.kill()
            process.wait()


@contextmanager
def aics_witness(judges, folder, key):
    """The witness of PyPI, that knows our log; gives its verifier and address."""
    folder.mkdir()
    config, port = folder / "witness.json", free_port()
    begun = judges.run(
        *("-m", "aics_witness", "init", "--config", config, "--name", "aics.example/w1"),
        *("--listen", f"127.0.0.1:{port}"),
    )
    assert begun.returncode == 0, begun.stderr
    [verifier] = [word for word in begun.stdout.split() if word.startswith("aics.example/w1+")]
    added = judges.run(
        *("-m", "aics_witness", "add-log", "--config", config),
        *("--origin", key.name, "--vkey", key.verifier_key),
    )
    assert added.returncode == 0, added.stderr
    command = judges.command("-m", "aics_witness", "serve", "--config", config)
    with listening(command, judges.environment, port):
        yield parse_verifier(verifier), f"http://127.0.0.1:{port}"


@contextmanager
def sigsum_witness(folder, key):
    """The witness of Debian's sigsum-go; it knows logs by the names that Sigsum gives them."""
    folder.mkdir()
    port = free_port()

    def text(public, kind=b"ssh-ed25519"):
        packed = b"".join(len(part).to_bytes(4, "big") + part for part in (kind, public))
        return f"ssh-ed25519 {base64.b64encode(packed).decode()} log\n"

    (folder / "log.pub").write_text(text(key.verifier.public))
    subprocess.run(["sigsum-key", "generate", "-o", folder / "key"], check=True)
    packed = base64.b64decode((folder / "key.pub").read_text().split()[1])
    public = packed[-32:]
    name = f"sigsum.org/v1/witness/{hashlib.sha256(public).hexdigest()}"
    command = ["sigsum-witness", "-k", folder / "key", "--log-key", folder / "log.pub"]
    command += ["--state-file", folder / "state", f"127.0.0.1:{port}"]
    # It was written before Go's patterns of requests were as they are now.
    with listening(command, os.environ | {"GODEBUG": "httpmuxgo121=0"}, port):
        yield Verifier(name=name, kind=COSIGNATURE, public=public), f"http://127.0.0.1:{port}"


@contextmanager
def own_witness():
    one = Witness()
    with running(one):
        yield one.signer.verifier, one.url


@pytest.fixture
def key():
    """A key of the log whose name is the one that Sigsum gives its logs."""
    seed = secrets.token_bytes(32)
    public = Signer(name="x", seed=seed).verifier.public
    return Signer(name=f"sigsum.org/v1/tree/{hashlib.sha256(public).hexdigest()}", seed=seed)


@pytest.fixture
async def database(migrated_url, pack, settings, key):
    write(settings.key_file, key)
    opened = await connect(migrated_url)
    await open_register(opened, pack, settings, now=NOW)
    await accept_dates(opened)
    yield opened
    await opened.close()


@pytest.fixture
def settings(settings, key):
    return msgspec.structs.replace(settings, log_origin=key.name)


async def test_two_witnesses_of_others_cosign_and_judges_of_others_accept(
    judges, database, settings, key, publish, record, tmp_path, monkeypatch
):
    monkeypatch.setattr(witness_client, "_SECONDS", 60.0)
    with ExitStack() as stack:
        both = [
            stack.enter_context(aics_witness(judges, tmp_path / "aics", key)),
            stack.enter_context(
                sigsum_witness(tmp_path / "sigsum", key)
                if shutil.which("sigsum-witness")
                else own_witness()
            ),
        ]
        text = "".join(
            f"witness w{number} {verifier.to_text()} {url}\n"
            for number, (verifier, url) in enumerate(both)
        )
        text = f"log {key.verifier_key}\n{text}group both 2 w0 w1\nquorum both\n"
        async with database.transaction() as connection:
            state = await log.lock_state(connection)
            entry = StatedEntry(entry=PolicyEntry(actor="x", policy=text))
            await append_at(connection, state, [entry], at=NOW)

        notes = []
        rounds = WitnessRounds(database, settings)
        for count in (3, 260):
            await publish(*(record | {"id": f"demo-sante/a{count}-{at}"} for at in range(count)))
            await publish_log(database, settings, now=NOW)
            await rounds.go_on()
            await rounds.finish()
            await publish_log(database, settings, now=NOW)
            notes.append(read_checkpoint(settings.log_dir))
            async with database.connection() as connection:
                # The next round need not wait for its turn.
                await connection.execute("update witness set asked_at = '2020-01-01'")
            rounds = WitnessRounds(database, settings)
        assert [stated(note).size for note in notes] == [5, 265]
        async with database.connection() as connection:
            answers = {one.name: one.answer for one in await read_standings(connection)}
        assert set(answers.values()) == {"cosigned"}, answers

        exported = tmp_path / "exported"
        await export_log(
            database, Folder(exported, strip="log/"), site=None, progress=lambda *_: None
        )
        policy = parse_policy((exported / "policy").read_text())
        found = verify_log(
            read_from(exported), verifier=None, progress=lambda *_: None, policy=policy
        )
        assert {one.verifier for one in found.cosigned} == {verifier for verifier, _ in both}

        check_by_aics(judges, exported, key, both, notes, tmp_path)
        judged = judges.run(HERE / "judges.py", exported, key.verifier_key)
        assert judged.returncode == 0, judged.stderr
        assert json.loads(judged.stdout) == {"sigstore": 265, "pymerkle": 265}

        # The same log, of another history: neither cosigns, and what they say is an alarm.
        forked = Checkpoint(origin=key.name, size=270, root=bytes(32)).to_text()
        forged = sign_note(forked, [key]).to_bytes()

        async def prove(_old):
            return [bytes(32)]

        client = WitnessClient()
        for verifier, url in both:
            answer = await client.add_checkpoint(url, forged, old=265, prove=prove)
            assert answer.alarm is not None, (verifier.name, answer)
        # What the witness of PyPI shows of us is what it has cosigned.
        verifier, url = both[0]
        shown = await client.read_checkpoint(url, key.name)
        opened = open_checkpoint(shown, origin=key.name, verifiers=[key.verifier, verifier])
        assert opened.checkpoint == stated(notes[-1])
        await client.close()


def check_by_aics(judges, folder, key, both, notes, tmp_path):
    """Let aics-tlog verify the checkpoint with its quorum, entries, and that the log has grown."""
    wanted = ["--tiles", folder, "--log-key", key.verifier_key, "--origin", key.name]
    for verifier, _ in both:
        wanted += ["--witness-key", verifier.to_text()]

    def ask(what, *more, quorum=2):
        return judges.run("-m", "aics_tlog", what, *wanted, "--quorum", quorum, *more)

    done = ask("verify-checkpoint")
    assert done.returncode == 0, done.stdout
    older, alone = tmp_path / "older", tmp_path / "alone"
    older.write_bytes(notes[0])
    alone.write_bytes(b"\n".join(notes[1].split(b"\n")[:5]) + b"\n")
    assert ask("verify-checkpoint", "--note", alone).returncode != 0
    assert ask("verify-checkpoint", "--note", alone, quorum=0).returncode == 0
    for index in (0, 4, 264):
        done = ask("verify-inclusion", "--index", index)
        assert done.returncode == 0, done.stdout
    done = ask("verify-consistency", "--old-checkpoint", older)
    assert done.returncode == 0, done.stdout
