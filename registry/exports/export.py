"""Exports: every record that a search finds, as one file, which is streamed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Sequence
from hashlib import sha256
from typing import Any, Literal, TypeAlias
from urllib.parse import urlencode

import msgspec

from registry import __version__
from registry.exports.columns import ColumnSet, ExportRow, LabelSource, columns
from registry.exports.linked_data import (
    JsonLdNode,
    agency_node,
    context,
    make_node,
    register_address,
)
from registry.exports.spreadsheets import About, csv_lines, workbook
from registry.log.register import SourceFacts, StoredRecord
from registry.record.facets import OBSERVATION
from registry.record.model import Document
from registry.record.origin import Origin
from registry.record.pack import Pack
from registry.record.pointers import dig
from registry.record.schema import broader
from registry.search.engine import SearchIndex
from registry.search.query import SearchQuery
from registry.store import agencies, exports, imports
from registry.store.as_of import AsOf
from registry.store.database import Database
from registry.store.exports import Selection
from registry.text.catalogues import SOURCE
from registry.text.folding import fold

_FUZZY = {4: "xsd:gYear", 7: "xsd:gYearMonth", 10: "xsd:date"}
"""The types of partial dates by their length."""


async def graph(
    batches: AsyncIterable[Sequence[ExportRow]], about: About, wording: LabelSource
) -> AsyncIterator[bytes]:
    """Yield the export as a node whose parts are the records; memory does not grow with them."""
    head = {"@context": context(), **_export_node(about, wording.site)}
    # The list of records comes last, so that it can be streamed.
    yield msgspec.json.encode(head)[:-1] + b',"records":['
    before = b"\n"
    async for batch in batches:
        lines = b",\n".join(msgspec.json.encode(record_node(row, wording)) for row in batch)
        yield before + lines
        before = b",\n"
    yield b"\n]}\n"


def record_node(row: ExportRow, wording: LabelSource) -> JsonLdNode:
    """Return the node of a record, without what it does not state."""
    document, register, site = row.document, row.register, wording.site
    here = f"{site}/api/v1/records/{row.id}"
    known = register.source
    source = known.register if isinstance(known, SourceFacts) else None
    agency = wording.agencies[row.agency]
    return make_node(
        id=here,
        type=["SoftwareApplication", "Algorithm"],
        identifier=row.id,
        name=document.get("name"),
        summary=document.get("summary"),
        purpose=dig(document, "purpose", "goal"),
        publisher=agency_node(site, agency),
        creator=agency_node(site, agency)["id"],
        risk=dig(document, "risk", "level"),
        # A URN is the same in every register, and means nothing that one country alone knows.
        sector=broader(dig(document, "sector", "primary") or "") or None,
        function=dig(document, "sector", "function"),
        status=dig(document, "lifecycle", "status"),
        decision_role=dig(document, "decision", "role"),
        visibility=dig(document, "publication", "visibility"),
        system_version=document.get("system_version"),
        website=document.get("website"),
        contact=_contact(document),
        territory=document.get("territory"),
        deployed_on=_fuzzy(dig(document, "lifecycle", "deployed_on")),
        retired_on=_fuzzy(dig(document, "lifecycle", "retired_on")),
        last_reviewed_on=dig(document, "lifecycle", "last_reviewed_on"),
        next_review_on=dig(document, "lifecycle", "next_review_on"),
        version=register.version,
        modified=register.published_at,
        has_version=f"{here}/versions/{register.version}",
        landing_page=[f"{site}/{lang}/records/{row.id}" for lang in wording.pack.languages],
        origin=register.origin,
        fictitious=register.fictitious,
        completeness=register.completeness,
        accountability=register.accountability,
        entry=register.entry,
        hash=register.hash,
        redacted=register.redacted,
        **({"schema:isBasedOn": _source_node(source)} if source else {}),
    )


def _source_node(origin: Origin) -> JsonLdNode:
    """Return the node of the register that a record was copied from.

    Its members beyond the context have their terms in full, since that is released.
    """
    is_address = origin.licence.startswith(("https://", "http://"))
    country = {"type": "Location", "identifier": origin.country}
    return make_node(
        type=["Dataset", "SchemaDataset"],
        title=origin.name,
        landing_page=origin.homepage or None,
        spatial=country if origin.country else None,
        **{
            "dct:publisher": {"type": "foaf:Agent", "foaf:name": origin.publisher}
            if origin.publisher
            else None,
            "dct:license": {"id": origin.licence} if is_address else origin.licence or None,
        },
    )


def _export_node(about: About, site: str) -> JsonLdNode:
    return make_node(
        id=about.address,
        type=["Distribution", "DataDownload"],
        distribution_of=register_address(site),
        access_url=about.address,
        query=about.address,
        record_count=about.records,
        register_size=about.size,
        last_entry_hash=about.last_hash,
        modified=about.at,
        licence=about.licence,
    )


def _contact(document: Document) -> JsonLdNode | None:
    known = make_node(
        **{name: dig(document, "contact", name) for name in ("email", "url", "phone")}
    )
    return {"type": "ContactPoint"} | known if known else None


def _fuzzy(day: Any) -> JsonLdNode | None:
    """Return a typed literal of a date that may be a year, or a month of one."""
    return None if day is None else {"@value": day, "@type": _FUZZY[len(day)]}


ExportFormat: TypeAlias = Literal["csv", "jsonl", "xlsx", "jsonld"]

MEDIA_TYPES: dict[ExportFormat, str] = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonld": "application/ld+json",
}

_BATCH = 200
_LONGEST_NAME = 120
_OUTSIDE_NAMES = re.compile(r"[^a-z0-9]+")
_NO_LETTERS = re.compile(r"[\W_]+")


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """A file to be written.

    `query` are the parameters, without `as_of`; `mended` is the corrected query if the query as
    typed finds nothing; `names` are digests of what agencies and other registers are called, of
    which no entry tells; `safe` means that CSV cells are escaped against formulas.
    """

    form: ExportFormat
    query: Sequence[tuple[str, str]]
    selection: Selection
    wording: LabelSource
    names: Sequence[str] = ()
    mended: str | None = None
    columns: ColumnSet = "summary"
    safe: bool = True

    @property
    def name(self) -> str:
        """The file's name, such as `records-2026-11-24-entry-1234-risk-high.csv`."""
        return self._named(lambda part: _OUTSIDE_NAMES.sub("-", fold(part)))

    @property
    def full_name(self) -> str:
        """The name with letters of every script, for clients that accept it."""
        return self._named(lambda part: _NO_LETTERS.sub("-", _unmarked(part.lower())))

    def _named(self, spell: Callable[[str], str]) -> str:
        parts = ["records", f"{self.selection.moment.at:%Y-%m-%d}", "entry"]
        parts.append(str(self.selection.moment.entry))
        said = ""
        for name, value in self.query:
            parts += [name, value] if name != said else [value]
            said = name
            if name == "q" and self.mended is not None:
                parts += ["mended", self.mended]
        if self._is_of_another_day:
            parts += ["on", str(self.selection.moment.day)]
        words = (spell(part).strip("-") for part in parts)
        stem = "-".join(word for word in words if word)
        return f"{stem[:_LONGEST_NAME].strip('-')}.{self.form}"

    @property
    def address(self) -> str:
        """The address of the same file at any later time."""
        moment = self.selection.moment
        then = ("as_of", moment.text if self._is_of_another_day else f"entry:{moment.entry}")
        asked = urlencode([*self.query, then], safe=":")
        return f"{self.wording.site}/api/v1/exports/records.{self.form}?{asked}"

    @property
    def links(self) -> list[tuple[str, str]]:
        """The relations and addresses of what belongs to it: itself at any time, its licence."""
        licence = self.wording.pack.licence
        return [("canonical", self.address), *([("license", licence)] if licence else [])]

    @property
    def _is_of_another_day(self) -> bool:
        """Whether it depends on a day after that of the last entry, as overdue reviews may."""
        moment = self.selection.moment
        by_day = any(name in {"overdue", OBSERVATION} for name, _ in self.query)
        has_column = self.columns == "full" and self.form in {"csv", "xlsx"}
        return (by_day or has_column) and moment.at.date() != moment.day

    @property
    def digest(self) -> str:
        """A digest of everything that determines the bytes, 16 hexadecimal digits."""
        said = [
            __version__,
            self.address,
            str(self.selection.moment.day),
            self.selection.leaf.hex(),
            str(self.selection.erasures),
            self.wording.pack.licence or "",
            *self.names,
        ]
        return sha256(msgspec.json.encode(said)).hexdigest()[:16]


