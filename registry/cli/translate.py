"""`registry translate`: the texts of a language as a PO file, for translators."""

from __future__ import annotations

import csv
import gettext
import io
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import rich_click as click
from babel import localedata
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import PoFileError, read_po, write_po

from registry import resources
from registry.cli.runtime import pass_settings
from registry.errors import ConfigurationError
from registry.record.pack import load_pack, pack_folder
from registry.record.schema import RECORD_FOLDER
from registry.resources import LANGUAGES, language_bases
from registry.settings import Settings
from registry.text.catalogues import SOURCE, Kind
from registry.text.csv_tables import open_table
from registry.text.dates import DATE_COLUMNS, DATE_NAMES, month_number
from registry.text.language_words import words_by_language
from registry.text.locales import TAG
from registry.text.text_safety import first_problem

PAGES = {
    "home": ("home.html",),
    "search": ("search.html", "_list.html"),
    "contest": ("contest.html",),
}
"""The templates of the pages that are translated first; all pages share `_frame.html`."""

_SHARED = ("base.html", "_frame.html", "root.html")
_KINDS: tuple[Kind, ...] = ("site", "format")
_LABELS = "labels.csv"
_LABEL_COLUMNS = ("list", "code", "english", "label", "english_description", "description")
_ANCHOR = re.compile(r"\{#([\w-]+)\}")
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


class TextFolders(msgspec.Struct, frozen=True, kw_only=True):
    """Where the texts are: the folder that the language is written to, and that of the pack."""

    languages: Path
    pack: Path


def read_texts(folders: TextFolders, languages: Sequence[str], target: str) -> Catalog:
    """Return every text, by catalogue and then by table, with its translation into `target`.

    Wordings in the other `languages` are comments for the translator. Texts are those that any
    language that ships has: English has no catalogue.
    """
    catalogue = _parse_po(_head(folders, target).encode())
    shipped = sorted(path.name for path in LANGUAGES.iterdir() if path.is_dir())
    for read in (_messages, _cells):
        for tag in dict.fromkeys((*languages, *shipped, target)):
            for one in read(folders, tag):
                text = catalogue.get(one.id, one.context) or catalogue.add(
                    one.id, context=one.context, locations=one.locations
                )
                if tag == target:
                    text.string, text.user_comments = one.string, one.user_comments
                elif tag in languages and (strings := _strings(one)):
                    text.auto_comments.append(f"{tag}: {' | '.join(strings)}")
    return catalogue


def of_pages(texts: Catalog, pages: Sequence[str]) -> Catalog:
    """Return the messages that pages say, with what surrounds every page."""
    if unknown := [name for name in pages if name not in PAGES]:
        raise ConfigurationError(f"no page {unknown[0]!r}; there are: {', '.join(PAGES)}")
    wanted = {*_SHARED, *(template for name in pages for template in PAGES[name])}
    folder = resources.SITE / "templates"
    said = {
        _forms(message)[0]
        for template in wanted
        for _, message, *_ in extract_from_file("jinja2", folder / template, keywords=_KEYWORDS)
    }
    return _only(texts, lambda one: _file(one).startswith("site/") and _forms(one.id)[0] in said)


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
        if first_problem(string) is not None and first_problem(_forms(one.id)[-1]) is None:
            yield f"{string!r} has mark-up, or signs that nobody sees"
        if string != string.strip() or "\n" in string:
            yield f"{string!r} begins or ends with a space, or has several lines"


def write_back(
    folders: TextFolders, texts: Catalog, translated: Catalog, target: str
) -> list[Path]:
    """Write a file without faults into the places of its texts; return the files that changed."""
    changed: dict[str, list[Message]] = {}
    for one in _translated(translated):
        text = texts.get(one.id, one.context)
        if text is not None and _strings(one) != _strings(text):
            text.string = one.string
            changed.setdefault(_file(text), []).append(text)
    own = folders.languages / target
    written = []
    for file, messages in changed.items():
        if file.startswith("pack/"):
            path = folders.pack / file.removeprefix("pack/")
            _write_cells(path, messages, target)
        elif file.startswith("codelists/"):
            path = own / _LABELS
            _write_labels(path, messages)
        else:
            path = own / file
            _write_catalogue(path, _head(folders, target, path), texts, file)
        written.append(path)
    return list(dict.fromkeys(written))


