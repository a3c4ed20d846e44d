"""Files for machines: robots.txt, the site map, and what this build was made from."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import msgspec

from registry.pages.page import Page, digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from registry.pages.site import Site

MAX_ADDRESSES = 50_000  # in one site map (sitemaps.org)


def machine_pages(site: Site, files: Sequence[str]) -> Iterator[Page]:
    """Yield the files for machines; `files` are the pages for the site map."""
    addresses = [f"{site.base_url}/{_address(file)}" for file in files]
    parts = [
        addresses[start : start + MAX_ADDRESSES]
        for start in range(0, len(addresses), MAX_ADDRESSES)
    ]
    if len(parts) == 1:
        yield _file("sitemap.xml", _site_map(parts[0]))
    else:
        names = [f"sitemap-{number}.xml" for number in range(1, len(parts) + 1)]
        for name, part in zip(names, parts, strict=True):
            yield _file(name, _site_map(part))
        yield _file("sitemap.xml", _index([f"{site.base_url}/{name}" for name in names]))
    yield _file("robots.txt", f"User-agent: *\nAllow: /\nSitemap: {site.base_url}/sitemap.xml\n")
    corpus = site.corpus
    made_from = {
        "as_of": corpus.as_of,
        "base_url": site.base_url,
        "log": {"size": corpus.log_size, "root": corpus.root},
        "pages": len(addresses),
    }
    yield _file("build.json", msgspec.json.format(msgspec.json.encode(made_from)).decode() + "\n")


def _address(file: str) -> str:
    return file.removesuffix("index.html").removesuffix(".html")


def _site_map(addresses: Sequence[str]) -> str:
    lines = "".join(f"<url><loc>{escape(address)}</loc></url>\n" for address in addresses)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{lines}</urlset>\n'
    )


def _index(addresses: Sequence[str]) -> str:
    lines = "".join(f"<sitemap><loc>{escape(address)}</loc></sitemap>\n" for address in addresses)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{lines}</sitemapindex>\n'
    )


def _file(name: str, text: str) -> Page:
    content = text.encode()
    return Page(file=name, key=digest(content), render=partial(bytes, content))