async def prepare(
    database: Database,
    index: SearchIndex,
    question: SearchQuery,
    moment: AsOf,
    *,
    form: ExportFormat,
    query: Sequence[tuple[str, str]],
    pack: Pack,
    site: str,
    columns: ColumnSet = "summary",
    labels: str | None = None,
    safe: bool = True,
) -> Export:
    """Return the export of a query at a moment; `query` are its parameters.

    `labels` is the language of labels; by default that of the query.
    """
    found, mended = await index.find(question, size=moment.entry + 1)
    async with database.transaction() as connection:
        selection = await exports.select(connection, found, moment)
        origins = msgspec.json.encode(await imports.read_origins(connection))
        names = [await agencies.fingerprint(connection), sha256(origins).hexdigest()]
        known = [counted.agency for counted in await agencies.read_all(connection)]
    usual = SOURCE if SOURCE in pack.languages else pack.languages[0]
    further: list[tuple[str, str]] = []
    if columns != "summary":
        further.append(("columns", columns))
    if labels is not None:
        further.append(("labels", labels))
    return Export(
        form=form,
        query=[*query, *further, *([] if safe else [("safe", "false")])],
        selection=selection,
        wording=LabelSource(
            lang=labels or question.lang or usual,
            pack=pack,
            agencies={agency.id: agency for agency in known},
            site=site.rstrip("/"),
        ),
        names=names,
        mended=mended,
        columns=columns,
        safe=safe,
    )


