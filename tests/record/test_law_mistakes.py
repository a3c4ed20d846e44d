"""Mistakes of whoever writes a country's law: each is told once, with file, line and remedy."""

from __future__ import annotations

import json
import shutil

import pytest

from registry.errors import ConfigurationError
from registry.record import pack as packs
from registry.record.pack import load_pack
from registry.resources import SCHEMAS

CONDITION = "name,path,test,value"
REQUIREMENT = "code,when,asks,else,law,article,known,since,until,confirmed_by,confirmed_on,note_fr"
FACTS = "minors,/purpose/affected_groups,is,minors"
ROW = "09-08-12,P,/data/authorisation,error,personal_data,12,,,,,,"


@pytest.fixture
def trial(tmp_path, monkeypatch):
    """Copy the pack, where its law can be spoilt."""
    shutil.copytree(SCHEMAS / "packs" / "ma", tmp_path / "ma")
    monkeypatch.setattr(packs, "_PACKS", tmp_path)
    load_pack.cache_clear()
    yield tmp_path / "ma"
    load_pack.cache_clear()


def fault_of(trial, table, text, encoding="utf-8"):
    (trial / table).write_bytes(text.encode(encoding))
    with pytest.raises(ConfigurationError) as caught:
        load_pack("ma")
    return caught.value.detail


CONDITIONS = [
    ("minors,/purpose/affected,is,minors", "column path: the format has nothing at '/purpose/aff"),
    ("minors,purpose.affected_groups,is,minors", "write a pointer of it"),
    ("minors,/purpose/affected_groups,is,minor", "'minor' is not a code of /purpose/affected_g"),
    ("minors,/purpose/affected_groups,is,minor", "did you mean minors?"),
    ("minors,/purpose/affected_groups,are,minors", "column test: 'are' is not one of"),
    ("minors,/purpose/affected_groups,is,", "column value: it is empty; is needs one"),
    (
        "minors,/purpose/affected_groups,has,minors",
        "the test of /purpose/affected_groups is has, w",
    ),
    ("late,/lifecycle/deployed_on,from,soon", "'soon' is no day; write it as 2026-08-02"),
    ("late,/lifecycle/deployed_on,from,2026-02-30", "'2026-02-30' is no day"),
    ("late,/lifecycle/status,before,2026-01-01", "/lifecycle/status holds no date; use is, not"),
    ("de,text,has,de", "column value: 'de' is not among /languages"),
    ("fr,text,is,fr", "the test of text is has, with a language as its value"),
    ("fr,text,has,", "the test of text is has, with a language as its value"),
    ("town,agency/kind,is,town", "column value: 'town' is not a code of agency/kind"),
    ("P,/data/personal_data,is,yes", "line 2, column name: 'P'"),
    ("retired,/lifecycle/status,is,retired", "'retired' is a condition of the format; rename it"),
    ("legal,/decision/legal_effect,is,yes", "column value: 'yes' is not a code of /decision/le"),
    (f"{FACTS}\n{FACTS}", "line 3, column name: 'minors' comes twice; give it another name"),
    ("minors,/purpose/affected_groups,is,minors,x", "more or fewer cells than the first line"),
    ("here,/data/hosting/country,not", "more or fewer cells than the first line"),
]

