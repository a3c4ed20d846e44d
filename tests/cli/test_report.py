"""`registry report` as it is run: the same bytes wherever, as a page and as a PDF."""

import datetime as dt
import importlib.util
import os
import subprocess
import sys
from hashlib import sha256

import pytest

from tests.served import UNLIMITED, served

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("report")]

PLACES = [
    {"TZ": "Pacific/Kiritimati", "LANG": "ar_MA.UTF-8", "PYTHONHASHSEED": "1"},
    {"TZ": "America/Adak", "LANG": "C", "PYTHONHASHSEED": "2"},
]
HALF_YEAR = ("--from", "2026-01-01", "--to", f"{dt.datetime.now(dt.UTC):%Y-%m-%d}")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run the command in a process of its own, in a folder and an environment of its own."""
    with served(load=True, workers=1, **UNLIMITED) as running:
        assert running.register.run("log", "publish").returncode == 0
        place = {"REGISTRY_DATA_DIR": str(running.register.data)}

        def report(*arguments, **environment):
            return subprocess.run(
                [sys.executable, "-m", "registry", "report", *arguments],
                cwd=tmp_path_factory.mktemp("elsewhere"),
                env={**os.environ, **running.register.environment, **place, **environment},
                capture_output=True,
                check=False,
            )

        yield report


@pytest.mark.parametrize("language", ["ar", "fr"])
def test_two_processes_write_the_same_bytes(run, language):
    written = [run("--all", *HALF_YEAR, "--lang", language, **place) for place in PLACES]
    assert [one.returncode for one in written] == [0, 0], written[0].stderr
    assert len({sha256(one.stdout).hexdigest() for one in written}) == 1
    assert b"<!doctype html>" in written[0].stdout


def test_a_pdf_is_the_same_too_or_what_it_needs_is_said(run, tmp_path):
    files = [tmp_path / f"{number}.pdf" for number in range(2)]
    for place, file in zip(PLACES, files, strict=True):
        done = run("--all", *HALF_YEAR, "--lang", "ar", "--pdf", "--out", str(file), **place)
        if importlib.util.find_spec("weasyprint") is None:
            assert done.returncode == 2
            assert b"pip install 'public-algorithm-register[pdf]'" in done.stderr
            return
        assert done.returncode == 0, done.stderr
        assert done.stderr.decode().count("\n") == 1, "WeasyPrint says nothing"
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--lang", "fr"), "--agency ID, or --all"),
        (("--all", "--agency", "demo-sante", "--lang", "fr"), "--agency ID, or --all"),
        (("--all", "--lang", "de"), "the register is in"),
        (("--agency", "demo-sant", "--lang", "fr"), "did you mean 'demo-sante'"),
    ],
)
def test_what_cannot_be_written_is_refused(run, arguments, words):
    done = run(*arguments, *HALF_YEAR)
    said = " ".join(done.stderr.decode().split())
    assert (done.returncode, words in said) == (2, True), said
