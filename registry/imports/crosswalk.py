"""Crosswalks: those that there are, the reading of one, and its faults with their places."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from registry.errors import ImportRefused, RegistryError
from registry.imports.cells import fold_value
from registry.imports.crosswalk_model import Crosswalk, Mapping, Reading, target_path, word_meaning
from registry.imports.dates import date_pattern_fault
from registry.imports.texts import pattern_fault
from registry.record.parse import parse
from registry.record.pointers import pointer
from registry.record.schema import Field, field_at, fields
from registry.record.validators import validator_of
from registry.resources import SCHEMAS

_FEW = 12


def schema_faults(document: Any) -> Iterator[str]:
    """Yield what the crosswalk's schema refuses, unknown members first."""
    found = [
        fault
        for error in validator_of("crosswalk").iter_errors(document)
        for fault in _sentences(_deepest(error))
    ]
    yield from dict.fromkeys(text for _, text in sorted(found))


def no_such_field(place: str) -> str:
    """Return that the format has no such place, with what may be meant."""
    known = [pointer("-" if part == "*" else part for part in field.path) for field in fields()]
    *outer, last = place.split("/")
    at = "/".join(outer)
    beside = [one.rsplit("/", 1)[1] for one in known if one.rsplit("/", 1)[0] == at]
    near = difflib.get_close_matches(last, beside, n=1) or []
    if near:
        meant = f"; did you mean {at}/{near[0]}?"
    elif at and beside:
        meant = f"; {at} has {', '.join(beside[:_FEW])}"
    else:
        near = difflib.get_close_matches(place, known, n=1)
        meant = f"; did you mean {near[0]}?" if near else ""
    return f"the record has no field {place}{meant}"


def _deepest(error: Any) -> Any:
    """Return the most telling error below one of alternatives: that of the nearest alternative."""
    while error.context:
        error = min(
            error.context,
            key=lambda one: (one.validator == "type", -len(one.absolute_path), one.schema_path[0]),
        )
    return error


