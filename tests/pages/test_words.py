"""One word for one thing: the words of schemas/languages/words.csv, kept everywhere."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from babel.messages.pofile import read_po

from registry import resources
from registry.record.codelists import codelists
from registry.text.locales import make_locale
from registry.text.typesetting import format_money

ROOT = Path(__file__).parents[2]
PACKS = resources.SCHEMAS / "packs"
WORDS = list(csv.DictReader((resources.LANGUAGES / "words.csv").read_text("utf-8").splitlines()))
NEVER = {
    lang: re.compile("|".join(row[f"never_{lang}"] for row in WORDS if row[f"never_{lang}"]))
    for lang in ("ar", "fr")
}
CHOSEN = {
    "ar": {
        "Filters": "التصفية",
        "Clear all filters": "إزالة كل عوامل التصفية",
        "%(n)s record found": "عُثر على بطاقتين",
        "Entry in the log": "رقمه في دفتر القيود",
        "Version": "الإصدار",
        "What is struck through went, what is underlined came.": "ما شُطب حُذف، وما تحته خط جديد.",
        "This record as data": "بيانات هذه البطاقة",
        "Whom to write to first": "من تراسل أولا",
    },
    "fr": {
        "Overdue reviews": "Réexamens en retard",
        "Next review first": "Prochain réexamen d’abord",
        "Download these results, or ask for them from a program":
            "Télécharger ces résultats, ou les interroger par programme",
        "Receive the changes (feed):": "Recevoir les changements (flux RSS) :",
        "Algorithmic impact assessment score": "Score de l’évaluation d’impact algorithmique",
        "Whom to write to first": "À qui écrire d’abord",
    },
}  # fmt: skip
"""Wordings that were chosen with care, by the English one: a plain translation of it is worse."""

STRAIGHT = re.compile(r"(?<=[^\W\d_])'(?=[^\W\d_])")
BY_HAND = re.compile(r"(?:_|plain|ngettext)\([^{}]*\) \}\}:")


def messages(lang):
    for kind in ("site", "format"):
        for path in sorted((resources.LANGUAGES / lang / kind).glob("*.po")):
            with path.open("rb") as file:
                for message in read_po(file):
                    if message.id:
                        one = message.id if isinstance(message.id, str) else message.id[0]
                        forms = message.string
                        yield path.name, one, [forms] if isinstance(forms, str) else list(forms)


def texts(lang):
    """Every wording in a language, with its place."""
    for name, one, forms in messages(lang):
        for form in forms:
            yield f"{name}: {one}", form
    for folder in (resources.LANGUAGES / lang / "texts", ROOT / "docs/filing-guide" / lang):
        paths = folder.glob("*.md")
        for path in sorted(paths):
            for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
                yield f"{path.name}:{number}", line
    yield from codes(lang)


def codes(lang):
    """Every label and description of code lists and of the pack."""
    lists = [*resources.SCHEMAS.glob("record/1.0/codelists/*.csv"), *PACKS.glob("ma/*.csv")]
    for path in sorted(lists):
        if path.stem not in ("synonyms", "services"):
            for row in csv.DictReader(path.read_text("utf-8").splitlines()):
                for column, text in row.items():
                    if column.endswith(f"_{lang}"):
                        yield f"{path.name}: {column}", text or ""


def test_every_word_of_the_glossary_is_used():
    for lang in ("ar", "fr"):
        every = "\n".join(text for _, text in texts(lang)).casefold()
        words = [word for row in WORDS for word in re.split(r", ", row[lang])]
        stems = {word: re.sub(r"^(?:ال|أنت$)", "", word).casefold() for word in words}
        assert [word for word, stem in stems.items() if stem not in every] == [], lang


def test_no_word_that_another_one_has_replaced():
    found = [
        place for lang, never in NEVER.items() for place, text in texts(lang) if never.search(text)
    ]
    assert not found, "\n".join(found)


def test_wordings_that_were_chosen_stay():
    for lang, chosen in CHOSEN.items():
        said = {one: forms for _, one, forms in messages(lang)}
        assert [one for one, words in chosen.items() if words not in said.get(one, ())] == [], lang
    never = codelists()["oversight_type"]["none"].label
    assert (never["fr"], never["ar"]) == ("Jamais", "لا يتدخل أحد")
    money = format_money(640_000, "MAD", make_locale("ar", "MA").babel)
    assert "درهم" in money
    assert "MAD" not in money


def test_a_version_is_no_copy_in_arabic():
    about_copies = re.compile(r"cop(?:y|ies|ied)", re.IGNORECASE)
    found = [
        f"{name}: {one}"
        for name, one, forms in messages("ar")
        if re.search(r"\bversions?\b", one, re.IGNORECASE) and not about_copies.search(one)
        for form in forms
        if re.search(r"(?<!\w)[وفبل]?(?:ال|لل)?نسخ(?:ة|تين|ها)?(?!\w)", form)
    ]
    assert not found, "\n".join(found)


def test_a_review_of_a_record_is_no_magazine_in_french():
    found = [
        f"{name}: {one}"
        for name, one, forms in messages("fr")
        for form in forms
        if "review" in one.lower() and re.search(r"\brevues?\b", form, re.IGNORECASE)
    ]
    assert not found, "\n".join(found)


def test_apostrophes_are_of_one_kind():
    found = [
        place
        for lang in ("ar", "fr")
        for place, text in texts(lang)
        if STRAIGHT.search(re.sub(r"`[^`]*`", "", text))
    ]
    # What others write in the pack of their country is theirs.
    for path in sorted(path for code in ("ma", "sn") for path in (PACKS / code).iterdir()):
        # What search compares is folded, whichever apostrophe it has.
        if path.suffix in (".csv", ".json") and path.stem not in ("synonyms", "services"):
            for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
                if STRAIGHT.search(line):
                    found.append(f"{path.parent.name}/{path.name}:{number}")
    assert not found, "\n".join(found)


def test_a_colon_stands_inside_its_message():
    found = [
        f"{path.name}:{number}"
        for folder in ("templates", "console")
        for path in sorted((resources.SITE / folder).rglob("*.html"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if BY_HAND.search(line)
    ]
    assert not found, "\n".join(found)
