"""Country packs: the national parts of a register, from `schemas/packs/<code>/`."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from registry.errors import ConfigurationError
from registry.record.canonical import canonical
from registry.record.codelists import (
    NARROWER,
    Code,
    CodeList,
    codelists,
    codes,
    narrower_rows,
    read_rows,
    texts,
)
from registry.record.law import (
    Law,
    LegalCondition,
    LegalRequirement,
    LegalStep,
    compile_law,
    in_force,
    in_order,
)
from registry.record.law_checks import nearest
from registry.record.model import LangText
from registry.record.pack_checks import (
    CONDITIONS,
    CONTACTS,
    DEADLINES,
    LISTS,
    OPTIONAL,
    REQUIREMENTS,
    RIGHTS,
    SERVICES,
    STEPS,
    SYNONYMS,
    TABLES,
    faults,
)
from registry.record.schema import broader
from registry.resources import SCHEMAS
from registry.text.csv_tables import open_table
from registry.text.locales import Locale, make_locale

_PACKS = SCHEMAS / "packs"
_OWN = "pack/"


class Agency(msgspec.Struct, frozen=True, kw_only=True):
    """A public body that files records; one with an `origin` is of another register."""

    id: str
    name: LangText
    kind: str
    parent: str | None = None
    region: str | None = None
    website: str | None = None
    fictitious: bool = False
    origin: str | None = None


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """What people come for, in wordings by language, and the agency and sector to show for it."""

    agency: str | None = None
    sector: str | None = None
    wordings: dict[str, tuple[str, ...]]


class AgencyContact(msgspec.Struct, frozen=True, kw_only=True):
    """Where an agency can be reached, as the page at `source` said on the day `read_on`."""

    phone: str | None = None
    post: LangText = {}
    source: str
    read_on: str


class Operator(msgspec.Struct, frozen=True, kw_only=True):
    """The operator of the register; `legal` and `privacy` are paragraphs of small Markdown."""

    name: LangText
    email: str
    url: str | None = None
    phone: str | None = None
    post: LangText | None = None
    legal: LangText | None = None
    privacy: LangText | None = None

    @property
    def is_reachable(self) -> bool:
        """Whether mail can arrive: not at a domain that RFC 2606 keeps for examples."""
        return not self.email.endswith(".example")


class LegalFact(msgspec.Struct, frozen=True, kw_only=True):
    """A fact of a country's law for people, a right or a date, with its source.

    Of a right, `words` says what it is. Of a date, it says what to do by it; `after` is how long
    after the day on which the decision was received, as an ISO 8601 duration. What nobody who knows
    the law has `confirmed` is shown as such.
    """

    code: str
    words: LangText
    source: LangText
    confirmed: bool
    after: str = ""


class Pack(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """A country pack, as `schemas/pack.schema.json` describes it.

    `laws` are the names of laws by code, `requirements` what their articles ask of records under
    `conditions`, and `steps` how one contests, judged by days in `time_zone`; `review_months` is by
    risk level. In the two links `{id}`, `{version}`, `{email}` and `{operator}` stand for the
    record's identifier, version and contact mailbox and the operator's mailbox. `synonyms` are sets
    of synonyms for search, `stop_words` words that a record need not have, and `services` lead from
    what people come for. `publisher` is the agency that runs the register, and `licence` the
    address of the licence of its contents. `rights` are what the law gives to whoever received a
    decision, `deadlines` what they do by when; `contest` is the last day to contest. `contacts` are
    those of agencies, by id.

    It is a value, by whose identity others keep what they have made of it: never change one.
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
    laws: dict[str, LangText]
    redress: LangText
    attestation: LangText
    operator: Operator
    ask_more_url: str
    agencies: Mapping[str, Agency]
    lists: dict[str, CodeList]
    synonyms: tuple[tuple[str, ...], ...] = ()
    stop_words: tuple[str, ...] = ()
    services: tuple[Service, ...] = ()
    report_error_url: str | None = None
    rights: tuple[LegalFact, ...] = ()
    deadlines: tuple[LegalFact, ...] = ()
    contacts: Mapping[str, AgencyContact] = {}
    publisher: str | None = None
    licence: str | None = None
    time_zone: str = "UTC"
    conditions: tuple[LegalCondition, ...] = ()
    requirements: tuple[LegalRequirement, ...] = ()
    steps: tuple[LegalStep, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how another process makes it, which is there the same one each time."""
        return _of_another_process, (msgspec.msgpack.encode(self),)

    def with_agencies(self, added: Iterable[Agency]) -> Pack:
        """Return the pack with agencies beside its own, of which those with the same code count."""
        agencies = {**{one.id: one for one in added}, **self.agencies}
        if len(agencies) == len(self.agencies):
            return self
        return msgspec.structs.replace(self, agencies=agencies)

    def day(self, at: dt.datetime) -> dt.date:
        """Return the day of the country at a moment."""
        return at.astimezone(ZoneInfo(self.time_zone)).date()

    def locale(self, tag: str) -> Locale:
        """Return the locale of a language in the country."""
        return make_locale(tag, self.country, self.fallback)

    def codes(self, names: Iterable[str]) -> CodeList:
        """Return every code of some lists, of which `pack/…` are the country's own.

        One that is under a code of the format follows that.
        """
        return _codes_of(self, tuple(names))

    def label(self, name: str, code: str) -> LangText:
        """Return the label of a code of a list, or of the format's code that it is under."""
        known = self.codes((name, f"{_OWN}{name}"))
        return known[code if code in known else broader(code)].label

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
        """Legal grounds for withholding; `restricts` has the sectors where also whole records."""
        return self.lists["grounds"]

    @property
    def supplier_schemes(self) -> CodeList:
        """The registers that number companies."""
        return self.lists["supplier_schemes"]


@lru_cache(maxsize=256)
def _codes_of(pack: Pack, names: tuple[str, ...]) -> CodeList:
    lists = (
        pack.lists[name.removeprefix(_OWN)] if name.startswith(_OWN) else codelists()[name]
        for name in names
    )
    found = {code: held for each in lists for code, held in each.items()}
    places = {code: place for place, code in enumerate(found)}
    in_order = sorted(found, key=lambda code: places.get(broader(code), places[code]))
    return {code: found[code] for code in in_order}


@lru_cache(maxsize=1_024)
def law_of(pack: Pack, day: dt.date, *, ahead: bool = False) -> Law:
    """Return what the law of the country asks for on a day, or is known then to ask for later."""
    return _compiled(pack, in_force(pack.requirements, day, ahead=ahead))


@lru_cache(maxsize=16)
def steps_on(pack: Pack, day: dt.date) -> list[tuple[int, LegalStep]]:
    """Return the steps of redress in force on a day, by their numbers."""
    return in_order(in_force(pack.steps, day))


def dated_law(pack: Pack) -> Law:
    """Return what the law of the country asks for from some day on, whether it has come or not."""
    return _compiled(pack, tuple(row for row in pack.requirements if row.since))


@lru_cache(maxsize=64)
def _compiled(pack: Pack, rows: tuple[LegalRequirement, ...]) -> Law:
    kinds = {one.id: one.kind for one in pack.agencies.values()}
    return compile_law(rows, pack.conditions, laws=pack.laws, kinds=kinds)


@lru_cache(maxsize=8)
def _of_another_process(content: bytes) -> Pack:
    return msgspec.msgpack.decode(content, type=Pack)


@cache
def load_pack(code: str, packs: Path | None = None) -> Pack:
    """Return a pack, of the folder `packs` or our own.

    Raises `ConfigurationError` with every fault and its place.
    """
    whole = _read(code, packs)
    _check(code, whole)
    tables = {name: whole.pop(name) for name in (*TABLES, *OPTIONAL)}
    pack = msgspec.structs.replace(
        msgspec.convert({**whole, "agencies": {}, "lists": {}}, Pack),
        agencies={row["id"]: _agency(row) for row in tables["agencies"]},
        lists={name: codes(tables[name], source=f"{name}.csv") for name in LISTS}
        | {name: codes(narrower_rows(tables, name), source="codes.csv") for name in NARROWER},
        synonyms=tuple(
            tuple(chain.from_iterable(_wordings(row).values())) for row in tables[SYNONYMS]
        ),
        **{
            name: tuple(_legal_fact(row["code"], texts(row, "label_"), row) for row in tables[name])
            for name in (RIGHTS, DEADLINES)
        },
        conditions=msgspec.convert(tables[CONDITIONS], tuple[LegalCondition, ...]),
        requirements=tuple(
            msgspec.convert({**row, "note": texts(row, "note_")}, LegalRequirement)
            for row in tables[REQUIREMENTS]
        ),
        steps=tuple(
            msgspec.convert({**row, "purpose": texts(row, "purpose_")}, LegalStep, strict=False)
            for row in tables[STEPS]
        ),
        contacts={
            row["agency"]: AgencyContact(
                phone=row.get("phone"),
                post=texts(row, "post_"),
                source=row["source"],
                read_on=row["read_on"],
            )
            for row in tables[CONTACTS]
        },
        services=tuple(
            Service(agency=row.get("agency"), sector=row.get("sector"), wordings=_wordings(row))
            for row in tables[SERVICES]
        ),
    )
    # Texts have their languages in the order in which the log has them, too.
    return read_pack(canonical(pack_document(pack)))


def pack_document(pack: Pack) -> dict[str, Any]:
    """Return a pack as a JSON value, with agencies and codes as lists: their order counts."""
    document: dict[str, Any] = msgspec.to_builtins(pack)
    document["agencies"] = [*document["agencies"].values()]
    document["lists"] = {name: [*codes.values()] for name, codes in document["lists"].items()}
    return document


def read_pack(content: str | bytes) -> Pack:
    """Return the pack of a `pack_document` in JSON; raises `ValueError` where it is none."""
    document = msgspec.json.decode(content, type=dict[str, Any])
    lists = msgspec.convert(document.pop("lists", None), dict[str, list[Code]])
    agencies = msgspec.convert(document.pop("agencies", None), list[Agency])
    return msgspec.structs.replace(
        msgspec.convert({**document, "agencies": {}, "lists": {}}, Pack),
        agencies={one.id: one for one in agencies},
        lists={name: {one.code: one for one in codes} for name, codes in lists.items()},
    )


def pack_codes(packs: Path | None = None) -> list[str]:
    """Return the codes of the packs there are."""
    folders = [_PACKS] if packs is None else [packs, _PACKS]
    return sorted({path.parent.name for one in folders for path in one.glob("*/pack.json")})


def check_agency(
    code: str, row: Mapping[str, str], beside: Iterable[Agency], packs: Path | None = None
) -> Agency:
    """Return the agency of a row as in a pack's `agencies.csv`.

    Raises `ConfigurationError` if the pack would be invalid with it and with those `beside`, which
    were added before.
    """
    whole = _read(code, packs)
    path = pack_folder(code, packs) / "agencies.csv"
    columns = open_table(path.read_bytes(), str(path)).fieldnames or ()
    if unknown := sorted(row.keys() - set(columns)):
        raise ConfigurationError(
            f"{path} has no column {', '.join(unknown)}; add it to the first line, or leave it out"
        )
    given = {name: cell for name, cell in row.items() if cell}
    known = {one["id"] for one in whole["agencies"]}
    whole["agencies"] += [_row(one) for one in beside if one.id not in known] + [given]
    _check(code, whole)
    return _agency(given)


def pack_folder(code: str, packs: Path | None) -> Path:
    """Return the folder of a country pack: in `packs`, or with those that ship."""
    if packs is not None and (packs / code / "pack.json").exists():
        return packs / code
    return _PACKS / code


def _read(code: str, packs: Path | None) -> dict[str, Any]:
    """Return `pack.json` and its tables as one object, unchecked."""
    known = pack_codes(packs)
    if code not in known:
        raise ConfigurationError(
            f"there is no country pack {code!r}; the packs are {', '.join(known)}"
        )
    folder = pack_folder(code, packs)
    try:
        settings = json.loads((folder / "pack.json").read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigurationError(f"{folder / 'pack.json'} is not JSON in UTF-8: {error}") from error
    if not isinstance(settings, dict):
        raise ConfigurationError(f"{folder / 'pack.json'} is not a JSON object")
    tables = {table: read_rows(folder / f"{table}.csv") for table in TABLES}
    for table in OPTIONAL:
        path = folder / f"{table}.csv"
        tables[table] = read_rows(path) if path.exists() else []
    _refuse_strays(folder, tables)
    return {**settings, **tables}


def _refuse_strays(folder: Path, tables: Collection[str]) -> None:
    """Refuse a file that no table is read from, and one without a line: nothing would be said."""
    for path in sorted(folder.glob("*.csv")):
        if path.stem not in tables:
            meant = nearest(path.stem, tables) or f"they are {', '.join(sorted(tables))}"
            raise ConfigurationError(f"{path} is no table of a pack; {meant}")
        if not path.stat().st_size:
            raise ConfigurationError(
                f"{path} is empty; write its columns in the first line, or delete it"
            )


def _check(code: str, whole: dict[str, Any]) -> None:
    wrong = list(faults(code, whole))
    if wrong:
        raise ConfigurationError("\n  ".join((f"the country pack {code!r} has faults:", *wrong)))


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


def _row(agency: Agency) -> dict[str, str]:
    """Return the row of an agency, which `_agency` reads."""
    cells = {
        "id": agency.id,
        "kind": agency.kind,
        "parent": agency.parent,
        "region": agency.region,
        "website": agency.website,
        "fictitious": "yes" if agency.fictitious else "no",
    }
    names = {f"name_{tag}": name for tag, name in agency.name.items()}
    return names | {name: cell for name, cell in cells.items() if cell}


def _legal_fact(code: str, words: LangText, cells: Mapping[str, str]) -> LegalFact:
    return LegalFact(
        code=code,
        words=words,
        source=texts(cells, "source_"),
        confirmed=cells["confirmed"] == "yes",
        after=cells.get("after", ""),
    )


def _wordings(row: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the wordings in a row by language; a cell holds several."""
    return {
        tag: tuple(one.strip() for one in cell.split("|"))
        for tag, cell in texts(row, "label_").items()
    }


_SHOWN = 5


def gaps(pack: Pack) -> Iterator[str]:
    """Yield the texts that a reader of one of the pack's languages meets in another one.

    Texts in a recommended language may be missing.
    """
    texts_of: dict[str, Mapping[str, LangText]] = {
        "pack.json": {
            "site_name": pack.site_name,
            "redress": pack.redress,
            "attestation": pack.attestation,
            **{f"operator/{name}": text for name, text in _operator_texts(pack)},
            **{f"laws/{name}": text for name, text in pack.laws.items()},
        },
        "agencies.csv": {agency.id: agency.name for agency in pack.agencies.values()},
    }
    for name, codelist in (*pack.lists.items(), *codelists().items()):
        is_narrower = name in NARROWER and codelist is pack.lists[name]
        file = f"codes.csv, {name}" if is_narrower else f"{name}.csv"
        texts_of[file] = {code.code: code.label for code in codelist.values()}
    texts_of |= {
        "steps.csv, purpose": {step.code: step.purpose for step in pack.steps},
        "rights.csv": {right.code: right.words for right in pack.rights},
        "rights.csv, source": {right.code: right.source for right in pack.rights},
        "deadlines.csv": {one.code: one.words for one in pack.deadlines},
        "deadlines.csv, source": {one.code: one.source for one in pack.deadlines},
        "requirements.csv, note": {one.code: one.note for one in pack.requirements if one.note},
    }
    if not pack.steps:
        yield "steps.csv: it says no step by which to contest a decision; write a row for each"
    for file, named in texts_of.items():
        for tag in pack.languages:
            missing = [name for name, text in named.items() if tag not in text]
            if missing and tag not in pack.recommended:
                names = ", ".join(missing[:_SHOWN]) + (", …" if len(missing) > _SHOWN else "")
                yield f"{file}: {len(missing)} of {len(named)} not in {tag}: {names}"


def unfinished(pack: Pack) -> Iterator[str]:
    """Yield what a register that serves the public still has to state of itself."""
    if pack.licence is None:
        yield "pack.json, /licence: on which terms its records may be used is not stated"
    if not pack.operator.is_reachable:
        yield f"pack.json, /operator/email: no mail arrives at {pack.operator.email}"
    for name in ("post", "legal"):
        if getattr(pack.operator, name) is None:
            yield f"pack.json, /operator/{name}: it is not stated"


def _operator_texts(pack: Pack) -> Iterator[tuple[str, LangText]]:
    for name in ("name", "post", "legal", "privacy"):
        text: LangText | None = getattr(pack.operator, name)
        if text is not None:
            yield name, text
