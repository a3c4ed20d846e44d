"""Styles, fonts and icons: copied under names that carry a digest, so that they cache for ever."""

from __future__ import annotations

import hashlib
import re
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from registry.pages.page import Page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_URL = re.compile(r'url\("\.\./fonts/([^"]+)"\)')


class Assets(msgspec.Struct, frozen=True, kw_only=True):
    """The files by the names that the site uses for them; `stylesheet` and `icon` are two."""

    files: dict[str, bytes]
    stylesheet: str
    icon: str
    fonts: dict[str, str]


def read_assets(site: Path) -> Assets:
    """Read `styles/*.css` (in order of name, as one file), `fonts/` and `icons/`."""
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
    css = "\n".join(path.read_text("utf-8") for path in sorted(site.glob("styles/*.css")))
    css = _URL.sub(lambda found: f'url("{fonts[found[1]].removeprefix("assets/")}")', css)
    stylesheet = add("register.css", css.encode())
    icon = add("icon.svg", (site / "icons" / "icon.svg").read_bytes())
    return Assets(files=files, stylesheet=stylesheet, icon=icon, fonts=fonts)


def asset_pages(assets: Assets) -> Iterator[Page]:
    """Yield a file of the site for each asset."""
    for name, content in assets.files.items():
        key = hashlib.sha256(content).hexdigest()[:32]
        yield Page(file=name, key=key, render=partial(bytes, content))
