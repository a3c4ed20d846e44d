"""Wordings as a table for people who translate: a row a wording, languages side by side.

The table has all that a language can say: the site's and the format's messages (`.po` catalogues),
the labels of code lists and of the country pack (CSV columns). What was filled in is written back
into the files that it came from, which stay as they are where nothing changed.
"""

from __future__ import annotations

import csv
import gettext
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from babel.core import UnknownLocaleError
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.plurals import get_plural
from babel.messages.pofile import escape, read_po

from registry.errors import ConfigurationError
from registry.record.schema import SCHEMA_VERSION
from registry.record.tables import open_table
from registry.text.catalogues import SOURCE

FIXED = ("id", "place", "context", "form")
PAGES = {
    "home": ("home.html",),
    "search": ("search.html", "_list.html"),
    "contest": ("contest.html",),
}
"""The templates of the pages that are translated first; all pages share `_frame.html`."""

_SHARED = ("base.html", "_frame.html", "root.html")
_CATALOGUES = ("site/locale", "schemas/locale")
_VALUE, _EXAMPLES = re.compile(r"%\(\w+\)s"), 4
_HEAD = """# Wording of the language {0}.
# The id of a message is its English wording; %(…)s stands for a value and stays as it is.
msgid ""
msgstr ""
"Language: {0}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals={1}; plural={2};\\n\""""
_KEYWORDS: dict[str, Any] = {
    "_": None,
    "plain": None,
    "ngettext": (1, 2),
    "plain_counted": (1, 2),
    "by_number": (2, 3),
}

Row: TypeAlias = dict[str, str]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The language that is translated into; `numbers` are examples for each of its plural forms."""

    tag: str
    rule: str
    numbers: tuple[str, ...]


class WordingRow(msgspec.Struct, kw_only=True):
    """A wording in the languages that have it; `english` has one text, or one and many.

    `file` is the path in the checkout, of a catalogue without its language. `texts` have a form for
    each number that a language tells apart. `column` is of a table.
    """

    file: str
    key: str
    english: tuple[str, ...]
    places: tuple[str, ...] = ()
    texts: dict[str, tuple[str, ...]]
    column: str = ""

    @property
    def id(self) -> str:
        """The name by which a row is found again."""
        return f"{self.file}#{self.key}" + (f"#{self.column}" if self.column else "")


def read_wordings(checkout: Path, languages: Sequence[str], pack: str) -> list[WordingRow]:
    """Return every wording, by catalogue and then by table, in the order of their files."""
    return [*_messages(checkout, languages), *_cells(checkout, languages, pack)]


def of_pages(
    checkout: Path, wordings: Iterable[WordingRow], pages: Sequence[str]
) -> list[WordingRow]:
    """Return the messages that pages say, with what surrounds every page, without any twice."""
    if unknown := [name for name in pages if name not in PAGES]:
        raise ConfigurationError(f"no page {unknown[0]!r}; there are: {', '.join(PAGES)}")
    wanted = {*_SHARED, *(template for name in pages for template in PAGES[name])}
    places: dict[str, list[str]] = {}
    for template in sorted(wanted):
        for english in _said_in(checkout / "site" / "templates" / template):
            places.setdefault(english, []).append(template)
    return [
        msgspec.structs.replace(one, places=tuple(dict.fromkeys(places[one.english[0]])))
        for one in wordings
        if one.file.startswith(_CATALOGUES[0]) and one.english[0] in places
    ]


def write_table(wordings: Iterable[WordingRow], languages: Sequence[str], target: Target) -> str:
    """Return the CSV; the last column is the target's, and is to be filled in."""
    out, others = io.StringIO(), [tag for tag in languages if tag != target.tag]
    writer = csv.DictWriter(out, [*FIXED, *others, target.tag], lineterminator="\r\n")
    writer.writeheader()
    for one in wordings:
        is_counted = len(one.english) > 1
        for form in range(len(target.numbers) if is_counted else 1):
            row = {
                "id": one.id,
                "place": ", ".join(one.places),
                "context": f"n = {target.numbers[form]}" if is_counted else one.column or "message",
                "form": str(form) if is_counted else "",
            }
            row |= {tag: _form(one, tag, form) for tag in (*others, target.tag)}
            writer.writerow(row)
    return "\ufeff" + out.getvalue()


