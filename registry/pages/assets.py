"""Styles, scripts, fonts, icons: copied under names that carry a digest, to cache for ever.

But `favicon.ico` lies where browsers and other tools ask for it without being told.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from registry.pages.page import Page, content_page
from registry.record.codelists import codelists
from registry.resources import language_tags
from registry.text.locales import direction, script_of

_COMMENT = re.compile(r"/\*.*?\*/\s*", re.DOTALL)
_SELECTOR = re.compile(r":--(?:(rtl)|(not-)?([A-Z][a-z]{3}))")
"""Of languages by their direction or script, as custom selectors are written."""

_URL = re.compile(r'url\("\.\./fonts/([^"]+)"\)')
_OF_FEEDS = ("10-tokens.css", "20-fonts.css")
"""The styles of pages that feeds have too."""

_CLASSIC = ("proof.js",)
"""Scripts that are put together with all that they import, for pages that were saved.

Browsers load no modules for pages that are opened as files, and save none that are imported.
"""
_LABELS = "labels.js"
"""The labels by which a page is checked: those in the page may have been altered with it."""
_STATEMENT = re.compile(r'^import .*? from "\./([\w-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=const |function |async function )", re.MULTILINE)
_IMPORT = re.compile(r'(?<=")\./([\w-]+\.js)(?="\)?;)')


class Assets(msgspec.Struct, frozen=True, kw_only=True):
    """The files by the names that the site uses for them."""

    files: dict[str, bytes]
    stylesheet: str
    feed_stylesheet: str
    icon: str
    card: str
    fonts: dict[str, str]
    scripts: dict[str, str]


def read_assets(site: Path) -> Assets:
    """Read `styles/*.css` (in order of name, as one file), `scripts/`, `fonts/` and `icons/`.

    The style sheet of feeds begins with the tokens and fonts of the pages.
    """
    files: dict[str, bytes] = {}

    def add(name: str, content: bytes) -> str:
        stem, dot, ending = name.rpartition(".")
        hashed = f"assets/{stem}.{hashlib.sha256(content).hexdigest()[:12]}{dot}{ending}"
        files[hashed] = content
        return hashed

    fonts = {
        path.name: add(path.name, path.read_bytes()) for path in sorted(site.glob("fonts/*.woff2"))
    }
    files["assets/OFL.txt"] = (site / "fonts" / "OFL.txt").read_bytes()
    files["favicon.ico"] = (site / "icons" / "favicon.ico").read_bytes()

    def add_styles(name: str, paths: Sequence[Path]) -> str:
        css = _COMMENT.sub("", "\n".join(path.read_text("utf-8") for path in paths))
        css = _SELECTOR.sub(_languages, css)
        css = _URL.sub(lambda found: f'url("{_last(fonts[found[1]])}")', css)
        return add(name, css.encode())

    styles = sorted(site.glob("styles/*.css"))
    stylesheet = add_styles("register.css", styles)
    feed_stylesheet = add_styles(
        "feed.css",
        [*(path for path in styles if path.name in _OF_FEEDS), site / "feeds" / "feed.css"],
    )
    icon, card = (
        add(name, (site / "icons" / name).read_bytes()) for name in ("icon.svg", "card.png")
    )
    scripts: dict[str, str] = {}

    def add_script(name: str) -> str:
        """Add a module after those that it imports, under whose new names it imports them."""
        if name not in scripts:
            text = (site / "scripts" / name).read_text("utf-8")
            if name in _CLASSIC:
                parts = "\n".join(_with_imports(site / "scripts", name, set()))
                scripts[name] = add(name, f'"use strict";\n{{\n{parts}}}\n'.encode())
                return scripts[name]
            text = _IMPORT.sub(lambda found: f"./{_last(add_script(found[1]))}", text)
            scripts[name] = add(name, text.encode())
        return scripts[name]

    for path in sorted(site.glob("scripts/*.js")):
        add_script(path.name)
    return Assets(
        files=files,
        stylesheet=stylesheet,
        feed_stylesheet=feed_stylesheet,
        icon=icon,
        card=card,
        fonts=fonts,
        scripts=scripts,
    )


def _languages(found: re.Match[str]) -> str:
    """Return a selector of the languages with a folder whose direction or script is named."""
    by_direction, but, script = found.groups()
    tags = [
        tag
        for tag in language_tags()
        if (
            direction(tag) == by_direction
            if by_direction
            else (script_of(tag) == script) != bool(but)
        )
    ]
    # A list within :lang() is no selector to Chromium, which drops the rule without a word.
    return f":is({', '.join(f':lang({tag})' for tag in tags)})"


def _with_imports(folder: Path, name: str, added: set[str]) -> Iterator[str]:
    """Yield the text of a script after those that it imports; all share one scope."""
    added.add(name)
    if name == _LABELS:
        labels = {
            codes: {one.code: one.label for one in codelists()[codes].values()}
            for codes in ("risk_level", "status")
        }
        yield f"const LABELS = {msgspec.json.encode(labels).decode()};\n"
        return
    text = (folder / name).read_text("utf-8")
    for imported in _STATEMENT.findall(text):
        if imported not in added:
            yield from _with_imports(folder, imported, added)
    yield _EXPORT.sub("", _STATEMENT.sub("", text))


def asset_pages(assets: Assets) -> Iterator[Page]:
    """Yield a file of the site for each asset."""
    for name, content in assets.files.items():
        yield content_page(name, content)


def _last(name: str) -> str:
    return name.removeprefix("assets/")
