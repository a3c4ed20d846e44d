"""What search engines read in a page: a record, or the register, in the words of schema.org.

The texts are for `<script type="application/ld+json">`: nothing in them ends that element, and
none of it is taken for markup or for a script.
"""

from __future__ import annotations

from typing import Any

import msgspec

from registry.exchange.catalogue import Extent
from registry.exchange.export import MEDIA_TYPES
from registry.exchange.export_columns import Row, Wording
from registry.exchange.linked import Node, record_address, register_address, stated, words
from registry.record.codelists import codelists
from registry.record.model import Document
from registry.record.pack import Pack
from registry.record.pointers import dig

_CONTEXT = "https://schema.org"
_ESCAPES = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"})


def record_markup(row: Row, wording: Wording) -> str:
    """Describe a record for its page in one language."""
    document, site = row.document, wording.site
    here = record_address(site, row.id)
    lang, name = wording.pick(document.get("name") or {})
    others = {text for tag, text in (document.get("name") or {}).items() if tag != lang}
    return _embeddable(
        {
            "@context": _CONTEXT,
            "@type": "SoftwareApplication",
            "@id": here,
            **stated(
                url=f"{site}/{wording.lang}/records/{row.id}",
                identifier=row.id,
                name=name or row.id,
                alternateName=sorted(others - {name}),
                description=wording.pick(document.get("summary") or {})[1] or None,
                inLanguage=lang or None,
                applicationCategory=_label(document, ("sector", "primary"), "sector", wording),
                keywords=_keywords(document, wording),
                creativeWorkStatus=_label(document, ("lifecycle", "status"), "status", wording),
                softwareVersion=document.get("system_version"),
                version=row.register.version,
                dateModified=row.register.published_at,
                spatialCoverage=document.get("territory"),
                publisher=_organisation(row.agency, wording),
                isPartOf={"@type": "Dataset", "@id": register_address(site)},
                encoding={
                    "@type": "MediaObject",
                    "contentUrl": here,
                    "encodingFormat": "application/json",
                },
            ),
        }
    )


def register_markup(extent: Extent, wording: Wording) -> str:
    """Describe the register for its home page in one language: the site, and the data set."""
    pack, site = wording.pack, wording.site
    home = f"{site}/{wording.lang}/"
    name = wording.pick(pack.site_name)[1]
    website = {
        "@type": "WebSite",
        "@id": f"{site}/",
        "url": home,
        "name": name,
        "inLanguage": wording.lang,
    }
    dataset = {
        "@type": "Dataset",
        "@id": register_address(site),
        **stated(
            url=home,
            name=name,
            description=wording.pick(words().description)[1],
            inLanguage=list(pack.languages),
            license=pack.licence,
            publisher=_publisher(pack, wording),
            datePublished=extent.began,
            dateModified=extent.at,
            temporalCoverage=f"{extent.began:%Y-%m-%d}/{extent.at:%Y-%m-%d}",
            spatialCoverage=pack.country,
            isAccessibleForFree=True,
            size=str(extent.records),
            distribution=[
                {
                    "@type": "DataDownload",
                    "name": wording.pick(words().forms[form])[1],
                    "contentUrl": f"{site}/api/v1/exports/records.{form}",
                    "encodingFormat": media_type.partition(";")[0],
                }
                for form, media_type in MEDIA_TYPES.items()
            ],
        ),
    }
    return _embeddable({"@context": _CONTEXT, "@graph": [website, dataset]})


def _publisher(pack: Pack, wording: Wording) -> Node | None:
    return None if pack.publisher is None else _organisation(pack.publisher, wording)


def _organisation(agency: str, wording: Wording) -> Node:
    known = wording.agencies[agency]
    return {
        "@type": "GovernmentOrganization",
        "@id": f"{wording.site}/api/v1/agencies/{agency}",
        **stated(
            name=wording.pick(known.name)[1],
            url=f"{wording.site}/{wording.lang}/agencies/{agency}",
            sameAs=known.website,
        ),
    }


def _keywords(document: Document, wording: Wording) -> list[str]:
    """Give the words for what the system does, and for how risky it is."""
    found = (
        _label(document, ("sector", "function"), "function", wording),
        _label(document, ("risk", "level"), "risk_level", wording),
    )
    return [label for label in found if label is not None]


def _label(document: Document, path: tuple[str, str], name: str, wording: Wording) -> str | None:
    code = dig(document, *path)
    known = codelists()[name].get(code) if isinstance(code, str) else None
    return None if known is None else wording.pick(known.label)[1]


def _embeddable(node: dict[str, Any]) -> str:
    return msgspec.json.encode(node).decode().translate(_ESCAPES)
