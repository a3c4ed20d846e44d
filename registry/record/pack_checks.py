"""The checks of a country pack, by its schema and beyond."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from jsonschema.exceptions import ValidationError

from registry.record.codelists import CODES, NARROWER, codelists, narrower_rows, texts
from registry.record.law_checks import CONTEST, law_faults, nearest
from registry.record.validators import validator_of
from registry.text.folding import fold

LISTS = ("regions", "bodies", "grounds", "supplier_schemes")
TABLES = ("agencies", *LISTS)
SYNONYMS = "synonyms"
SERVICES = "services"
RIGHTS = "rights"
DEADLINES = "deadlines"
CONTACTS = "contacts"
CONDITIONS = "conditions"
REQUIREMENTS = "requirements"
STEPS = "steps"
OPTIONAL = (CODES, RIGHTS, DEADLINES, CONDITIONS, REQUIREMENTS, STEPS, SYNONYMS, SERVICES, CONTACTS)
"""The tables that a pack may leave out."""

# Codes that every country has; a pack adds its own to them.
_EVERYWHERE = {"bodies": "contestation_body", "supplier_schemes": "supplier_identifier_scheme"}
_WORDS = ("name", "label", "description", "source", "purpose", "post", "note")
"""What columns by language begin with."""

_OF_A_ROW = 2
"""The steps from the whole to a row: its table, and its number."""

_ORDERS = ("fallback", "required_any", "required_at_high", "recommended")


def faults(code: str, whole: Mapping[str, Any]) -> Iterator[str]:
    """Yield the faults of `pack.json` and its tables, read as one object, each with its place.

    References between the parts are checked once each part has its shape.
    """
    errors = list(validator_of("pack").iter_errors(whole))
    misspelt = dict(chain.from_iterable(_columns(error, whole) for error in errors))
    yield from misspelt.values()
    # What a row lacks then is in the column that nobody knows.
    tables = {table for table, _ in misspelt}
    for error in errors:
        if not error.absolute_path or error.absolute_path[0] not in tables:
            form = error.schema.get("description") if error.validator == "pattern" else None
            yield f"{_place(error.absolute_path)}: {error.message}" + (f"; {form}" if form else "")
    if errors:
        return
    if whole["code"] != code:
        yield f"pack.json, /code: {whole['code']!r} is not the name of the folder, {code!r}"
    yield from _languages(whole)
    yield from _of_no_language(whole)
    yield from _regions(whole)
    yield from _agencies(whole)
    yield from _codes(whole)
    yield from _grounds(whole)
    yield from _redress(whole)
    yield from _services(whole)
    yield from _contacts(whole)
    yield from law_faults(whole)
    for table, codelist in _EVERYWHERE.items():
        for number, row in enumerate(whole[table]):
            if row["code"] in codelists()[codelist]:
                yield f"{_place((table, number, 'code'))}: it is one of {codelist}.csv"


def _columns(
    error: ValidationError, whole: Mapping[str, Any]
) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the columns of a row that its table has not, as ((table, column), the fault)."""
    if error.validator != "additionalProperties" or len(error.absolute_path) != _OF_A_ROW:
        return
    table = str(error.absolute_path[0])
    patterns = error.schema.get("patternProperties", {})
    languages = whole["languages"] if isinstance(whole.get("languages"), list) else []
    known = [*error.schema.get("properties", {})]
    known += [
        name
        for name in (f"{word}_{tag}" for word in _WORDS for tag in languages)
        if any(re.search(pattern, name) for pattern in patterns)
    ]
    for name in error.instance:
        if name in known or any(re.search(pattern, name) for pattern in patterns):
            continue
        near = difflib.get_close_matches(name, known, 1)
        meant = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        yield (table, name), f"{table}.csv, line 1: there is no column {name!r}; {meant}"


def _languages(whole: Mapping[str, Any]) -> Iterator[str]:
    languages = set(whole["languages"])
    for name in _ORDERS:
        for tag in sorted(set(whole[name]) - languages):
            yield f"pack.json, /{name}: {tag!r} is not among /languages"
    for tag in sorted(languages - set(whole["fallback"])):
        yield f"pack.json, /fallback: the language {tag!r} has no place in it"
    if not languages & set(whole["operator"]["name"]):
        yield "pack.json, /operator/name: it is in none of /languages"
    for table in (*TABLES, CODES):
        prefix = "name_" if table == "agencies" else "label_"
        for number, row in enumerate(whole[table]):
            if not languages & set(texts(row, prefix)):
                wanted = " or ".join(prefix + tag for tag in whole["languages"])
                yield f"{_place((table, number))}: it has no name; fill in {wanted}"


def _of_no_language(whole: Mapping[str, Any]) -> Iterator[str]:
    for table in (*TABLES, *OPTIONAL):
        for column in sorted({column for row in whole[table] for column in row}):
            word, _, tag = column.rpartition("_")
            if word in _WORDS and tag not in whole["languages"]:
                yield f"{table}.csv, line 1, column {column}: {tag!r} is not among /languages"


def _regions(whole: Mapping[str, Any]) -> Iterator[str]:
    country = whole["country"]
    regions = [row["code"] for row in whole["regions"]]
    if country not in regions:
        yield f"regions.csv: a row {country!r} is missing, for the whole country"
    for number, region in enumerate(regions):
        if region.split("-")[0] != country:
            yield f"{_place(('regions', number, 'code'))}: {region!r} is not a part of {country}"
    taken: set[tuple[str, str]] = set()
    for number, row in enumerate(whole["regions"]):
        if ("column" in row) != ("row" in row):
            yield f"{_place(('regions', number))}: its place on the map is column and row, or none"
        elif "column" in row:
            place = (row["column"], row["row"])
            if place in taken:
                yield f"{_place(('regions', number))}: another region has its place on the map"
            taken.add(place)


