"""The pages of the form: which fields stand together, and in which order they are asked.

Every unit of the format stands on one page. The first two pages hold the answers that decide what
else is asked: the facts that the risk floor is computed from, and the level.
"""

from __future__ import annotations

from functools import cache

import msgspec

from registry.errors import ConfigurationError
from registry.pages.labels import message
from registry.record.requirements import Unit, units

_SET_BY_THE_FORM = ("/id", "/schema_version")


class FormPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the form; `places` are pointers of units, or of sections with all their units."""

    slug: str
    title: str
    places: tuple[str, ...]


PAGES = (
    FormPage(
        slug="system",
        title=message("What the system does"),
        places=(
            "/sector/function",
            "/sector/primary",
            "/lifecycle/status",
            "/decision/role",
            "/decision/legal_effect",
            "/purpose/affected_groups",
            "/data/personal_data",
            "/data/categories",
            "/data/sensitive",
            "/technical/techniques",
            "/risk/annex_iii_area",
        ),
    ),
    FormPage(slug="risk", title=message("Level of risk"), places=("/risk",)),
    FormPage(
        slug="about",
        title=message("Name, contact and dates"),
        places=(
            "/name",
            "/summary",
            "/contact",
            "/territory",
            "/organisation",
            "/lifecycle",
            "/sector",
            "/system_version",
            "/website",
            "/tags",
            "/related_records",
            "/source_id",
        ),
    ),
    FormPage(slug="purpose", title=message("Purpose and benefit"), places=("/purpose",)),
    FormPage(slug="decision", title=message("People and the decision"), places=("/decision",)),
    FormPage(slug="data", title=message("Data and law"), places=("/data",)),
    FormPage(
        slug="technology",
        title=message("Technology and suppliers"),
        places=("/technical", "/procurement"),
    ),
    FormPage(
        slug="assessments",
        title=message("Assessments and risks"),
        places=("/assessments", "/risks", "/consultations", "/registrations", "/waivers"),
    ),
    FormPage(slug="rights", title=message("Rights of those concerned"), places=("/rights",)),
    FormPage(slug="evaluation", title=message("Tests and monitoring"), places=("/evaluation",)),
    FormPage(
        slug="publication",
        title=message("Languages and publication"),
        places=("/languages", "/publication", "/documents"),
    ),
)


@cache
def pages() -> dict[str, FormPage]:
    """Return the pages by their slug."""
    return {page.slug: page for page in PAGES}


@cache
def units_of(slug: str) -> tuple[Unit, ...]:
    """Return the units of a page, in the order in which it asks them."""
    order = {place: number for number, place in enumerate(pages()[slug].places)}
    own = [unit for unit in units() if _page_of().get(unit.pointer) == slug]
    return tuple(sorted(own, key=lambda unit: order[_place_of(unit.pointer, pages()[slug])]))


def page_at(pointer: str) -> str:
    """Return the slug of the page on which the field at a pointer, or nearest to it, is asked."""
    found = (
        slug
        for unit, slug in _page_of().items()
        if pointer == unit or pointer.startswith(unit + "/") or unit.startswith(pointer + "/")
    )
    return next(found, PAGES[-1].slug)


@cache
def _page_of() -> dict[str, str]:
    """Return the page of each unit. Raises `ConfigurationError` if one stands on none."""
    found = {}
    for unit in units():
        if unit.pointer in _SET_BY_THE_FORM:
            continue
        # The longest place wins: a fact that decides is asked before the rest of its section.
        among = [(place, page) for page in PAGES if (place := _place_of(unit.pointer, page))]
        if not among:
            raise ConfigurationError(f"the form asks {unit.pointer} on no page")
        found[unit.pointer] = max(among, key=lambda pair: len(pair[0]))[1].slug
    return found


def _place_of(pointer: str, page: FormPage) -> str:
    """Return the place of the page that a unit belongs to, or an empty text."""
    own = [one for one in page.places if pointer == one or pointer.startswith(one + "/")]
    return max(own, key=len, default="")
