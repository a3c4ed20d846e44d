"""The notice kit: what agencies put into letters, messages and onto counters, and where it leads.

Each record that was filed here has a page with the sentences (`…/notice`), a QR code as a file
(`/r/CODE.svg`), and in copies of the site a page that names it in each language (`/r/CODE`): a
server answers that address itself. `/<language>/code` takes a code that somebody types.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from registry.pages.cards import Card
from registry.pages.labels import message
from registry.pages.page import Page, digest, page_file
from registry.pages.reader import Reader, label, language, say
from registry.pages.short_links import kit_view, qr_file, short_address
from registry.pages.site import Site, page, pages
from registry.pages.views.lists import agency_view
from registry.record.model import RUNNING
from registry.record.short_code import spaced
from registry.text.catalogues import SOURCE, find
from registry.text.locales import direction
from registry.text.typesetting import typeset

LETTER = message(
    "An automated system of %(agency)s was used in this matter: %(name)s. What it does, who "
    "answers for it and how to contest: %(address)s (code %(code)s)."
)
SMS = message(
    "An automated system was used in your case. What it does, how to contest: %(address)s"
)
COUNTER = message("An automated system is used here")
_FICTITIOUS = message("Fictitious example.")
_NAMELESS = message("A system whose name is not published")
_MORE = message("What it does, who answers for it and how to contest:")
_OR = message("or type the code %(code)s at %(address)s")
_RECORD = message("The record of this system")
_WITHDRAWN = message("This record was withdrawn.")


def notice_pages(site: Site, name: str, key: str) -> Iterator[Page]:
    """Yield the page of sentences on a record; `key` is that of the record's own page."""
    yield from pages(
        site,
        f"records/{name}/notice",
        template="notice.html",
        key=key,
        view=partial(_notice, site=site, name=name),
        listed=False,
        needs=(name,),
    )


def code_pages(site: Site) -> Iterator[Page]:
    """Yield the page for a code that is typed, and for each code its file and its page."""
    view = partial(code_view, is_copy=site.is_copy)
    for tag in site.editions:
        yield page(site, tag, "code", template="code.html", key=str(site.is_copy), view=view)
    for card in site.cards.values():
        if card.short_code is None:
            continue
        address = short_address(site.base_url, card.short_code)
        yield Page(
            file=f"r/{card.short_code}.svg",
            key=digest(site.fingerprint, address),
            render=partial(qr_file, address),
            listed=False,
        )
        yield Page(
            file=page_file(f"/r/{card.short_code}"),
            key=digest(site.fingerprint, "r", card.short_code, card.digest),
            render=partial(_choice, site, card),
            listed=False,
        )
    yield Page(
        file="r/index.html",
        key=digest(site.fingerprint, "r/"),
        render=partial(_choice, site, None),
        listed=False,
    )


def code_view(
    typed: str = "",
    fault: str | None = None,
    alike: Sequence[str] = (),
    elsewhere: Sequence[str] = (),
    *,
    is_copy: bool = False,
) -> dict[str, Any]:
    """Return the page for a code; `fault` says what is wrong with the one that was `typed`.

    `elsewhere` are the addresses of registers that may have given it. The search takes a copy's.
    """
    return {
        "is_copy": is_copy,
        "typed": typed,
        "fault": fault,
        "alike": [" ".join(group) for group in alike],
        "elsewhere": [f"{address}/r/{typed}" for address in elsewhere],
    }


def _notice(reader: Reader, *, site: Site, name: str) -> dict[str, Any]:
    card = site.cards[name]
    kit = kit_view(site.base_url, card.short_code)
    written = [
        _sentences(site.editions[tag].reader, site, card)
        for tag in site.snapshot.pack.languages
        if tag == SOURCE or LETTER in reader.catalogues[tag].messages
    ]
    own = next((one for one in written if one["lang"] == reader.tag), written[0])
    return {
        "id": name,
        "name": say(reader, card.name, card.written),
        "agency": agency_view(reader, site, card.agency),
        "status": label(reader, "status", card.status),
        "in_use": card.status in RUNNING,
        "fictitious": card.fictitious,
        "kit": kit,
        "written": written,
        "poster": own,
        "others": [one for one in written if one is not own],
        "unwritten": [
            language(reader, tag)
            for tag in site.snapshot.pack.languages
            if tag not in {one["lang"] for one in written}
        ],
    }


def _sentences(writer: Reader, site: Site, card: Card) -> dict[str, Any]:
    """Return the sentences on a record in one language, as plain text."""
    code = card.short_code or ""
    address = short_address(site.base_url, code)
    name, agency = say(writer, card.name, card.written), site.snapshot.agencies.get(card.agency)
    called = say(writer, agency.name) if agency else None

    def plain(wording: str, **values: str) -> str:
        return find(writer.catalogues, [writer.tag], wording)[1] % values

    def words(wording: str, **values: str) -> str:
        return typeset(plain(wording, **values), writer.tag)

    return {
        "lang": writer.tag,
        "dir": direction(writer.tag),
        "language": writer.locale.name,
        "name": name.text if name else words(_NAMELESS),
        "agency": called.text if called else card.agency,
        "letter": words(
            LETTER,
            agency=called.text if called else card.agency,
            name=name.text if name else words(_NAMELESS),
            address=address,
            code=spaced(code),
        ),
        # Telephones make a link of it without the scheme too. Their alphabet has one kind of space.
        "sms": plain(SMS, address=address.partition("://")[2]),
        "counter": words(COUNTER),
        "fictitious": words(_FICTITIOUS),
        "more": words(_MORE),
        "or_type": words(_OR, code=spaced(code), address=f"{site.base_url}/{writer.tag}/code"),
    }


def _choice(site: Site, card: Card | None) -> bytes:
    """Render the page of a code in all languages, or that on which one is asked for."""
    choices = []
    for tag, edition in site.editions.items():
        reader = edition.reader
        name = say(reader, card.name, card.written) if card else None
        lang, lead = find(reader.catalogues, [tag], _RECORD)
        gone_lang, gone = find(reader.catalogues, [tag], _WITHDRAWN)
        choices.append(
            {
                "tag": tag,
                "dir": direction(tag),
                "language": reader.locale.name,
                "path": f"{tag}/records/{card.id}" if card else f"{tag}/code",
                "name": name,
                "lead": lead if lang == tag else "",
                "withdrawn": gone if card and card.withdrawn and gone_lang == tag else "",
            }
        )
    code = card.short_code if card else None
    view = {
        "choices": choices,
        "code": spaced(code) if code else "",
        "withdrawn": bool(card and card.withdrawn),
    }
    first = site.editions[site.snapshot.pack.languages[0]]
    return first.templates.get_template("short_link.html").render(**view).encode()
