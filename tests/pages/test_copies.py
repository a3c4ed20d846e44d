"""A copy of the site, served as `docs/operating.md` says."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec
import pytest

from registry.pages.build.build_directory import build_name, link_build
from tests.built import build
from tests.crash.register import free_port
from tests.pages.conftest import LANGUAGES, SETTINGS, files, parse
from tests.pages.test_feeds import ATOM

SCRIPT = Path(__file__).parents[2] / "docs/scripts/serve_copy.py"


@contextmanager
def serving(folder, port):
    command = [sys.executable, str(SCRIPT), "copy", str(port)]
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
    # Those of one language, and what is of none.
    others = LANGUAGES.keys() - {"fr"}
    files = [path for path in sorted(folder.rglob("*.html")) if others.isdisjoint(path.parts)]
    assert len(files) > 400
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


def test_a_copy_that_no_register_serves_links_what_it_has(corpus, tmp_path):
    few = msgspec.structs.replace(
        corpus, records=[one for one in corpus.records if one.agency in {"demo-sante", "us.demo"}]
    )
    build(few, out=tmp_path / "copy", settings=SETTINGS, is_copy=True)
    copied = tmp_path / "copy"
    feeds = {
        address
        for path in copied.rglob("*.html")
        for address in re.findall(r' href="([^"]*/feeds/[^"]*)"', path.read_text("utf-8"))
    }
    assert any("/feeds/ar/records/us.demo/letter-sorting.json" in one for one in feeds)
    # A question has a feed only where somebody answers it: the page says so by its script.
    missing = [
        one
        for one in feeds
        if not (copied / one.removeprefix("/sub/")).is_file()
        and not re.fullmatch(r"/sub/feeds/\w+/search\.(atom|json)", one)
    ]
    assert missing == []
    feed = ET.fromstring((copied / "feeds/fr/records/demo-sante/gone.atom").read_bytes())  # noqa: S314  our own
    titles = [one.findtext(f"{ATOM}title") for one in feed.iter(f"{ATOM}entry")]
    told = ("Fiche retirée", "Nouvelle version", "Nouvelle fiche")
    assert titles == [f"Système retiré – {one}" for one in told]
    # The search takes a code, and the archives are the register's.
    form = parse(copied / "fr/code.html").find(".//form")
    assert (form.get("action"), form.find(".//input").get("name")) == ("/sub/fr/search", "q")
    assert not (copied / "fr/copy.html").read_text("utf-8").count("/copies/")


def test_builds_that_follow_leave_a_copy_under_way_alone(corpus, tmp_path):
    few = msgspec.structs.replace(corpus, records=[])
    out = tmp_path / "site"
    names = set()
    for day in (1, 2, 3):
        as_of = corpus.as_of + dt.timedelta(days=day)
        build(msgspec.structs.replace(few, as_of=as_of), out=out, settings=SETTINGS)
        names.add(build_name(out))
        if day == 1:
            link_build(out, tmp_path / "linked")
            before = files(tmp_path / "linked")
    assert len(names) == 3
    assert files(tmp_path / "linked") == before
