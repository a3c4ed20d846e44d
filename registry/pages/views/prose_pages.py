"""Pages of prose: about, manuals, guides, problem types, archives, and what is not found."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache, partial
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import msgspec
from markupsafe import Markup

from registry import resources
from registry.errors import ConfigurationError, RegistryError
from registry.pages.editions import Edition
from registry.pages.labels import message
from registry.pages.offline import archive_names
from registry.pages.page import Page, content_page, digest
from registry.pages.reader import Reader, first_of, in_language, language, say, translated
from registry.pages.site import Site, page, root_page
from registry.resources import LANGUAGES, language_files
from registry.text.catalogues import SOURCE, find
from registry.text.locales import direction
from registry.text.markdown import render_page
from registry.text.typesetting import typeset

PAGES = (
    "about",
    "glossary",
    "limits",
    "for-agencies",
    "feeds",
    "faq",
    "contact",
    "legal",
    "privacy",
    "accessibility",
)
_TEMPLATES = dict.fromkeys(("contact", "legal", "privacy", "accessibility"), "operator.html")
_QUESTION = message("Which algorithms does the administration use?")
_LOST = message("There is no page at this address.")
_BACK = message("Back to the home page")
_SOUGHT = message("Which system are you looking for?")
_SEARCH = message("Search")
_LINK = re.compile(r'(?<=href=")(?![a-z]+:|#)([^"]*)')


def prose_pages(site: Site) -> Iterator[Page]:
    """Yield the pages of words."""
    for tag in site.editions:
        for name in PAGES:
            template = _TEMPLATES.get(name, "words.html")
            made = _for_agencies if name == "for-agencies" else words_view
            key = digest(str(site.has_console)) if name == "for-agencies" else ""
            view = partial(made, site, tag, name)
            yield page(site, tag, name, template=template, key=key, view=view)
    yield root_page(site, "/", template="choice.html", view=partial(_choice, site))
    lost = {"choices": _in_each(site, lost=_LOST, back=_BACK, sought=_SOUGHT, search=_SEARCH)}
    yield root_page(site, "/404", template="not_found.html", view=partial(dict, lost), listed=False)


def words_view(site: Site, tag: str, name: str, *, without: Iterable[str] = ()) -> dict[str, Any]:
    """Read a page of words in the reader's language or its fallback; line one is the title.

    Parts named in `without` by their anchors are left out, and that of a licence which the country
    pack does not name; `{licence}` is its address.
    """
    lang, text = read_words(site.editions[tag].reader, name)
    licence = site.snapshot.pack.licence or ""
    text = text.replace("{licence}", licence)
    for part in (*without, *(() if licence else ("licence",))):
        text = re.sub(rf"(?ms)^## [^\n]*{{#{part}}}\n.*?(?=^## |\Z)", "", text)
    return markdown_view(site.editions, tag, lang, text)


def read_words(reader: Reader, name: str) -> tuple[str, str]:
    """Return the language and the text of a page of words, for a reader."""
    for lang in (*reader.order, SOURCE):
        for path in language_files(lang, f"texts/{name}.md")[-1:]:
            return lang, path.read_text("utf-8")
    raise ConfigurationError(f"{LANGUAGES} has no <language>/texts/{name}.md")


def markdown_view(
    editions: Mapping[str, Edition], tag: str, lang: str, text: str
) -> dict[str, Any]:
    """Return our own Markdown as a view; links in it begin at `/<language>/`.

    `{time limit}` in it is the country's, for contesting a decision.
    """
    title, _, body = typeset(text, lang).partition("\n")
    prefix = editions[tag].templates.globals["prefix"]

    def place(found: re.Match[str]) -> str:
        address = found[1]
        return f"{prefix}{address if address.startswith('/') else f'/{tag}/{address}'}"

    html = _LINK.sub(place, render_page(body))
    # What may be wider than a phone is scrolled, by keyboard too.
    html = html.replace("<pre>", '<pre tabindex="0">').replace("</table>", "</table></div>")
    html = html.replace("<table>", '<div class="scroll" tabindex="0"><table>')
    templates = editions[lang if lang in editions else tag].templates
    in_general: Any = templates.globals["in_general"]
    html = html.replace("{time limit}", in_general())
    return {
        "title": in_language(editions[tag].reader, title.removeprefix("# ").strip(), lang),
        "body": Markup(html),  # noqa: S704  our own text
    }


def _for_agencies(site: Site, tag: str, name: str) -> dict[str, Any]:
    """Return how agencies file; the way by the console only where there is one."""
    return words_view(site, tag, name, without=() if site.has_console else ("office",))


def translation_pages(site: Site) -> Iterator[Page]:
    """Yield the page of the words that languages have of which most words are missing."""
    partly = [
        edition.reader for tag, edition in site.editions.items() if edition.reader.locale.tag != tag
    ]
    for tag in site.editions if partly else ():
        view = partial(_translation, site, tag, partly)
        yield page(site, tag, "translation", template="translation.html", key="", view=view)


def _translation(site: Site, tag: str, partly: Iterable[Reader]) -> dict[str, Any]:
    languages = []
    for reader in partly:
        texts = [text for codes in reader.labels.values() for text in codes.values()]
        for known in (reader.catalogues, reader.titles):
            for wording in dict.fromkeys(chain(*(one.messages for one in known.values()))):
                said = {lang: one.messages.get(wording, "") for lang, one in known.items()}
                texts.append({**said, SOURCE: wording})
        rows = [text for text in texts if text.get(reader.tag)]
        tags = (reader.tag, *(other for other in site.editions if other != reader.tag))
        languages.append(
            {
                "tag": reader.tag,
                "tags": {other: direction(other) for other in tags},
                "rows": [{other: text.get(other, "") for other in tags} for text in rows],
                "missing": len(texts) - len(rows),
            }
        )
    return words_view(site, tag, "translation") | {"languages": languages}


def _choice(site: Site) -> Mapping[str, Any]:
    names = {
        name.lang: name
        for edition in site.editions.values()
        if (name := say(edition.reader, site.snapshot.pack.site_name))
    }
    return {"names": list(names.values()), "choices": _in_each(site, question=_QUESTION)}


def _in_each(site: Site, **messages: str) -> list[dict[str, Any]]:
    """Return messages for the readers of every language of the site, set as their pages are."""
    return [
        {
            "locale": edition.reader.locale,
            "own": site.snapshot.pack.locale(tag),
            **{name: translated(edition.reader, wording) for name, wording in messages.items()},
        }
        for tag, edition in site.editions.items()
    ]


def copy_pages(site: Site) -> Iterator[Page]:
    """Yield the page in each language; in a copy it leads to the register's own."""
    for tag in site.editions:
        view = partial(_view, site, tag)
        yield page(site, tag, "copy", template="copy.html", key=str(site.is_copy), view=view)


