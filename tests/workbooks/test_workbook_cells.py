"""What people write into cells: taken as it is meant, or named by sheet and cell, never guessed."""

from __future__ import annotations

import copy
import datetime as dt
import io
import json
import math
import zipfile

import msgspec
import pytest

from registry.errors import PayloadTooLarge, UnreadableDocument
from registry.exports.spreadsheets import escape_formula, unescape_formula
from registry.record.codelists import codelists
from registry.record.pointers import parts, value_at
from registry.record.schema import required_field
from registry.record.values import ValueFault
from registry.resources import SCHEMAS
from registry.workbooks.answer import finding_lines
from registry.workbooks.cells import WorkbookWords, read_cell
from registry.workbooks.file import (
    BOUNDS,
    MAX_BYTES,
    FilledSheet,
    UnreadableWorkbook,
    read_sheets,
)
from registry.workbooks.filing import check_workbook
from registry.workbooks.form import make_form
from registry.workbooks.reading import ReadSheet, read_workbook
from registry.workbooks.writing import FormSource, make_workbook
from tests.workbooks.sheet_edits import Formula, Merged, edited, named, opendocument, place

TODAY = dt.date(2026, 11, 24)
TAG = "0123456789abcdef"
NOON = dt.datetime(2026, 5, 1, 12)  # noqa: DTZ001  a workbook knows no time zones


@pytest.fixture(scope="module")
def record():
    text = (SCHEMAS / "examples/complete.json").read_text(encoding="utf-8")
    return json.loads(text)


@pytest.fixture(scope="module")
def words(pack):
    return WorkbookWords(pack, "fr")


@pytest.fixture(scope="module")
def raw(record, words):
    return make_workbook([FormSource(document=record, tag=TAG)], words, layout="form")


@pytest.fixture(scope="module")
def sheet(raw):
    return read_sheets(raw)[0]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "mot de passe"),
        ("\ufeff\n<!DOCTYPE HTML><table><tr><td>1".encode(), "page web"),
        (b"<html><body>", "page web"),
        (b"\x00\x01\x02\xff", "ni un classeur"),
    ],
)
def test_a_file_that_is_no_workbook_is_named_for_what_it_is(raw, said, words):
    with pytest.raises(UnreadableWorkbook) as error:
        read_workbook(raw, words)
    assert said in words.render(error.value.saying)
    assert said in str(UnreadableWorkbook("x", error.value.saying, "fr"))


@pytest.fixture
def read(raw, sheet, words):
    """Return what is read once some cells, named by field, column and entry, hold other values."""

    def of(*cells):
        changes = {place(sheet, *at): value for at, value in cells}
        [read] = read_workbook(edited(raw, changes), words)
        return read.records[0]

    return of


