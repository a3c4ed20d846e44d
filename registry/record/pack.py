"""Country packs: everything national about a register, read from `schemas/packs/<code>/`."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import msgspec

from registry.errors import ConfigurationError
from registry.record.codelists import CodeList, codes, read_rows, texts
from registry.record.model import LangText
from registry.record.validators import validator_of
from registry.resources import SCHEMAS

_PACKS = SCHEMAS / "packs"
_TABLES = ("agencies", "regions", "bodies", "grounds", "supplier_schemes")
_LISTS = _TABLES[1:]


class Agency(msgspec.Struct, frozen=True, kw_only=True):
    """A public body that files records; one with an `origin` comes from another register."""

    id: str
    name: LangText
    kind: str
    parent: str | None = None
    region: str | None = None
    website: str | None = None
    fictitious: bool = False
    origin: str | None = None


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """What one country sets; `schemas/pack.schema.json` says what each part means.

    `laws` are citations by subject and language; `review_months` goes by risk level. In the two
    links `{id}` and `{email}` stand for the record's identifier and contact mailbox.
    """

    code: str
    country: str
    site_name: LangText
    languages: tuple[str, ...]
    fallback: tuple[str, ...]
    required_any: tuple[str, ...]
    required_at_high: tuple[str, ...]
    recommended: tuple[str, ...]
    review_months: dict[str, int]
    sensitive_statutory: tuple[str, ...]
    laws: dict[str, LangText]
    report_error_url: str
    ask_more_url: str
    agencies: dict[str, Agency]
    lists: dict[str, CodeList]

    @property
    def regions(self) -> CodeList:
        """The country and its regions, by ISO 3166-2 code."""
        return self.lists["regions"]

    @property
    def bodies(self) -> CodeList:
        """Supervisory and appeal bodies."""
        return self.lists["bodies"]

    @property
    def grounds(self) -> CodeList:
        """Legal grounds for withholding."""
        return self.lists["grounds"]

    @property
    def supplier_schemes(self) -> CodeList:
        """The registers that number companies."""
        return self.lists["supplier_schemes"]


@cache
def load_pack(code: str) -> Pack:
    """Load and check a pack; raises `ConfigurationError` naming the file and the place."""
    known = sorted(path.parent.name for path in _PACKS.glob("*/pack.json"))
    if code not in known:
        raise ConfigurationError(
            f"there is no country pack {code!r}; the packs are {', '.join(known)}"
        )
    folder = _PACKS / code
    try:
        settings = json.loads((folder / "pack.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigurationError(f"{folder / 'pack.json'} is not JSON in UTF-8: {error}") from error
    tables = {table: read_rows(folder / f"{table}.csv") for table in _TABLES}
    _check(code, {**settings, **tables})
    return msgspec.structs.replace(
        msgspec.convert({**settings, "agencies": {}, "lists": {}}, Pack),
        agencies={row["id"]: _agency(row) for row in tables["agencies"]},
        lists={name: codes(tables[name], source=f"{name}.csv") for name in _LISTS},
    )


def _agency(row: dict[str, str]) -> Agency:
    return Agency(
        id=row["id"],
        name=texts(row, "name_"),
        kind=row["kind"],
        parent=row.get("parent"),
        region=row.get("region"),
        website=row.get("website"),
        fictitious=row["fictitious"] == "yes",
    )


def _check(code: str, whole: dict[str, Any]) -> None:
    _check_part(code, "pack", whole, ())
    for table in _LISTS:
        for number, row in enumerate(whole[table]):
            _check_part(code, "codelist", row, (table, number))
    if whole["code"] != code:
        raise ConfigurationError(f"pack {code}: /code says {whole['code']!r}")
    ids = [row["id"] for row in whole["agencies"]]
    doubles = sorted({name for name in ids if ids.count(name) > 1})
    if doubles:
        raise ConfigurationError(f"pack {code}: the agency {doubles[0]!r} comes twice")
    languages = set(whole["languages"])
    for name in ("fallback", "required_any", "required_at_high", "recommended"):
        stray = sorted(set(whole[name]) - languages)
        if stray:
            raise ConfigurationError(
                f"pack {code}: /{name} names {stray[0]!r}, which is not among /languages"
            )


def _check_part(code: str, schema: str, part: Any, place: tuple[str | int, ...]) -> None:
    error = next(validator_of(schema).iter_errors(part), None)
    if error is not None:
        where = "/".join(str(step) for step in (*place, *error.absolute_path))
        raise ConfigurationError(f"pack {code}: /{where}: {error.message}")
