from __future__ import annotations

import pytest

from registry.text.text_safety import MOST_MARKS, balanced, first_problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Aide aux agents", None),
        ("Prévision", None),
        ("a < b et b > c, <5 minutes", None),
        ("**gras**, [lien](https://demo.example)\n\n- un\n- deux", None),
        ("ⵜⴰⵎⴰⵣⵉⵖⵜ", None),
        ("نظام\u200fx", None),  # a mark of direction has no end to close
        ("می\u200cخواهم", None),
        ("क्\u200dष", None),
        ("❤\ufe0f", None),
        ("\u2067نظام\u2069 et \u202bنص\u202c", None),
        ("Z" + "\u0335" * MOST_MARKS, None),
        ("<b>x</b>", "markup"),
        ("</p>", "markup"),
        ("<img src=x onerror=y>", "markup"),
        ("<!-- x -->", "markup"),
        ("<?php", "markup"),
        ("e\u0301", "composition"),
        ("\ufb1d", "composition"),
        ("a\u202eb", "direction"),
        ("a\u2066b\u202c", "direction"),
        ("a\u2069", "direction"),
        ("a\u2067b\nc\u2069", "direction"),
        ("a\u200bb", "invisible"),
        ("a\u2060b", "invisible"),
        ("a\u00adb", "invisible"),
        ("a\ufeffb", "invisible"),
        ("a\u200db", "invisible"),
        ("\u200cنظام", "invisible"),
        ("نظام\u200d", "invisible"),
        ("a\ue000", "invisible"),
        ("a\U000e0041", "invisible"),
        ("a\uffff", "invisible"),
        ("a\u2028b", "invisible"),
        ("Z" + "\u0335" * (MOST_MARKS + 1), "marks"),
        ("ن" + "\u064b" * 9, "marks"),
    ],
)
def test_a_text_shows_what_it_holds(text, expected):
    assert first_problem(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("\u202a\u2066x\u2069\u202c", True),
        ("\u202a\u2066x\u202c\u2069", False),
        ("\u2068x\u2069\n\u202dy\u202c", True),
        ("\u202c", False),
    ],
)
def test_every_control_of_direction_is_closed_in_its_paragraph(text, expected):
    assert balanced(text) is expected


@pytest.mark.parametrize("sign", ["<", "<a", "\u200d", "\u0335", "\u2066", "<!"])
def test_hostile_repetition_takes_no_time(sign):
    first_problem(sign * 50_000)
    first_problem("é" + sign * 50_000)