# The field, the column, the entry; what is written; a part of the sentence.
BROKEN = [
    (("/risk/level",), "très haut", "Choisissez-en un"),
    (("/risk/level",), "hgih", "Risque élevé"),
    (("/risk/level",), 3, "Choisissez-en un"),
    (("/risk/level",), True, "Choisissez-en un"),
    (("/risk/level",), Formula("=A1"), "formule"),
    (("/purpose/goal", "ar"), Merged("الهدف"), "fusionnée"),
    (("/risk/level",), "#REF!", "formule"),
    (("/lifecycle/status",), "en panne", "Choisissez-en un"),
    (("/decision/role",), "décide", "Choisissez-en un"),
    (("/decision/legal_effect",), "peut-être", "ni oui ni non"),
    (("/decision/legal_effect",), 2, "ni oui ni non"),
    (("/decision/legal_effect",), Formula("=TRUE()"), "formule"),
    (("/data/personal_data",), "un peu", "Choisissez-en un"),
    (("/sector/primary",), "Santé et éducation", "Choisissez-en un"),
    (("/sector/function",), "n/a", "Choisissez-en un"),
    (("/procurement/origin",), "acheté hier", "Choisissez-en un"),
    (("/publication/visibility",), "secret", "Choisissez-en un"),
    (("/risk/assessed_on",), "05/06/2026", "YYYY-MM-DD"),
    (("/risk/assessed_on",), "2026", "YYYY-MM-DD"),
    (("/risk/assessed_on",), "2026-02-30", "n’est pas un jour qui existe"),
    (("/risk/assessed_on",), 46000, "YYYY-MM-DD"),
    (("/risk/assessed_on",), NOON, "YYYY-MM-DD"),
    (("/risk/assessed_on",), Formula("=TODAY()"), "formule"),
    (("/lifecycle/deployed_on",), "mars 2024", "YYYY-MM"),
    (("/lifecycle/deployed_on",), "2024/03", "YYYY-MM"),
    (("/lifecycle/next_review_on",), "bientôt", "YYYY-MM-DD"),
    (("/lifecycle/next_review_on",), "2026-13-01", "n’est pas un jour qui existe"),
    (("/purpose/scale/decisions_per_year",), "beaucoup", "n’est pas un nombre"),
    (("/purpose/scale/decisions_per_year",), "1,250", "deux façons"),
    (("/purpose/scale/decisions_per_year",), "1.250", "deux façons"),
    (("/purpose/scale/decisions_per_year",), 12.5, "nombre entier"),
    (("/purpose/scale/decisions_per_year",), "12,5", "nombre entier"),
    (("/purpose/scale/decisions_per_year",), True, "n’est pas un nombre"),
    (("/purpose/scale/decisions_per_year",), Formula("=6*7"), "formule"),
    (("/risks/*/likelihood",), "élevée", "n’est pas un nombre"),
    (("/risks/*/severity",), "2-3", "n’est pas un nombre"),
    (("/risks/*/category", "answer", 1), "autre chose encore", "Choisissez-en un"),
    (("/assessments/*/type",), "DPIA complète", "Choisissez-en un"),
    (("/assessments/*/completed_on",), "1/2/26", "YYYY-MM-DD"),
    (("/assessments/*/independent",), "plutôt", "ni oui ni non"),
    (("/evaluation/metrics/*/value",), "95 %", "n’est pas un nombre"),
    (("/procurement/contract/amount/value",), "1e999", "n’est pas un nombre"),
    (("/evaluation/metrics/*/n",), "1 000,5", "nombre entier"),
    (("/data/sources/*/uses/*",), "autre", "Choisissez-en un"),
    (("/purpose/affected_groups/*",), "tout le monde", "Choisissez-en un"),
    (("/territory/*",), "partout", "Choisissez-en un"),
    (("/data/hosting/country",), "Atlantide", "Choisissez-en un"),
    (("/languages/source",), "français de Rabat", "Choisissez-en un"),
    (("/languages/translation_status", "ar"), "relu", "Choisissez-en un"),
    (("/evaluation/incidents",), "aucun connu", "à côté du titre"),
    (("/risks",), "Il n’y en a pas", "des éléments figurent en dessous"),
    (("/name", "fr"), Formula('=HYPERLINK("http://evil.example")'), "formule"),
    (("/summary", "ar"), True, "n’est pas un texte"),
    (("/website", "ar"), "https://x.example", "la même dans toutes les langues"),
    (("/decision/override_possible",), "oui", "intitulé"),
    (("", "answer"), "une note", "première cellule"),
]


def in_rounds(sheet, edits):
    """Yield the edits by cell, in as few workbooks as can be: to read one takes long."""
    rounds = []
    for at, *more in edits:
        cell = place(sheet, *at)
        room = next((one for one in rounds if cell not in one), None)
        if room is None:
            rounds.append(room := {})
        room[cell] = (at, *more)
    yield from rounds


def written(cells):
    return {cell: value for cell, (_, value, _) in cells.items()}


def test_broken_cells_are_each_named_by_sheet_and_cell(raw, sheet, words):
    assert len(BROKEN) > 50
    for cells in in_rounds(sheet, BROKEN):
        read = read_workbook(edited(raw, written(cells)), words)
        [told] = check_workbook(read, words, TODAY)
        assert (told.sheet, told.outcome) == (sheet.name, "refused")
        unread = {one.cell: one for one in told.findings if one.rule == "cell"}
        for cell, (at, value, part) in cells.items():
            assert part in unread.pop(named(cell)).message, (at, value)
        assert not unread


