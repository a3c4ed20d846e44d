"""Pictures that others show of a page: SVG of the templates in `pictures/`, kept as PNG.

Letters are drawn by resvg, which shapes Arabic, from fonts of ours that hold every script in one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from typing import Any

import msgspec

from registry import resources
from registry.pages.page import Page, digest
from registry.pages.reader import Text
from registry.pages.site import Site

WIDTH = 800
"""Pixels of a card: enough for telephones, and drawn four times as fast as 1,600."""

PRINTED = 1600
_FONTS = resources.SITE / "fonts" / "cards"
_ISOLATES = {"ltr": "\u2066", "rtl": "\u2067"}
_WIDE = re.compile(r"[A-Z@%&mwMWÀ-ÞŒسشصضⴰ-⵿]")
_NARROW = re.compile(r"[iljtfrI.,:;'’!|()\[\]اأإآلرزدذوةبتنيئء ]")


def picture_page(
    site: Site, tag: str, path: str, view: Mapping[str, Any], *, template: str, width: int = WIDTH
) -> Page:
    """Return a picture as a file; it is drawn again when what it shows or its look has changed."""
    edition = site.editions[tag]
    known = {
        "rtl": edition.reader.locale.dir == "rtl",
        "tag": edition.reader.locale.tag,
        "site": edition.templates.globals["site_name"],
        **view,
    }

    def render() -> bytes:
        page = edition.templates.get_template(f"pictures/{template}")
        return draw(page.render(known, lines=set_lines, width_of=width_of), width)

    key = digest(_look(), str(width), template, msgspec.json.encode(known))
    return Page(file=f"{tag}/{path}.png", key=key, render=render, listed=False)


def draw(svg: str, width: int) -> bytes:
    """Return a drawing as PNG."""
    import resvg_py  # noqa: PLC0415  20 ms, which no start of a process is to wait for

    fonts = [str(path) for path in sorted(_FONTS.glob("*.ttf"))]
    return bytes(
        resvg_py.svg_to_bytes(svg_string=svg, width=width, skip_system_fonts=True, font_files=fonts)
    )


@cache
def _look() -> str:
    paths = [*_FONTS.glob("*.ttf"), *(resources.SITE / "templates" / "pictures").iterdir()]
    return digest(version("resvg-py"), *(path.read_bytes() for path in sorted(paths)))


def width_of(text: str) -> float:
    """Return about how many ems wide a text is in bold, rather more than less."""
    narrow, wide = len(_NARROW.findall(text)), len(_WIDE.findall(text))
    return 0.38 * narrow + 0.88 * wide + 0.62 * (len(text) - narrow - wide)


def set_lines(text: Text, width: float, most: int = 1) -> list[str]:
    """Return a text on at most so many lines of a width in ems, each isolated in its direction."""
    lines = [""]
    for word in text.text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width_of(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    if len(lines) > most:
        lines = [*lines[: most - 1], lines[most - 1] + "…"]
    for at in range(len(lines)):
        while width_of(lines[at]) > width:
            lines[at] = lines[at].rstrip("…")[:-1] + "…"
    return [f"{_ISOLATES[text.dir]}{line}\u2069" for line in lines]
