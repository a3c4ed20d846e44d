import pytest

from registry.imports.draft import NOT_UNDERSTOOD, TRANSFORMS, limit_of
from registry.record.schema import field_at

FUZZY = ("lifecycle", "deployed_on")
EXACT = ("risk", "assessed_on")
URL = ("website",)
EMAIL = ("contact", "email")
BOOLEAN = ("decision", "legal_effect")
TEXT = ("purpose", "goal")
LINE = ("source_id",)


@pytest.mark.parametrize(
    ("transform", "path", "source", "expected"),
    [
        ("text", TEXT, " a\r\n\r\nb ", "a\n\nb"),
        ("text", TEXT, "\u200b", NOT_UNDERSTOOD),
        ("line", LINE, " a\nb ", "a b"),
        ("line", LINE, "<br>", NOT_UNDERSTOOD),
        ("code", ("risk", "level"), "high", NOT_UNDERSTOOD),
        ("boolean", BOOLEAN, " YES ", True),
        ("boolean", BOOLEAN, "false", False),
        ("boolean", BOOLEAN, "0", False),
        ("boolean", BOOLEAN, "perhaps", NOT_UNDERSTOOD),
        ("date", FUZZY, "Oct-24", "2024-10"),
        ("date", FUZZY, "autumn", NOT_UNDERSTOOD),
        ("date", EXACT, "10/2/2024", "2024-10-02"),
        ("date", EXACT, "Oct-24", NOT_UNDERSTOOD),
        ("url", URL, " HTTPS://a.example/%C3%A9;", "HTTPS://a.example/%C3%A9"),
        ("url", URL, "https://a.example/%zz", NOT_UNDERSTOOD),
        ("url", URL, "https://a.example/#b#c", NOT_UNDERSTOOD),
        ("url", URL, "javascript://a.example/", NOT_UNDERSTOOD),
        ("url", URL, "a.example", NOT_UNDERSTOOD),
        ("email", EMAIL, "mailto:a.b+c@x-y.example.gov", "a.b+c@x-y.example.gov"),
        ("email", EMAIL, "A@EXAMPLE.GOV", "A@EXAMPLE.GOV"),
        ("email", EMAIL, "a..b@example.gov", NOT_UNDERSTOOD),
        ("email", EMAIL, "a@example", NOT_UNDERSTOOD),
        ("email", EMAIL, "a@-x.example", NOT_UNDERSTOOD),
        ("email", EMAIL, "a" * 65 + "@example.gov", NOT_UNDERSTOOD),
        ("email", EMAIL, "a@" + "b." * 130 + "gov", NOT_UNDERSTOOD),
    ],
)
def test_transform(us, transform, path, source, expected):
    assert expected == TRANSFORMS[transform](source, field_at(path), us)


@pytest.mark.parametrize(
    ("path", "limit"), [(TEXT, 4000), (LINE, 100), (URL, 2000), (BOOLEAN, None)]
)
def test_the_limit_is_the_schemas(path, limit):
    assert limit == limit_of(field_at(path))


def test_a_long_address_is_looked_at_once(us):
    """Not once for each of its letters: this would take minutes."""
    for source in (f"https://{'a' * 400_000} b", f"{'a' * 400_000}@b c", f"a@{'b-' * 200_000} c"):
        transform, path = ("email", EMAIL) if "@" in source else ("url", URL)
        assert TRANSFORMS[transform](source, field_at(path), us) is NOT_UNDERSTOOD