def begin_language(folders: TextFolders, texts: Catalog, target: str) -> list[Path]:
    """Write the folder of a new language, with all that it is to say and nothing said; its files.

    Raises `ConfigurationError` where there is one.
    """
    own = folders.languages / target
    if own.exists():
        raise ConfigurationError(f"{own} is there already; registry translate check {target}")
    files = {_file(one) for one in texts if one.id}
    paths = []
    for file in sorted(one for one in files if one.endswith(".po")):
        paths.append(own / file)
        _write_catalogue(own / file, _head(folders, target), texts, file, empty=True)
    _write_labels(own / _LABELS, [one for one in texts if _file(one).startswith("codelists/")])
    # CLDR has the months of languages that it knows.
    named = [] if localedata.exists(target.replace("-", "_")) else DATE_NAMES
    tables = {
        "dates.csv": [",".join(DATE_COLUMNS), *(f"{name},,,," for name in named)],
        "names.csv": ["language,name", f"{target},"],
        "words.csv": ["kind,text"],
    }
    for name, lines in tables.items():
        (own / name).write_text("\n".join((*lines, "")), encoding="utf-8")
    return [*paths, own / _LABELS, *(own / name for name in tables)]


def check_language(own: Path, texts: Catalog) -> tuple[list[str], list[str]]:
    """Return the faults of the folder of a language, with file and line, and what it lacks."""
    wrong: list[str] = []
    lacks: list[str] = []
    known: dict[str, int] = {}
    for path in sorted(own.glob("*/*.po")):
        file = path.relative_to(own).as_posix()
        translated = read_file(path.read_bytes(), str(path))
        for one in list(translated):
            if one.id:
                translated.delete(one.id, one.context)
                one.context = file
                translated[one.id] = one
        known[file] = sum(bool(_strings(one)) for one in _translated(translated))
        wrong += [f"{path}:{line}: {fault}" for line, fault in faults(texts, translated)]
    for file, number in sorted(Counter(_file(one) for one in texts if one.id).items()):
        if file.endswith(".po") and known.get(file, 0) < number:
            lacks.append(f"{file}: {number - known.get(file, 0)} of {number} wordings")
    tables = [one for one in texts if one.id and not _file(one).endswith(".po")]
    unsaid = [one for one in tables if not _strings(one)]
    if unsaid:
        lacks.append(f"{_LABELS} and the pack: {len(unsaid)} of {len(tables)} texts")
    for path in sorted((LANGUAGES / SOURCE).glob("texts/*.md")):
        if not (mine := own / "texts" / path.name).is_file():
            lacks.append(f"texts/{path.name}: the whole page")
        elif missing := _anchors(path) - _anchors(mine):
            wrong.append(f"{mine}: the parts {_list(missing)} are missing, or not marked {{#…}}")
    return wrong, lacks


def _anchors(path: Path) -> set[str]:
    return set(_ANCHOR.findall(path.read_text("utf-8")))


def _head(folders: TextFolders, tag: str, path: Path | None = None) -> str:
    """Return the head of a catalogue, or what one of this language has.

    Plural forms are those of the language's catalogues, and of CLDR for a new language; for one
    that CLDR lacks they are those of English.
    """
    if path is not None and path.is_file():
        return path.read_text("utf-8").partition("\n\n")[0]
    known = localedata.exists(tag.replace("-", "_"))
    catalogue = Catalog(locale=tag.replace("-", "_") if known else SOURCE)
    for base in (LANGUAGES, folders.languages):
        for other in sorted(base.glob(f"{tag}/*/*.po"))[:1]:
            catalogue = _parse_po(other.read_bytes())
    return _HEAD.format(tag=tag, plural_forms=catalogue.plural_forms)


def _messages(folders: TextFolders, tag: str) -> Iterator[Message]:
    """Yield the messages of the catalogues of a language, with their place as context."""
    for kind in _KINDS:
        for base in dict.fromkeys((LANGUAGES, folders.languages)):
            for path in sorted((base / tag / kind).glob("*.po")):
                for one in _translated(_parse_po(path.read_bytes())):
                    one.context = f"{kind}/{path.name}"
                    yield one


def _cells(folders: TextFolders, tag: str) -> Iterator[Message]:
    """Yield the texts of the tables: the code lists of the newest format, and those of a pack."""
    tables = {base / tag / _LABELS: None for base in (LANGUAGES, folders.languages)}
    labels = {
        (row["list"], row["code"], stem): row[stem]
        for table in tables
        if table.is_file()
        for row in _rows(table)
        for stem in ("label", "description")
        if row[stem]
    }
    lists = {"codelists": RECORD_FOLDER / "codelists", "pack": folders.pack}
    for where, folder in lists.items():
        for path in sorted(folder.glob("*.csv")):
            for row in _rows(path):
                key = next(iter(row.values()))
                for column in row:
                    stem, _, language = column.rpartition("_")
                    if language == SOURCE and row[column]:
                        own = row.get(f"{stem}_{tag}", "")
                        if where == "codelists":
                            own = labels.get((path.stem, key, stem), own)
                        place = f"{where}/{path.name}#{key}#{stem}"
                        yield Message(row[column], own, context=place)


