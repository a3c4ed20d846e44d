"""Data for search engines: schema.org's Dataset and DataCatalog as JSON-LD within a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from markupsafe import Markup

from registry.pages.cards import Card
from registry.pages.reader import Reader, say
from registry.pages.site import Site
from registry.pages.views.lists import agency_view
from registry.record.origin import Origin
from registry.text.locales import country_name

Node = dict[str, Any]

_CONTEXT = "https://schema.org"
_HARMFUL = ("<", ">", "&", "\u2028", "\u2029")


def record_script(reader: Reader, site: Site, card: Card, contact: Mapping[str, Any]) -> Markup:
    """Return a record's Dataset in the reader's language, as an element of the page's head.

    `contact` is the member of its document.
    """
    agency = agency_view(reader, site, card.agency)
    name, summary = (say(reader, one, card.written) for one in (card.name, card.summary))
    address = f"{site.base_url}/{reader.tag}/records/{card.id}"
    data = f"{site.base_url}/api/v1/records"
    origin = site.snapshot.origins.get(card.origin or "")
    known = {
        "@type": "Dataset",
        "@id": address,
        "url": address,
        "identifier": card.id,
        "name": name.text if name else card.id,
        "description": summary.text if summary else None,
        "inLanguage": name.lang if name else None,
        "version": str(card.version),
        "dateModified": None if origin else card.published_on,
        "isAccessibleForFree": True,
        "creator": {
            "@type": "GovernmentOrganization",
            "name": agency["name"].text,
            "url": agency["website"],
            **_contact(reader, card, contact),
        },
        "publisher": origin and _publisher(origin),
        "license": (origin and origin.licence) or None,
        "countryOfOrigin": origin and _country(reader, origin),
        "isBasedOn": (origin and origin.homepage) or None,
        "includedInDataCatalog": _catalogue(reader, site),
        "distribution": [_download(f"{data}/{card.id}", "application/json")],
    }
    return as_script(known)


def _contact(reader: Reader, card: Card, contact: Mapping[str, Any]) -> Node:
    """Return where an agency is reached, as members of it; hours are words in our format."""
    address, hours = (
        say(reader, contact.get(name), card.written) for name in ("postal_address", "opening_hours")
    )
    point = {
        "email": contact.get("email"),
        "telephone": contact.get("phone"),
        "url": contact.get("url"),
        "hoursAvailable": hours
        and {"@type": "OpeningHoursSpecification", "description": hours.text},
    }
    return {
        "address": address and address.text,
        "contactPoint": {"@type": "ContactPoint"} | point if any(point.values()) else None,
    }


def register_script(reader: Reader, site: Site) -> Markup:
    """Return the DataCatalog of the register."""
    exports = f"{site.base_url}/api/v1/exports/records"
    known = _catalogue(reader, site) | {
        "dataset": {
            "@type": "Dataset",
            "@id": f"{site.base_url}/#register",
            "name": _name(reader),
            "url": f"{site.base_url}/{reader.tag}/",
            "isAccessibleForFree": True,
            "distribution": [
                _download(f"{exports}.csv", "text/csv"),
                _download(f"{exports}.jsonl", "application/x-ndjson"),
                _download(f"{exports}.jsonld", "application/ld+json"),
            ],
        }
    }
    return as_script(known)


def as_script(node: Node) -> Markup:
    """Write a node as a data element; nothing in it can end the element or begin another."""
    stated = {"@context": _CONTEXT} | _stated(node)
    text = msgspec.json.encode(stated).decode()
    for mark in _HARMFUL:
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Markup(f'<script type="application/ld+json">{text}</script>')  # noqa: S704  made harmless


def _catalogue(reader: Reader, site: Site) -> Node:
    return {
        "@type": "DataCatalog",
        "@id": f"{site.base_url}/#catalogue",
        "name": _name(reader),
        "url": f"{site.base_url}/{reader.tag}/",
    }


def _publisher(origin: Origin) -> Node | None:
    return {"@type": "Organization", "name": origin.publisher} if origin.publisher else None


def _country(reader: Reader, origin: Origin) -> Node | None:
    if not origin.country:
        return None
    name = country_name(origin.country, reader.locale.babel)
    return {"@type": "Country", "identifier": origin.country, "name": name}


def _download(address: str, media_type: str) -> Node:
    return {"@type": "DataDownload", "contentUrl": address, "encodingFormat": media_type}


def _name(reader: Reader) -> str:
    own = say(reader, reader.pack.site_name)
    return own.text if own else ""


def _stated(node: Node) -> Node:
    """Return a node without members that are None, at any depth."""
    return {
        name: _stated(value) if isinstance(value, dict) else value
        for name, value in node.items()
        if value is not None
    }
