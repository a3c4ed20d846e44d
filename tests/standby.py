"""A standby of the tests' own server, which follows it by streaming."""

import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from registry.store import embedded
from tests.prepared import make_folder


@contextmanager
def following(primary_url):
    """Run a standby for the time of a block; yield the address of the same database in it."""
    tools = Path(embedded.tools())
    if not (tools / "pg_basebackup").exists():
        pytest.skip("the embedded server comes without pg_basebackup")
    # As the register runs the server: with the group of root it may not enter a folder of root.
    identity = embedded._identity()
    folder = make_folder("sb")
    if identity:
        shutil.chown(folder, identity["user"])
    at = urlsplit(primary_url)
    [primary] = parse_qs(at.query)["host"]

    def run(*command):
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=folder, **identity
        )
        assert done.returncode == 0, done.stderr

    data = folder / "data"
    run(
        *(tools / "pg_basebackup", "--pgdata", data, "--host", primary, "--username", "postgres"),
        *("--write-recovery-conf", "--checkpoint=fast", "--no-sync"),
    )
    settings = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    # Its log must not be a pipe, for whose end the caller would wait.
    start = (tools / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", settings, "start")
    try:
        run(*start)
        yield f"postgresql://postgres:@/{at.path.lstrip('/')}?host={folder}"
    finally:
        run(tools / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)
