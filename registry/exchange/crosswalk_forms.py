"""The short forms in which a crosswalk may be written."""

from __future__ import annotations

import re
from typing import Any

from registry.exchange.cells import fold_value
from registry.exchange.crosswalk_model import target_path
from registry.record.schema import field_at

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def expanded(document: dict[str, Any]) -> dict[str, Any]:
    """Return a crosswalk that its schema accepts with every short form written out."""
    new = dict(document)
    if isinstance(new["read"], str):
        new["read"] = {"as": new["read"]}
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
