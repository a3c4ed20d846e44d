"""`registry translate`: the texts of a language as a PO file, for translators."""

from __future__ import annotations

import csv
import gettext
import io
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import rich_click as click
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import PoFileError, read_po, write_po

from registry import resources
from registry.cli.runtime import pass_settings
from registry.errors import ConfigurationError
from registry.record.csv_tables import open_table
from registry.record.pack import load_pack
from registry.record.schema import SCHEMA_VERSION
from registry.settings import Settings
from registry.text.catalogues import SOURCE

PAGES = {
    "home": ("home.html",),
    "search": ("search.html", "_list.html"),
    "contest": ("contest.html",),
}
"""The templates of the pages that are translated first; all pages share `_frame.html`."""

_SHARED = ("base.html", "_frame.html", "root.html")
_SITE, _FORMAT = "site/locale", "schemas/locale"
_VALUE = re.compile(r"%\(\w+\)s|\{\w+\}")
_HEAD = """# Wording of the language {tag}.
# The id of a message is its English wording; %(…)s stands for a value and stays as it is.
msgid ""
msgstr ""
"Language: {tag}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural_forms}\\n\""""
_KEYWORDS: dict[str, Any] = {
    "_": None,
    "plain": None,
    "ngettext": (1, 2),
    "plain_counted": (1, 2),
    "by_number": (2, 3),
}


def read_texts(checkout: Path, languages: Sequence[str], target: str, pack: str) -> Catalog:
    """Return every text, by catalogue and then by table, with its translation into `target`.

    Wordings in the other `languages` are comments for the translator.
    """
    catalogue = _parse_po(_head(checkout, target).encode())
    for read in (_messages, lambda folder, tag: _cells(folder, tag, pack)):
        for tag in dict.fromkeys((*languages, target)):
            for one in read(checkout, tag):
                text = catalogue.get(one.id, one.context) or catalogue.add(
                    one.id, context=one.context, locations=one.locations
                )
                if tag == target:
                    text.string, text.user_comments = one.string, one.user_comments
                elif strings := _strings(one):
                    text.auto_comments.append(f"{tag}: {' | '.join(strings)}")
    return catalogue


def without_translated(texts: Catalog) -> Catalog:
    """Return those that have no translation yet."""
    return _only(texts, lambda one: not _strings(one))


def of_pages(checkout: Path, texts: Catalog, pages: Sequence[str]) -> Catalog:
    """Return the messages that pages say, with what surrounds every page."""
    if unknown := [name for name in pages if name not in PAGES]:
        raise ConfigurationError(f"no page {unknown[0]!r}; there are: {', '.join(PAGES)}")
    wanted = {*_SHARED, *(template for name in pages for template in PAGES[name])}
    folder = checkout / "site" / "templates"
    said = {
        _forms(message)[0]
        for template in wanted
        for _, message, *_ in extract_from_file("jinja2", folder / template, keywords=_KEYWORDS)
    }
    return _only(texts, lambda one: _file(one).startswith(_SITE) and _forms(one.id)[0] in said)


def write_file(checkout: Path, texts: Catalog, target: str) -> str:
    """Return the PO file for the translators into `target`."""
    return _format_po(_head(checkout, target), texts)


def read_file(raw: bytes, name: str) -> Catalog:
    """Return the texts of a PO file. Raises `ConfigurationError` for what is none in UTF-8."""
    try:
        return _parse_po(raw)
    except PoFileError as error:
        raise ConfigurationError(
            f"{name}:{error.lineno + 1}: {error.args[0].partition(' on ')[0]}"
        ) from error
    except (LookupError, ValueError) as error:
        raise ConfigurationError(f"{name} is not in the encoding it states: {error}") from error


def faults(texts: Catalog, translated: Catalog) -> Iterator[tuple[int, str]]:
    """Yield what is wrong with a file, as the number of a line and a sentence."""
    numbers = range(1000)
    rules = [gettext.c2py(one.plural_expr) for one in (texts, translated)]
    if any(rules[0](number) != rules[1](number) for number in numbers):
        yield 1, f"Plural-Forms has to be {texts.plural_forms}"
        return
    for one in _translated(translated):
        text = texts.get(one.id, one.context)
        if text is None or text.id != one.id:
            fault = f"{one.context} has no text {_forms(one.id)[0]!r}; export the file again"
            yield one.lineno or 0, fault
        else:
            for fault in _faults_of(one):
                yield one.lineno or 0, fault