def _agencies(whole: Mapping[str, Any]) -> Iterator[str]:
    seen: set[str] = set()
    ids = {row["id"] for row in whole["agencies"]}
    if whole.get("publisher", next(iter(ids))) not in ids:
        yield f"pack.json, /publisher: {whole['publisher']!r} is not in agencies.csv"
    regions = {row["code"] for row in whole["regions"]}
    for number, row in enumerate(whole["agencies"]):
        place, name = ("agencies", number), row["id"]
        if name in seen:
            yield f"{_place((*place, 'id'))}: {name!r} comes twice"
        seen.add(name)
        if "parent" in row and row["parent"] not in ids - {name}:
            yield f"{_place((*place, 'parent'))}: {row['parent']!r} is not another agency"
        if "region" in row and row["region"] not in regions:
            yield f"{_place((*place, 'region'))}: {row['region']!r} is not in regions.csv"
    parents = {row["id"]: row.get("parent") for row in whole["agencies"]}
    for number, row in enumerate(whole["agencies"]):
        above: list[str | None] = [row.get("parent")]
        while above[-1] in parents and above[-1] not in above[:-1]:
            above.append(parents[str(above[-1])])
        if row["id"] in above[1:]:
            yield f"{_place(('agencies', number, 'parent'))}: it is above itself, through others"


def _codes(whole: Mapping[str, Any]) -> Iterator[str]:
    seen: set[tuple[str, str]] = set()
    # People choose and write a code by its label, in a workbook too.
    called = {
        (name, fold(text)): code
        for name in NARROWER
        for code, held in codelists()[name].items()
        for text in held.label.values()
    }
    for number, row in enumerate(whole[CODES]):
        for text in texts(row, "label_").values():
            other = called.setdefault((row["list"], fold(text)), f"{row['broader']}.{row['code']}")
            if other != f"{row['broader']}.{row['code']}":
                place = _place((CODES, number))
                yield f"{place}: {text!r} is what {other} is called; write another label"
        name, code, known = row["list"], row["code"], codelists()[row["list"]]
        if row["broader"] not in known:
            near = nearest(row["broader"], known) or f"write one of {', '.join([*known][:5])}"
            place = _place((CODES, number, "broader"))
            yield f"{place}: {row['broader']!r} is not a code of {name}; {near}"
        if code in known:
            place = _place((CODES, number, "code"))
            yield f"{place}: the format has {code!r} in {name} already; leave the row out"
        # One name for one thing, whatever it is under: people write and choose it by that.
        if (name, code) in seen:
            place = _place((CODES, number, "code"))
            yield f"{place}: {code!r} comes twice in {name}; give it another name"
        seen.add((name, code))


def _grounds(whole: Mapping[str, Any]) -> Iterator[str]:
    sectors = {*codelists()["sector"], *(one["code"] for one in narrower_rows(whole, "sector"))}
    for number, row in enumerate(whole["grounds"]):
        for sector in sorted(set(row.get("restricts", "").split()) - sectors):
            place = _place(("grounds", number, "restricts"))
            yield f"{place}: {sector!r} is not a code of sector"


def _redress(whole: Mapping[str, Any]) -> Iterator[str]:
    """Yield what rights, dates and steps do not say of themselves."""
    told = {RIGHTS: ("label", "source"), DEADLINES: ("label", "source"), STEPS: ("purpose",)}
    if whole[DEADLINES] and CONTEST not in {row["code"] for row in whole[DEADLINES]}:
        yield f"deadlines.csv: a row {CONTEST!r} is missing, for the time limit itself"
    for table, columns in told.items():
        for number, row in enumerate(whole[table]):
            lacking = [name for name in columns if not texts(row, f"{name}_")]
            if lacking:
                yield f"{_place((table, number))}: it lacks {', '.join(lacking)}; fill it in"


def _services(whole: Mapping[str, Any]) -> Iterator[str]:
    known = {
        "agency": ({row["id"] for row in whole["agencies"]}, "in agencies.csv"),
        "sector": (codelists()["sector"].keys(), "a code of sector"),
    }
    for number, row in enumerate(whole[SERVICES]):
        if not known.keys() & row.keys():
            yield f"{_place((SERVICES, number))}: it leads nowhere; fill in agency or sector"
        for column, (listed, where) in known.items():
            if column in row and row[column] not in listed:
                yield f"{_place((SERVICES, number, column))}: {row[column]!r} is not {where}"
        if not texts(row, "label_"):
            yield f"{_place((SERVICES, number))}: it has no words; fill in a label"


def _contacts(whole: Mapping[str, Any]) -> Iterator[str]:
    left = {row["id"] for row in whole["agencies"]}
    for number, row in enumerate(whole[CONTACTS]):
        if row["agency"] not in left:
            place = _place((CONTACTS, number, "agency"))
            yield f"{place}: {row['agency']!r} is not in agencies.csv, or comes twice"
        left.discard(row["agency"])


def _place(path: Iterable[str | int]) -> str:
    """Return a place as file and line; every row of a table is one line."""
    steps = [str(step) for step in path]
    if not steps or steps[0] not in {*TABLES, *OPTIONAL}:
        return "pack.json, /" + "/".join(steps)
    table, *rest = steps
    line = f", line {int(rest[0]) + 2}" if rest else ""
    return f"{table}.csv{line}" + "".join(f", column {name}" for name in rest[1:])