def test_what_cannot_be_read_is_never_a_wrong_value(raw, sheet, words, record):
    before = dict(_leaves(record))
    for cells in in_rounds(sheet, BROKEN):
        [read] = read_workbook(edited(raw, written(cells)), words)
        found = read.records[0]
        assert len(found.unread) == len(cells)
        there = dict(_leaves(found.document))
        places = [at for at, *_ in cells.values()]
        if ("/languages/source",) in places:
            # Without it a line that stands alone is known to be in the language of its column.
            alone = {place.removesuffix("/fr"): place for place in there if place.endswith("/fr")}
            there |= {place: there.pop(alone[place]) for place in before.keys() & alone.keys()}
        missing = before.keys() - there.keys()
        # What comes after an item that cannot be read has its place in the list.
        lists = tuple(f"{at[0].partition('/*')[0]}/" for at in places if at[0].endswith("/*"))
        others = {one for one in there.items() if not one[0].startswith(lists)}
        assert others <= before.items()
        # Nothing was in the spare entry of a list.
        held = [at for at in places if at[0] not in NO_VALUE and len(at) < 3]
        assert len(missing) == len(held), (places, missing)


NO_VALUE = {"/evaluation/incidents", "/risks", "/website", "/decision/override_possible", ""}
"""Where something is written beside what the record says."""


