"""The editions of a site: in each language a reader, and an environment of templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from jinja2 import BytecodeCache, Environment, FileSystemBytecodeCache

from registry import resources
from registry.pages.assets import Assets
from registry.pages.environment import make_environment
from registry.pages.fingerprint import program_digest
from registry.pages.labels import message, read_labels, read_lists
from registry.pages.legal_facts import legal_fact_view
from registry.pages.life_events import event_row
from registry.pages.reader import Reader, Text, label, make_reader, say
from registry.pages.views.document_view import field_meaning, field_name
from registry.record.codelists import CodeList
from registry.record.life_events import life_events
from registry.record.model import NOT_STATED
from registry.record.pack import Pack
from registry.text.catalogues import SOURCE, Catalogue, find, load_catalogues
from registry.text.locales import direction

_CONTACT = message("Contact")


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """The site in one language."""

    reader: Reader
    templates: Environment


def open_editions(
    pack: Pack, assets: Assets, base_url: str, *, bytecode: Path | None
) -> dict[str, Edition]:
    """Return an edition for each language of the pack; `bytecode` is a folder for Jinja's cache."""
    translated = tuple(tag for tag in pack.languages if tag != SOURCE)
    catalogues, titles = (
        _catalogues(folder / "locale", translated) for folder in (resources.SITE, resources.SCHEMAS)
    )
    lists = read_lists(pack)
    labels = read_labels(lists, catalogues)
    readers = [make_reader(tag, pack, catalogues, titles, labels) for tag in pack.languages]
    if bytecode is not None:
        bytecode.mkdir(parents=True, exist_ok=True)
        for path in bytecode.iterdir():
            if not path.name.startswith(program_digest()):
                path.unlink(missing_ok=True)
    return {
        reader.tag: Edition(
            reader=reader,
            templates=_templates(reader, lists, assets, base_url, _cache(bytecode, reader)),
        )
        for reader in readers
    }


def load_templates(editions: Iterable[Edition]) -> None:
    """Load the templates of all pages of the site, so that forks of this process share them."""
    for edition in editions:
        for name in edition.templates.list_templates():
            if name.endswith(".html") and not name.startswith(("_", "console/")):
                edition.templates.get_template(name)


@lru_cache(maxsize=4)
def _catalogues(folder: Path, tags: Sequence[str]) -> dict[str, Catalogue]:
    return load_catalogues(folder, tags)


def _cache(bytecode: Path | None, reader: Reader) -> BytecodeCache | None:
    """Return the cache of one language: wordings are part of what is compiled."""
    if bytecode is None:
        return None
    return FileSystemBytecodeCache(str(bytecode), f"{program_digest()}-{'-'.join(reader.order)}-%s")


def _operator(reader: Reader) -> dict[str, object]:
    """Return who keeps the register, in the reader's words."""
    operator = reader.pack.operator
    return {
        "email": operator.email,
        "url": operator.url,
        "phone": operator.phone,
        **{
            name: say(reader, getattr(operator, name))
            for name in ("name", "post", "legal", "privacy")
        },
    }


def _contacts(reader: Reader) -> list[tuple[str, str, str]]:
    """Return the language, direction and words of a link to each language's contact page."""
    found = (
        (tag, find(reader.catalogues, (tag, SOURCE), _CONTACT)) for tag in reader.pack.languages
    )
    return [(tag, direction(tag), words) for tag, (own, words) in found if own == tag]


def _templates(
    reader: Reader,
    lists: Mapping[str, CodeList],
    assets: Assets,
    base_url: str,
    compiled: BytecodeCache | None,
) -> Environment:
    prefix = urlsplit(base_url).path.rstrip("/")
    deadlines = [legal_fact_view(reader, one) for one in reader.pack.deadlines]
    shared = {
        "base_url": base_url,
        "prefix": prefix,
        "stylesheet": assets.stylesheet,
        "feed_stylesheet": f"{prefix}/{assets.feed_stylesheet}",
        "icon": assets.icon,
        "picture": assets.card,
        "fonts": assets.fonts,
        "scripts": assets.scripts,
        "site_name": say(reader, reader.pack.site_name),
        "life_events": [event_row(reader, event) for event in life_events()],
        "redress": say(reader, reader.pack.redress),
        "title": partial(field_name, reader),
        "meaning_of": partial(field_meaning, reader),
        "code_meaning": partial(_code_meaning, reader, lists),
        "operator": _operator(reader),
        "deadlines": deadlines,
        "time_limit": next((one for one in deadlines if one["code"] == "contest"), None),
        "data_law": say(reader, reader.pack.laws["personal_data"]),
        "contacts": _contacts(reader),
        "bases": {
            code: label(reader, "redaction_reason", code)
            for code in reader.labels["redaction_reason"]
            if code != NOT_STATED
        },
        "not_stated": {name: label(reader, name, NOT_STATED) for name in ("risk_level", "status")},
        "url": lambda path: f"{prefix}/{reader.tag}/{path}",
        "api": lambda path: f"{prefix}/api/v1/{path}",
    }
    return make_environment(resources.SITE / "templates", reader, shared, compiled)


def _code_meaning(
    reader: Reader, lists: Mapping[str, CodeList], codelist: str, code: str
) -> Text | None:
    """Return the description of a code, where its list has one."""
    known = lists[codelist].get(code)
    return say(reader, known.description) if known else None
