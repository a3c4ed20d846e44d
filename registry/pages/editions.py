"""The editions of a site: in each language a reader, and templates that were made ready for her."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from jinja2 import BytecodeCache, Environment, FileSystemBytecodeCache

from registry import resources
from registry.pages.assets import Assets, read_assets
from registry.pages.environment import make_environment
from registry.pages.labels import read_labels, read_lists
from registry.pages.reader import Reader, label, make_reader, say
from registry.pages.rendering import spread
from registry.record.entry import NOT_STATED
from registry.record.pack import Pack
from registry.text.catalogues import SOURCE, Catalogue, load_catalogues


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """The site in one language."""

    reader: Reader
    templates: Environment


def open_editions(
    pack: Pack,
    assets: Assets,
    base_url: str,
    ground: str,
    *,
    kept: Path | None,
    tags: Sequence[str] = (),
) -> dict[str, Edition]:
    """Read translations and templates for the readers of each language of the pack.

    `kept` is a folder for compiled templates, which are good for as long as the ground is the same.
    """
    translated = tuple(tag for tag in pack.languages if tag != SOURCE)
    catalogues, titles = (
        _catalogues(folder / "locale", translated, ground)
        for folder in (resources.SITE, resources.SCHEMAS)
    )
    labels = read_labels(read_lists(pack), catalogues)
    readers = [make_reader(tag, pack, catalogues, titles, labels) for tag in tags or pack.languages]
    if kept is not None:
        _drop_others(kept, ground)
    return {
        reader.tag: Edition(
            reader=reader,
            templates=_templates(reader, assets, base_url, _compiled(kept, ground, reader.tag)),
        )
        for reader in readers
    }


@lru_cache(maxsize=2)
def _catalogues(folder: Path, tags: Sequence[str], _ground: str) -> dict[str, Catalogue]:
    """Read catalogues once for all builds on the same ground, which is made of them too."""
    return load_catalogues(folder, tags)


def compile_templates(
    pack: Pack, base_url: str, ground: str, kept: Path, *, processes: int
) -> None:
    """Compile all templates of a ground that has none, its languages shared among processes."""
    if processes > 1 and not any(kept.glob(f"{ground}-*")):
        number = min(processes, len(pack.languages))
        for _ in spread(pack.languages, partial(_compile, pack, base_url, ground, kept), number):
            pass


def _compile(pack: Pack, base_url: str, ground: str, kept: Path, tag: str) -> None:
    assets = read_assets(resources.SITE)
    editions = open_editions(pack, assets, base_url, ground, kept=kept, tags=[tag])
    templates = editions[tag].templates
    for name in templates.list_templates(filter_func=_is_page):
        templates.get_template(name)


def _is_page(name: str) -> bool:
    """Tell a page's template from what is put into others."""
    return name.endswith(".html") and "/" not in name and not name.startswith("_")


def _drop_others(kept: Path, ground: str) -> None:
    """Remove what was compiled for another ground."""
    kept.mkdir(parents=True, exist_ok=True)
    for path in kept.iterdir():
        if not path.name.startswith(ground):
            path.unlink(missing_ok=True)


def _compiled(kept: Path | None, ground: str, tag: str) -> BytecodeCache | None:
    return None if kept is None else FileSystemBytecodeCache(str(kept), f"{ground}-{tag}-%s")


def _templates(
    reader: Reader, assets: Assets, base_url: str, compiled: BytecodeCache | None
) -> Environment:
    prefix = urlsplit(base_url).path.rstrip("/")
    shared = {
        "base_url": base_url,
        "prefix": prefix,
        "stylesheet": assets.stylesheet,
        "icon": assets.icon,
        "picture": assets.card,
        "fonts": assets.fonts,
        "scripts": assets.scripts,
        "site_name": say(reader, reader.pack.site_name),
        "redress": say(reader, reader.pack.redress),
        "bases": {
            code: label(reader, "redaction_reason", code)
            for code in reader.labels["redaction_reason"]
            if code != NOT_STATED
        },
        "url": lambda path: f"{prefix}/{reader.tag}/{path}",
        "api": lambda path: f"{prefix}/api/v1/{path}",
    }
    return make_environment(resources.SITE / "templates", reader, shared, compiled)
