"""Pages of words: the choice of language, about, the problem types, and what is not found."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from markupsafe import Markup

from registry import resources
from registry.errors import ConfigurationError, RegistryError
from registry.pages.labels import message
from registry.pages.page import Page, digest, page_file
from registry.pages.reader import Text, say
from registry.pages.site import page
from registry.text.catalogues import SOURCE, find
from registry.text.locales import direction
from registry.text.markdown import render_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from registry.pages.site import Site

PAGES = ("about",)
_QUESTION = message("Which algorithms does the administration use?")
_LOST = message("There is no page at this address.")
_BACK = message("Back to the home page")


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of error, as its page explains it; `remedy` is Markdown."""

    slug: str
    title: str
    meaning: str
    exit_code: int
    remedy: str


def problems() -> list[Problem]:
    """Read the problem types from the error tree; how to mend each is in `site/text/problems/`."""
    found = []
    tree: list[type[RegistryError]] = [RegistryError, *RegistryError.__subclasses__()]
    for error in tree:
        path = resources.SITE / "text" / "problems" / f"{error.slug}.md"
        found.append(
            Problem(
                slug=error.slug,
                title=error.title,
                meaning=(error.__doc__ or "").strip().split("\n\n")[0],
                exit_code=error.exit_code,
                remedy=path.read_text("utf-8") if path.is_file() else "",
            )
        )
    return sorted(found, key=lambda problem: problem.slug)


def word_pages(site: Site) -> Iterator[Page]:
    """Yield the pages of words."""
    for tag in site.editions:
        for name in PAGES:
            view = partial(_words, site, tag, name)
            yield page(site, tag, name, template="words.html", key="", view=view)
    yield _root(site, "/", "choice.html", partial(_choice, site))
    yield _root(site, "/404", "not_found.html", partial(_not_found, site))
    kinds = problems()
    yield _root(site, "/problems/", "problems.html", partial(dict, problems=kinds))
    for problem in kinds:
        view = partial(_problem, problem)
        yield _root(site, f"/problems/{problem.slug}", "problem.html", view)


def _root(site: Site, path: str, template: str, view: Callable[[], Mapping[str, Any]]) -> Page:
    """Make a page outside the languages: English, but for the choice of language itself."""
    tag = "en" if path.startswith("/problems/") else site.corpus.pack.languages[0]

    def render() -> bytes:
        templates = site.editions[tag].templates
        return templates.get_template(template).render(**view()).encode()

    return Page(file=page_file(path), key=digest(site.ground, path, template), render=render)


def _problem(problem: Problem) -> Mapping[str, Any]:
    remedy = Markup(render_page(problem.remedy))  # noqa: S704  our own text
    return {"problem": problem, "remedy": remedy}


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