def _faults_of(one: Message) -> Iterator[str]:
    strings = _strings(one)
    if strings and not all(strings):
        yield "some of its plural forms are empty; fill in all or none"
    expected = set(_VALUE.findall(_forms(one.id)[-1]))
    for string in filter(None, strings):
        values = set(_VALUE.findall(string))
        # "One day" may say the number in a word.
        if values != expected and not (one.pluralizable and values == expected - {"%(n)s"}):
            yield f"{string!r} has the values {_list(values)}, and needs {_list(expected)}"
        if string != string.strip() or "\n" in string:
            yield f"{string!r} begins or ends with a space, or has several lines"


def write_back(checkout: Path, texts: Catalog, translated: Catalog, target: str) -> list[Path]:
    """Write a file without faults into the places of its texts; return the files that changed."""
    changed: dict[str, list[Message]] = {}
    for one in _translated(translated):
        text = texts.get(one.id, one.context)
        if text is not None and _strings(one) != _strings(text):
            text.string = one.string
            changed.setdefault(_file(text), []).append(text)
    written = []
    for file, messages in changed.items():
        path = checkout / file
        if path.suffix == ".csv":
            _write_cells(path, messages, target)
        else:
            path = path.parent / target / "LC_MESSAGES" / path.name
            _write_catalogue(path, _head(checkout, target, path), texts, file)
        written.append(path)
    return written


def _head(checkout: Path, tag: str, path: Path | None = None) -> str:
    """Return the head of a catalogue, or what one of this language has.

    Plural forms are those of the language's catalogues, and of CLDR for a new language.
    """
    if path is not None and path.is_file():
        return path.read_text("utf-8").partition("\n\n")[0]
    catalogue = Catalog(locale=tag)
    for other in sorted(checkout.glob(f"*/locale/{tag}/LC_MESSAGES/*.po"))[:1]:
        catalogue = _parse_po(other.read_bytes())
    return _HEAD.format(tag=tag, plural_forms=catalogue.plural_forms)


def _messages(checkout: Path, tag: str) -> Iterator[Message]:
    """Yield the messages of the catalogues of a language, with their place as context."""
    for folder in (_SITE, _FORMAT):
        for path in sorted((checkout / folder / tag / "LC_MESSAGES").glob("*.po")):
            for one in _translated(_parse_po(path.read_bytes())):
                one.context = f"{folder}/{path.name}"
                yield one


def _cells(checkout: Path, tag: str, pack: str) -> Iterator[Message]:
    """Yield the texts of the tables: the code lists of the newest format, and those of a pack."""
    folders = (f"schemas/record/{SCHEMA_VERSION}/codelists", f"schemas/packs/{pack}")
    for path in (path for folder in folders for path in sorted((checkout / folder).glob("*.csv"))):
        for row in _rows(path):
            key = next(iter(row.values()))
            for column in row:
                stem, _, language = column.rpartition("_")
                if language == SOURCE and row[column]:
                    place = f"{path.relative_to(checkout).as_posix()}#{key}#{stem}"
                    yield Message(row[column], row.get(f"{stem}_{tag}", ""), context=place)


def _write_catalogue(path: Path, head: str, texts: Catalog, file: str) -> None:
    """Write a catalogue under its head; a message without words is left out."""
    catalogue = _parse_po(head.encode())
    for one in texts:
        if one.context == file and _strings(one):
            catalogue.add(one.id, one.string, one.locations, user_comments=one.user_comments)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_format_po(head, catalogue), encoding="utf-8")


def _write_cells(path: Path, messages: Iterable[Message], tag: str) -> None:
    """Write a table with new cells, and a column more where the language had none."""
    rows = _rows(path)
    by_key = {next(iter(row.values())): row for row in rows}
    names = list(rows[0])
    for one in messages:
        key, _, stem = (one.context or "").partition("#")[2].rpartition("#")
        column = f"{stem}_{tag}"
        if column not in names:
            last = max(at for at, name in enumerate(names) if name.startswith(f"{stem}_"))
            names.insert(last + 1, column)
        by_key[key][column] = str(one.string or "")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _rows(path: Path) -> list[dict[str, str]]:
    return list(open_table(path.read_bytes(), path.name))