def _view(site: Site, tag: str) -> dict[str, Any]:
    reader = site.editions[tag].reader
    archives = [
        {"file": file, "language": language(reader, *tags) if len(tags) == 1 else None}
        for file, tags in archive_names(site.snapshot.pack.languages).items()
    ]
    # The reader's own language first, all of them last.
    own = next(one for one in archives if one["file"] == f"register-{tag}.zip")
    archives = [own, *(one for one in archives[1:] if one is not own), archives[0]]
    return words_view(site, tag, "copy") | {"archives": archives, "is_copy": site.is_copy}


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
            "name": markdown_view(site.editions, tag, lang, text.partition("\n")[0])["title"],
        }
        for name, text in texts.items()
    ]
    return words_view(site, tag, "format") | {"listed": listed}


def _format(site: Site, tag: str, lang: str, text: str) -> dict[str, Any]:
    for pattern, instead in _LINKS:
        text = pattern.sub(instead, text)
    view = markdown_view(site.editions, tag, lang, text)
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


GUIDES = ("console", "workbook")
_GUIDE_LANGUAGES = ("en", "fr", "ar")

# What GitHub needs and the site has by itself: the direction, and links to the other languages.
_FRAME = re.compile(r"^</?div[^>]*>\n+|^\[[^\n]*\n+", re.MULTILINE)
_HEADING = re.compile(r"^## (\d+)\. .*$", re.MULTILINE)
_GUIDE_LINKS = (
    (re.compile(r"\(\.\./workbook\.md\)"), "(api)"),
    (re.compile(r"\((\w+)\.md#(\d+)-[^)]*\)"), r"(filing/\1#step-\2)"),
    (re.compile(r"\((\w+)\.md\)"), r"(filing/\1)"),
)
_IMAGE = re.compile(r'<img src="\.\./pictures/([^"]+)"')