def read_table(raw: bytes, target: str) -> dict[str, dict[int, Row]]:
    """Return the rows by id and form. Raises `ConfigurationError` for what is no such table."""
    reader = open_table(raw, "the table")
    missing = {"id", "form", SOURCE, target} - set(reader.fieldnames or ())
    if missing:
        raise ConfigurationError(f"the table lacks the column {', '.join(sorted(missing))}")
    rows: dict[str, dict[int, Row]] = {}
    for row in reader:
        form = row["form"] or "0"
        if not form.isdigit() or int(form) in rows.setdefault(row["id"], {}):
            raise ConfigurationError(f"line {reader.line_num}: form {form} is no number, or twice")
        rows[row["id"]][int(form)] = row
    return rows


def faults(
    wordings: Sequence[WordingRow], rows: Mapping[str, Mapping[int, Row]], target: Target
) -> list[str]:
    """Return what is wrong with a table, a sentence a wording; an empty list where nothing is."""
    known = {one.id: one for one in wordings}
    found = []
    for name, forms in rows.items():
        one = known.get(name)
        if one is None:
            found.append(f"{name}: there is no such wording")
        elif forms[min(forms)][SOURCE] != one.english[0]:
            found.append(f"{name}: its English is now {one.english[0]!r}; export the table anew")
        else:
            said = {form: row[target.tag] for form, row in forms.items()}
            found += [f"{name}: {fault}" for fault in _faults_of(one, said, target)]
    return found


def _faults_of(one: WordingRow, said: Mapping[int, str], target: Target) -> Iterator[str]:
    is_counted = len(one.english) > 1
    wanted = len(target.numbers) if is_counted else 1
    if set(said) != set(range(wanted)):
        yield f"{wanted} forms are needed, there are {sorted(said)}"
    elif any(said.values()) and not all(said.values()):
        yield "some of its forms are empty; fill in all or none"
    expected = set(_VALUE.findall(one.english[-1]))
    for form, text in said.items():
        values = set(_VALUE.findall(text))
        # "One day" may say the number in a word.
        if text and values != expected and not (is_counted and values == expected - {"%(n)s"}):
            yield f"form {form} has the values {_list(values)}, and needs {_list(expected)}"
        if text != text.strip() or "\n" in text.strip():
            yield f"form {form} begins or ends with a space, or has several lines"


def write_back(
    checkout: Path,
    wordings: Sequence[WordingRow],
    rows: Mapping[str, Mapping[int, Row]],
    target: Target,
) -> list[Path]:
    """Write the words of a table without faults into the files; return those that changed."""
    changed: dict[str, dict[str, WordingRow]] = {}
    for one in wordings:
        forms = rows.get(one.id)
        said = tuple(forms[form][target.tag] for form in sorted(forms)) if forms else ()
        if forms and said != one.texts.get(target.tag, ("",) * len(said)):
            changed.setdefault(one.file, {})[one.id] = msgspec.structs.replace(
                one, texts=one.texts | {target.tag: said}
            )
    written = []
    for file, news in changed.items():
        if file.endswith(".csv"):
            path = checkout / file
            _write_cells(path, news.values(), target.tag)
        else:
            folder, _, name = file.rpartition("/")
            path = checkout / folder / target.tag / "LC_MESSAGES" / name
            of_file = [news.get(one.id, one) for one in wordings if one.file == file]
            _write_catalogue(path, of_file, target)
        written.append(path)
    return written


def open_target(checkout: Path, tag: str) -> Target:
    """Return how a language counts: as its catalogues say, else as CLDR does."""
    for path in sorted(checkout.glob(f"*/locale/{tag}/LC_MESSAGES/*.po")):
        catalogue = _catalogue(path)
        count, rule = catalogue.num_plurals, catalogue.plural_expr
        break
    else:
        try:
            known = get_plural(tag)
            count, rule = known.num_plurals, known.plural_expr
        except UnknownLocaleError:
            count, rule = 2, "(n > 1)"
    index = gettext.c2py(rule)
    numbers: list[list[str]] = [[] for _ in range(count)]
    for number in (*range(12), 20, 21, 100, 101, 102):
        if len(numbers[at := index(number)]) < _EXAMPLES:
            numbers[at].append(str(number))
    return Target(tag=tag, rule=rule, numbers=tuple(", ".join(one) for one in numbers))