REQUIREMENTS = [
    ("12,P,/data/authorisation,error,personal_data,12,,,,,,", "column code: '12' does not match"),
    ("09-08-12,Q,/data/authorisation,error,personal_data,12,,,,,,", "there is no condition 'Q'"),
    ("09-08-12,minor,/data/authorisation,error,personal_data,12,,,,,,", "did you mean minors?"),
    (
        "09-08-12,P|H,/data/authorisation,error,personal_data,12,,,,,,",
        "there is no condition 'P|H'",
    ),
    ("09-08-12,,/data/authorisation,error,personal_data,12,,,,,,", "'when' is a required prop"),
    ("09-08-12,amended,/documents,error,personal_data,12,,,,,,", "there is no condition 'amended'"),
    (
        "09-08-12,P,/data/authorization,error,personal_data,12,,,,,,",
        "nothing at '/data/authorization'",
    ),
    ("09-08-12,P,minor,error,personal_data,12,,,,,,", "is no pointer and not in conditions.csv"),
    ("09-08-12,P,,error,personal_data,12,,,,,,", "column asks: it is empty; write a pointer or"),
    ("09-08-12,P,/data/authorisation,fatal,personal_data,12,,,,,,", "column else: 'fatal' is not"),
    (
        "09-08-12,P,/data/authorisation,level:low,personal_data,12,,,,,,",
        "'level:low' is not one of",
    ),
    ("09-08-12,P,/data/authorisation,error,personnal_data,12,,,,,,", "did you mean personal_data?"),
    ("09-08-12,P,/data/authorisation,error,gdpr,12,,,,,,", "'gdpr' is not in /laws of pack.json"),
    ("09-08-12,P,/data/authorisation,error,personal_data, ,,,,,,", "column article: ' ' does not"),
    ("09-08-12,P,/data/authorisation,error,personal_data,,,,,,,", "'article' is a required prop"),
    ("09-08-12,P,/data/authorisation,error,personal_data,12,,1/2/27,,,,", "column since: '1/2/27'"),
    ("09-08-12,P,/data/authorisation,error,personal_data,12,,2027-02-29,,,,", "'2027-02-29' is"),
    (
        "09-08-12,P,/data/authorisation,error,personal_data,12,,2027-01-01,2026-01-01,,,",
        "before since",
    ),
    ("09-08-12,P,/data/authorisation,error,personal_data,12,,,,M. X,,", "confirmed_on go together"),
    ("09-08-12,P,/data/authorisation,error,personal_data,12,,,,,2026-01-01,", "fill in both, or"),
    (f"{ROW}\n{ROW}", "line 3: '09-08-12' comes twice; tell them apart by known or since"),
]

STEP = (
    "code,body,after,on,within,unit,silence,silence_unit,deemed,must,stops,law,article,known,since,"
    "until,confirmed_by,confirmed_on,purpose_fr"
)
FIRST = "complaint,agency,,received,60,days,60,days,refused,no,yes,personal_data,,,,,,,X"
COURT = "court,court,complaint,refused,60,days,,,,,,personal_data,,,,,,,X"
STEPS = [
    (f"{FIRST}".replace("agency", "agencie"), "'agencie' is not in bodies.csv; did you mean agenc"),
    (
        "court,court,complaint,refused,60,days,,,,,,personal_data,,,,,,,X",
        "write the steps in their",
    ),
    (
        f"{FIRST}\ncourt,court,complaints,refused,60,days,,,,,,personal_data,,,,,,,X",
        "line 3, column after: no step 'complaints' stands above it; did you mean complaint?",
    ),
    (
        f"{FIRST}\n{COURT}\n{COURT.replace('court,court,complaint', 'complaint,agency,court')}",
        "line 4, column after: no step 'court' stands above it",
    ),
    (FIRST.replace("received", "recieved"), "no event 'recieved'; did you mean received?"),
    (
        FIRST.replace("received", "refused"),
        "column on: without after it is received; fill in",
    ),
    (FIRST.replace("received", ""), "'on' is a required property"),
    (FIRST.replace("60,days,60", "60,,60"), "within and unit go together; fill in both, or none"),
    (FIRST.replace("60,days,ref", ",,ref"), "column silence: deemed says what it means; write how"),
    (FIRST.replace("60,days,60", "two,days,60"), "column within: 'two' does not match"),
    (FIRST.replace("60,days,60", "60,weeks,60"), "column unit: 'weeks' is not one of"),
    (FIRST.replace("refused", "rejected"), "column deemed: 'rejected' is not one of"),
    (FIRST.replace("no,yes", "no,maybe"), "column stops: 'maybe' is not one of"),
    (FIRST.replace("personal_data", "personnal_data"), "did you mean personal_data?"),
    (FIRST.replace(",,X", ",M. X,X"), "column confirmed_on: 'M. X'"),
    (FIRST.replace(",,,X", ",M. X,,X"), "confirmed_by and confirmed_on go together; fill in both"),
    (FIRST.replace(",X", ","), "it lacks purpose; fill it in"),
    (f"{FIRST}\n{FIRST}", "line 3: 'complaint' comes twice; tell them apart by known or since"),
    (
        f"{FIRST.replace(',,,X', '2027-02-28,,,X')}\n{COURT}",
        "line 3, column until: what it comes after ends on 2027-02-28; end it then, too",
    ),
    (
        f"{FIRST.replace(',,,,X', '2027-03-01,,,,X')}\n{COURT}",
        "line 3, column since: what it comes after begins on 2027-03-01; begin it then, too",
    ),
]

