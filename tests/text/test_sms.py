"""The length of short messages, as telephones count it."""

import pytest

from registry.text.sms import measure


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("", ("GSM-7", 0, 160, 1)),
        ("a" * 160, ("GSM-7", 160, 160, 1)),
        ("a" * 161, ("GSM-7", 161, 160, 2)),
        ("a" * 306, ("GSM-7", 306, 160, 2)),
        ("a" * 307, ("GSM-7", 307, 160, 3)),
        ("è€[", ("GSM-7", 5, 160, 1)),
        ("ê", ("UCS-2", 1, 70, 1)),
        ("’" * 71, ("UCS-2", 71, 70, 2)),
        ("م" * 70, ("UCS-2", 70, 70, 1)),
        ("م" * 135, ("UCS-2", 135, 70, 3)),
        ("😀", ("UCS-2", 2, 70, 1)),
    ],
)
def test_a_text_is_counted(text, counted):
    found = measure(text)
    assert (found.encoding, found.units, found.most, found.messages) == counted