def guide_pages(site: Site) -> Iterator[Page]:
    """Yield the pages of the guide and its pictures; none where there is no console."""
    if not site.has_console:
        return
    texts, pictures = _read_texts(), _read_pictures()
    for name, content in pictures.items():
        yield content_page(_picture_file(name), content)
    key = digest(*(text for _, text in sorted(texts.items())), *map(_picture_file, pictures))
    for tag, edition in site.editions.items():
        lang = first_of(edition.reader, _GUIDE_LANGUAGES)
        for name in GUIDES:
            view = partial(_guide, site, tag, lang, texts[f"{lang}/{name}"])
            yield page(site, tag, f"filing/{name}", template="words.html", key=key, view=view)


def _guide(site: Site, tag: str, lang: str, text: str) -> Mapping[str, Any]:
    text = _FRAME.sub("", text)
    text = _HEADING.sub(lambda found: f"{found[0]} {{#step-{found[1]}}}", text)
    for pattern, instead in _GUIDE_LINKS:
        text = pattern.sub(instead, text)
    view = markdown_view(site.editions, tag, lang, text)
    prefix, pictures = urlsplit(site.base_url).path.rstrip("/"), _read_pictures()

    def place(found: re.Match[str]) -> str:
        width, height = _size(pictures[found[1]])
        return (
            f'<img src="{prefix}/{_picture_file(found[1])}" width="{width}" height="{height}"'
            ' loading="lazy"'
        )

    return view | {"body": Markup(_IMAGE.sub(place, view["body"]))}  # noqa: S704  our own text


@cache
def _read_texts() -> Mapping[str, str]:
    """Return the texts of the guide by `<language>/<name>`."""
    names = [f"{lang}/{name}" for lang in _GUIDE_LANGUAGES for name in GUIDES]
    return {name: (resources.GUIDE_DOCS / f"{name}.md").read_text("utf-8") for name in names}


@cache
def _read_pictures() -> Mapping[str, bytes]:
    """Return the pictures of the guide by name."""
    folder = resources.GUIDE_DOCS / "pictures"
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.webp"))}


@cache
def _picture_file(name: str) -> str:
    """Return the file of a picture on the site, under a name that carries its digest."""
    content = hashlib.sha256(_read_pictures()[name]).hexdigest()[:12]
    return f"assets/{name.removesuffix('.webp')}.{content}.webp"


def _size(picture: bytes) -> tuple[int, int]:
    """Return the width and height of a picture in WebP (RFC 9649, sections 2.5 and 2.7)."""
    if picture[12:16] == b"VP8X":
        width, height = (int.from_bytes(picture[at : at + 3], "little") for at in (24, 27))
        return width + 1, height + 1
    width, height = (int.from_bytes(picture[at : at + 2], "little") for at in (26, 28))
    return width & 0x3FFF, height & 0x3FFF


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
    words = {tag: _read_problem_words(site, tag) for tag in tags}
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


def _read_problem_words(site: Site, tag: str) -> dict[str, Wording]:
    """Read the page of words `problems` by slug; under `""` stands what it says of all."""
    paths = language_files(tag, "texts/problems.md")
    if not paths:
        return {}
    # English needs no catalogue, and no edition of the site.
    catalogues = {} if tag == SOURCE else site.editions[tag].reader.catalogues
    _, to_do = find(catalogues, (tag,), _TO_DO)
    _, *parts = _SECTION.split(paths[-1].read_text("utf-8"))
    found = {}
    for title, slug, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        happened, _, remedy = body.strip().partition("\n\n")
        found[slug or ""] = Wording(
            lang=tag, title=title, happened=happened, remedy=remedy, to_do=to_do
        )
    return found
