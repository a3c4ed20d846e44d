"""The pages of the problem types: what happened and what to do, in every language with words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

import msgspec
from markupsafe import Markup

from registry import resources
from registry.errors import RegistryError
from registry.pages.labels import message
from registry.pages.page import Page
from registry.pages.site import Site, root_page
from registry.text.catalogues import SOURCE, find
from registry.text.locales import direction
from registry.text.markdown import render_page

_TO_DO = message("What to do")
_SECTION = re.compile(r"^##? (.+?)(?: \{#([a-z-]+)\})?$", re.MULTILINE)


class Wording(msgspec.Struct, frozen=True, kw_only=True):
    """What one language says, in Markdown; `to_do` stands above the remedy."""

    lang: str
    title: str
    happened: str
    remedy: str
    to_do: str

    @property
    def dir(self) -> str:
        """The direction of the language."""
        return direction(self.lang)

    def html(self, part: str) -> Markup:
        """Render a part of our own text."""
        return Markup(render_page(part))  # noqa: S704


class ProblemType(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of error; `words` are in English first."""

    slug: str
    title: str
    exit_code: int
    words: list[Wording]


def error_types() -> list[type[RegistryError]]:
    """Return the classes of errors that have a slug, by slug; others are of the class above."""
    tree = [RegistryError]
    for error in tree:
        tree += error.__subclasses__()
    return sorted((error for error in tree if "slug" in vars(error)), key=lambda error: error.slug)


def problem_pages(site: Site) -> Iterator[Page]:
    """Yield the list of problem types and the page of each."""
    tags = (SOURCE, *(tag for tag in site.editions if tag != SOURCE))
    words = {tag: _read_words(site, tag) for tag in tags}
    problems = [
        ProblemType(
            slug=error.slug,
            title=error.title,
            exit_code=error.exit_code,
            words=[words[tag][error.slug] for tag in tags if error.slug in words[tag]],
        )
        for error in error_types()
    ]
    known = {
        "problems": problems,
        "intros": [said[""] for said in words.values() if said],
        "home": SOURCE if SOURCE in site.editions else next(iter(site.editions)),
    }
    yield root_page(site, "/problems/", template="problems.html", view=partial(dict, known))
    for problem in problems:
        yield root_page(
            site,
            f"/problems/{problem.slug}",
            template="problem.html",
            view=partial(dict, {"problem": problem}),
        )


def _read_words(site: Site, tag: str) -> dict[str, Wording]:
    """Read `site/text/problems.<tag>.md` by slug; under `""` stands what it says of all."""
    path = resources.SITE / "text" / f"problems.{tag}.md"
    if not path.is_file():
        return {}
    # English needs no catalogue, and no edition of the site.
    catalogues = {} if tag == SOURCE else site.editions[tag].reader.catalogues
    _, to_do = find(catalogues, (tag,), _TO_DO)
    _, *parts = _SECTION.split(path.read_text("utf-8"))
    found = {}
    for title, slug, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        happened, _, remedy = body.strip().partition("\n\n")
        found[slug or ""] = Wording(
            lang=tag, title=title, happened=happened, remedy=remedy, to_do=to_do
        )
    return found
