"""The package: tables whose keys hold, of the same bytes each time, served in parts."""

# ruff: noqa: S608  the names are our own

import datetime as dt
import gzip
import hashlib
import json

import duckdb
import httpx
import pytest

from registry.exports.package_tables import list_tables, record_columns
from registry.record.pack import load_pack
from registry.record.pointers import dig
from registry.record.schema import field_at
from tests.served import UNLIMITED, served

DESCRIPTION = "datapackage.json"


@pytest.fixture(scope="module")
def register():
    with served(load=True, workers=1, **UNLIMITED) as running:
        yield running.register


@pytest.fixture(scope="module")
def package(register):
    return write(register, "now")


def write(register, name, *arguments):
    folder = register.data / "packages" / name
    done = register.run("export", "--package", "--out", folder, *arguments)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def tables(package):
    """A database of the Parquet files, and the descriptions of the CSV files by name."""
    described = json.loads((package / DESCRIPTION).read_text("utf-8"))
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        for path in package.glob("*.parquet"):
            connection.execute(f"create table {path.stem} as from '{path}'")
        yield connection, {one["name"]: one for one in described["resources"] if "schema" in one}


def quoted(names):
    return ", ".join(f'"{name}"' for name in names)


def test_each_key_is_one_and_what_refers_to_it_is_there(tables):
    connection, described = tables
    assert len(described) > 30
    filled = 0
    for name, one in described.items():
        schema = one["schema"]
        key = quoted(schema["primaryKey"])
        rows, distinct = connection.execute(
            f"select count(*), count(distinct ({key})) from {name}"
        ).fetchone()
        assert rows == distinct, name
        filled += rows > 0
        for reference in schema["foreignKeys"]:
            target = reference["reference"]
            [lost] = connection.execute(
                f"select count(*) from {name} where ({quoted(reference['fields'])}) not in"
                f" (select ({quoted(target['fields'])}) from {target['resource']})"
            ).fetchone()
            assert lost == 0, (name, reference)
    assert filled > len(described) * 2 / 3


