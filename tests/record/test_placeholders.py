"""What says something: honest texts, short ones too; and none of the ways to say nothing."""

from __future__ import annotations

import json

import pytest

from registry.record.placeholders import content_words, is_repetition, says_something
from registry.resources import RECORDS, SCHEMAS
from registry.text.language_words import words_of

LISTED = sorted(set(words_of("placeholder")))

NOTHING = [
    ".", "...", "…", "-", "–", "—", "?", "0", "123", "N/A", "n/a", "N / A", "N.A.", "TODO",
    "T.O.D.O.", "todo!!!", "Aucun", "AUCUN.", "Néant", "Sans objet", "à compléter", "à  compléter…",
    "A COMPLETER", "[à compléter]", "غير متوفر", "غـيـر مـتـوفـر", "غَيْرُ مُتَوَفِّرٍ", "لا يوجد",
    "للاستكمال لاحقا", "ⵓⵍⴰⵛ",
    "x" * 400, "ن" * 400, "mot " * 100, "نص " * 100, "a b c d e f g h i j k l m n o p q r s t u v",
    "aaaa bbbb cccc dddd eeee ffff", "bla bla bla bla bla bla bla bla", "🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂🙂",
    "TODO - à compléter ultérieurement - N/A - غير متوفر - to be completed",
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt.",
    "Il n'y a pas de contrôle humain.",
    "Il n’y a aucun contrôle humain sur les décisions rendues par le système chaque année.",
    "À ce jour, aucun recours n'est prévu contre les décisions de ce système automatique.",
    "There is no human oversight of the decisions that this automated system makes.",
    "At present there are no procedures for people who disagree with a decision.",
    "لا توجد أي مراقبة بشرية على القرارات التي يصدرها النظام الآلي.",
    "ليست هناك مسطرة للطعن في القرارات الصادرة عن النظام.",
]  # fmt: skip
SOMETHING = [
    "Un agent relit chaque dossier.",
    "A physician reviews every decision.",
    "اختبار الحضور وتأكيد العون.",
    "ضابطان يقرران وحدهما فتح المخارج.",
    "Aucune décision n'est prise sans contrôle humain : deux agents signent.",
    "Aucun contrôle n'est levé sans la signature de deux médecins de garde.",
    "No review ends without the signature of two physicians on duty.",
    "لا تتم أي مراجعة دون توقيع طبيبين من مصلحة المداومة.",
    "Appelez le 080 200 30 40 : un conseiller reprend votre dossier sous cinq jours.",
    "ⵉⵙⵙⴼⴽ ⵉ ⵓⵎⵙⴳⵏⴰⴼ ⴰⴷ ⵉⵥⵕ ⴽⵓ ⴰⵙⵓⵜⵔ ⵙ ⵜⵥⵓⵖⵉ",
]


def written(text):
    """The ways to write a text that says nothing."""
    return (text, text.upper(), f"« {text} »", f"{text}. {text}!", f"  {text}…")


@pytest.mark.parametrize("text", NOTHING)
def test_what_says_nothing_is_known(text):
    assert [one for one in written(text) if says_something(content_words(one))] == []


def test_placeholders_say_nothing_however_many():
    assert len(LISTED) > 200
    every = " ".join(LISTED)
    assert content_words(every) == frozenset()
    assert [one for one in LISTED for each in written(one) if content_words(each)] == []


@pytest.mark.parametrize("text", SOMETHING)
def test_an_honest_sentence_says_something(text):
    assert says_something(content_words(text)), content_words(text)


def test_the_words_of_the_label_do_not_count():
    text = "Contrôle humain : le contrôle, humain, par un agent."
    assert not says_something(content_words(text, {"controle", "humain"}))


def test_two_texts_with_few_other_words_are_one():
    one = content_words("Un médecin voit chaque demande avec la proposition, et peut la modifier.")
    two = content_words("Le médecin voit chaque demande, avec une proposition : il peut modifier !")
    three = content_words("Écrivez à l’hôpital ; un second médecin relit votre demande.")
    assert is_repetition(one, two)
    assert not is_repetition(one, three)
    assert not is_repetition(frozenset(), frozenset())


def test_every_text_of_the_demonstration_at_high_risk_says_something():
    measured = 0
    for path in (*RECORDS.glob("*/*.json"), *(SCHEMAS / "examples").glob("*.json")):
        record = json.loads(path.read_text(encoding="utf-8"))
        if record.get("risk", {}).get("level") not in {"high", "unacceptable"}:
            continue
        contestation = record.get("rights", {}).get("contestation", {})
        texts = [
            record["risk"].get("rationale", {}),
            record.get("decision", {}).get("human_oversight", {}),
            contestation.get("procedure", {}),
        ]
        for text in texts:
            for written in text.values():
                assert says_something(content_words(written)), (path, written)
                measured += 1
    assert measured > 100
