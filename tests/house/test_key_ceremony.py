"""docs/key-ceremony.md, followed to the letter, from the first key to a log that goes on."""

import os
import re
import shutil
import subprocess
import textwrap
from pathlib import Path

import pytest

from registry.store import embedded

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/key-ceremony.md"
TOOLS = ("bash", "jq", "openssl", "od")
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_MARK = "---- end of block ----"
_COMMAND = """#!/bin/sh
if [ "$REGISTRY_DATA_DIR" = new ]; then export REGISTRY_DATABASE_URL="$NEW_URL"; fi
exec {registry} "$@"
"""


@pytest.fixture
def other_url(copied):
    with copied(embedded.DATABASE) as url:
        yield url


def test_the_page_can_be_followed(empty_url, other_url, warm, tmp_path):
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing and "CI" not in os.environ:
        pytest.skip(f"{', '.join(missing)} not installed")
    blocks = [
        (kind, textwrap.dedent(body))
        for _, kind, body in _FENCE.findall(PAGE.read_text(encoding="utf-8"))
    ]
    agency = tmp_path / "records/demo-services"
    agency.mkdir(parents=True)
    shutil.copy(ROOT / "records/demo-services/objets-trouves.json", agency)
    command = tmp_path / "bin/registry"
    command.parent.mkdir()
    command.write_text(_COMMAND.format(registry=warm.folder / "registry"))
    command.chmod(0o755)
    lines = "\n".join(f"{body}\necho '{_MARK}'" for kind, body in blocks if kind == "sh")
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", lines],
        cwd=tmp_path,
        env={
            "PATH": f"{command.parent}:/usr/local/bin:/usr/bin:/bin",
            "LC_ALL": "C.UTF-8",
            "XDG_STATE_HOME": str(tmp_path / "state"),
            "REGISTRY_DATA_DIR": "var",
            "REGISTRY_DATABASE_URL": empty_url,
            "NEW_URL": other_url,
            "REGISTRY_LOG_ORIGIN": "algorithms.example.org/log",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    outputs = iter(done.stdout.split(f"{_MARK}\n"))
    output = ""
    for kind, body in blocks:
        if kind == "sh":
            output = next(outputs)
        else:
            expected = re.escape(body).replace("…", ".+")
            assert re.fullmatch(expected, output), (body, output)
    assert "as that log shows" in done.stderr
    assert "Traceback" not in done.stderr