def _parse_po(raw: bytes) -> Catalog:
    return read_po(io.BytesIO(raw), abort_invalid=True)


def _format_po(head: str, catalogue: Catalog) -> str:
    out = io.BytesIO()
    write_po(out, catalogue, width=0, omit_header=True)
    return f"{head}\n\n{out.getvalue().decode().strip()}\n"


def _only(texts: Catalog, is_wanted: Callable[[Message], bool]) -> Catalog:
    """Remove what is not wanted from `texts`, and return it."""
    for one in [one for one in texts if one.id and not is_wanted(one)]:
        texts.delete(one.id, one.context)
    return texts


def _translated(catalogue: Catalog) -> Iterator[Message]:
    """Yield the messages but the head, and without those whose translator was not sure."""
    return (one for one in catalogue if one.id and not one.fuzzy)


def _file(message: Message) -> str:
    """Return the path of the catalogue, without its language, or of the table of a message."""
    return (message.context or "").partition("#")[0]


def _forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def _strings(message: Message) -> tuple[str, ...]:
    """Return the translation, a text a plural form; none where all are empty."""
    strings = _forms(message.string)
    return strings if any(strings) else ()


def _list(values: Iterable[str]) -> str:
    return ", ".join(sorted(values)) or "none"


_checkout_option = click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The checkout with the folders site and schemas; default that of this program.",
)
_language_option = click.option(
    "--language", required=True, help="The language that is translated into, such as zgh."
)


@click.group()
def translate() -> None:
    """Write the texts of a language as a PO file for translators, and read it back.

    Example: registry translate export --language zgh --pages home,search,contest --out zgh.po
    """


@translate.command("export")
@_language_option
@click.option("--pages", help="Only what these pages say: home, search, contest.")
@click.option("--missing", is_flag=True, help="Only what the language has no words for yet.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Default: stdout.")
@_checkout_option
@pass_settings
def export_(  # noqa: PLR0917
    settings: Settings,
    language: str,
    pages: str | None,
    missing: bool,  # noqa: FBT001
    out: Path | None,
    folder: Path | None,
) -> None:
    """Write a PO file: each text with its place, its English, other languages and its translation.

    Example: registry translate export --language zgh --pages home,search,contest --out zgh.po
    """
    checkout = _place(folder)
    texts = _read_texts(settings, checkout, language)
    if pages is not None:
        texts = of_pages(checkout, texts, pages.split(","))
    if missing:
        texts = without_translated(texts)
    text = write_file(checkout, texts, language)
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")
        click.echo(f"{len(texts)} texts in {out}", err=True)


@translate.command("import")
@_language_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_checkout_option
@pass_settings
def import_(settings: Settings, language: str, file: Path, folder: Path | None) -> None:
    """Write the texts of FILE into the catalogues, code lists and the pack they came from.

    Nothing is written where a value, a plural form or a text is wrong; each fault is a line.

    Example: registry translate import --language zgh zgh.po
    """
    checkout = _place(folder)
    texts = _read_texts(settings, checkout, language)
    translated = read_file(file.read_bytes(), str(file))
    found = list(faults(texts, translated))
    for line, fault in found:
        click.echo(f"{file}:{line}: {fault}", err=True)
    if found:
        click.echo(f"Nothing was written: {len(found)} faults.", err=True)
        sys.exit(1)
    for path in write_back(checkout, texts, translated, language):
        click.echo(path)


def _place(folder: Path | None) -> Path:
    checkout = folder or resources.SITE.parent
    if not (checkout / "site").is_dir() or not (checkout / "schemas").is_dir():
        raise ConfigurationError(f"{checkout} has no folders site and schemas")
    return checkout


def _read_texts(settings: Settings, checkout: Path, language: str) -> Catalog:
    languages = load_pack(settings.pack, settings.packs).languages
    others = [tag for tag in languages if tag not in {SOURCE, language}]
    return read_texts(checkout, others, language, settings.pack)
