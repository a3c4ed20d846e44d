"""Pages of prose: the choice of language, about and its neighbours, and what is not found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup

from registry import resources
from registry.errors import ConfigurationError
from registry.pages.cards import counted
from registry.pages.labels import message
from registry.pages.legal_facts import legal_fact_view
from registry.pages.page import Page, digest
from registry.pages.reader import Reader, in_language, label, say, translated
from registry.pages.site import Site, page, root_page
from registry.text.catalogues import SOURCE
from registry.text.locales import make_locale
from registry.text.markdown import render_page
from registry.text.typesetting import typeset

PAGES = (
    "about",
    "glossary",
    "limits",
    "for-agencies",
    "contest",
    "feeds",
    "faq",
    "contact",
    "legal",
    "privacy",
    "accessibility",
)
_TEMPLATES = {"contest": "contest.html"} | dict.fromkeys(
    ("contact", "legal", "privacy", "accessibility"), "operator.html"
)
_QUESTION = message("Which algorithms does the administration use?")
_LOST = message("There is no page at this address.")
_BACK = message("Back to the home page")
_SOUGHT = message("Which system are you looking for?")
_SEARCH = message("Search")
_LINK = re.compile(r'(?<=href=")(?![a-z]+:|#)([^"]*)')


def prose_pages(site: Site) -> Iterator[Page]:
    """Yield the pages of words."""
    for tag in site.editions:
        for name in PAGES:
            template = _TEMPLATES.get(name, "words.html")
            made = {"contest": _contest, "for-agencies": _for_agencies}.get(name, words_view)
            key = digest(str(site.has_console)) if name == "for-agencies" else ""
            key = digest(*_sectors(site)) if name == "contest" else key
            view = partial(made, site, tag, name)
            yield page(site, tag, name, template=template, key=key, view=view)
    yield root_page(site, "/", template="choice.html", view=partial(_choice, site))
    lost = {"choices": _in_each(site, lost=_LOST, back=_BACK, sought=_SOUGHT, search=_SEARCH)}
    yield root_page(site, "/404", template="not_found.html", view=partial(dict, lost), listed=False)


def words_view(site: Site, tag: str, name: str, *, without: Iterable[str] = ()) -> dict[str, Any]:
    """Read a page of words in the reader's language or its fallback; line one is the title.

    Parts named in `without` by their anchors are left out.
    """
    lang, text = _read_words(site.editions[tag].reader, name)
    for part in without:
        text = re.sub(rf"(?ms)^## [^\n]*{{#{part}}}\n.*?(?=^## |\Z)", "", text)
    return markdown_view(site, tag, lang, text)


def _read_words(reader: Reader, name: str) -> tuple[str, str]:
    folder = resources.SITE / "text"
    for lang in (*reader.order, SOURCE):
        path = folder / f"{name}.{lang}.md"
        if path.is_file():
            return lang, path.read_text("utf-8")
    raise ConfigurationError(f"{folder} has no {name}.<language>.md")


def markdown_view(site: Site, tag: str, lang: str, text: str) -> dict[str, Any]:
    """Return our own Markdown as a view; links in it begin at `/<language>/`.

    `{time limit}` in it is the country's, for contesting a decision.
    """
    title, _, body = typeset(text, lang).partition("\n")
    prefix = urlsplit(site.base_url).path.rstrip("/")

    def place(found: re.Match[str]) -> str:
        address = found[1]
        return f"{prefix}{address if address.startswith('/') else f'/{tag}/{address}'}"

    html = _LINK.sub(place, render_page(body))
    # What may be wider than a phone is scrolled, by keyboard too.
    html = html.replace("<pre>", '<pre tabindex="0">').replace("</table>", "</table></div>")
    html = html.replace("<table>", '<div class="scroll" tabindex="0"><table>')
    templates = site.editions[lang if lang in site.editions else tag].templates
    in_general: Any = templates.globals["in_general"]
    html = html.replace("{time limit}", in_general())
    return {
        "title": in_language(site.editions[tag].reader, title.removeprefix("# ").strip(), lang),
        "body": Markup(html),  # noqa: S704  our own text
    }


def _for_agencies(site: Site, tag: str, name: str) -> dict[str, Any]:
    """Return how agencies file; the way by the console only where there is one."""
    return words_view(site, tag, name, without=() if site.has_console else ("office",))


def _contest(site: Site, tag: str, name: str) -> dict[str, Any]:
    """Return how to contest: what happened, the steps, who helps, and what the law gives."""
    reader = site.editions[tag].reader
    lang, text = _read_words(reader, name)
    intro, _, steps = text.partition("\n## ")
    pack = site.snapshot.pack
    return markdown_view(site, tag, lang, intro) | {
        "steps": markdown_view(site, tag, lang, f"\n## {steps}")["body"],
        "sectors": [
            {"path": f"sectors/{code}", "name": label(reader, "sector", code)}
            for code in _sectors(site)
        ],
        "bodies": [legal_fact_view(reader, body) for body in pack.redress_bodies],
        "rights": [legal_fact_view(reader, right) for right in pack.rights],
    }


def _sectors(site: Site) -> list[str]:
    """Return the sectors in which something was filed here, in the order of their list."""
    found = {card.sector for card in counted(list(site.cards.values()))}
    return [code for code in site.lists["sector"] if code in found]


def _choice(site: Site) -> Mapping[str, Any]:
    names = {
        name.lang: name
        for edition in site.editions.values()
        if (name := say(edition.reader, site.snapshot.pack.site_name))
    }
    return {"names": list(names.values()), "choices": _in_each(site, question=_QUESTION)}


def _in_each(site: Site, **messages: str) -> list[dict[str, Any]]:
    """Return messages for the readers of every language of the site, set as their pages are."""
    return [
        {
            "locale": edition.reader.locale,
            "own": make_locale(tag, site.snapshot.pack.country),
            **{name: translated(edition.reader, wording) for name, wording in messages.items()},
        }
        for tag, edition in site.editions.items()
    ]
