"""`tools.pin`: what two recordings differ in is found, grouped, and left out where it is wanted."""

import io
import subprocess
import sys

import pytest

from tools.pin.compare import compare, read_wanted
from tools.pin.files import visible_text
from tools.pin.recording import Part, read_part
from tools.pin.register import SHIM

ANSWERS = {"GET /a": '{\n "a": 1\n}', "GET /b": "200\netag: W/1\n\nb", "GET /c": "c"}


@pytest.fixture
def record(tmp_path):
    """Write a recording of one part."""

    def write(name, blocks, part="answers"):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        with Part(folder, part) as file:
            for block, text in blocks.items():
                file.add(block, text)
        return folder

    return write


@pytest.fixture
def told(record, tmp_path):
    """Compare two recordings, and give the number of differences and what is written."""

    def run(one, other, rules=""):
        (tmp_path / "wanted.txt").write_text(rules)
        out = io.StringIO()
        wanted = read_wanted(tmp_path / "wanted.txt")
        return compare(record("one", one), record("other", other), wanted, out), out.getvalue()

    return run


def test_what_is_written_is_read_again(record):
    blocks = ANSWERS | {"empty": "", "lines": "  indented\n\nand empty\r\n"}
    folder = record("one", blocks)
    read = dict(read_part(folder / "answers.txt.gz"))
    assert read == blocks | {"lines": "  indented\n\nand empty␍\n"}


def test_equal_recordings_do_not_differ(told):
    count, text = told(ANSWERS, ANSWERS)
    assert count == 0
    assert "answers: no differences" in text


def test_like_differences_are_shown_once(told):
    before = {f"GET /{n}": f"name\n{n} of 3" for n in range(4)}
    after = {name: text.replace("of 3", "of 4") for name, text in before.items()}
    count, text = told(before, after | {"GET /new": "new"})
    assert count == 5
    assert "2 kinds" in text
    assert "4 ×  GET /0  ·  GET /1  ·  GET /2 … and 1 more" in text
    assert "-0 of 3" in text
    assert "+0 of 4" in text
    assert "-1 of 3" not in text


def test_a_weak_tag_is_told_only_where_nothing_else_differs(told):
    changed = {"GET /b": "200\netag: W/2\n\nB"}
    assert "+etag" in told(ANSWERS, ANSWERS | {"GET /b": "200\netag: W/2\n\nb"})[1]
    rule = "where: GET /b\nline: ^[-+][bB]$\nwhy: louder\n"
    assert told(ANSWERS, ANSWERS | changed, rule)[0] == 0


def test_a_member_that_others_follow_is_the_same(told):
    one, more = '{\n "a": 1\n}', '{\n "a": 1,\n "b": 2\n}'
    added = "where: GET /a\nline: ^\\+\nwhy: more is told\n"
    assert told({"GET /a": one}, {"GET /a": more}, added)[0] == 0
    assert told({"GET /a": more}, {"GET /a": one}, added)[0] == 1
    assert told({"GET /a": one}, {"GET /a": more.replace("1", "3")}, added)[0] == 1


@pytest.mark.parametrize(
    ("rules", "count"),
    [
        ("where: answers/GET /a\nline: 2\nwhy: one half of it\n", 1),
        ('# note\nwhere: GET /a$\nline: "a": [12]\nwhy: counted anew\n', 0),
        ("where: GET /a\nwhy: all of it\n\nwhere: GET /x\nwhy: not there\n", 0),
        ("where: GET /b\nwhy: of another\n", 1),
    ],
)
def test_what_is_wanted_is_left_out(told, rules, count):
    assert told(ANSWERS, ANSWERS | {"GET /a": '{\n "a": 2\n}'}, rules)[0] == count


def test_a_rule_that_nothing_needs_is_named(told):
    text = told(ANSWERS, ANSWERS, "where: GET /x\nwhy: it was so once\n")[1]
    assert "wanted, and not there: GET /x: it was so once" in text


def test_bytes_are_not_told_where_text_differs(record, tmp_path):
    for name, text in (("one", "a"), ("other", "b")):
        record(name, {"a.html": text, "b.html": "same"}, "site-texts")
        record(name, {"a.html": text * 64, "b.html": text * 64}, "site-digests")
    assert compare(tmp_path / "one", tmp_path / "other", [], io.StringIO()) == 2


def test_text_and_what_attributes_tell_are_left_of_a_page():
    page = '<p class="x">Read  <a href="/en/a?b&amp;c">the\n guide</a>: <b>1 &lt; 2</b></p>'
    assert visible_text(page).split("\n") == ["Read", "/en/a?b&c", "the guide", ":", "1 < 2"]


def test_a_recorded_process_has_a_fixed_clock_and_fixed_salts(tmp_path):
    (tmp_path / "clock").write_text("1764158400")
    script = (
        "import secrets; from datetime import *; "
        "print(datetime.now(UTC), date.today(), type(datetime.now(UTC)) is datetime, "
        "secrets.token_bytes(64) == secrets.token_bytes(32) * 2, "
        "secrets.token_bytes(8) == secrets.token_bytes(8))\n"
        "from registry.store.sql import statement\n"
        "print(statement('log', 'guarded_state').count('clock_timestamp'))"
    )
    environment = {"PYTHONPATH": str(SHIM), "PIN_CLOCK": str(tmp_path / "clock"), "TZ": "UTC"}
    told = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert told.stdout == "2025-11-26 12:00:00+00:00 2025-11-26 True True False\n0\n"
