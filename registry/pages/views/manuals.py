"""The manuals on the site: the documentation of the record format, and the API's addresses."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache, partial
from typing import Any

import msgspec
from markupsafe import Markup

from registry import resources
from registry.pages.page import Page, digest
from registry.pages.reader import first_of
from registry.pages.site import Site, page
from registry.pages.views.prose_pages import markdown_view, words_view
from registry.text.locales import direction

FORMAT_PAGES = (
    *("rules", "code-lists", "shapes", "identity", "purpose", "risk", "sector", "lifecycle"),
    *("decision", "data", "technical", "procurement", "assessments", "rights", "evaluation"),
    "publication",
)
"""The pages of `docs/record-format` that the site shows, in the order of their list."""

_LANGUAGES = ("en", "fr")
_LINKS = (
    (re.compile(r"\((?:\.\./)+schemas/record/[^)]*?([\w-]+)\.csv\)"), r"(/api/v1/codelists/\1)"),
    (re.compile(r"\((?:\.\./)+schemas/packs\)"), "(/api/v1/codelists)"),
    (re.compile(r"\(index\.md(#[^)]*)?\)"), r"(format/\1)"),
    (re.compile(r"\(([\w-]+)\.md(#[^)]*)?\)"), r"(format/\1\2)"),
)
_ANCHOR = "&lt;a id=&quot;([\\w.-]+)&quot;&gt;&lt;/a&gt;"
_TABLE, _ROW = (re.compile(f"<{tag}>.*?</{tag}>", re.DOTALL) for tag in ("table", "tr"))
_HEAD = re.compile("<th>(.*?)</th>")
_ANCHORS = re.compile(f"<p>{_ANCHOR}</p>|{_ANCHOR}")  # they stand alone or begin a line


def manual_pages(site: Site, description: Mapping[str, Any] | None) -> Iterator[Page]:
    """Yield the pages of the format and of the API; `description` is its OpenAPI document."""
    operations = [] if description is None else read_operations(description)
    key = digest(msgspec.json.encode(operations))
    written = _read_format_pages()
    shown = digest(*(text for _, text in sorted(written.items())))
    for tag in site.editions:
        view = partial(_api, site, tag, operations)
        yield page(site, tag, "api", template="api.html", key=key, view=view)
        lang = first_of(site.editions[tag].reader, _LANGUAGES)
        texts = {name: written[f"{lang}/{name}.md"] for name in FORMAT_PAGES}
        view = partial(_contents, site, tag, lang, texts)
        yield page(site, tag, "format/", template="format.html", key=shown, view=view)
        for name, text in texts.items():
            view = partial(_format, site, tag, lang, text)
            yield page(site, tag, f"format/{name}", template="words.html", key=shown, view=view)


def read_operations(description: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the operations of an OpenAPI document in its order, by their first tag."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in description["paths"].items():
        for method, told in methods.items():
            groups.setdefault(told["tags"][0], []).append(
                {
                    "method": method.upper(),
                    "path": path,
                    "summary": told["summary"],
                    "description": told["description"],
                    "token": [scope for one in told.get("security", ()) for scope in one["token"]],
                    "parameters": [
                        {
                            "name": one["name"],
                            "place": one["in"],
                            "required": one.get("required", False),
                            "description": one.get("description", ""),
                        }
                        for one in told["parameters"]
                        if "name" in one
                    ],
                    "statuses": list(told["responses"]),
                }
            )
    return [{"tag": tag, "operations": found} for tag, found in groups.items()]


@cache
def _read_format_pages() -> Mapping[str, str]:
    """Return the text of the format's pages by `<language>/<name>.md`."""
    names = [f"{lang}/{name}.md" for lang in _LANGUAGES for name in FORMAT_PAGES]
    return {name: (resources.FORMAT_DOCS / name).read_text(encoding="utf-8") for name in names}


def _api(site: Site, tag: str, operations: list[dict[str, Any]]) -> dict[str, Any]:
    return words_view(site, tag, "api") | {"groups": operations}


def _contents(site: Site, tag: str, lang: str, texts: Mapping[str, str]) -> dict[str, Any]:
    listed = [
        {
            "path": f"format/{name}",
            "name": markdown_view(site, tag, lang, text.partition("\n")[0])["title"],
        }
        for name, text in texts.items()
    ]
    return words_view(site, tag, "format") | {"listed": listed}


def _format(site: Site, tag: str, lang: str, text: str) -> dict[str, Any]:
    for pattern, instead in _LINKS:
        text = pattern.sub(instead, text)
    view = markdown_view(site, tag, lang, text)
    body = _ANCHORS.sub(lambda found: f'<span id="{found[1] or found[2]}"></span>', view["body"])
    body = _TABLE.sub(lambda table: _with_languages(table[0], site.editions), body)
    return view | {"body": Markup(body)}  # noqa: S704  our own text


def _with_languages(table: str, tags: Collection[str]) -> str:
    """Return a table in which each cell of a column that is headed by a language is in that."""
    heads = _HEAD.findall(table)

    def marked(row: re.Match[str]) -> str:
        columns = iter(heads)

        def cell(found: re.Match[str]) -> str:
            head = next(columns)
            return f'<td lang="{head}" dir="{direction(head)}">' if head in tags else found[0]

        return re.sub("<td>", cell, row[0])

    return _ROW.sub(marked, table)
