"""The wheel: installed elsewhere, it runs with everything it needs inside."""

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
import venv
import zipfile
from pathlib import Path

import pytest
from babel.messages.pofile import read_po, write_po

from tests import drawn
from tests.crash.register import free_port, kill_all
from tests.prepared import make_folder
from tests.served import PATIENCE
from tools.release.wheels import build_wheel, committed

ROOT = Path(__file__).parents[2]
SOURCES = (
    "registry",
    "schemas",
    "site",
    "records",
    "deploy/database",
    "docs/record-format",
    "docs/filing-guide",
    "LICENSES",
)
FILES = (".gitignore", "pyproject.toml", "README.md", "LICENSE")


def run(*command, **options):
    result = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, **options
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result


@pytest.fixture(scope="module")
def commit(tmp_path_factory):
    """A checkout of a commit with this tree, so that nothing of this one is touched."""
    tree = tmp_path_factory.mktemp("tree")
    for name in SOURCES:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tree / name, ignore=ignored)
    for name in FILES:
        shutil.copy(ROOT / name, tree / name)
    (tree / "tools").mkdir()
    shutil.copy(ROOT / "tools/build_hook.py", tree / "tools")
    run("git", "init", "--quiet", tree)
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    run("git", "-C", tree, "add", "--all")
    run("git", "-C", tree, *who, "commit", "--quiet", "--message", "one")
    return tree


@pytest.fixture(scope="module")
def wheel(commit, tmp_path_factory):
    with committed(commit) as tree:
        return build_wheel(tree, tmp_path_factory.mktemp("wheel"))


def test_a_commit_gives_the_same_bytes_whoever_builds_it_and_when(commit, wheel, tmp_path):
    before = os.umask(0o077)
    try:
        with committed(commit) as tree:
            for path in tree.rglob("*.py"):
                os.utime(path, (1_000_000_000, 1_000_000_000))
            again = build_wheel(tree, tmp_path)
    finally:
        os.umask(before)
    assert again.read_bytes() == wheel.read_bytes()


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A fresh environment with the wheel in it; what it depends on is borrowed from this one."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "env", with_pip=False, symlinks=True)
    python = folder / "env/bin/python"
    [packages] = (folder / "env/lib").glob("python*/site-packages")
    install = (sys.executable, "-m", "uv", "pip", "install", "--python", python)
    run(*install, "--no-deps", "--no-index", "--no-cache", wheel)
    # Only names below our own: the editable install of this tree is not borrowed with them.
    for path in sorted({Path(place) for place in sys.path if place.endswith("site-packages")}):
        for entry in path.iterdir():
            borrowed = packages / entry.name
            ours = entry.name.endswith(".pth") or "register" in entry.name
            if not ours and not borrowed.exists():
                borrowed.symlink_to(entry)
    return folder


def environment(settings):
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("REGISTRY_", "PYTHON"))
    }
    return kept | {f"REGISTRY_{name.upper()}": str(value) for name, value in settings.items()}


def registry(installed, *arguments, **settings):
    command = installed / "env/bin/registry"
    return run(command, *arguments, cwd=installed, env=environment(settings))


def built(installed, data, **settings):
    """Begin a register, end it once it has built its site, and return that."""
    kept = environment(settings | {"data_dir": data, "port": free_port()})
    process = subprocess.Popen([installed / "env/bin/registry", "up"], cwd=installed, env=kept)
    try:
        until = time.monotonic() + PATIENCE
        while not (data / "site/index.html").exists():
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.2)
    finally:
        process.terminate()
        process.wait(PATIENCE)
        kill_all(data)
    return data / "site"


def test_data_and_nothing_of_the_workshop_travels_inside(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for folder in ("schemas", "site", "records", "deploy/database"):
        there = {
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        inside = {
            name.removeprefix("registry/_resources/")
            for name in names
            if name.startswith(f"registry/_resources/{folder}/")
        }
        assert inside == there
    # All modules: .gitignore, which the builder obeys, had a name that a package has too.
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "registry").rglob("*.py")}
    assert modules == {one for one in names if one.endswith(".py")}
    assert not [name for name in names if name.startswith(("tests", "docs", ".", "var"))]
    assert any(name.endswith("0001_register.sql") for name in names)
    assert any(name.endswith("queries/index.sql") for name in names)
    assert "registry/py.typed" in names
    assert len(names) == len(set(names))


def test_it_runs_outside_the_tree(installed):
    where = run(
        installed / "env/bin/python",
        "-c",
        "import registry.resources as r; print(r.__file__); print(r.SCHEMAS)",
        cwd=installed,
        env={"PATH": os.environ["PATH"]},
    ).stdout
    assert all(line.startswith(str(installed)) for line in where.splitlines())
    assert re.search(r"\(revision [0-9a-f]{12}\)", registry(installed, "--version").stdout)
    record = ROOT / "records/demo-sante/prevision-lits.json"
    result = registry(installed, "validate", "--format", "json", record)
    [report] = json.loads(result.stdout)
    assert report["publishable"] is True
    assert "Example" in registry(installed, "up", "--help").stdout


def fill_in(own):
    """Say everything in a language, with an editor of PO files and with Excel."""
    for path in own.glob("*/*.po"):
        catalogue = read_po(io.BytesIO(path.read_bytes()), abort_invalid=True)
        for message in catalogue:
            if message.id:
                plural = isinstance(message.id, tuple)
                message.string = tuple(map(said, message.id)) if plural else said(message.id)
        with path.open("wb") as file:
            write_po(file, catalogue)
    for name, columns in {
        "labels.csv": {"label": "english", "description": "english_description"},
        "dates.csv": {"one": "name"},
        "names.csv": {"name": "language"},
    }.items():
        rows = list(csv.DictReader((own / name).read_text("utf-8").splitlines()))
        for row in rows:
            row.update({to: said(row[of]) for to, of in columns.items() if row[of]})
        with (own / name).open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
            writer.writeheader()
            writer.writerows(rows)


def said(text):
    return f"Ŋa {text}"


@pytest.fixture
def data():
    folder = make_folder("w")
    yield folder
    shutil.rmtree(folder)


def test_a_language_that_nobody_prepared_is_put_beside_the_package(installed, tmp_path, data):
    drawn.write_country(tmp_path / "packs")
    own = {"pack": drawn.CODE, "packs": tmp_path / "packs", "languages": tmp_path / "languages"}
    registry(installed, "translate", "begin", drawn.TAG, **own)
    fill_in(tmp_path / "languages" / drawn.TAG)
    told = registry(installed, "translate", "check", drawn.TAG, **own).stdout.splitlines()
    assert told[-1] == f"{drawn.TAG}: 0 faults"
    # Pages of words are left, and the names of the pack, which are in the folder of the country.
    assert [line for line in told if ".po: " in line] == []
    assert any("texts/about.md: the whole page" in line for line in told)

    [frozen] = (installed / "env").glob("lib/python*/site-packages/registry/_resources/schemas")
    for folder in (path.parent for path in frozen.glob("*/*/checksums.txt")):
        run("sha256sum", "--check", "--quiet", "checksums.txt", cwd=folder)

    site = built(installed, data, **own)
    page = (site / drawn.TAG / "index.html").read_text("utf-8")
    assert f'<html lang="{drawn.TAG}"' in page
    assert ">Ŋa Search<" in page
    assert re.search(r"<time datetime[^>]*>[^<]*Ŋa \d", page)
    assert f">Ŋa {drawn.TAG}<" in page