async def write(
    database: Database, export: Export, *, progress: Callable[[int, int], None] | None = None
) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of an export, in parts; memory does not grow with the number of records.

    `progress` is called with the number of records read, and of all.
    """
    batches = _read(database, export.selection, progress)
    if export.form == "jsonl":
        async for batch in batches:
            # A line has the bytes of the answer for the record alone.
            yield b"".join(
                b'{"record":%b,"register":%b}\n' % (one.document, msgspec.json.encode(one.register))
                for one in batch
            )
        return
    wording = export.wording
    rows = (
        [
            ExportRow(
                id=one.id,
                agency=one.agency,
                document=msgspec.json.decode(one.document),
                register=one.register,
            )
            for one in batch
        ]
        async for batch in batches
    )
    table = columns(export.columns, wording, export.selection.moment.day)
    if export.form == "jsonld":
        parts = graph(rows, _about(export), wording)
    elif export.form == "csv":
        parts = csv_lines(table, rows, safe=export.safe)
    else:
        parts = workbook(table, rows, _about(export), wording)
    async for part in parts:
        yield part


async def _read(
    database: Database, selection: Selection, progress: Callable[[int, int], None] | None
) -> AsyncIterator[list[StoredRecord]]:
    for start in range(0, len(selection.entries), _BATCH):
        async with database.connection() as connection:
            batch = await exports.read(
                connection, selection.entries[start : start + _BATCH], as_of=selection.moment.entry
            )
        if progress is not None:
            progress(start + len(batch), len(selection.entries))
        yield batch


def _about(export: Export) -> About:
    return About(
        address=export.address,
        licence=export.wording.pack.licence,
        mended=export.mended,
        records=len(export.selection.entries),
        size=export.selection.size,
        last_hash=export.selection.leaf.hex(),
        at=export.selection.moment.at,
    )


def _unmarked(text: str) -> str:
    """Return a text without vowel signs and invisible characters, which separate no words."""
    return "".join(one for one in text if unicodedata.category(one) not in {"Mn", "Cf"})
