"""The template environment of one reader: strict, escaping, and speaking the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

from jinja2 import (
    BytecodeCache,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
)
from jinja2.compiler import CodeGenerator
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from jinja2.runtime import Context, Macro
from markupsafe import Markup, escape

from registry.pages.reader import Reader, Text, comma_of, country, language, plain_bdi, semicolon_of
from registry.text.catalogues import find, find_plural
from registry.text.dates import format_date, read_duration
from registry.text.hosts import host_of, other_form
from registry.text.locales import direction, make_locale
from registry.text.numbers import format_money, format_number, format_percent
from registry.text.typesetting import typeset

_kept = lru_cache(maxsize=4096, typed=True)
_OF_CONSTANTS = ("_", "plain")
_SHARED = (
    "_marks.html",
    "_record.html",
    "_list.html",
    "_life.html",
    "_charts.html",
    "_changes.html",
    "_frame.html",
    "_proof.html",
)
"""Templates of which every other one knows the macros and the texts; each those before it."""


def make_environment(
    folder: Path, reader: Reader, shared: dict[str, Any], bytecode: BytecodeCache | None
) -> Environment:
    """Return the environment; `shared` holds what every page needs, such as the style sheet's name.

    Templates get `_`, `ngettext` (marked up with its language where it is a fallback) and
    `plain` and `plain_counted` (for titles and attributes, where no mark-up can stand).
    """
    environment = SiteEnvironment(
        loader=ChoiceLoader(
            [
                FileSystemLoader(folder),
                PrefixLoader({"console": FileSystemLoader(folder.with_name("console"))}),
            ]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        bytecode_cache=bytecode,
        cache_size=-1,
        extensions=[ConstantCalls],
    )
    pack, babel = reader.pack, reader.locale.babel
    comma = comma_of(reader)
    translations = _translations(reader)
    locales = [make_locale(tag, pack.country) for tag in pack.languages]
    environment.globals |= shared | translations
    environment.globals |= {
        "lang": reader.tag,
        "set_in": reader.locale.tag,
        "dir": reader.locale.dir,
        "locale": babel if "_" in babel else f"{babel}_{pack.country}",
        "locales": [(other.tag, other.dir, other.name) for other in locales],
        "bdi": plain_bdi,
        "other_host": _other_host,
        "slot": slot,
        "order": " ".join(reader.order),
        "comma": comma,
        "semicolon": semicolon_of(reader),
        "together": partial(together, comma),
        "duration": read_duration,
        "language": partial(language, reader),
        "country": lambda code: country(reader, code).inline,
        "number": _kept(lambda value: plain_bdi(format_number(value, babel))),
        "percent": _kept(lambda share: plain_bdi(format_percent(share, babel))),
        "money": lambda value, currency: plain_bdi(format_money(value, currency, babel)),
        "date": _kept(lambda value: _time(value, format_date(value, babel))),
    }
    environment.filters |= {"shortened": shortened, "bdi": plain_bdi, "typeset": typeset}
    environment.filters |= {name: translations[name] for name in _OF_CONSTANTS}
    for name in _SHARED:
        exported = vars(environment.get_template(name).module)
        environment.globals |= {
            name: value for name, value in exported.items() if isinstance(value, Macro | Markup)
        }
    # Of two arguments that are the same on nearly all pages.
    for name in ("site_sections", "site_footer"):
        macro: Any = environment.globals[name]
        environment.globals[name] = cache(macro)
    return environment


@lru_cache(maxsize=4096)
def _other_host(address: str) -> Markup:
    """Return the other form of the host of a link or mailbox, to stand behind it, if it has one."""
    other = other_form(host_of(address))
    form = "" if other is None else ' <bdi dir="ltr" class="address">({})</bdi>'
    return Markup(form).format(other)  # noqa: S704  constant texts


class SiteContext(Context):
    """The context of a page, whose functions and macros are called without being asked for."""

    def call(
        self,
        obj: Callable[..., Any],
        *args: Any,
        _block_vars: object = None,
        _loop_vars: object = None,
        **kwargs: Any,
    ) -> Any:
        """Call what a template calls; nothing of ours takes the context as an argument."""
        return obj(*args, **kwargs)


class SiteCode(CodeGenerator):
    """The code of templates, which writes mark-up as it is where Jinja's own makes a copy first."""

    def _output_child_pre(self, *_: object) -> None:
        self.write("environment.escape(")


