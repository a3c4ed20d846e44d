"""The words of a language as a table, and back."""

from __future__ import annotations

import csv
import io
import shutil

import pytest
from click.testing import CliRunner

from registry import resources
from registry.cli.main import cli


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("site", "schemas"):
        shutil.copytree(resources.SITE.parent / name, folder / name)
    return folder


def run(*arguments, fails=False):
    told = CliRunner().invoke(cli, ["translate", *map(str, arguments)], standalone_mode=False)
    code = getattr(told.exception, "code", 0 if told.exception is None else 2)
    assert (code != 0) == fails, (told.output, told.exception)
    return told.output


def export(checkout, tag, *more):
    out = checkout / f"{tag}.csv"
    run("export", "--language", tag, "--out", out, "--folder", checkout, *more)
    return out, list(csv.DictReader(io.StringIO(out.read_bytes().decode("utf-8-sig"))))


def write(out, rows):
    with out.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def files(checkout):
    return {
        path: path.read_bytes()
        for pattern in ("*/locale/**/*.po", "schemas/**/*.csv")
        for path in checkout.glob(pattern)
    }


@pytest.mark.parametrize("tag", ["ar", "fr", "zgh"])
def test_what_is_exported_and_imported_changes_no_file(checkout, tag):
    before = files(checkout)
    out, rows = export(checkout, tag)
    assert len(rows) > 1000
    assert len({(row["id"], row["form"]) for row in rows}) == len(rows)
    assert run("import", "--language", tag, out, "--folder", checkout) == ""
    assert files(checkout) == before


def test_new_words_reach_catalogues_code_lists_and_the_pack(checkout):
    tag = "zgh"
    out, rows = export(checkout, tag)
    counted = next(row["id"] for row in rows if row["form"] == "1" and "%(n)s" in row["en"])
    filled = {counted: "ⴰ %(n)s"}
    for file in ("site/locale/", "schemas/locale/", "codelists/sector.csv", "packs/ma/bodies.csv"):
        empty = (row for row in rows if file in row["id"] and not row[tag] + row["form"])
        filled[next(row["id"] for row in empty if "%" not in row["en"])] = 'ⴰ "ⵣ"'
    for row in rows:
        row[tag] = filled.get(row["id"], row[tag])
    write(out, rows)
    assert len(run("import", "--language", tag, out, "--folder", checkout).split()) >= 4
    again = {row["id"]: row[tag] for row in export(checkout, tag)[1]}
    assert again == {row["id"]: row[tag] for row in rows}


def test_a_fault_is_told_and_nothing_is_written(checkout):
    out, rows = export(checkout, "ar")
    before = files(checkout)
    valued = next(row for row in rows if "%(" in row["en"] and not row["form"])
    valued["ar"] = "بلا قيمة"
    counted = next(row for row in rows if row["form"] == "3")
    counted["ar"] = ""
    changed = next(row for row in rows if row["context"] == "label")
    changed["en"] += "!"
    write(out, [*rows, rows[-1] | {"id": "site/locale/site.po#nothing", "form": ""}])
    told = run("import", "--language", "ar", out, "--folder", checkout, fails=True)
    assert f"{valued['id']}: form 0 has the values none, and needs %(" in told
    assert f"{counted['id']}: some of its forms are empty" in told
    assert f"{changed['id']}: its English is now" in told
    assert "site/locale/site.po#nothing: there is no such wording" in told
    assert "Nothing was written: 4 faults." in told
    assert files(checkout) == before


def test_the_words_of_the_pages_that_matter_first_are_few(checkout):
    pages = "home,search,contest"
    _, rows = export(checkout, "zgh", "--pages", pages, "--missing")
    assert 60 <= len({row["id"] for row in rows}) <= 220
    assert all(row["place"] and row["en"] and row["ar"] and not row["zgh"] for row in rows)
    run("export", "--language", "zgh", "--pages", "nowhere", "--folder", checkout, fails=True)
