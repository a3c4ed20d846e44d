"""`registry work` as a service manager runs it."""

import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from tests.crash.register import Register, kill_all
from tests.prepared import make_folder
from tests.served import copy_register

PATIENCE = 180


@pytest.fixture
def unbuilt(command):
    """A register that has no site yet; one that is empty `registry up` would fill first."""
    folder = make_folder("w")
    copy_register(folder, load=command == "up")
    shutil.rmtree(folder / "site")
    yield Register(folder)
    kill_all(folder)
    shutil.rmtree(folder)


@contextmanager
def running(register, command):
    with (register.data / "output").open("w") as output:
        words = [command, "--port", str(register.port)] if command == "up" else [command]
        process = subprocess.Popen(
            [sys.executable, "-m", "registry", *words],
            env=register.environment,
            cwd=register.data,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(found, process):
    deadline = time.monotonic() + PATIENCE
    while not found():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


def numbers(folder):
    """Return the files of a build, each with the number by which its file system knows it."""
    return {
        path.relative_to(folder): path.stat().st_ino for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("command", ["work", "up"])
def test_sigterm_ends_a_build_in_the_middle_and_the_next_start_goes_on(unbuilt, command):
    builds, site = unbuilt.data / "site-builds", unbuilt.data / "site"
    with running(unbuilt, command) as process:
        until((builds / "1/fr/agencies").exists, process)
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
    told = (unbuilt.data / "output").read_text()
    assert process.returncode == 0, told
    assert "Traceback" not in told
    assert not site.is_symlink()
    begun = numbers(builds / "1")
    with running(unbuilt, command) as process:
        until(site.exists, process)
        whole = numbers(site.resolve())
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
    assert process.returncode == 0, (unbuilt.data / "output").read_text()
    assert 0 < len(begun) < len(whole)
    assert begun.items() <= whole.items()


def test_sigterm_ends_it_in_order(environment, empty_url, tmp_path):
    settings = {"REGISTRY_DATABASE_URL": empty_url, "REGISTRY_DATA_DIR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "registry", "work"],
        env=environment | settings,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        first = process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        process.communicate()
    assert "log published" in first
    assert process.returncode == 0, rest
    assert "Traceback" not in rest
