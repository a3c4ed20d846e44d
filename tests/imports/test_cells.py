import pytest

from registry.imports.cells import as_line, fold_value, items


@pytest.mark.parametrize(
    "variant", ["Not High-impact", "not high\u2011impact ", "NOT  HIGH–IMPACT.", "Not\nhigh-impact"]
)
def test_variants_of_a_value_are_the_same(variant):
    assert fold_value(variant) == "not high-impact"


def test_a_long_text_is_no_value():
    text = "A sentence, said again. " * 40
    assert fold_value(text) == text


@pytest.mark.parametrize(
    ("cell", "form", "expected"),
    [
        (None, None, []),
        ("  ", "python", []),
        ("[]", "python", []),
        ("['b) Sex', 'c) Age']", "python", ["b) Sex", "c) Age"]),
        ("['of \\ncomments']", "python", ["of \ncomments"]),
        (r"['C:\path']", "python", [r"C:\path"]),
        ('["a", 1, null]', "json", ["a", "1"]),
        ("not a list", "python", None),
        ("{'a': 1}", "python", None),
        ("[" * 5000, "python", None),
        ("__import__('os')", "python", None),
        ("Acme, Inc.; Sample Ltd", "semicolon", ["Acme, Inc.", " Sample Ltd"]),
        ("https://a.example/x; https://b.example", "addresses",
         ["https://a.example/x", "https://b.example"]),
        ("see https://a.example", "addresses", ["see https://a.example"]),
        (["a", None, 2], None, ["a", "2"]),
        (True, None, ["true"]),
        (12, None, ["12"]),
    ],
)  # fmt: skip
def test_items(cell, form, expected):
    assert expected == items(cell, form)


def test_what_the_source_writes_for_nothing_says_nothing():
    nothing = frozenset({fold_value("N/A")})
    assert as_line(" n/a. ", nothing) == ""
    assert as_line(None, nothing) == ""
    assert as_line("N/A for now", nothing) == "N/A for now"
