"""Styles, scripts, fonts, icons: copied under names that carry a digest, to cache for ever.

But `favicon.ico` lies where browsers and other tools ask for it without being told.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from registry.pages.page import Page, content_page

_URL = re.compile(r'url\("\.\./fonts/([^"]+)"\)')
_IMPORT = re.compile(r'(?<=")\./([\w-]+\.js)(?="\)?;)')


class Assets(msgspec.Struct, frozen=True, kw_only=True):
    """The files by the names that the site uses for them."""

    files: dict[str, bytes]
    stylesheet: str
    icon: str
    card: str
    fonts: dict[str, str]
    scripts: dict[str, str]


def read_assets(site: Path) -> Assets:
    """Read `styles/*.css` (in order of name, as one file), `scripts/`, `fonts/` and `icons/`."""
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
    css = "\n".join(path.read_text("utf-8") for path in sorted(site.glob("styles/*.css")))
    css = _URL.sub(lambda found: f'url("{_last(fonts[found[1]])}")', css)
    stylesheet = add("register.css", css.encode())
    icon, card = (
        add(name, (site / "icons" / name).read_bytes()) for name in ("icon.svg", "card.png")
    )
    scripts: dict[str, str] = {}

    def add_script(name: str) -> str:
        """Add a module after those that it imports, under whose new names it imports them."""
        if name not in scripts:
            text = (site / "scripts" / name).read_text("utf-8")
            text = _IMPORT.sub(lambda found: f"./{_last(add_script(found[1]))}", text)
            scripts[name] = add(name, text.encode())
        return scripts[name]

    for path in sorted(site.glob("scripts/*.js")):
        add_script(path.name)
    return Assets(
        files=files, stylesheet=stylesheet, icon=icon, card=card, fonts=fonts, scripts=scripts
    )


def asset_pages(assets: Assets) -> Iterator[Page]:
    """Yield a file of the site for each asset."""
    for name, content in assets.files.items():
        yield content_page(name, content)


def _last(name: str) -> str:
    return name.removeprefix("assets/")