WHOLE = [
    (
        "steps.csv",
        f"{STEP}\n{FIRST.replace('60', '30')}\n",
        "deadlines.csv, row contest: P60D is no time in steps.csv",
    ),
    ("steps.csv", STEP.replace("stops", "stop") + f"\n{FIRST}", "did you mean stops?"),
    (
        "requirements.csv",
        REQUIREMENT.replace("article", "artcle") + f"\n{ROW}",
        "did you mean artic",
    ),
    (
        "requirements.csv",
        REQUIREMENT.replace("note_fr", "note_de") + f"\n{ROW}x",
        "'de' is not among",
    ),
    (
        "requirement.csv",
        REQUIREMENT,
        "requirement.csv is no table of a pack; did you mean requirem",
    ),
    ("requirements.csv", "", "requirements.csv is empty; write its columns in the first line, or"),
]


@pytest.mark.parametrize(("row", "words"), CONDITIONS)
def test_a_mistake_in_the_conditions(trial, row, words):
    (trial / "requirements.csv").unlink()
    told = fault_of(trial, "conditions.csv", f"{CONDITION}\n{row}\n")
    assert words in told
    assert "conditions.csv, line " in told


@pytest.mark.parametrize(("row", "words"), REQUIREMENTS)
def test_a_mistake_in_the_requirements(trial, row, words):
    (trial / "conditions.csv").write_text(f"{CONDITION}\n{FACTS}\n", encoding="utf-8")
    told = fault_of(trial, "requirements.csv", f"{REQUIREMENT}\n{row}\n")
    assert words in told
    assert "requirements.csv, line " in told


@pytest.mark.parametrize(("row", "words"), STEPS)
def test_a_mistake_in_the_steps(trial, row, words):
    told = fault_of(trial, "steps.csv", f"{STEP}\n{row}\n")
    assert words in told
    assert "steps.csv, line " in told


def test_a_step_begins_no_earlier_than_what_it_comes_after_as_last_known(trial):
    moved = "2026-06-01,2027-09-01,,,,X"
    rows = [
        FIRST.replace(",,,,X", "2027-03-01,,,,X"),
        FIRST.replace(",,,,,,X", f",{moved}"),
        COURT.replace(",,,,X", "2027-03-01,,,,X"),
        COURT.replace(",,,,,,X", f",{moved}"),
    ]
    (trial / "steps.csv").write_text("\n".join((STEP, *rows)), encoding="utf-8")
    assert [step.since for step in load_pack("ma").steps] == ["2027-03-01", "2027-09-01"] * 2
    load_pack.cache_clear()
    told = fault_of(trial, "steps.csv", "\n".join((STEP, *rows[:3])))
    assert "line 4, column since: what it comes after begins on 2027-09-01; begin it" in told


@pytest.mark.parametrize(("table", "text", "words"), WHOLE)
def test_a_mistake_in_a_table_as_a_whole(trial, table, text, words):
    assert words in fault_of(trial, table, text)


@pytest.mark.parametrize(("separator", "encoding"), [(";", "utf-8-sig"), ("\t", "utf-8")])
def test_tables_are_read_as_office_programs_save_them(trial, separator, encoding):
    for table, text in (
        ("conditions.csv", f"{CONDITION}\n{FACTS}\n"),
        ("requirements.csv", f"{REQUIREMENT}\n{ROW}\n"),
    ):
        (trial / table).write_bytes(text.replace(",", separator).encode(encoding))
    assert [row.article for row in load_pack("ma").requirements] == ["12"]


def test_a_pack_without_law_asks_for_nothing_more(trial):
    (trial / "requirements.csv").unlink()
    (trial / "conditions.csv").unlink()
    pack = load_pack("ma")
    assert (pack.requirements, pack.conditions) == ((), ())
    settings = json.loads((trial / "pack.json").read_text(encoding="utf-8"))
    assert "personal_data" in settings["laws"]
