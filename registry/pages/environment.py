"""The template environment of one reader: strict, escaping, and speaking the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.runtime import Macro
from markupsafe import Markup, escape

from registry.pages.compiling import Compiling
from registry.pages.reader import Reader, Text, language, plain_bdi
from registry.text.catalogues import find, find_plural
from registry.text.dates import format_date, read_duration
from registry.text.locales import country_name, direction, make_locale
from registry.text.numbers import format_money, format_number, format_percent
from registry.text.typesetting import typeset

_kept = lru_cache(maxsize=4096, typed=True)
_MACROS = ("_marks.html", "_record.html", "_list.html", "_charts.html", "_changes.html")


def make_environment(
    folder: Path, reader: Reader, shared: dict[str, Any], compiled: BytecodeCache | None
) -> Environment:
    """Make the environment; `shared` holds what every page needs, such as the style sheet's name.

    Templates get `_`, `ngettext` (marked up with its language where it is a fallback) and
    `plain` (for titles and attributes, where no mark-up can stand).
    """
    environment = Compiling(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        bytecode_cache=compiled,
        cache_size=-1,
    )
    pack, babel = reader.pack, reader.locale.babel
    comma = "، " if reader.tag == "ar" else ", "
    environment.filters |= {"shortened": shortened, "bdi": plain_bdi}
    environment.learn(shared | _translations(reader))
    environment.learn(
        {
            "lang": reader.tag,
            "dir": reader.locale.dir,
            "locale": babel if "_" in babel else f"{babel}_{pack.country}",
            "locales": [make_locale(other, pack.country) for other in pack.languages],
            "bdi": plain_bdi,
            "slot": slot,
            "comma": comma,
            "together": partial(together, comma),
            "duration": read_duration,
            "language": partial(language, reader),
            "country": lambda code: country_name(code, babel),
            "number": _kept(lambda value: plain_bdi(format_number(value, babel))),
            "percent": _kept(lambda share: plain_bdi(format_percent(share, babel))),
            "money": lambda value, currency: plain_bdi(format_money(value, currency, babel)),
            "date": _kept(lambda value: _time(value, format_date(value, babel))),
        }
    )
    # Once, not in every template that uses them: an import costs more than the macro.
    for file in _MACROS:
        module = environment.get_template(file).module
        environment.learn(
            {name: value for name, value in vars(module).items() if isinstance(value, Macro)}
        )
    return environment


def shortened(text: str, limit: int = 240) -> str:
    """Cut a text for a list between two words, with a mark that it goes on."""
    if len(text) <= limit:
        return text
    return f"{text[:limit].rpartition(' ')[0] or text[:limit]}…"


def together(comma: str, texts: Iterable[Text]) -> Markup:
    """Write wordings one after the other within a line."""
    return Markup(comma.join([text.inline for text in texts]))  # noqa: S704  each is escaped


def slot(name: str) -> Markup:
    """Leave a place in a template that a script fills."""
    return Markup('<bdi data-slot="{}"></bdi>').format(name)


def _time(value: str, words: str) -> Markup:
    return Markup(f'<time datetime="{escape(value)}">{escape(words)}</time>')  # noqa: S704  escaped


def _translations(reader: Reader) -> dict[str, Callable[..., Any]]:
    catalogues, order = reader.catalogues, reader.order
    bdi = Markup('<bdi lang="{}">{}</bdi>')

    def marked(tag: str, html: Markup, values: Mapping[str, object]) -> Markup:
        if tag == reader.tag:
            return html % values if values else html
        # What is put into a sentence of another language stays in the reader's own.
        own = {name: bdi.format(reader.tag, value) for name, value in values.items()}
        words = html % own if own else html
        return Markup(f'<span lang="{tag}" dir="{direction(tag)}">{words}</span>')  # noqa: S704

    @cache
    def without_values(message: str) -> Markup:
        tag, wording = find(catalogues, order, message)
        return marked(tag, escape(typeset(wording, tag)), {})

    def translate(message: str, /, **values: object) -> Markup:
        if not values:
            return without_values(message)
        tag, wording = find(catalogues, order, message)
        return marked(tag, escape(typeset(wording, tag)), values)

    @_kept
    def translate_counted(one: str, many: str, number: int, /, **values: object) -> Markup:
        tag, wording = find_plural(catalogues, order, one, many, number)
        shown = plain_bdi(format_number(number, reader.locale.babel))
        return marked(tag, escape(typeset(wording, tag)), {"n": shown, **values})

    def plain(message: str, /, **values: object) -> str:
        tag, wording = find(catalogues, order, message)
        wording = typeset(wording, tag)
        return wording % values if values else wording

    return {"_": translate, "ngettext": translate_counted, "plain": plain}
