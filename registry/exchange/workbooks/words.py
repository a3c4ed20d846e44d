"""The words of a workbook in one language: titles, choices of codes, sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from registry.record.codelists import codelists
from registry.record.messages import (
    Message,
    MessageValue,
    PlainLanguage,
    message,
    render,
    render_title,
)
from registry.record.pack import Pack
from registry.record.schema import Field, FieldKind
from registry.record.values import NOT_STORED
from registry.text.catalogues import SOURCE
from registry.text.dates import duration_words
from registry.text.folding import fold
from registry.text.locales import country_codes, country_name, language_name, make_locale
from registry.text.locales import pick as pick_text

COUNTRIES, LANGUAGES, BOOLEANS = "countries", "languages", "booleans"
"""The names of choices that are no code lists."""

_OTHER_CHOICES: Mapping[FieldKind, tuple[str, ...]] = {
    "boolean": (BOOLEANS,),
    "country": (COUNTRIES,),
    "language": (LANGUAGES,),
}

_NONE = message("There is none")
_NOT_STORED = message("not stored at all")


class WorkbookWords:
    """What a workbook says in a language; what that lacks is said in the next of the pack's."""

    def __init__(self, pack: Pack, language: str) -> None:
        """Take the country whose codes and languages they are."""
        self.pack = pack
        self.language = PlainLanguage(language)
        self._locale = make_locale(language, pack.country).babel
        self._read: dict[tuple[str, ...], dict[str, str]] = {}

    def say(self, text: str, **values: MessageValue) -> str:
        """Return a sentence."""
        return self.render(Message(message=text, values=values))

    def render(self, saying: Message) -> str:
        """Return a message as text."""
        return render(saying, self.language, self.pack.fallback)

    def title(self, text: str) -> str:
        """Return a title or description of the format."""
        return render_title(text, self.language, self.pack.fallback)

    def language_name(self, tag: str) -> str:
        """Return the name of a language."""
        return language_name(tag, self._locale)

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages of the pack, with this one first."""
        return tuple(dict.fromkeys((*self._own, *self.pack.languages)))

    @property
    def _own(self) -> tuple[str, ...]:
        return (self.language,) if self.language in self.pack.languages else ()

    def is_none(self, given: str) -> bool:
        """Return whether a text says, in any language, that a list has no entry."""
        return self._is(_NONE, given)

    def is_not_stored(self, given: str) -> bool:
        """Return whether a text says, in any language, that nothing is stored."""
        return self._is(_NOT_STORED, given)

    def _is(self, saying: Message, given: str) -> bool:
        return _folded(given) in {
            _folded(render(saying, tag, ())) for tag in (*self.pack.languages, SOURCE)
        }

    def period(self, value: str) -> str:
        """Return a period of retention in words."""
        if value == NOT_STORED:
            return self.render(_NOT_STORED)
        return duration_words(value, self.language)

    def choices(self, name: str) -> dict[str, str]:
        """Return the labels of the codes of a list, or of what `choices_of` names besides."""
        return {code: self.pick(texts) for code, texts in self._texts(name).items()}

    def label(self, names: Sequence[str], code: str) -> str:
        """Return the label of a code, or the code if the lists do not have it."""
        found = (self._texts(name).get(code) for name in names)
        texts = next((texts for texts in found if texts is not None), None)
        return self.pick(texts) if texts else code

    def code(self, names: Sequence[str], given: str) -> str | None:
        """Return the code that is written as such, or as its label in any language, or None."""
        key = tuple(names)
        if key not in self._read:
            known: dict[str, str] = {}
            for name in names:
                for code, texts in self._texts(name).items():
                    known.setdefault(fold(code), code)
                    for text in texts.values():
                        known.setdefault(_folded(text), code)
            self._read[key] = known
        return self._read[key].get(_folded(given))

    def pick(self, texts: Mapping[str, str]) -> str:
        """Return a text by language in this one, or else the next of the pack's."""
        found = pick_text(texts, self.language, (*self.pack.fallback, SOURCE))
        return found[1] if found else ""

    def _texts(self, name: str) -> Mapping[str, Mapping[str, str]]:
        """Return the labels of codes by language."""
        tags = dict.fromkeys((*self.pack.languages, SOURCE))
        locales = {tag: make_locale(tag, self.pack.country).babel for tag in tags}
        if name == COUNTRIES:
            return {
                code: {tag: country_name(code, locale) for tag, locale in locales.items()}
                for code in country_codes()
            }
        if name == LANGUAGES:
            return {
                one: {tag: language_name(one, locale) for tag, locale in locales.items()}
                for one in tags
            }
        if name == BOOLEANS:
            answers = codelists()["answer"]
            return {"true": answers["yes"].label, "false": answers["no"].label}
        return {code: held.label for code, held in self.pack.codes([name]).items()}


def choices_of(field: Field) -> tuple[str, ...]:
    """Return the names of the lists that a field's value is chosen from; none for other values."""
    return field.lists or _OTHER_CHOICES.get(field.holds, ())


def _folded(text: str) -> str:
    return " ".join(fold(text).split())
