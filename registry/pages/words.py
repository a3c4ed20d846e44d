"""Pages of words: the choice of language, about, and what is not found."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from registry import resources
from registry.errors import ConfigurationError
from registry.pages.labels import message
from registry.pages.reader import Text, say
from registry.pages.site import page, root_page
from registry.text.catalogues import SOURCE, find
from registry.text.locales import direction
from registry.text.markdown import render_page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from registry.pages.page import Page
    from registry.pages.site import Site

PAGES = ("about",)
_QUESTION = message("Which algorithms does the administration use?")
_LOST = message("There is no page at this address.")
_BACK = message("Back to the home page")


def word_pages(site: Site) -> Iterator[Page]:
    """Yield the pages of words."""
    for tag in site.editions:
        for name in PAGES:
            view = partial(_words, site, tag, name)
            yield page(site, tag, name, template="words.html", key="", view=view)
    yield root_page(site, "/", template="choice.html", view=partial(_choice, site))
    lost = partial(_not_found, site)
    yield root_page(site, "/404", template="not_found.html", view=lost, listed=False)


def _choice(site: Site) -> Mapping[str, Any]:
    names = {
        name.lang: name
        for edition in site.editions.values()
        if (name := say(edition.reader, site.corpus.pack.site_name))
    }
    return {"names": list(names.values()), "choices": _in_each(site, question=_QUESTION)}


def _not_found(site: Site) -> Mapping[str, Any]:
    return {"choices": _in_each(site, lost=_LOST, back=_BACK)}


def _in_each(site: Site, **messages: str) -> list[dict[str, Any]]:
    """Say messages in every language of the site; None where a language has no words for one."""
    choices = []
    for tag, edition in site.editions.items():
        said = {
            name: find(edition.reader.catalogues, (tag, SOURCE), wording)
            for name, wording in messages.items()
        }
        own = {name: words if found == tag else None for name, (found, words) in said.items()}
        choices.append({"locale": edition.reader.locale, **own})
    return choices


def _words(site: Site, tag: str, name: str) -> Mapping[str, Any]:
    """Read a page of words in the reader's language or its fallback; line one is the title."""
    folder = resources.SITE / "text"
    for lang in site.editions[tag].reader.order:
        path = folder / f"{name}.{lang}.md"
        if path.is_file():
            title, _, body = path.read_text("utf-8").partition("\n")
            text = Text(
                text=title.removeprefix("# ").strip(),
                lang=lang,
                dir=direction(lang),
                differs=lang != tag,
            )
            return {"title": text, "body": Markup(render_page(body))}  # noqa: S704  our own text
    raise ConfigurationError(f"{folder} has no {name}.<language>.md")