def _messages(checkout: Path, languages: Sequence[str]) -> Iterator[WordingRow]:
    """Yield the messages of all catalogues, in the order of each file's fullest language."""
    for folder in _CATALOGUES:
        found: dict[str, dict[str, WordingRow]] = {}
        for tag in languages:
            for path in sorted((checkout / folder / tag / "LC_MESSAGES").glob("*.po")):
                file = f"{folder}/{path.name}"
                for message in _catalogue(path):
                    if not message.id or message.fuzzy:
                        continue
                    english, texts = _as_tuple(message.id), _as_tuple(message.string)
                    one = found.setdefault(file, {}).setdefault(
                        english[0],
                        WordingRow(
                            file=file,
                            key=hashlib.sha256(english[0].encode()).hexdigest()[:12],
                            english=english,
                            places=tuple(place for place, _ in message.locations),
                            texts={},
                        ),
                    )
                    if any(texts):
                        one.texts[tag] = texts
        for _, messages in sorted(found.items()):
            yield from messages.values()


def _cells(checkout: Path, languages: Sequence[str], pack: str) -> Iterator[WordingRow]:
    """Yield the texts of the tables: the code lists of the newest format, and those of a pack."""
    folders = (f"schemas/record/{SCHEMA_VERSION}/codelists", f"schemas/packs/{pack}")
    for path in (path for folder in folders for path in sorted((checkout / folder).glob("*.csv"))):
        file = path.relative_to(checkout).as_posix()
        for row in _rows(path):
            key = next(iter(row.values()))
            for column in row:
                stem, _, tag = column.rpartition("_")
                if tag != SOURCE or not row[column]:
                    continue
                cells = {tag: row.get(f"{stem}_{tag}", "") for tag in languages}
                yield WordingRow(
                    file=file,
                    key=key,
                    column=stem,
                    english=(row[column],),
                    places=(path.stem,),
                    texts={tag: (cell,) for tag, cell in cells.items() if cell},
                )


def _form(one: WordingRow, tag: str, form: int) -> str:
    """Return a form of a wording, the last of a language that has fewer, empty without any."""
    if tag == SOURCE:
        return one.english[min(form, len(one.english) - 1)]
    texts = one.texts.get(tag, ())
    return texts[min(form, len(texts) - 1)] if texts else ""


def _said_in(template: Path) -> Iterator[str]:
    for _, message, *_ in extract_from_file("jinja2", template, keywords=_KEYWORDS):
        yield message if isinstance(message, str) else message[0]


def _write_catalogue(path: Path, messages: Iterable[WordingRow], target: Target) -> None:
    """Write a catalogue, under the head that it has; a message without words is left out."""
    head = (
        path.read_text("utf-8").partition("\n\n")[0]
        if path.is_file()
        else _HEAD.format(target.tag, len(target.numbers), target.rule)
    )
    blocks = [head]
    for one in messages:
        texts = one.texts.get(target.tag, ())
        if not any(texts):
            continue
        lines = [f"#: {' '.join(one.places)}"] if one.places else []
        lines += [
            f"{name} {escape(text)}"
            for name, text in zip(("msgid", "msgid_plural"), one.english, strict=False)
        ]
        if len(one.english) == 1:
            lines.append(f"msgstr {escape(texts[0])}")
        else:
            lines += [f"msgstr[{form}] {escape(text)}" for form, text in enumerate(texts)]
        blocks.append("\n".join(lines))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


def _write_cells(path: Path, news: Iterable[WordingRow], tag: str) -> None:
    """Write a table with new cells, and a column more where the language had none."""
    rows = _rows(path)
    by_key = {next(iter(row.values())): row for row in rows}
    names = list(rows[0])
    for one in news:
        column = f"{one.column}_{tag}"
        if column not in names:
            last = max(at for at, name in enumerate(names) if name.startswith(f"{one.column}_"))
            names.insert(last + 1, column)
        by_key[one.key][column] = one.texts[tag][0]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _rows(path: Path) -> list[Row]:
    return list(open_table(path.read_bytes(), path.name))


def _catalogue(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, abort_invalid=True)


def _as_tuple(text: Any) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def _list(values: Iterable[str]) -> str:
    return ", ".join(sorted(values)) or "none"
