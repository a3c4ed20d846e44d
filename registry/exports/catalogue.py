"""The register as an open data catalogue: DCAT-AP, with the types of schema.org beside.

Open data portals harvest it to list the register and its distributions.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from registry.exports.export import MEDIA_TYPES, ExportFormat
from registry.exports.linked_data import (
    CODES,
    CONTEXT_VERSION,
    JsonLdNode,
    agency_node,
    catalogue_address,
    context,
    make_node,
    register_address,
    words,
)
from registry.record.codelists import codelists
from registry.record.pack import Pack
from registry.record.schema import SCHEMA_VERSION

_EUROPE = "http://publications.europa.eu/resource/authority"
_LANGUAGES = "http://id.loc.gov/vocabulary"
_MEDIA_TYPES = "https://www.iana.org/assignments/media-types"
_TAXONOMIES = ("risk_level", "sector", "function", "status", "decision_role", "visibility")


class Extent(msgspec.Struct, frozen=True, kw_only=True):
    """The extent of a register: times of the first and last entry, the log's size, records."""

    began: dt.datetime
    at: dt.datetime
    size: int
    records: int


def catalogue(pack: Pack, site: str, extent: Extent) -> JsonLdNode:
    """Return the catalogue of a register as JSON-LD; `site` has no slash at its end."""
    publisher = _publisher(pack, site)
    return {
        "@context": context(),
        **make_node(
            id=catalogue_address(site),
            type=["Catalog", "DataCatalog"],
            title=pack.site_name,
            description=words().description,
            publisher=publisher,
            landing_page=f"{site}/",
            language=_languages(pack),
            licence=pack.licence,
            issued=extent.began,
            modified=extent.at,
            theme_taxonomy=[_taxonomy(name) for name in _TAXONOMIES],
            datasets=[_register(pack, site, extent, publisher["id"])],
            services=[
                make_node(
                    id=f"{site}/api/v1",
                    type="DataService",
                    title=words().service,
                    endpoint=f"{site}/api/v1",
                    endpoint_description=f"{site}/openapi.json",
                    serves=register_address(site),
                )
            ],
        ),
    }


def _register(pack: Pack, site: str, extent: Extent, publisher: str) -> JsonLdNode:
    return make_node(
        id=register_address(site),
        type=["Dataset", "SchemaDataset"],
        identifier=register_address(site),
        title=pack.site_name,
        description=words().description,
        name=pack.site_name,
        summary=words().description,
        publisher=publisher,
        creator=publisher,
        landing_page=f"{site}/",
        language=_languages(pack),
        licence=pack.licence,
        issued=extent.began,
        modified=extent.at,
        temporal={"type": "PeriodOfTime", "start_date": extent.began, "end_date": extent.at},
        spatial={"type": "Location", "identifier": pack.country},
        access_rights=f"{_EUROPE}/access-right/PUBLIC",
        frequency=f"{_EUROPE}/frequency/UPDATE_CONT",
        theme=[f"{_EUROPE}/data-theme/GOVE"],
        conforms_to={
            "id": f"{site}/api/v1/schemas/record/{SCHEMA_VERSION}",
            "type": "Standard",
            "identifier": SCHEMA_VERSION,
        },
        record_count=extent.records,
        register_size=extent.size,
        distributions=[_distribution(form, pack, site, extent) for form in MEDIA_TYPES],
    )


def _distribution(form: ExportFormat, pack: Pack, site: str, extent: Extent) -> JsonLdNode:
    address = f"{site}/api/v1/exports/records.{form}"
    media_type = MEDIA_TYPES[form].partition(";")[0]
    context_address = f"{site}/api/v1/contexts/{CONTEXT_VERSION}"
    return make_node(
        id=address,
        type=["Distribution", "DataDownload"],
        title=words().forms[form],
        access_url=address,
        download_url=address,
        media_type=f"{_MEDIA_TYPES}/{media_type}",
        licence=pack.licence,
        modified=extent.at,
        conforms_to=context_address if form == "jsonld" else None,
    )


def _publisher(pack: Pack, site: str) -> JsonLdNode:
    """Return the publisher: the agency that the pack names, else the operator; with its contact."""
    operator = pack.operator
    contact = make_node(
        id=f"{catalogue_address(site)}#operator",
        type="ContactPoint",
        name=operator.name,
        email=operator.email,
        url=operator.url,
        phone=operator.phone,
    )
    if pack.publisher is not None:
        return agency_node(site, pack.agencies[pack.publisher]) | {"contact": contact}
    return {
        "id": f"{catalogue_address(site)}#publisher",
        "type": "Agent",
        "name": operator.name,
        "contact": contact,
    }


def _languages(pack: Pack) -> list[str]:
    """Return languages as in DCAT: ISO 639-1 where there is a code, else ISO 639-2."""
    primary = (tag.split("-")[0] for tag in pack.languages)
    return [f"{_LANGUAGES}/iso639-{1 if len(tag) == 2 else 2}/{tag}" for tag in primary]  # noqa: PLR2004  two letters


def _taxonomy(name: str) -> JsonLdNode:
    return {
        "id": f"{CODES}{name}",
        "type": "ConceptScheme",
        "title": {"en": name.replace("_", " ")},
        "concepts": [
            {
                "id": f"{CODES}{name}:{code.code}",
                "type": "Concept",
                "notation": code.code,
                "label": code.label,
            }
            for code in codelists()[name].values()
        ],
    }