def _sentences(error: Any) -> Iterator[tuple[int, str]]:
    """Yield (rank, sentence) for each member that an error is about."""
    where = pointer(error.absolute_path)
    if error.validator == "additionalProperties":
        known = list(error.schema.get("properties", ()))
        for name in sorted(set(error.instance) - set(known)):
            near = difflib.get_close_matches(name, known, n=1)
            meant = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
            yield 0, f"at {where}/{name}: {name!r} was unexpected; {meant}"
    elif error.validator == "required":
        for name in error.validator_value:
            if name not in error.instance:
                such = _SUCH.get(name, "")
                yield (
                    1,
                    f"at {where or '/'}: {name!r} is missing. {_described(name)}{such}".rstrip(),
                )
    elif error.validator == "enum":
        near = difflib.get_close_matches(str(error.instance), map(str, error.validator_value), n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        yield 1, f"at {where or '/'}: {error.message}{meant}"
    elif error.validator == "pattern":
        wanted = error.schema.get("description", "")
        yield 1, f"at {where or '/'}: {error.message}. {wanted}".rstrip()
    elif error.validator == "not":
        taken = error.validator_value.get("const")
        yield 1, f"at {where or '/'}: {taken!r} means this register itself; choose another"
    else:
        yield 1, f"at {where or '/'}: {error.message}"


def _described(name: str) -> str:
    """Return what the schema says of a member of a crosswalk or of a mapping."""
    schema = validator_of("crosswalk").schema
    known = schema["$defs"]["mapping"]["properties"] | schema["properties"]
    text: str = known.get(name, {}).get("description", "")
    return text


_SUCH = {"country": ' Add a member such as "country": "NL".'}


def problems(crosswalk: Crosswalk) -> Iterator[str]:
    """Yield the faults that the crosswalk's schema cannot express."""
    if crosswalk.document is None and "/name" not in {one.to for one in crosswalk.mappings}:
        yield "no mapping fills /name, which every record must have"
    mapped = {name for mapping in crosswalk.mappings for name in mapping.column or ()}
    for left_out in crosswalk.unmapped:
        if left_out.column in mapped:
            yield f"the column {left_out.column!r} is both mapped and listed as unmapped"
    for number, mapping in enumerate(crosswalk.mappings):
        for place, fault in _mapping_problems(mapping):
            yield f"at /mappings/{number}/{place}: {fault}"
    yield from _language_problems(crosswalk)
    yield from _agency_problems(crosswalk)
    for part in ("of", "telling_apart"):
        for number, word in enumerate(getattr(crosswalk.id, part)):
            if not word_meaning(crosswalk, word):
                yield (
                    f'at /id/{part}/{number}: {word!r} is neither "agency" nor a field that a '
                    "mapping fills nor a column that one reads; write the field as a JSON Pointer, "
                    'such as "/name"'
                )


def _mapping_problems(mapping: Mapping) -> Iterator[tuple[str, str]]:
    """Yield (member, fault) for what is wrong with a mapping in itself."""
    field = field_at(target_path(mapping.to))
    if field is None:
        yield "to", no_such_field(mapping.to)
        return
    yield from _list_faults(mapping, field)
    for first, second in _same_values(mapping):
        yield "values", f"{first!r} and {second!r} are read as the same; state one of them"
    if not field.is_text:
        for name in ("lang", "translation", "label"):
            if getattr(mapping, name):
                yield name, f"{mapping.to} holds no text of a language; remove {name!r}"
    if mapping.pattern and mapping.transform != "date":
        yield "pattern", 'only the transform "date" has patterns; a regular expression is "part"'
    yield from _column_faults(mapping)
    yield from _pattern_faults(mapping)


def _list_faults(mapping: Mapping, field: Field) -> Iterator[tuple[str, str]]:
    """Yield what is wrong where a list is named as one value, or one value as a list."""
    if field.is_list and mapping.transform != "constant":
        yield "to", f'{mapping.to} is a list; write "{mapping.to}/-", which adds to it'
    elif "-" not in mapping.to.split("/"):
        if mapping.list is not None:
            yield "list", f"{mapping.to} holds one value; add to a list with -"
        if any(isinstance(value, tuple) for value in mapping.values.values()):
            yield "values", f"{mapping.to} holds one value; several go to a list with -"


def _same_values(mapping: Mapping) -> Iterator[tuple[str, str]]:
    """Yield pairs of values that differ in case, blanks or dashes alone and mean two things."""
    known: dict[str, str] = {}
    for value, meant in mapping.values.items():
        first = known.setdefault(fold_value(value), value)
        if mapping.values[first] != meant:
            yield first, value


def _column_faults(mapping: Mapping) -> Iterator[tuple[str, str]]:
    if mapping.column is None and mapping.transform != "constant":
        yield "column", f"it is missing; the transform {mapping.transform!r} reads a column"
    if mapping.column is not None and mapping.transform == "constant":
        yield "column", "a constant reads no column; remove it, or choose another transform"


def _pattern_faults(one: Mapping | Reading) -> Iterator[tuple[str, str]]:
    if one.part is not None and (fault := pattern_fault(one.part)):
        yield "part", fault
    for number, pattern in enumerate(one.pattern):
        if fault := date_pattern_fault(pattern):
            yield f"pattern/{number}", fault


def _language_problems(crosswalk: Crosswalk) -> Iterator[str]:
    """Yield where two mappings say differently how the texts of one language came about."""
    said: dict[str, tuple[int, str]] = {}
    for number, mapping in enumerate(crosswalk.mappings):
        if mapping.translation is None:
            continue
        tag = mapping.lang or crosswalk.language
        first, before = said.setdefault(tag, (number, mapping.translation))
        if before != mapping.translation:
            yield (
                f"at /mappings/{number}/translation: a record says once how its texts in {tag!r} "
                f"came about, and /mappings/{first} says {before!r}"
            )


def _agency_problems(crosswalk: Crosswalk) -> Iterator[str]:
    agency = crosswalk.agency
    if crosswalk.document is None and (agency.name is None) == (agency.constant is None):
        yield (
            'at /agency: "name" says which column names the agency, or "constant" which agency the '
            "whole file is of; it needs one of the two"
        )
    readings = {
        "agency/name": agency.name,
        "agency/code": agency.code,
        "id/own": crosswalk.id.own,
        "changed_on": crosswalk.changed_on,
        "as_of": crosswalk.as_of,
    }
    readings |= {f"agency/names/{tag}": reading for tag, reading in agency.names.items()}
    for number, other in enumerate(agency.otherwise):
        readings[f"agency/otherwise/{number}"] = other.reading
    for place, reading in readings.items():
        for member, fault in _pattern_faults(reading) if reading is not None else ():
            yield f"at /{place}/{member}: {fault}"


_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def expanded(document: dict[str, Any]) -> dict[str, Any]:
    """Return a crosswalk that its schema accepts with every short form written out."""
    new = dict(document)
    if isinstance(new["read"], str):
        new["read"] = {"as": new["read"]}
    new["read"] = dict(new["read"])
    if isinstance(encodings := new["read"].get("encoding"), list):
        new["read"] |= {"encoding": encodings[0], "other_encodings": encodings[1:]}
    new["agency"] = _agency(new["agency"], new["language"])
    new["id"] = dict(new["id"])
    if "own" in new["id"]:
        new["id"]["own"] = _reading(new["id"]["own"])
    for name in {"changed_on", "as_of"} & new.keys():
        new[name] = _reading(new[name])
    if "only" in new:
        new["only"] = _condition(new["only"])
    if "document" in new:
        new["document"] = _columns(new["document"])
    new["mappings"] = [_mapping(mapping) for mapping in new.get("mappings", ())]
    return new


def _mapping(short: dict[str, Any]) -> dict[str, Any]:
    new = dict(short)
    place, _, last = new["to"].rpartition("/")
    if field_at(target_path(new["to"])) is None and _LANGUAGE.fullmatch(last) and "lang" not in new:
        field = field_at(target_path(place))
        if field is not None and field.is_text:
            new |= {"to": place, "lang": last}
    for name in ("column", "otherwise"):
        if name in new:
            new[name] = _columns(new[name])
    if "when" in new:
        new["when"] = _condition(new["when"])
    if isinstance(new.get("pattern"), str):
        new["pattern"] = [new["pattern"]]
    return new


def _agency(short: dict[str, Any], language: str) -> dict[str, Any]:
    new = dict(short)
    for name in ("name", "code"):
        if name in new:
            new[name] = _reading(new[name])
    if "names" in new:
        new["names"] = {tag: _reading(reading) for tag, reading in new["names"].items()}
    if "renamed" in new:
        new["renamed"] = {fold_value(now): before for now, before in new["renamed"].items()}
    if "constant" in new:
        new["constant"] = _stated(new["constant"], language)
    if "otherwise" in new:
        several = new["otherwise"] if isinstance(new["otherwise"], list) else [new["otherwise"]]
        new["otherwise"] = [
            {"reading": _reading(one)} if "column" in one else {"stated": _stated(one, language)}
            for one in several
        ]
    return new


def _stated(short: dict[str, Any], language: str) -> dict[str, Any]:
    name = short["name"]
    return short | {"name": {language: name} if isinstance(name, str) else name}


def _reading(short: Any) -> dict[str, Any]:
    if not isinstance(short, dict):
        return {"column": _columns(short)}
    new = short | {"column": _columns(short["column"])}
    if isinstance(new.get("pattern"), str):
        new["pattern"] = [new["pattern"]]
    return new


def _condition(short: dict[str, Any]) -> dict[str, Any]:
    return short | {"column": _columns(short["column"])}


def _columns(short: str | list[str]) -> list[str]:
    return [short] if isinstance(short, str) else short


FOLDER = SCHEMAS / "crosswalks"
TEMPLATES = FOLDER / "templates"
SHOWN_FAULTS = 10


def names() -> list[str]:
    """Return the names of the crosswalks that come with the register."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def load_crosswalk(name_or_path: str | Path) -> Crosswalk:
    """Return a checked crosswalk. Raises `ImportRefused` with every fault and its place.

    What its codes mean is checked against the format when a file is converted: `convert.rehearse`.
    """
    path = _find(str(name_or_path))
    try:
        document = parse(path.read_bytes())
    except OSError as error:
        raise ImportRefused(f"{path}: cannot be read: {error.strerror or error}") from error
    except RegistryError as error:
        raise ImportRefused(f"{path}: {error}") from error
    refuse_if(str(path), schema_faults(document))
    crosswalk = msgspec.convert(expanded(document), Crosswalk)
    refuse_if(str(path), problems(crosswalk))
    return crosswalk


def shared_prefixes(crosswalk: Crosswalk) -> Iterator[str]:
    """Yield a sentence on each crosswalk of the register that has the prefix of this one."""
    for name in names():
        other = parse((FOLDER / f"{name}.json").read_bytes())
        prefix = other["agency"]["prefix"]
        if prefix == crosswalk.agency.prefix and other["origin"] != crosswalk.origin:
            yield (
                f'the crosswalk {name}, which comes with the register, has the prefix "{prefix}" '
                'too; choose another ("agency": {"prefix": …}), so that ids never meet'
            )


def refuse_if(what: str, faults: Iterable[str]) -> None:
    """Raise `ImportRefused` with what is wrong with a crosswalk, the first ten faults, if any."""
    found = list(faults)
    if found:
        more = [f"and {len(found) - SHOWN_FAULTS} more"] if len(found) > SHOWN_FAULTS else []
        raise ImportRefused("\n".join([f"{what}: {found[0]}", *found[1:SHOWN_FAULTS], *more]))


def _find(name_or_path: str) -> Path:
    known = names()
    if name_or_path in known:
        return FOLDER / f"{name_or_path}.json"
    path = Path(name_or_path)
    if path.suffix == ".json" or len(path.parts) > 1:
        if path.is_file():
            return path
        raise ImportRefused(f"{path}: there is no such crosswalk file")
    template = TEMPLATES / f"{name_or_path}.json"
    if template.is_file():
        raise ImportRefused(
            f"{name_or_path} is a template: copy {template}, say in the copy what source it is of, "
            "and give the path of the copy; docs/importing.md shows one"
        )
    near = difflib.get_close_matches(name_or_path, known, n=1, cutoff=0.4)
    meant = f", did you mean {near[0]!r}?" if near else ""
    raise ImportRefused(
        f"no crosswalk is named {name_or_path!r}{meant}; those there are: {', '.join(known)}; "
        "the path of a .json file is taken too"
    )
