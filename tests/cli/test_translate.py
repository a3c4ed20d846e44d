"""The texts of a language as a PO file, and back."""

from __future__ import annotations

import io
import shutil

import pytest
from babel.messages.pofile import read_po, write_po
from click.testing import CliRunner

from registry import resources
from registry.cli.main import cli


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("languages", "packs"):
        shutil.copytree(resources.SCHEMAS / name, folder / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGISTRY_LANGUAGES", str(folder / "languages"))
        patch.setenv("REGISTRY_PACKS", str(folder / "packs"))
        yield folder


def run(*arguments, fails=False):
    told = CliRunner().invoke(cli, ["translate", *map(str, arguments)], standalone_mode=False)
    code = getattr(told.exception, "code", 0 if told.exception is None else 2)
    assert (code != 0) == fails, (told.output, told.exception)
    return told.output if code < 2 else str(told.exception)


def export(checkout, tag, *more):
    out = checkout / f"{tag}.po"
    run("export", "--language", tag, "--out", out, *more)
    return out, read_po(io.BytesIO(out.read_bytes()), abort_invalid=True)


def write(out, catalogue):
    """Write it as an editor may: with lines broken and a longer head."""
    with out.open("wb") as file:
        write_po(file, catalogue, width=60)


def strings(catalogue):
    return {(one.context, str(one.id)): one.string for one in catalogue if one.id}


def files(checkout):
    return {
        path: path.read_bytes()
        for pattern in ("**/*.po", "**/*.csv")
        for path in checkout.glob(pattern)
        if path.parent != checkout
    }


@pytest.mark.parametrize("tag", ["ar", "fr", "zgh", "de"])
def test_what_is_exported_and_imported_changes_no_file(checkout, tag):
    before = files(checkout)
    out, catalogue = export(checkout, tag)
    assert len(catalogue) > 1000
    assert all(one.context for one in catalogue if one.id)
    assert catalogue.num_plurals == (6 if tag == "ar" else 2)
    for rewritten in (False, True):
        if rewritten:
            write(out, catalogue)
        assert run("import", "--language", tag, out) == ""
        assert files(checkout) == before


def test_a_text_shows_its_place_and_the_other_languages(checkout):
    _, catalogue = export(checkout, "zgh")
    health = catalogue.get("Health", "codelists/sector.csv#health#label")
    assert (health.string, health.auto_comments) == ("ⵜⴰⴷⵓⵙⵉ", ["ar: الصحة", "fr: Santé"])
    previous = catalogue.get("Previous page", "site/site.po")
    assert [place for place, _ in previous.locations] == ["_list.html"]


def test_new_words_reach_catalogues_code_lists_and_the_pack(checkout):
    before = files(checkout)
    out, catalogue = export(checkout, "zgh")
    empty = [one for one in catalogue if one.id and "%" not in str(one.id) and not one.string]
    left_out = next(one for one in catalogue if one.id and one.string and "%" not in str(one.id))
    counted = next(one for one in catalogue if one.pluralizable and "%(n)s" in one.id[0])
    counted.string = ("ⴰ %(n)s", "ⵣ %(n)s")
    for file in ("site/", "format/", "codelists/sector.csv", "pack/bodies.csv"):
        next(one for one in empty if file in one.context).string = 'ⴰ "ⵣ"'
    wanted = strings(catalogue)
    # Of what its translator was not sure, and of what is left out, nothing is taken.
    unsure = next(one for one in empty if not one.string)
    unsure.string = "ⵣ"
    unsure.flags.add("fuzzy")
    catalogue.delete(left_out.id, left_out.context)
    write(out, catalogue)
    written = run("import", "--language", "zgh", out).split()
    assert len(written) >= 4
    assert strings(export(checkout, "zgh")[1]) == wanted
    changed = {path for path, raw in files(checkout).items() if raw != before.get(path)}
    assert changed == {checkout / path for path in written}


def test_a_catalogue_changes_only_where_its_words_did(checkout):
    for name, text in (("site", "Previous page"), ("findings", "Name the law.")):
        folder = "site" if name == "site" else "format"
        path = checkout / "languages/fr" / folder / f"{name}.po"
        before = path.read_text("utf-8").splitlines()
        out, catalogue = export(checkout, "fr")
        one = next(
            one
            for one in catalogue
            if one.context == f"{folder}/{name}.po"
            and (one.id == text or (name != "site" and "{" not in str(one.id)))
        )
        one.string += "…"
        write(out, catalogue)
        assert run("import", "--language", "fr", out).split() == [str(path)]
        after = path.read_text("utf-8").splitlines()
        assert len(after) == len(before)
        assert sum(old != new for old, new in zip(before, after, strict=True)) == 1


def test_a_fault_has_its_line_and_nothing_is_written(checkout):
    out, catalogue = export(checkout, "ar")
    before = files(checkout)
    valued = next(one for one in catalogue if one.id and "%(" in one.id and not one.pluralizable)
    valued.string = "بلا قيمة"
    counted = next(one for one in catalogue if one.pluralizable)
    counted.string = (*counted.string[:3], "", *counted.string[4:])
    spaced = next(one for one in catalogue if one.context and "#health#label" in one.context)
    spaced.string += " "
    catalogue.add("Nothing says this", "لا شيء", context="site/site.po")
    write(out, catalogue)
    told = run("import", "--language", "ar", out, fails=True)
    for fault in (
        "'بلا قيمة' has the values none, and needs %(",
        "some of its plural forms are empty",
        "begins or ends with a space",
        "site/site.po has no text 'Nothing says this'; export the file again",
    ):
        line = next(line for line in told.splitlines() if fault in line)
        number = int(line.removeprefix(f"{out}:").partition(":")[0])
        assert out.read_text("utf-8").splitlines()[number - 1].startswith("msgid"), line
    assert "Nothing was written: 4 faults." in told
    assert files(checkout) == before


def test_a_file_that_is_no_catalogue_of_the_language_is_refused(checkout):
    out, _ = export(checkout, "fr")
    for tag, raw, fault in (
        ("ar", out.read_bytes(), "Plural-Forms has to be nplurals=6"),
        ("fr", b'msgid "One"\nmsgtr "Un"\n', f"{out}:2: Unknown or misformatted keyword"),
        ("fr", out.read_bytes().decode().encode("cp1256", "replace"), "the encoding it states"),
    ):
        out.write_bytes(raw)
        assert fault in run("import", "--language", tag, out, fails=True)


def test_the_words_of_the_pages_that_matter_first_are_few(checkout):
    _, catalogue = export(checkout, "zgh", "--pages", "home,search,contest", "--missing")
    assert 60 <= len(catalogue) <= 220
    assert all(one.auto_comments and not any(one.string) for one in catalogue if one.id)
    run("export", "--language", "zgh", "--pages", "nowhere", fails=True)
