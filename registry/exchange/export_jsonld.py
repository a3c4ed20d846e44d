"""Records as linked data: a JSON-LD document, one record a line, with our own context.

Every value is a JSON string, and in RDF a literal: no text is read as markup.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from typing import Any

import msgspec

from registry.exchange.export_columns import ExportRow, LabelSource
from registry.exchange.export_xlsx import About
from registry.exchange.linked_data import (
    JsonLdNode,
    agency_node,
    context,
    make_node,
    record_address,
    register_address,
)
from registry.log.register import SourceFacts
from registry.record.model import Document
from registry.record.origin import Origin
from registry.record.pointers import dig

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
    here = record_address(site, row.id)
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
        sector=dig(document, "sector", "primary"),
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
    )


def _contact(document: Document) -> JsonLdNode | None:
    known = make_node(
        **{name: dig(document, "contact", name) for name in ("email", "url", "phone")}
    )
    return {"type": "ContactPoint"} | known if known else None


def _fuzzy(day: Any) -> JsonLdNode | None:
    """Return a typed literal of a date that may be a year, or a month of one."""
    return None if day is None else {"@value": day, "@type": _FUZZY[len(day)]}
