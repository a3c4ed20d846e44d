import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.imports.texts import clean, one_line, shorten
from registry.record.schema import record_schema
from registry.record.validators import ecma


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("  plain  text\t here ", "plain text here"),
        ("one\r\ntwo\rthree \n\n\n\n four", "one\ntwo\nthree\n\nfour"),
        ("no\u00a0break\u202fspace", "no break space"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("cafe\u0301", "caf\u00e9"),
        ("bell\x07 and\x00 nul\x85", "bell and nul"),
        ("<p>A <b>bold</b> word.</p><p>And<br/>more</p>", "A bold word.\nAnd\nmore"),
        ("&lt;p&gt;escaped&lt;/p&gt; &amp; signs", "escaped\n& signs"),
        ("R&D at ?a=1&copy=2", "R&D at ?a=1&copy=2"),
        ("in <5 minutes, pandas<2.0", "in <5 minutes, pandas<2.0"),
        ("<Includes number of providers>", "< Includes number of providers>"),
        ("<script>alert(1)</script>", "alert(1)"),
        ("open \u202eembedding", "open embedding"),
        ("\u2067كلمة\u2069 word", "\u2067كلمة\u2069 word"),
        ("e" + "\u0316" * 20, "e" + "\u0316" * 8),
        ("می‌خواهم", "می‌خواهم"),
    ],
)
def test_clean(source, expected):
    assert expected == clean(source)


@pytest.mark.parametrize(("make", "kind"), [(clean, "Text"), (one_line, "Line")])
@given(text=st.text(alphabet=st.characters(codec="utf-8")))
def test_whatever_was_written_fits_the_format(make, kind, text):
    pattern = record_schema()["$defs"][kind]["pattern"]
    assert make(text) == "" or ecma(pattern).search(make(text))


def test_a_line_has_no_breaks():
    assert one_line(" Name of\nthe  system\u2028here ") == "Name of the system here"


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("short", 5, "short"),
        ("one two three", 13, "one two three"),
        ("one two three", 12, "one two…"),
        ("one two three", 8, "one two…"),
        ("one two, three", 12, "one two…"),
        ("abcdefghij", 5, "abcd…"),
        ("a bcdefghijkl", 8, "a bcdef…"),
    ],
)
def test_shorten_cuts_at_a_word_and_shows_it(text, limit, expected):
    assert expected == shorten(text, limit)
    assert len(expected) <= limit
