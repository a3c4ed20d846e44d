"""Questions of watchdogs: each call of the search against SQL over the package, to the last record.

Fifty stand in docs/auditing.md, thirty further ones beside this file: written before the search
could answer them. They are asked of the demonstration as of five moments, and of real registers.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import httpx
import msgspec
import pytest

from tests.crash.register import Register
from tests.guides import needs
from tests.served import UNLIMITED, served

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/auditing.md").read_text("utf-8").partition("## Fifty questions")[2]
FURTHER = (Path(__file__).parent / "thirty.md").read_text("utf-8")
REAL = {
    "uk-atrs": "uk/atrs_records.json",
    "nl-algoritmeregister": "nl/algoritmes_2026-08-08.json",
    "us-omb-2025": "us-omb-2025/2025_individually_reported_AI_use_cases.csv",
}
DATA = ROOT.parent / "shared/data"
MOMENTS = 5
_MARK = "---- next ----"


class Question(msgspec.Struct, frozen=True):
    """A question: its number, the call as shell, and the SQL that gives the same."""

    number: str
    call: str
    sql: str


def _questions(text: str) -> Iterator[Question]:
    for number, body in re.findall(
        r"^#### (\w+)\. [^\n]*\n(.*?)(?=^#{2,4} |\Z)", text, re.DOTALL | re.MULTILINE
    ):
        blocks = dict(re.findall(r"^```(sh|sql)\n(.*?)^```", body, re.DOTALL | re.MULTILINE))
        yield Question(number, blocks["sh"], blocks["sql"])


QUESTIONS = [*_questions(PAGE), *_questions(FURTHER)]
_FIRST, _VIEWS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[:2]
_MACROS = re.findall(r"^```sql\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[0]


def _asked(address: str, folder: Path, as_of: str = "") -> list[list[Any]]:
    """Ask every call of a register in one shell; the views of its package lie there then."""
    script = f"\necho; echo '{_MARK}'\n".join([_FIRST + _VIEWS, *(one.call for one in QUESTIONS)])
    if as_of:
        for path in ("records", "statistics", "exports/records.jsonl"):
            script = script.replace(f"/v1/{path}?", f"/v1/{path}?as_of={as_of}&")
        script = script.replace('/records.jsonl"', f'/records.jsonl?as_of={as_of}"')
        script = script.replace("register/latest", f"register/{as_of.partition(':')[2]}")
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        cwd=folder,
        env={**os.environ, "REGISTRY": address},
        capture_output=True,
        text=True,
        check=False,
    )
    parts = done.stdout.split(_MARK)
    assert done.returncode == 0, (QUESTIONS[len(parts) - 2].number, done.stderr)
    return [[json.loads(line) for line in part.split("\n") if line.strip()] for part in parts[1:]]


def _counted(views: str, package: Path) -> list[list[Any]]:
    """Answer every question by SQL over a package alone, which lies on this machine."""
    views = re.sub(r"'http[^']*/", f"'{package}/", views)
    with duckdb.connect() as connection:
        connection.execute(views + _MACROS)
        return [connection.execute(one.sql).fetchall() for one in QUESTIONS]


def _rows(answer: Any) -> Iterator[tuple[str, ...]]:
    """Yield the rows of an answer, however deep in lists: those of what is no list itself."""
    own = [one for one in answer if not isinstance(one, list | tuple)]
    if own:
        yield tuple("null" if one is None else str(one) for one in own)
    for one in answer:
        if isinstance(one, list | tuple):
            yield from _rows(one)


def _is_equal(search: list[Any], sql: list[Any]) -> bool:
    found, counted = sorted(_rows(search)), sorted(_rows(sql))
    if all(len(row) == 1 for row in counted):
        # A column of SQL is a list of the call.
        return sorted(one for row in found for one in row) == [one for (one,) in counted]
    return found == counted


def _differences(register: Register, folder: Path, as_of: str = "") -> list[str]:
    folder.mkdir()
    package = register.data / "packages" / f"new-{folder.name}"
    moment = ["--as-of", as_of] if as_of else []
    done = register.run("export", "--package", "--out", package, *moment)
    assert done.returncode == 0, done.stderr
    described = json.loads((package / "datapackage.json").read_text("utf-8"))
    package = package.rename(package.with_name(described["version"]))
    asked = _asked(register.base_url, folder, as_of)
    counted = _counted((folder / "views.sql").read_text("utf-8"), package)
    return [
        f"{one.number}: search {search}, SQL {sql}"
        for one, search, sql in zip(QUESTIONS, asked, counted, strict=True)
        if not _is_equal(search, sql)
    ]


@pytest.fixture(scope="module")
def register() -> Iterator[Register]:
    needs("bash", "curl", "jq")
    with served(load=True, workers=1, **UNLIMITED) as running:
        yield running.register


def test_there_are_eighty_questions() -> None:
    assert len({one.number for one in QUESTIONS}) == len(QUESTIONS) == 80


def test_the_search_answers_as_sql_over_the_package_as_of_five_moments(
    register: Register, tmp_path: Path
) -> None:
    last = httpx.get(f"{register.base_url}/api/v1/statistics").json()["entry"]
    for n in range(MOMENTS):
        as_of = f"entry:{last - n * last // MOMENTS}" if n else ""
        assert _differences(register, tmp_path / str(n), as_of) == [], as_of


def test_the_search_answers_as_sql_of_real_registers(register: Register, tmp_path: Path) -> None:
    missing = [path for path in REAL.values() if not (DATA / path).exists()]
    if missing:
        pytest.skip(f"real registers are not there: {DATA}/{missing[0]}")
    for name, path in REAL.items():
        done = register.run("import", name, DATA / path)
        assert done.returncode in {0, 1}, done.stderr
    assert _differences(register, tmp_path / "real") == []
