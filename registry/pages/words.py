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
    yield _root(site, "/404", "not_found.html", dict)
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
    choices = []
    for tag, edition in site.editions.items():
        found, question = find(edition.reader.catalogues, (tag, SOURCE), _QUESTION)
        choices.append(
            {"locale": edition.reader.locale, "question": question if found == tag else None}
        )
    return {"names": list(names.values()), "choices": choices}


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
