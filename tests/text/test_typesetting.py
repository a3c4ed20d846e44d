"""French spaces that do not break: before high marks, within guillemets, before units."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from registry.text.typesetting import typeset

NARROW, WIDE = "\u202f", "\u00a0"


def test_spaces_of_french_do_not_break():
    for plain, wanted in {
        "Agadir : « oui » ; non ?": "Agadir_: «_oui_»_; non_?",
        "**Objet :** une bourse !": "**Objet_:** une bourse_!",
        "dans 60 jours, 5 000 dossiers, 39,7 %": "dans 60~jours, 5~000~dossiers, 39,7~%",
        "de 9 h à 16 h, n° 12": "de 9~h à 16~h, n°~12",
    }.items():
        assert typeset(plain, "fr") == wanted.replace("_", NARROW).replace("~", WIDE)
        assert typeset(plain, "en") == plain


def test_addresses_code_identifiers_and_times_stay():
    for text in (
        "https://a.example/x?y=1;z=2", "`a : b`", "```\nkey : 1\n```", "demo-sante/tri:2", "10:30",
        "| --- | :--- |", "MA-06 et 2026-11-30T10:00:00Z", "a :8000 b ://c",
    ):  # fmt: skip
        assert typeset(text, "fr") == text


@given(st.text(st.sampled_from("a7 :;?!«»%°n`\u00a0\u202fjours"), max_size=40))
def test_only_spaces_change_and_only_once(text):
    made = typeset(text, "fr")
    assert typeset(made, "fr") == made
    assert [one for one, new in zip(text, made, strict=True) if one not in (new, " ")] == []
