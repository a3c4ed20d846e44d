"""Clients that public generators make of `/openapi.json` file, amend, search and withdraw."""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.prepared import fetch_program
from tests.served import UNLIMITED, records, served

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MINUTES = 300


@pytest.fixture(scope="session")
def register():
    with served(**UNLIMITED) as running:
        yield running


@pytest.fixture
def description(register, tmp_path):
    """The file that generators read."""
    path = tmp_path / "openapi.json"
    path.write_bytes(register.client.get("/openapi.json").raise_for_status().content)
    return path


@pytest.fixture
def document(request):
    [first, *_] = records("demo-sante")
    slug = request.node.name.replace("_", "-").replace("[", "-").replace("]", "")
    return first | {"id": f"demo-sante/{slug}", "source_id": slug[:50]}


def run(*command, **more):
    ran = subprocess.run(
        list(map(str, command)),
        check=False,
        capture_output=True,
        text=True,
        timeout=MINUTES,
        **more,
    )
    return ran.returncode, ran.stdout + ran.stderr


def test_openapi_python_client(register, description, document, tmp_path):
    settings = tmp_path / "settings.yaml"
    types = {
        "application/x-ndjson": "application/octet-stream",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": (
            "application/octet-stream"
        ),
    }
    settings.write_text(json.dumps({"post_hooks": [], "content_type_overrides": types}))
    made = tmp_path / "made"
    code, told = run(
        *(sys.executable, "-m", "openapi_python_client", "generate", "--path", description),
        *("--output-path", made, "--meta", "none", "--config", settings),
    )
    assert code == 0, told
    assert "WARNING" not in told
    code, told = run(
        *(sys.executable, HERE / "filing.py", register.url, register.token()),
        input=json.dumps(document),
        env={"PYTHONPATH": str(tmp_path)},
    )
    assert code == 0, told


@pytest.fixture(scope="session")
def typescript():
    """A folder for TypeScript, below that of the programs that the lock file names.

    They are fetched once a checkout.
    """
    kept = fetch_program(HERE / "typescript")
    with tempfile.TemporaryDirectory(dir=kept) as folder:
        yield shutil.copytree(HERE / "typescript", Path(folder) / "clients")


def test_generators_for_typescript(register, description, document, typescript):
    programs = typescript.parents[1] / "node_modules/.bin"
    # Both at once: the compiler takes the longest.
    for name, *command in (
        ("openapi-typescript", description, "-o", "schema.ts"),
        ("openapi-ts", "-i", description, "-o", "hey"),
    ):
        code, told = run(programs / name, *command, cwd=typescript)
        assert code == 0, told
    code, told = run(programs / "tsc", cwd=typescript)
    assert code == 0, told
    for module in ("openapi_typescript", "hey_api"):
        slug = module.replace("_", "-")
        code, told = run(
            *("node", "run.mjs", module, register.url, register.token()),
            input=json.dumps(document | {"id": f"demo-sante/{slug}", "source_id": slug}),
            cwd=typescript,
        )
        assert code == 0, f"{module}: {told}"
