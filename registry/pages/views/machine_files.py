"""Files for machines: robots.txt, the site map, OpenSearch, and what this build was made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from xml.sax.saxutils import escape

import msgspec

from registry.file_headers import address_of
from registry.pages.build_facts import build_facts
from registry.pages.page import Page, content_page, digest
from registry.pages.reader import Reader, say
from registry.pages.site import Site

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
    operator = site.snapshot.pack.operator
    contact = site.security_contact or (f"mailto:{operator.email}" if operator.is_reachable else "")
    if contact:
        yield _file(".well-known/security.txt", _security_text(site, contact))
    for tag, edition in site.editions.items():
        yield _file(f"{tag}/opensearch.xml", _open_search(site, edition.reader))
    snapshot = site.snapshot
    facts = build_facts(snapshot.register, snapshot.as_of, site.base_url, pages=len(files))
    yield _file("build.json", msgspec.json.format(msgspec.json.encode(facts)).decode() + "\n")


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