def _leaves(value, here=""):
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _leaves(member, f"{here}/{name}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _leaves(item, f"{here}/{number}")
    else:
        yield here, value


MEANT = [
    (("/risk/level",), "high", "high"),
    (("/risk/level",), "High risk", "high"),
    (("/risk/level",), "مخاطر عالية", "high"),
    (("/risk/level",), "  risque ÉLEVÉ ", "high"),
    (("/decision/legal_effect",), "Oui", True),
    (("/decision/legal_effect",), "نعم", True),
    (("/decision/legal_effect",), "yes", True),
    (("/decision/legal_effect",), "non", False),
    (("/decision/legal_effect",), "لا", False),
    (("/decision/legal_effect",), False, False),
    (("/risk/assessed_on",), dt.date(2026, 5, 1), "2026-05-01"),
    (("/risk/assessed_on",), " 2026-05-01 ", "2026-05-01"),
    (("/risk/assessed_on",), "٢٠٢٦-٠٥-٠١", "2026-05-01"),
    (("/lifecycle/deployed_on",), 2024, "2024"),
    (("/lifecycle/deployed_on",), "2024-03", "2024-03"),
    (("/purpose/scale/decisions_per_year",), "1 250", 1250),
    (("/purpose/scale/decisions_per_year",), "1\u202f250", 1250),
    (("/purpose/scale/decisions_per_year",), "١٢٥٠", 1250),
    (("/purpose/scale/decisions_per_year",), 1250.0, 1250),
    (("/system_version",), 1.1, "1.1"),
    (("/system_version",), 2026, "2026"),
    (("/system_version",), " 1.10 ", "1.10"),
    (("/data/hosting/country",), "Maroc", "MA"),
    (("/data/hosting/country",), "France", "FR"),
    (("/languages/source",), "arabe", "ar"),
    (("/name", "fr"), "=1+1", "=1+1"),
    (("/name", "fr"), "  deux mots \r\n", "deux mots"),
    (("/name", "fr"), "e\u0301te\u0301", "été"),
    (("/data/retention/period",), "5 ans", "P5Y"),
    (("/data/retention/period",), "18 months", "P18M"),
    (("/data/retention/period",), "٥ سنوات", "P5Y"),
    (("/data/retention/period",), "سنتان", "P2Y"),
    (("/data/retention/period",), "P1Y6M", "P1Y6M"),
    (("/data/retention/period",), "not stored at all", "not_stored"),
    (("/contact/phone",), "+212537000199", "+212537000199"),
]


def test_what_is_meant_is_read(raw, sheet, words):
    for cells in in_rounds(sheet, MEANT):
        [read] = read_workbook(edited(raw, written(cells)), words)
        [found] = read.records
        assert not found.unread
        for at, value, meant in cells.values():
            path = parts(at[0]) + at[1:2] * (len(at) > 1)
            assert value_at(found.document, path) == meant, (at, value)


def test_a_code_is_read_by_its_label_in_every_language(words):
    for name, codes in codelists().items():
        for code, held in codes.items():
            assert words.code((name,), code) == code
            assert {words.code((name,), text) for text in held.label.values() if text} <= {code}


def test_entries_are_copied_removed_and_said_to_be_none(raw, sheet, words, record):
    rows = copy.deepcopy(sheet.rows)
    first, second, *_ = [row for row, cells in enumerate(rows) if cells[0] == "/assessments/*"]
    of_list = [row for row, cells in enumerate(rows) if str(cells[0]).startswith("/assessments")]
    more = [*rows[: of_list[-1] + 1], *copy.deepcopy(rows[first:second]), *rows[of_list[-1] + 1 :]]
    read = read_workbook(_written(sheet.name, more), words)[0].records[0]
    assert read.document["assessments"] == [*record["assessments"], record["assessments"][0]]
    fewer = [*rows[:first], *rows[second:]]
    read = read_workbook(_written(sheet.name, fewer), words)[0].records[0]
    assert read.document["assessments"] == record["assessments"][1:]
    none = copy.deepcopy(rows)
    for cells in none:
        if str(cells[0]).startswith("/evaluation/incidents"):
            cells[4:] = [""] * len(cells[4:])
        if cells[0] == "/evaluation/incidents":
            cells[4] = "There is none"
    read = read_workbook(_written(sheet.name, none), words)[0].records[0]
    assert read.document["evaluation"]["incidents"] == []
    assert not read.unread


def test_what_two_rules_say_alike_stands_once(read, words):
    [told] = check_workbook(
        [ReadSheet(sheet=_EMPTY, records=(read((("/website",), "x")),))], words, TODAY
    )
    lines = finding_lines(told, words)
    [one] = [one for one in told.findings if "https://" in one.message]
    alike = msgspec.structs.replace(one, rule="pattern")
    assert alike != one
    twice = msgspec.structs.replace(told, findings=[*told.findings, alike])
    assert finding_lines(twice, words) == lines


_EMPTY = FilledSheet(name="", rows=[])


def test_a_field_that_stands_twice_is_named(sheet, words):
    rows = copy.deepcopy(sheet.rows)
    at, _ = place(sheet, "/website")
    rows.insert(at + 1, [*rows[at]])
    read = read_workbook(_written(sheet.name, rows), words)[0].records[0]
    [unread] = read.unread
    assert unread.place.name == named((at + 1, 4))
    assert named((at, 4)) in unread.message


def test_rows_that_were_deleted_say_nothing(sheet, words):
    rows = [cells for cells in sheet.rows if not str(cells[0]).startswith("/purpose/goal")]
    read = read_workbook(_written(sheet.name, rows), words)[0].records[0]
    assert read.missing == (("purpose", "goal"),)


def _written(name, rows):
    return edited(opendocument({name: rows}), {})


def test_opendocument_is_read_as_xlsx_is(sheet, words, record):
    [read, _] = read_workbook(opendocument({"a": sheet.rows, "b": [["x"]]}), words)
    assert read.records[0].document == record
    rows = copy.deepcopy(sheet.rows)
    row, column = place(sheet, "/website")
    rows[row][column] = Formula("=6*7")
    found = read_workbook(opendocument({"a": rows}), words)[0].records[0]
    assert [one.place.name for one in found.unread] == [named((row, column))]


# Files made to do harm.


def _zipped(**members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return out.getvalue()


def _replaced(raw, name, change):
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(raw)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.namelist():
            content = old.read(part)
            new.writestr(part, change(content) if part == name else content)
    return out.getvalue()


def test_a_bomb_is_refused_before_it_is_unpacked(words):
    bomb = _zipped(**{"xl/workbook.xml": b"<workbook/>", "xl/media/a": bytes(200 * 2**20)})
    with pytest.raises(UnreadableDocument, match="unpacks to more"):
        read_workbook(bomb, words)


def test_external_entities_are_not_fetched(raw, words, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("what only this machine knows", encoding="utf-8")
    entity = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]>'.encode()

    def poisoned(content):
        head, _, rest = content.partition(b"?>")
        return (
            head + b"?>" + entity + rest.replace(b"<t>", b"<t>&e;", 1).replace(b"<v>", b"<v>&e;", 1)
        )

    for part in ("xl/sharedStrings.xml", "xl/worksheets/sheet1.xml", "xl/workbook.xml"):
        try:
            told = repr(read_workbook(_replaced(raw, part, poisoned), words))
        except UnreadableDocument as error:
            told = error.detail
        assert "only this machine" not in told, part


def test_entities_do_not_multiply(raw, words):
    laughs = "".join(f'<!ENTITY l{number} "{f"&l{number - 1};" * 10}">' for number in range(1, 10))
    bomb = f'<!DOCTYPE x [<!ENTITY l0 "ha">{laughs}]>'.encode()

    def poisoned(content):
        head, _, rest = content.partition(b"?>")
        return head + b"?>" + bomb + rest.replace(b"<t>", b"<t>&l9;", 1)

    try:
        told = repr(read_workbook(_replaced(raw, "xl/sharedStrings.xml", poisoned), words))
    except UnreadableDocument as error:
        told = error.detail
    assert "haha" not in told


def test_ten_thousand_sheets_are_refused(words):
    many = {f"s{number}": [["x"]] for number in range(10_000)}
    with pytest.raises(UnreadableDocument, match=f"10000 sheets, and at most {BOUNDS.sheets}"):
        read_workbook(opendocument(many), words)


def test_a_stray_cell_in_the_last_corner_is_refused(raw, words):
    def strayed(content):
        cell = b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>'
        return content.replace(b"</sheetData>", cell + b"</sheetData>")

    with pytest.raises(UnreadableDocument, match=r"rows|more memory"):
        read_workbook(_replaced(raw, "xl/worksheets/sheet1.xml", strayed), words)


def test_what_is_damaged_or_too_large_is_said_to_be(raw, words):
    for broken in (raw[:2000], raw[: len(raw) // 2], b"PK", b"\x00" * 10, b"", b"a;b\n"):
        with pytest.raises(UnreadableDocument):
            read_workbook(broken, words)
    with pytest.raises(PayloadTooLarge):
        read_workbook(bytes(MAX_BYTES + 1), words)


def test_a_summary_and_a_sheet_of_others_are_told_apart(words, sheet, raw):
    with pytest.raises(UnreadableDocument, match="columns=full"):
        read_workbook(b"id,agency,name,completeness,hash\na/b,a,x,1,00\n", words)
    with pytest.raises(UnreadableDocument, match="laissée de côté"):
        read_workbook(opendocument({"notes": [["buy", "milk"]]}), words)
    headless = edited(raw, {(1, 0): "else"})
    with pytest.raises(UnreadableDocument, match="masquées"):
        read_workbook(headless, words)


@pytest.mark.parametrize(
    "text", ["=1", "＝1", "\t=1", "a;=1;+2", 'a;"=1"', "a\n-1|b", "", "a=b", "1-2", "it's", "-"]
)
def test_what_was_disarmed_is_armed_again(text):
    assert unescape_formula(escape_formula(text)) == text


def test_a_form_is_closed_where_nothing_is_asked(words, record):
    """Of a minimal record, hardly more stands open than it must answer."""
    minimal = {
        "id": "demo-sante/x",
        "risk": {"level": "minimal"},
        "data": {"personal_data": "no"},
        "lifecycle": {"status": "in_use"},
        "decision": {"role": "no_decision", "legal_effect": False},
        "sector": {"function": "translation"},
        "procurement": {"origin": "in_house"},
        "publication": {"visibility": "public"},
    }
    rows = make_form(minimal, words).rows
    shown = {row.pattern for row in rows if row.pattern and not row.folded and not row.hidden}
    assert "/technical/models" not in shown
    assert "/risks" not in shown
    assert {"/purpose/goal", "/contact/email", "/territory/*"} <= shown
    everything = make_form(record, words).rows
    assert {"/technical/models", "/risks/*/category"} <= {
        row.pattern for row in everything if not row.folded
    }


def test_what_programs_write_for_no_number_is_none(words):
    """In the columns of an export such a text is taken as a program's number."""
    field = required_field(("evaluation", "metrics", "*", "value"))
    for cell in (math.nan, math.inf, -math.inf):
        with pytest.raises(ValueFault, match="is not a number"):
            read_cell(field, cell, words)
    assert read_cell(field, 0.5, words) == 0.5
