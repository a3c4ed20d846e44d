"""Files and data for machines: robots.txt, llms.txt, site map, OpenSearch, schema.org's JSON-LD."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from xml.sax.saxutils import escape

import msgspec
from markupsafe import Markup

from registry.exports.linked_data import words
from registry.file_headers import address_of
from registry.pages.cards import Card
from registry.pages.page import Page, content_page, digest
from registry.pages.reader import Reader, say
from registry.pages.site import Site
from registry.pages.snapshot import build_facts
from registry.pages.views.lists import agency_view
from registry.record.origin import Origin
from registry.text.catalogues import SOURCE
from registry.text.locales import country_name

MAX_ADDRESSES = 50_000  # in one site map (sitemaps.org)


def machine_files(site: Site, files: Sequence[str]) -> Iterator[Page]:
    """Yield the files for machines; `files` are the pages for the site map, in order."""
    parts = [files[start : start + MAX_ADDRESSES] for start in range(0, len(files), MAX_ADDRESSES)]
    names = [f"sitemap-{number}.xml" for number in range(1, len(parts) + 1)]
    if len(parts) == 1:
        names = ["sitemap.xml"]
    else:
        yield _file("sitemap.xml", _index([f"{site.base_url}/{name}" for name in names]))
    for name, part in zip(names, parts, strict=True):
        yield Page(
            file=name,
            key=digest(site.fingerprint, "\n".join(part)),
            render=partial(_site_map, site.base_url, part),
        )
    yield _file("robots.txt", f"User-agent: *\nAllow: /\nSitemap: {site.base_url}/sitemap.xml\n")
    yield _file("llms.txt", _for_assistants(site))
    operator = site.snapshot.pack.operator
    contact = site.security_contact or (f"mailto:{operator.email}" if operator.is_reachable else "")
    if contact:
        yield _file(".well-known/security.txt", _security_text(site, contact))
    for tag, edition in site.editions.items():
        yield _file(f"{tag}/opensearch.xml", _open_search(site, edition.reader))
    snapshot = site.snapshot
    facts = build_facts(snapshot.register, snapshot.as_of, site.base_url, pages=len(files))
    yield _file("build.json", msgspec.json.format(msgspec.json.encode(facts)).decode() + "\n")


_FOR_ASSISTANTS = """\
# {name}

> {description}

Every answer of this register can be given as of an entry of an append-only log, and then stays the same.
Names: {names}. Pages: {pages}.

## Ask

- [Description of every question]({site}/api/v1/openapi-read.json): OpenAPI, 60 kB. Every fact of a record is a parameter by its path; a mistyped one is refused
- [Search]({site}/api/v1/records?risk=high&status=in_use&facets=sector): `q=` finds words in any of the languages, `facets=` and `by=` count, `lacks=` finds what is not stated
- [The whole register as tables]({site}/exports/register/latest): CSV and Parquet with keys and types, `datapackage.json` describes them
- Model Context Protocol: `pip install 'public-algorithm-register[mcp]'`, then `registry mcp {site}`: search, read, compare, count and prove

## Cite

- Add `as_of=entry:<n>` to a question and cite that address; `{site}/log/checkpoint` has the number of entries in its second line, and the last is one less
- Cite a record by its version: `{site}/api/v1/records/<agency>/<slug>/versions/<n>`
- What a record does not state is not stated: `kinds` of an answer tells apart what was asked for, not asked for and withheld. Records marked `fictitious` are of a demonstration
{licence}
## Prove

- `{site}/api/v1/records/<agency>/<slug>/proof` is checked without trust in the register by `registry verify`, the whole register by `registry audit {site}`
- [The log]({site}/log/checkpoint): tiles (C2SP tlog-tiles), signed checkpoints
"""  # noqa: E501  lines of Markdown that nothing wraps


def _for_assistants(site: Site) -> str:
    """Return `llms.txt` (llmstxt.org): what an assistant reads before it asks."""
    pack = site.snapshot.pack
    names = {tag: _name(one.reader) for tag, one in site.editions.items()}
    terms = f"- What was filed here: {pack.licence}; what was copied keeps its source's terms\n"
    return _FOR_ASSISTANTS.format(
        name=names.get(SOURCE) or next(iter(names.values())),
        description=words().description.get(SOURCE, ""),
        names=", ".join(dict.fromkeys(names.values())),
        pages=", ".join(f"{site.base_url}/{tag}/" for tag in site.editions),
        site=site.base_url,
        licence=terms if pack.licence else "",
    )


def _security_text(site: Site, contact: str) -> str:
    """Return `security.txt` (RFC 9116); each month's builds move the date on."""
    month = site.snapshot.as_of.month + 6
    year = site.snapshot.as_of.year + (month - 1) // 12
    return (
        f"Contact: {contact}\nExpires: {year}-{(month - 1) % 12 + 1:02}-01T00:00:00Z\n"
        f"Preferred-Languages: {', '.join(site.editions)}\n"
        f"Canonical: {site.base_url}/.well-known/security.txt\n"
        f"Policy: {site.base_url}/{next(iter(site.editions))}/contact#weakness\n"
    )


def _open_search(site: Site, reader: Reader) -> str:
    """Return the description of the finder for browsers (OpenSearch 1.1)."""
    name = say(reader, reader.pack.site_name)
    title = "" if name is None else name.text
    address = escape(f"{site.base_url}/{reader.tag}/search?q={{searchTerms}}", {'"': "&quot;"})
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">\n'
        f"<ShortName>{escape(title[:16].strip())}</ShortName>\n"
        f"<LongName>{escape(title[:48])}</LongName>\n"
        f"<Description>{escape(title)}</Description>\n<Language>{reader.tag}</Language>\n"
        "<InputEncoding>UTF-8</InputEncoding>\n"
        f'<Url type="text/html" template="{address}"/>\n'
        "</OpenSearchDescription>\n"
    )


def _site_map(base_url: str, files: Sequence[str]) -> bytes:
    lines = "".join(
        f"<url><loc>{escape(f'{base_url}/{address_of(file)}')}</loc></url>\n" for file in files
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{lines}</urlset>\n'
    ).encode()


def _index(addresses: Sequence[str]) -> str:
    lines = "".join(f"<sitemap><loc>{escape(address)}</loc></sitemap>\n" for address in addresses)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{lines}</sitemapindex>\n'
    )


def _file(name: str, text: str) -> Page:
    return content_page(name, text.encode(), listed=True)


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
        "publisher": {"@type": "Organization", "name": origin.publisher}
        if origin and origin.publisher
        else None,
        "license": (origin.licence or None) if origin else site.snapshot.pack.licence,
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
    described = say(reader, words().description)
    known = _catalogue(reader, site) | {
        "dataset": {
            "@type": "Dataset",
            "@id": f"{site.base_url}/#register",
            "name": _name(reader),
            "description": described.text if described else None,
            "url": f"{site.base_url}/{reader.tag}/",
            "isAccessibleForFree": True,
            "license": reader.pack.licence,
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
