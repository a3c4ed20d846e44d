"""Markdown: a safe subset for texts of agencies, and CommonMark for pages of ours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

_ALLOWED_LINK = re.compile(r"(?:https://|mailto:)[^\s]+", re.IGNORECASE)

# What can start a construct of the subset; text without it is only paragraphs.
_MARKUP = re.compile(
    r"[*_\[\]\\\r\t\x00]|\A\s|\s\Z|\n{3}| \n|\n |(?:\A|\n)(?:[-+]|\d+[.)])(?:\s|\Z)"
)


_ANCHOR = re.compile(r" *\{#(?P<id>[a-z0-9-]+)\}$")


@lru_cache(maxsize=256)
def render(text: str) -> str:
    """Return the HTML of an agency's text: paragraphs, lists, emphasis, links (https and mailto).

    Raw HTML is escaped. Text without markup takes a shortcut of the same result. The cache serves
    pages in other languages, which repeat the text.
    """
    if _MARKUP.search(text) is None and text:
        paragraphs = escape(text).replace("&#x27;", "'").split("\n\n")
        return "".join(f"<p>{part}</p>\n" for part in paragraphs)
    return str(_SUBSET.render(text))


@lru_cache(maxsize=256)
def render_page(text: str) -> str:
    """Return the HTML of a page of words: CommonMark, tables, `## Heading {#anchor}`.

    Raw HTML is escaped there too.
    """
    return str(_PAGES.render(text))


def _nofollow(
    renderer: RendererHTML,
    tokens: Sequence[Token],
    index: int,
    options: OptionsDict,
    env: EnvType,
) -> str:
    tokens[index].attrSet("rel", "nofollow ugc")
    return renderer.renderToken(tokens, index, options, env)


def _subset() -> Any:
    md = MarkdownIt("zero").enable(["list", "emphasis", "link", "escape"])
    md.validateLink = lambda url: _ALLOWED_LINK.fullmatch(url) is not None  # type: ignore[method-assign]
    md.core.ruler.push("unlink_empty", _unlink_empty)
    md.add_render_rule("link_open", _nofollow)
    return md


def _unlink_empty(state: StateCore) -> None:
    """Keep only the text of a link without an address, `[text]()`."""
    for inline in state.tokens:
        kept: list[Token] = []
        dropped = False
        for token in inline.children or ():
            if token.type == "link_open":
                dropped = not token.attrGet("href")
            if not (dropped and token.type in {"link_open", "link_close"}):
                kept.append(token)
        inline.children = kept if inline.children is not None else None


def _pages() -> Any:
    md = MarkdownIt("commonmark", {"html": False}).enable("table")
    md.core.ruler.after("block", "anchors", _anchors)
    return md


def _anchors(state: StateCore) -> None:
    for opening, inline in pairwise(state.tokens):
        found = _ANCHOR.search(inline.content) if opening.type == "heading_open" else None
        if found is not None:
            opening.attrSet("id", found["id"])
            inline.content = inline.content[: found.start()]


_SUBSET = _subset()
_PAGES = _pages()