def _write_catalogue(
    path: Path, head: str, texts: Catalog, file: str, *, empty: bool = False
) -> None:
    """Write a catalogue under its head; without `empty` a message without words is left out."""
    catalogue = _parse_po(head.encode())
    for one in texts:
        if one.context == file and (empty or _strings(one)):
            catalogue.add(
                one.id,
                one.string,
                one.locations,
                user_comments=one.user_comments,
                auto_comments=one.auto_comments if empty else (),
            )
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


def _write_labels(path: Path, messages: Iterable[Message]) -> None:
    """Write labels and descriptions of codes into the table of a language."""
    rows = {(row["list"], row["code"]): row for row in (_rows(path) if path.is_file() else ())}
    for one in messages:
        table, key, stem = (one.context or "").split("#")
        place = (Path(table).stem, key)
        row = rows.setdefault(place, dict.fromkeys(_LABEL_COLUMNS, ""))
        row["list"], row["code"] = place
        row["english" if stem == "label" else "english_description"] = str(one.id)
        row[stem] = str(one.string or "")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _LABEL_COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[place] for place in sorted(rows))


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


_language_option = click.option(
    "--language", required=True, help="The language that is translated into, such as zgh."
)
_folder_option = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of languages; default REGISTRY_LANGUAGES, or those of this program.",
)


@click.group()
def translate() -> None:
    """Begin and check the folder of a language, or exchange its texts as one PO file.

    Example: registry translate check zgh
    """


@translate.command("begin")
@click.argument("language")
@_folder_option
@pass_settings
def begin(settings: Settings, language: str, folder: Path | None) -> None:
    """Write the folder of a new language: its catalogues and labels, with nothing filled in yet.

    Example: registry translate begin wo --folder /etc/registry/languages
    """
    if TAG.fullmatch(language) is None:
        raise ConfigurationError(f"{language!r} is no tag of a language, such as wo or ff-Adlm")
    folders, texts = _read(settings, language, folder)
    for path in begin_language(folders, texts, language):
        click.echo(path)


@translate.command("check")
@click.argument("language")
@_folder_option
@pass_settings
def check(settings: Settings, language: str, folder: Path | None) -> None:
    """Name what is wrong in the folder of a language, and say what it lacks.

    It ends with 1 where a value, a plural form, mark-up or a part of a page is wrong; what is
    missing is shown to readers in the next language, and is no fault.

    Example: registry translate check zgh
    """
    folders, texts = _read(settings, language, folder)
    own = folders.languages / language
    if not own.is_dir():
        raise ConfigurationError(
            f"there is no {own}; begin it: registry translate begin {language}"
        )
    # What is wrong in these is an error with its place.
    words_by_language()
    month_number("")
    wrong, lacks = check_language(own, texts)
    for line in wrong:
        click.echo(line, err=True)
    for line in lacks:
        click.echo(f"gap: {line}")
    click.echo(f"{language}: {len(wrong)} faults")
    if wrong:
        sys.exit(1)


@translate.command("export")
@_language_option
@click.option("--pages", help="Only what these pages say: home, search, contest.")
@click.option("--missing", is_flag=True, help="Only what the language has no words for yet.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Default: stdout.")
@_folder_option
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
    folders, texts = _read(settings, language, folder)
    if pages is not None:
        texts = of_pages(texts, pages.split(","))
    if missing:
        texts = _only(texts, lambda one: not _strings(one))
    text = _format_po(_head(folders, language), texts)
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")
        click.echo(f"{len(texts)} texts in {out}", err=True)


@translate.command("import")
@_language_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_folder_option
@pass_settings
def import_(settings: Settings, language: str, file: Path, folder: Path | None) -> None:
    """Write the texts of FILE into the folder of the language and the pack that they came from.

    Nothing is written where a value, a plural form or a text is wrong; each fault is a line.

    Example: registry translate import --language zgh zgh.po
    """
    folders, texts = _read(settings, language, folder)
    translated = read_file(file.read_bytes(), str(file))
    found = list(faults(texts, translated))
    for line, fault in found:
        click.echo(f"{file}:{line}: {fault}", err=True)
    if found:
        click.echo(f"Nothing was written: {len(found)} faults.", err=True)
        sys.exit(1)
    for path in write_back(folders, texts, translated, language):
        click.echo(path)


def _read(settings: Settings, language: str, folder: Path | None) -> tuple[TextFolders, Catalog]:
    folders = TextFolders(
        languages=folder or language_bases()[-1], pack=pack_folder(settings.pack, settings.packs)
    )
    languages = load_pack(settings.pack, settings.packs).languages
    others = [tag for tag in languages if tag not in {SOURCE, language}]
    return folders, read_texts(folders, others, language)