class SiteEnvironment(Environment):
    """An environment for views made of dictionaries."""

    context_class = SiteContext
    code_generator_class = SiteCode

    @staticmethod
    def escape(value: object) -> Markup:
        """Return a value as mark-up."""
        return value if type(value) is Markup else escape(value)

    def make_globals(self, d: MutableMapping[str, Any] | None) -> dict[str, Any]:
        """Return a template's globals as one dictionary, since each context copies them.

        Jinja's own chains two, which takes ten times as long to copy.
        """
        return {**self.globals, **(d or {})}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return the member of a dictionary, or else the attribute."""
        if isinstance(obj, dict):
            try:
                return obj[attribute]
            except KeyError:
                pass
        return super().getattr(obj, attribute)


class ConstantCalls(Extension):
    """Reads `_("Search")`, a call with one constant text, as the filter `("Search"|_)`.

    Jinja evaluates filters of constants when it compiles a template, calls on every page.
    """

    def filter_stream(self, stream: TokenStream) -> list[Token]:
        """Return the tokens of a template."""
        tokens = list(stream)
        for at in range(len(tokens) - 3):
            name, opens, text, closes = call = tokens[at : at + 4]
            kinds = [token.type for token in call]
            if kinds == ["name", "lparen", "string", "rparen"] and name.value in _OF_CONSTANTS:
                pipe = Token(name.lineno, "pipe", "|")
                tokens[at : at + 4] = [opens, text, pipe, name, closes]
        return tokens


def shortened(text: str, limit: int = 240) -> str:
    """Return a text cut between two words, with an ellipsis."""
    if len(text) <= limit:
        return text
    return f"{text[:limit].rpartition(' ')[0] or text[:limit]}…"


def together(comma: str, texts: Iterable[Text]) -> Markup:
    """Return wordings one after the other within a line."""
    return Markup(comma.join([text.inline for text in texts]))  # noqa: S704  each is escaped


def slot(name: str) -> Markup:
    """Return an element that a script fills."""
    return Markup('<bdi data-slot="{}"></bdi>').format(name)


def _time(value: str, words: str) -> Markup:
    return Markup(f'<time datetime="{escape(value)}">{escape(words)}</time>')  # noqa: S704  escaped


def _translations(reader: Reader) -> dict[str, Callable[..., Any]]:
    catalogues, order = reader.catalogues, reader.order

    def marked(tag: str, html: str, values: Mapping[str, object]) -> Markup:
        shown = {name: escape(value) for name, value in values.items()}
        if tag == reader.locale.tag:
            return Markup(html % shown if shown else html)  # noqa: S704  escaped
        # What is put into a sentence of another language stays in the page's own.
        set_in = reader.locale.tag
        own = {name: f'<bdi lang="{set_in}">{value}</bdi>' for name, value in shown.items()}
        words = html % own if own else html
        return Markup(f'<span lang="{tag}" dir="{direction(tag)}">{words}</span>')  # noqa: S704

    @cache
    def found(message: str) -> tuple[str, str]:
        tag, wording = find(catalogues, order, message)
        return tag, str(escape(typeset(wording, tag)))

    @cache
    def without_values(message: str) -> Markup:
        return marked(*found(message), {})

    def translate(message: str, /, **values: object) -> Markup:
        return marked(*found(message), values) if values else without_values(message)

    @_kept
    def translate_counted(one: str, many: str, number: int, /, **values: object) -> Markup:
        tag, wording = find_plural(catalogues, order, one, many, number)
        shown = plain_bdi(format_number(number, reader.locale.babel))
        return marked(tag, str(escape(typeset(wording, tag))), {"n": shown, **values})

    def plain(message: str, /, **values: object) -> str:
        tag, wording = find(catalogues, order, message)
        wording = typeset(wording, tag)
        return wording % values if values else wording

    def plain_counted(one: str, many: str, number: int, /) -> str:
        tag, wording = find_plural(catalogues, order, one, many, number)
        return typeset(wording, tag) % {"n": format_number(number, reader.locale.babel)}

    return {
        "_": translate,
        "ngettext": translate_counted,
        "plain": plain,
        "plain_counted": plain_counted,
    }