def test_the_csv_files_say_what_the_parquet_files_say_as_they_are_described(package, tables):
    connection, described = tables
    sql = {"string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "datetime": "TIMESTAMPTZ"}
    for name, one in described.items():
        fields = one["schema"]["fields"]
        types = {one["name"]: sql.get(one["type"], one["type"].upper()) for one in fields}
        connection.execute(
            f"create or replace temp table plain as from read_csv('{package / one['path']}', "
            f"auto_detect = false, header = true, nullstr = '', delim = ',', quote = '\"', "
            f"escape = '\"', new_line = '\\n', columns = {types})"
        )
        for first, other in ((name, "plain"), ("plain", name)):
            differ = connection.execute(f"from {first} except all from {other}").fetchall()
            assert differ == [], name
        for field in fields:
            if codes := field.get("constraints", {}).get("enum"):
                found = connection.execute(f'select distinct "{field["name"]}" from {name}')
                assert {code for (code,) in found.fetchall() if code is not None} <= {*codes}


def put(document, path, value):
    """Set a value at a path, of which a number is a place in a list from 1 on."""
    *above, last = path
    for name, following in zip(above, path[1:], strict=True):
        empty = [] if isinstance(following, int) else {}
        if isinstance(name, int):
            document.extend([empty] if len(document) < name else [])
            document = document[name - 1]
        else:
            document = document.setdefault(name, empty)
    if isinstance(last, int):
        document.append(value)
    else:
        document[last] = value


def put_parts(document, start, parts, row):
    """Set what the columns of a row hold; a line by language is no string as well."""
    lines = {}
    for part in parts:
        value = row[part.name]
        if value is None:
            continue
        if isinstance(value, dt.date | float):
            value = (
                value.isoformat()
                if isinstance(value, dt.date)
                else int(value)
                if value.is_integer()
                else value
            )
        path = (*start, *part.path)
        if part.kind == "line":
            lines[path] = value
        elif part.kind == "others":
            for tag, text in json.loads(value).items():
                put(document, (*path, tag), text)
                lines.pop(path, None)
        else:
            put(document, path, value)
            if part.kind == "text":
                lines.pop(path[:-1], None)
    for path, value in lines.items():
        put(document, path, value)


def test_each_record_can_be_made_again_of_its_tables(register, tables):
    """So whatever is asked of records, as the fifty questions are, can be asked of the package."""
    connection, _ = tables
    languages = load_pack("ma").languages

    def rows(table):
        found = connection.execute(f"from {table}")
        names = [one[0] for one in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

    made, facts = {}, {}
    for row in rows("records"):
        document = made[row["id"]] = {"id": row["id"]}
        put_parts(document, (), record_columns(languages), row)
        facts[row["id"]] = [row["origin"], row["hash"], row["version"], []]
    for table in list_tables(languages):
        for row in rows(table.table.name):
            numbers = [row[name] for name in table.table.key[2:]]
            path = [numbers.pop(0) if part == "*" else part for part in table.field.path]
            put_parts(made[row["record_id"]], (*path, *numbers), table.parts, row)
    for row in rows("kinds"):
        known = field_at(tuple(row["fact"].split(".")))
        if row["kind"] == "stated" and known is not None and known.is_list:
            document = made[row["record_id"]]
            if dig(document, *known.path) is None:
                put(document, known.path, [])
    for row in rows("findings"):
        facts[row["record_id"]][3].append(row["rule"])
    answered = httpx.get(f"{register.base_url}/api/v1/exports/records.jsonl").text.splitlines()
    told = {one["record"]["id"]: one for one in map(json.loads, answered)}
    assert made == {name: one["record"] for name, one in told.items()}
    assert facts == {
        name: [
            *(one["register"][member] for member in ("origin", "hash", "version")),
            [found["rule"] for found in one["register"]["findings"]],
        ]
        for name, one in told.items()
    }


def test_it_holds_what_the_search_counts(register, tables):
    connection, _ = tables

    def asked(query):
        return httpx.get(f"{register.base_url}/api/v1/records?{query}").json()

    whole = asked("facets=supplier,technique,has")
    assert connection.execute("select count(*) from records").fetchone() == (whole["total"],)
    for facet, sql in (
        ("technique", "select value, count(distinct record_id) from techniques group by all"),
        ("has", "select fact, count(*) from kinds where kind = 'stated' group by all"),
    ):
        counted = {one["code"]: one["count"] for one in whole["facets"][facet]}
        rows = dict(connection.execute(sql).fetchall())
        assert {code: rows.get(code) for code in counted} == counted
    at_risk = asked("risk=high&procurement.suppliers.country=MA")["total"]
    assert connection.execute(
        "select count(distinct id) from records join suppliers on record_id = id"
        " where suppliers.country = 'MA' and \"risk.level\" = 'high'"
    ).fetchone() == (at_risk,)
    versions = connection.execute("select count(*), count(until_entry) from versions").fetchone()
    assert versions[0] - versions[1] == whole["total"] < versions[0]


def test_an_entry_gives_the_same_bytes_and_an_earlier_one_its_own(register, package):
    digests = (package / "digests").read_text("ascii")
    for line in digests.splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((package / name).read_bytes()).hexdigest() == digest
    assert (write(register, "again") / "digests").read_text("ascii") == digests
    earlier = write(register, "earlier", "--as-of", "entry:40")
    assert (earlier / "digests").read_text("ascii") != digests
    assert json.loads((earlier / DESCRIPTION).read_text("utf-8"))["version"] == "40"


def test_it_is_served_in_parts_and_compressed(register, package):
    entry = json.loads((package / DESCRIPTION).read_text("utf-8"))["version"]
    package.rename(package.with_name(entry))
    here = f"{register.base_url}/exports/register"
    with httpx.Client(headers={"accept-encoding": "identity"}) as client:
        latest = client.get(f"{here}/latest/records.parquet")
        assert (latest.status_code, latest.headers["location"]) == (
            307,
            f"/exports/register/{entry}/records.parquet",
        )
        address = f"{here}/{entry}/records.parquet"
        whole = client.get(address).content
        assert whole.startswith(b"PAR1")
        head = client.head(address).headers
        assert (head["accept-ranges"], head["content-length"]) == ("bytes", str(len(whole)))
        for asked, part in (
            ("bytes=0-3", whole[:4]),
            ("bytes=-8", whole[-8:]),
            (f"bytes={len(whole) - 5}-{len(whole) + 9}", whole[-5:]),
            ("bytes=100-", whole[100:]),
        ):
            answer = client.get(address, headers={"range": asked})
            assert (answer.status_code, answer.content) == (206, part)
            start = len(whole) - len(part) if asked != "bytes=0-3" else 0
            assert answer.headers["content-range"] == (
                f"bytes {start}-{start + len(part) - 1}/{len(whole)}"
            )
        assert client.get(address, headers={"range": f"bytes={len(whole)}-"}).status_code == 416
        plain = client.get(f"{here}/{entry}/records.csv").content
        packed = client.send(
            client.build_request(
                "GET", f"{here}/{entry}/records.csv", headers={"accept-encoding": "gzip"}
            ),
            stream=True,
        )
        body = b"".join(packed.iter_raw())
        assert packed.headers["content-encoding"] == "gzip"
        packed_tag = packed.headers["etag"]
        assert gzip.decompress(body) == plain
        assert len(body) < len(plain) / 3
        known = client.get(f"{here}/{entry}/records.csv", headers={"if-none-match": packed_tag})
        assert (known.status_code, known.content) == (304, b"")
        stale = {"range": "bytes=0-3", "if-range": '"another"'}
        assert client.get(address, headers=stale).status_code == 200
        for wrong in (
            *(f"{entry}/none.csv", f"{entry}/..%2F..%2Fkeys", "12345/records.csv"),
            *("12345", "%E2%B5%8E", "latest/%E2%B5%8E", f"{entry}/.made.json"),
        ):
            assert client.get(f"{here}/{wrong}").status_code == 404


def test_no_other_folder_is_written_over_and_nothing_that_was_asked_is_left_out(register, tmp_path):
    (tmp_path / "kept").write_text("mine")
    for arguments, why in (
        (("--out", tmp_path), "holds no package"),
        (("--out", tmp_path / "new", "--changed-since", "2026-01-01"), "changed_since"),
        ((), "needs --out"),
    ):
        refused = register.run("export", "--package", *arguments)
        assert refused.returncode != 0
        assert why in refused.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["kept"]
    quoted = tmp_path / "l'export" / "x"
    assert register.run("export", "--package", "--out", quoted).returncode == 0
    assert (quoted / "records.parquet").exists()
