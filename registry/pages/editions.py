"""The editions of a site: in each language a reader and an environment of templates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from jinja2 import (
    BytecodeCache,
    ChoiceLoader,
    Environment,
    FileSystemBytecodeCache,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
)
from jinja2.compiler import CodeGenerator
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from jinja2.runtime import Context, Macro
from markupsafe import Markup, escape

from registry import resources
from registry.pages.assets import Assets
from registry.pages.digests import program_digest
from registry.pages.labels import event_row, legal_fact_view, message, read_labels, read_lists
from registry.pages.reader import (
    Reader,
    Text,
    comma_of,
    country,
    label,
    language,
    make_reader,
    plain_bdi,
    say,
    semicolon_of,
)
from registry.pages.views.document_view import field_meaning, field_name
from registry.record.codelists import CodeList
from registry.record.law import article_number
from registry.record.life_events import life_events
from registry.record.model import NOT_STATED
from registry.record.pack import Pack
from registry.text.catalogues import SOURCE, Catalogue, Kind, find, find_plural, load_catalogues
from registry.text.dates import format_date, months_of, read_duration
from registry.text.locales import direction, script_locale
from registry.text.text_safety import host_of, other_form
from registry.text.typesetting import format_money, format_number, format_percent, typeset

_kept = lru_cache(maxsize=4096, typed=True)
_OF_CONSTANTS = ("_", "plain")
_SHARED = (
    "_marks.html",
    "_changes.html",
    "_record.html",
    "_list.html",
    "_life.html",
    "_charts.html",
    "_frame.html",
    "_proof.html",
    "_law.html",
    "_steps.html",
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
    locales = [pack.locale(tag) for tag in pack.languages]
    environment.globals |= shared | translations
    environment.globals |= {
        "lang": reader.tag,
        "set_in": reader.locale.tag,
        "dir": reader.locale.dir,
        "locale": f"{reader.locale.tag}_{pack.country}".replace("-", "_"),
        "script_locales": " ".join(
            script_locale(tag, pack.country)
            for tag in dict.fromkeys((reader.locale.tag, *reader.order, SOURCE))
        ),
        "own_months": months_of(reader.locale.babel),
        "locales": [(other.tag, other.dir, other.name) for other in locales],
        "bdi": plain_bdi,
        "other_host": _other_host,
        "slot": slot,
        "article_number": article_number,
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


_CONTACT = message("Contact")


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """The site in one language."""

    reader: Reader
    templates: Environment


def open_editions(
    pack: Pack, assets: Assets, base_url: str, *, bytecode: Path | None
) -> dict[str, Edition]:
    """Return an edition for each language of the pack; `bytecode` is a folder for Jinja's cache."""
    translated = tuple(tag for tag in pack.languages if tag != SOURCE)
    catalogues, titles = _catalogues("site", translated), _catalogues("format", translated)
    lists = read_lists(pack)
    labels = read_labels(lists, catalogues)
    readers = [make_reader(tag, pack, catalogues, titles, labels) for tag in pack.languages]
    if bytecode is not None:
        bytecode.mkdir(parents=True, exist_ok=True)
        for path in bytecode.iterdir():
            if not path.name.startswith(program_digest()):
                path.unlink(missing_ok=True)
    return {
        reader.tag: Edition(
            reader=reader,
            templates=_templates(reader, lists, assets, base_url, _cache(bytecode, reader)),
        )
        for reader in readers
    }


def load_templates(editions: Iterable[Edition]) -> None:
    """Load the templates of all pages of the site, so that forks of this process share them."""
    for edition in editions:
        for name in edition.templates.list_templates():
            if name.endswith(".html") and not name.startswith(("_", "console/")):
                edition.templates.get_template(name)


@lru_cache(maxsize=4)
def _catalogues(kind: Kind, tags: Sequence[str]) -> dict[str, Catalogue]:
    return load_catalogues(kind, tags)


def _cache(bytecode: Path | None, reader: Reader) -> BytecodeCache | None:
    """Return the cache of one language: wordings are part of what is compiled."""
    if bytecode is None:
        return None
    return FileSystemBytecodeCache(str(bytecode), f"{program_digest()}-{'-'.join(reader.order)}-%s")


def _operator(reader: Reader) -> dict[str, object]:
    """Return who keeps the register, in the reader's words."""
    operator = reader.pack.operator
    return {
        "email": operator.email,
        "url": operator.url,
        "phone": operator.phone,
        **{
            name: say(reader, getattr(operator, name))
            for name in ("name", "post", "legal", "privacy")
        },
    }


def _contacts(reader: Reader) -> list[tuple[str, str, str]]:
    """Return the language, direction and words of a link to each language's contact page."""
    found = (
        (tag, find(reader.catalogues, (tag, SOURCE), _CONTACT)) for tag in reader.pack.languages
    )
    return [(tag, direction(tag), words) for tag, (own, words) in found if own == tag]


def _templates(
    reader: Reader,
    lists: Mapping[str, CodeList],
    assets: Assets,
    base_url: str,
    compiled: BytecodeCache | None,
) -> Environment:
    prefix = urlsplit(base_url).path.rstrip("/")
    deadlines = [legal_fact_view(reader, one) for one in reader.pack.deadlines]
    shared = {
        "base_url": base_url,
        "prefix": prefix,
        "stylesheet": assets.stylesheet,
        "feed_stylesheet": f"{prefix}/{assets.feed_stylesheet}",
        "icon": assets.icon,
        "picture": assets.card,
        "fonts": assets.fonts,
        "scripts": assets.scripts,
        "site_name": say(reader, reader.pack.site_name),
        "life_events": [event_row(reader, event) for event in life_events()],
        "redress": say(reader, reader.pack.redress),
        "title": partial(field_name, reader),
        "meaning_of": partial(field_meaning, reader),
        "code_meaning": partial(_code_meaning, reader, lists),
        "operator": _operator(reader),
        "deadlines": deadlines,
        "time_limit": next((one for one in deadlines if one["code"] == "contest"), None),
        "data_law": say(reader, reader.pack.laws["personal_data"]),
        "contacts": _contacts(reader),
        "bases": {
            code: label(reader, "redaction_reason", code)
            for code in reader.labels["redaction_reason"]
            if code != NOT_STATED
        },
        "not_stated": {name: label(reader, name, NOT_STATED) for name in ("risk_level", "status")},
        "url": lambda path: f"{prefix}/{reader.tag}/{path}",
        "api": lambda path: f"{prefix}/api/v1/{path}",
    }
    return make_environment(resources.SITE / "templates", reader, shared, compiled)


def _code_meaning(
    reader: Reader, lists: Mapping[str, CodeList], codelist: str, code: str
) -> Text | None:
    """Return the description of a code, where its list has one."""
    known = lists[codelist].get(code)
    return say(reader, known.description) if known else None
