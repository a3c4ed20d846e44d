"""A copy of the site, served as `docs/operating.md` says."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.crash.register import free_port
from tests.guides import fences

OPERATING = Path(__file__).parents[2] / "docs/operating.md"


@contextmanager
def serving(folder, port):
    [script] = [text for language, text in fences(OPERATING) if language == "python"]
    (folder / "serve.py").write_text(script, encoding="utf-8")
    command = [sys.executable, "serve.py", "copy", str(port)]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL)
    try:
        yield httpx.Client(
            base_url=f"http://127.0.0.1:{port}",
            timeout=60,
            transport=httpx.HTTPTransport(retries=8),
        )
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def copy(site, tmp_path_factory):
    folder = tmp_path_factory.mktemp("copy")
    (folder / "copy").symlink_to(site)
    with serving(folder, free_port()) as client:
        yield client, site


def test_the_script_for_a_copy_serves_every_page_under_its_address(copy):
    client, folder = copy
    files = sorted(folder.rglob("*.html"))
    assert len(files) > 500
    for file in files:
        name = file.relative_to(folder).as_posix()
        address = name.removesuffix("index.html") if file.name == "index.html" else name[:-5]
        answer = client.get(f"/{address}")
        assert answer.status_code == 200, name
        assert answer.content == file.read_bytes(), name


def test_a_page_beside_a_folder_of_its_name_is_served_and_nothing_is_invented(copy):
    client, folder = copy
    assert (folder / "fr/statistics").is_dir()
    assert client.get("/fr/statistics").headers["content-type"] == "text/html"
    assert client.get("/find/index.json").json()
    assert client.get("/fr/nothing").status_code == 404
    assert client.get("/../serve.py").status_code == 404
