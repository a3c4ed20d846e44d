"""Programs that readers bring, on the package: `make test-slow` installs them beside ours."""

# ruff: noqa: S608  the names are our own

import csv
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.guides import needs
from tests.questions import test_questions as questions
from tests.served import UNLIMITED, served

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / ".venv/readers/bin"
NOTEBOOKS = ROOT / "docs/notebooks"
DATA = ROOT.parent / "shared/data"
REAL = {
    "nl-algoritmeregister": "nl/algoritmes_2026-08-08.json",
    "us-omb-2025": "us-omb-2025/2025_individually_reported_AI_use_cases.csv",
}


@pytest.fixture(scope="module")
def register():
    with served(load=True, workers=1, **UNLIMITED) as running:
        yield running.register


@pytest.fixture(scope="module")
def package(register):
    return write(register, register.data / "packages/new")


def write(register, folder):
    done = register.run("export", "--package", "--out", folder)
    assert done.returncode == 0, done.stderr
    entry = json.loads((folder / "datapackage.json").read_text("utf-8"))["version"]
    return folder.rename(folder.with_name(entry))


def run(program, *arguments, folder, code=0):
    if not (PROGRAMS / program).exists():
        if "CI" in os.environ:
            pytest.fail("make .venv/readers/ready")
        pytest.skip("the programs of readers are not installed: make .venv/readers/ready")
    done = subprocess.run(
        [PROGRAMS / program, *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HOME": str(folder.parent)},
    )
    assert done.returncode == code, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout + done.stderr


def python(code, folder):
    """Run lines of Python with the readers' libraries; give what they print as JSON."""
    return json.loads(run("python", "-W", "error", "-c", code, folder=folder))


@contextmanager
def counting(address):
    """Serve what a register serves; gives the place and the bytes that each file was read by."""
    read = {}

    class Between(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self):
            self.do_GET()

        def do_GET(self):
            asked = {name: self.headers[name] for name in ("range",) if name in self.headers}
            asked["accept-encoding"] = "identity"
            answer = httpx.request(self.command, address + self.path, headers=asked)
            self.send_response(answer.status_code)
            for name in ("content-length", "content-range", "accept-ranges", "etag"):
                if name in answer.headers:
                    self.send_header(name, answer.headers[name])
            self.end_headers()
            self.wfile.write(answer.content)
            name = self.path.rpartition("/")[2]
            read[name] = read.get(name, 0) + len(answer.content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Between)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", read
    finally:
        server.shutdown()
        server.server_close()


def rows_of(package, table):
    with (package / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_frictionless_finds_keys_types_and_digests_as_they_are_described(package, tmp_path):
    described = package / "datapackage.json"
    told = json.loads(run("frictionless", "validate", described, "--json", folder=package))
    assert (told["valid"], told["stats"]["errors"]) == (True, 0)
    assert told["stats"]["tasks"] == len(json.loads(described.read_text("utf-8"))["resources"])
    wrong = shutil.copytree(package, tmp_path / "wrong")
    with (wrong / "suppliers.csv").open("a", encoding="utf-8") as file:
        file.write("of/nobody,1,1" + "," * (len(rows_of(package, "suppliers")[0]) - 3) + "\n")
    told = json.loads(
        run("frictionless", "validate", "datapackage.json", "--json", folder=wrong, code=1)
    )
    found = {error["type"] for task in told["tasks"] for error in task["errors"]}
    assert {"foreign-key", "hash-count"} <= found


def test_mlcroissant_has_no_error_and_misses_nothing_that_is_recommended(package):
    told = run("mlcroissant", "validate", "--jsonld", "croissant.jsonld", folder=package)
    assert "Done" in told
    assert "error(s)" not in told
    assert "recommended" not in told


def test_csvw_finds_every_column_and_key_as_it_is_described(package, tmp_path):
    assert run("csvwvalidate", "-v", "csvw-metadata.json", folder=package).strip() == "OK"
    wrong = shutil.copytree(package, tmp_path / "wrong")
    with (wrong / "suppliers.csv").open("a", encoding="utf-8") as file:
        file.write("of/nobody,1,1" + "," * (len(rows_of(package, "suppliers")[0]) - 3) + "\n")
    run("csvwvalidate", "csvw-metadata.json", folder=wrong, code=2)


def test_pandas_and_polars_read_types_and_join_by_keys(package):
    suppliers = rows_of(package, "suppliers")
    at_risk = {one["id"] for one in rows_of(package, "records") if one["risk.level"] == "high"}
    there = len({one["record_id"] for one in suppliers} & at_risk)
    assert there
    assert python(
        """import json, pandas
records = pandas.read_parquet("records.parquet")
suppliers = pandas.read_parquet("suppliers.parquet")
joined = suppliers.merge(records, left_on="record_id", right_on="id")
high = joined[joined["risk.level"] == "high"]
print(json.dumps([high.record_id.nunique(), str(records.published_at.dtype.tz), len(suppliers)]))
""",
        package,
    ) == [there, "UTC", len(suppliers)]
    assert python(
        """import json, polars
records = polars.scan_parquet("records.parquet")
joined = polars.scan_parquet("suppliers.parquet").join(records, left_on="record_id", right_on="id")
high = joined.filter(polars.col("risk.level") == "high").select(polars.col("record_id").n_unique())
print(json.dumps([high.collect().item(), str(records.collect_schema()["entry"])]))
""",
        package,
    ) == [there, "Int64"]


def test_sqlite_utils_and_datasette_count_what_the_tables_have(package, tmp_path):
    database = tmp_path / "register.db"
    for table in ("records", "suppliers"):
        run(
            "sqlite-utils",
            "insert",
            database,
            table,
            package / f"{table}.csv",
            "--csv",
            folder=package,
        )
    counted = {}
    for one in rows_of(package, "suppliers"):
        counted[one["country"]] = counted.get(one["country"], 0) + 1
    sql = "select country, count(*) as n from suppliers group by country"
    told = json.loads(run("sqlite-utils", database, sql, folder=package))
    assert {one["country"]: one["n"] for one in told} == counted
    asked = "/register/suppliers.json?_facet=country&_size=0"
    told = json.loads(run("datasette", "--get", asked, database, folder=package))
    facets = told["facet_results"]["country"]["results"]
    assert {one["value"]: one["count"] for one in facets} == counted


def test_counts_by_the_address_read_an_eighth_of_the_file(tmp_path):
    missing = [path for path in REAL.values() if not (DATA / path).exists()]
    if missing:
        pytest.skip(f"real registers are not there: {DATA}/{missing[0]}")
    with served(workers=1, **UNLIMITED) as running:
        register = running.register
        for name, path in REAL.items():
            done = register.run("import", name, DATA / path)
            assert done.returncode in {0, 1}, done.stderr
        large = write(register, register.data / "packages/large")
        with counting(register.base_url) as (address, read):
            file = f"{address}/exports/register/{large.name}/records.parquet"
            code = f"""import json, fsspec, pyarrow.parquet
with fsspec.filesystem("http").open({file!r}, cache_type="none") as there:
    table = pyarrow.parquet.ParquetFile(there)
    levels = table.read(columns=["risk.level"])["risk.level"].to_pylist()
print(json.dumps([table.metadata.num_rows, levels.count("high")]))"""
            rows = rows_of(large, "records")
            high = sum(one["risk.level"] == "high" for one in rows)
            assert python(code, tmp_path) == [len(rows), high]
            # Of 1.5 MB 64 kB for a guess, 100 kB of description, and the column.
            whole = (large / "records.parquet").stat().st_size
            assert 0 < read.pop("records.parquet") <= whole / 8
            asked = f"""select count(*) from '{file}' where "risk.level" = 'high'"""
            assert ask_duckdb(asked, tmp_path) == high
            assert 0 < read["records.parquet"] <= whole / 10


def test_duckdb_reads_an_address_in_parts(register, package, tmp_path):
    with counting(register.base_url) as (address, read):
        file = f"{address}/exports/register/{package.name}/versions.parquet"
        found = ask_duckdb(f"select count(*) from '{file}'", tmp_path)
    assert found == len(rows_of(package, "versions"))
    assert 0 < read["versions.parquet"] < (package / "versions.parquet").stat().st_size / 2


def ask_duckdb(question, folder):
    """Ask DuckDB for a number, with the extension by which it reads addresses, of a package."""
    code = f"""import duckdb, duckdb_extensions
duckdb_extensions.import_extension("httpfs")
duckdb.execute("load httpfs")
print(duckdb.execute({question!r}).fetchone()[0])"""
    return python(code, folder)


def test_two_machines_write_the_same_bytes(register, package, tmp_path):
    digests = (package / "digests").read_text("ascii")
    told = register.environment | {
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "C",
        "PYTHONHASHSEED": "77",
        "PYTHONUTF8": "0",
    }
    done = subprocess.run(
        [
            *(sys.executable, "-m", "registry", "export", "--package"),
            *("--as-of", f"entry:{package.name}", "--out", tmp_path / "again"),
        ],
        cwd=tmp_path,
        env=told,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again/digests").read_text("ascii") == digests


def rows(answer):
    """The rows of an answer in one form: of a call, of SQL, of a column of pandas."""
    if isinstance(answer, dict):
        answer = list(answer.items())
    if not isinstance(answer, list):
        answer = [[answer]]
    return sorted([str(cell) for cell in row] for row in answer)


def test_notebooks_answer_as_the_search_does(register, package, tmp_path):
    needs("bash", "curl", "jq")
    asked = dict(
        zip(
            (one.number for one in questions.QUESTIONS),
            questions._asked(register.base_url, tmp_path),
            strict=True,
        )
    )
    numbers = ("A2", "A5", "P5", "J2", "L1")
    wanted = [rows(one[0] if len(one) == 1 else one) for one in map(asked.get, numbers)]
    assert all(wanted)
    here = "https://algorithms.example/exports/register/latest"
    for name in ("with_duckdb.py", "with_pandas.py"):
        code = (NOTEBOOKS / name).read_text("utf-8").replace(here, str(package))
        told = ", ".join(number.lower() for number in numbers)
        shown = f"[one.to_dict() if hasattr(one, 'to_dict') else one for one in ({told})]"
        answers = python(f"{code}\nimport json\nprint(json.dumps({shown}))", tmp_path)
        assert [rows(one) for one in answers] == wanted, name
