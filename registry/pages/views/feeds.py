"""Feeds of changes, of all, a list, a record or a question: Atom (RFC 4287), JSON Feed 1.1."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from urllib.parse import urlsplit
from xml.sax.saxutils import escape, quoteattr

import msgspec

from registry.log.register import VersionLine, Withdrawal
from registry.pages.editions import Edition
from registry.pages.labels import message
from registry.pages.page import Page, digest
from registry.pages.reader import Reader, Text, as_it_is, comma_of, label, say, translated
from registry.pages.site import Site
from registry.pages.views.events import (
    COUNTED,
    GATHERED,
    IMPORT,
    KINDS,
    MOVED,
    STATED_DAY,
    UNDATED,
    Event,
)
from registry.pages.views.lists import origin_view
from registry.record.model import LangText
from registry.record.search_document import RecordSummary
from registry.text.catalogues import find_plural
from registry.text.dates import format_date
from registry.text.typesetting import format_number

MOST_ITEMS = 50
_UNNAMED = message("A system whose name is not published")
_ALL = message("All changes")
_EVERYTHING = message("All changes, with other registers")
_ABOUT = message(
    "This is a feed: give its address to a reader of feeds, which then tells you what is new. "
    "How to do it: %(address)s"
)
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One change in a feed; `at` is RFC 3339."""

    id: str
    url: str
    title: str
    text: str
    at: str
    tags: list[str]


class FeedIntroduction(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody sees first who opens a feed in a browser.

    `guide` is the address of the page on feeds, which stands in the words `about`; `stylesheet` is
    the path of the styles by which the browser shows Atom.
    """

    about: str
    guide: str
    stylesheet: str


class Feed(msgspec.Struct, frozen=True, kw_only=True):
    """A feed before it has a format; `home` is the page that it follows.

    It is in the language `lang` as its page is: most of its words may be in another, `set_in`.
    Its address is `address`, the ending of the format, and the query.
    """

    title: str
    lang: str
    set_in: str
    address: str
    introduction: FeedIntroduction
    query: str = ""
    home: str
    updated: str
    items: list[Item]


def feed_pages(site: Site, events: Sequence[Event], ungathered: Sequence[Event]) -> Iterator[Page]:
    """Yield both formats of every feed in each language; `events` are all, oldest first.

    A copy has those of records too, made of each event `ungathered`: no server makes them there.
    """
    chosen: dict[str, list[Event]] = {scope: [] for scope in _scopes(site)}
    for event in reversed(events):
        for scope in event.scopes:
            several = chosen.setdefault(scope, [])
            if len(several) < MOST_ITEMS:
                several.append(event)
    for event in reversed(ungathered if site.is_copy else ()):
        if event.record is not None:
            of_record = chosen.setdefault(f"records/{event.record}", [])
            if len(of_record) < MOST_ITEMS:
                of_record.append(event)
    beginning = events[0].at if events else site.snapshot.as_of
    for scope, several in chosen.items():
        own = site.snapshot.agencies.get(scope.removeprefix("agencies/"))
        key = digest(site.fingerprint, scope, msgspec.json.encode([several, beginning, own]))
        updated = (several[0].at if several else beginning).isoformat()
        for tag, edition in site.editions.items():
            for ending, write in FORMATS.items():
                yield Page(
                    file=f"feeds/{tag}/{scope}.{ending}",
                    key=key,
                    render=partial(
                        _render, edition.reader, site, scope, several, updated=updated, write=write
                    ),
                    listed=False,
                )


def _render(
    reader: Reader,
    site: Site,
    scope: str,
    events: Sequence[Event],
    *,
    updated: str,
    write: Callable[[Feed], bytes],
) -> bytes:
    own = say(reader, site.snapshot.pack.site_name)
    title = own.text if own else ""
    base = f"{site.base_url}/{reader.tag}"
    if scope != "all":
        title = f"{_name(reader, site, scope)} – {title}"
    feed = Feed(
        title=title,
        lang=reader.tag,
        set_in=reader.locale.tag,
        address=f"{site.base_url}/feeds/{reader.tag}/{scope}",
        introduction=introduce(site.editions[reader.tag], site.base_url),
        home=f"{base}/{_home(scope)}",
        updated=updated,
        items=[_item(reader, site, event, base) for event in events],
    )
    return write(feed)


def _scopes(site: Site) -> list[str]:
    labels = next(iter(site.editions.values())).reader.labels
    cards = site.cards.values()
    return [
        "all",
        "everything",
        *(f"origins/{code}" for code in sorted({card.origin for card in cards if card.origin})),
        *(f"risk/{code}" for code in labels["risk_level"]),
        *(f"sectors/{code}" for code in labels["sector"]),
        *(f"agencies/{agency}" for agency in site.snapshot.agencies),
    ]


def _home(scope: str) -> str:
    """Return the page that a feed follows."""
    if scope == "all":
        return "changes"
    return "changes/all" if scope == "everything" or scope.startswith("origins/") else scope


def _name(reader: Reader, site: Site, scope: str) -> str:
    kind, _, code = scope.partition("/")
    if kind == "everything":
        return translated(reader, _EVERYTHING).text
    if kind == "origins":
        named: Text = origin_view(reader, site, code)["origin_name"]
        return named.text
    if kind == "records":
        card = site.cards[code]
        said = say(reader, card.name, card.written)
        return said.text if said else unnamed(reader)
    if kind == "agencies":
        known = site.snapshot.agencies.get(code)
        return ((known and say(reader, known.name)) or as_it_is(reader, code)).text
    return label(reader, {"risk": "risk_level", "sectors": "sector"}[kind], code).text


def _item(reader: Reader, site: Site, event: Event, base: str) -> Item:
    if event.kind == GATHERED:
        return _import_item(reader, site, event, base)
    card = site.cards.get(event.record or "")
    kind = translated(reader, KINDS.get(event.kind, event.kind)).text
    if card:
        name = say(reader, card.name, card.written)
        subject = name.text if name else translated(reader, _UNNAMED).text
        url = f"{base}/records/{card.id}" + (f"/versions/{event.version}" if event.version else "")
        tags = [label(reader, "risk_level", card.risk), label(reader, "sector", card.sector)]
    elif event.agency:
        subject = _name(reader, site, f"agencies/{event.agency}")
        url, tags = f"{base}/agencies/{event.agency}", []
    else:
        subject, url, tags = translated(reader, _ALL).text, f"{base}/changes", []
    note = say(reader, event.note)
    said = [
        label(reader, "withdrawal_reason", event.reason).text if event.reason else "",
        " → ".join(
            label(reader, "risk_level", level).text
            for level in (event.risk.before, event.risk.after)
        )
        if event.risk
        else "",
        _moved(reader, site, event),
        translated(reader, UNDATED).text if event.undated else "",
        translated(reader, STATED_DAY).text
        % {"date": format_date(event.changed_on, reader.locale.babel)}
        if event.changed_on
        else "",
        note.text if note else "",
    ]
    host = urlsplit(site.base_url).hostname
    return Item(
        id=f"tag:{host},{event.day}:entry/{event.index}/{reader.tag}",
        url=url,
        title=f"{subject} – {kind}",
        text="\n".join(part for part in said if part) or kind,
        at=event.at.isoformat(),
        tags=[tag.text for tag in tags],
    )


def _import_item(reader: Reader, site: Site, event: Event, base: str) -> Item:
    """Return the item of a whole import, or of an agency's part of one."""
    register = _name(reader, site, f"origins/{event.origin}")
    counts = comma_of(reader).join(
        find_plural(reader.catalogues, reader.order, *COUNTED[kind], number)[1]
        % {"n": format_number(number, reader.locale.babel)}
        for kind, number in event.counts.items()
    )
    host = urlsplit(site.base_url).hostname
    parts = ("entries", str(event.first), event.agency, reader.tag)
    return Item(
        # Of its first entry, since an import may go on while the site is built.
        id=f"tag:{host},{event.begun}:{'/'.join(filter(None, parts))}",
        url=f"{base}/agencies/{event.agency}" if event.agency else f"{base}/{event.page}",
        title=f"{translated(reader, IMPORT).text % {'register': register}} – {counts}",
        text=counts,
        at=event.at.isoformat(),
        tags=[],
    )


def _moved(reader: Reader, site: Site, event: Event) -> str:
    if event.moved_from is None:
        return ""
    return translated(reader, MOVED).text % {
        "agency": _name(reader, site, f"agencies/{event.moved_from}")
    }


def unnamed(reader: Reader) -> str:
    """Return what a record without a public name is called."""
    return translated(reader, _UNNAMED).text


def _write_atom(feed: Feed) -> bytes:
    entries = "".join(
        f"<entry>\n<id>{_text(item.id)}</id>\n<title>{_text(item.title)}</title>\n"
        f'<link rel="alternate" href={_attribute(item.url)}/>\n'
        f"<updated>{item.at}</updated>\n<published>{item.at}</published>\n"
        + "".join(f"<category term={_attribute(tag)}/>\n" for tag in item.tags)
        + f'<summary type="text">{_text(item.text)}</summary>\n{_link(item.url)}\n</entry>\n'
        for item in feed.items
    )
    shown = feed.introduction
    about = _text(shown.about).replace(_text(shown.guide), _link(shown.guide))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<?xml-stylesheet type="text/css" href={_attribute(shown.stylesheet)}?>\n'
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang={_attribute(feed.set_in)}>\n'
        f"<id>{_text(f'{feed.address}.atom{feed.query}')}</id>\n<title>{_text(feed.title)}</title>\n"
        f'<subtitle type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">{about}</div></subtitle>\n'
        f"<updated>{feed.updated}</updated>\n<author><name>{_text(feed.title)}</name></author>\n"
        f'<link rel="self" href={_attribute(f"{feed.address}.atom{feed.query}")}/>\n'
        f'<link rel="alternate" type="text/html" href={_attribute(feed.home)}/>\n{entries}</feed>\n'
    ).encode()


def _write_json(feed: Feed) -> bytes:
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.home,
        "feed_url": f"{feed.address}.json{feed.query}",
        "description": feed.introduction.about,
        "language": feed.lang,
        "items": [
            {
                "id": item.id,
                "url": item.url,
                "title": item.title,
                "content_text": item.text,
                "date_published": item.at,
                "tags": item.tags,
            }
            for item in feed.items
        ],
    }
    return msgspec.json.encode(document)


FORMATS: Mapping[str, Callable[[Feed], bytes]] = {"atom": _write_atom, "json": _write_json}
"""What writes a feed, by the ending of its address."""


def introduce(edition: Edition, base_url: str) -> FeedIntroduction:
    """Return the introduction of feeds in the language of an edition."""
    guide = f"{base_url}/{edition.reader.tag}/feeds"
    return FeedIntroduction(
        about=translated(edition.reader, _ABOUT).text % {"address": guide},
        guide=guide,
        stylesheet=str(edition.templates.globals["feed_stylesheet"]),
    )


def _link(address: str) -> str:
    """Return a link as browsers follow one, which is foreign mark-up in Atom (RFC 4287 §6)."""
    return (
        f'<a xmlns="http://www.w3.org/1999/xhtml" href={_attribute(address)}>{_text(address)}</a>'
    )


def _text(text: str) -> str:
    """Return a text escaped for XML, without characters that XML has not."""
    return escape(_NOT_XML.sub("", text))


def _attribute(text: str) -> str:
    return quoteattr(_NOT_XML.sub("", text))


def record_items(
    reader: Reader,
    base_url: str,
    record: str,
    *,
    name: LangText | None,
    versions: Sequence[VersionLine],
    withdrawals: Sequence[Withdrawal],
) -> list[Item]:
    """Return the items of a record's feed, the latest first; versions and withdrawals are all."""
    called = record_name(reader, name)
    items = [
        _event_item(
            reader,
            base_url,
            record,
            name=called,
            kind="new" if one.version == 1 else "version",
            version=one.version,
            at=one.published_at,
            said=one.change_note,
        )
        for one in versions
    ] + [
        _event_item(
            reader,
            base_url,
            record,
            name=called,
            kind="withdrawal",
            version=None,
            at=one.withdrawn_at,
            said=one.note,
            reason=label(reader, "withdrawal_reason", one.reason).text,
        )
        for one in withdrawals
    ]
    return sorted(items, key=lambda item: item.at, reverse=True)[:MOST_ITEMS]


def found_item(reader: Reader, base_url: str, card: RecordSummary) -> Item:
    """Return the item of a version that a question finds."""
    summary = say(reader, card.summary)
    kind = translated(reader, KINDS["new" if card.version == 1 else "version"]).text
    return Item(
        id=_id(reader, base_url, card.id, card.published_at, str(card.version)),
        url=f"{base_url}/{reader.tag}/records/{card.id}",
        title=f"{record_name(reader, card.name)} – {kind}",
        text=summary.text if summary else kind,
        at=card.published_at.isoformat(),
        tags=[
            label(reader, "risk_level", card.risk).text,
            label(reader, "sector", card.sector).text,
        ],
    )


def record_name(reader: Reader, name: LangText | None) -> str:
    """Return what a record is called in a feed."""
    said = say(reader, name)
    return said.text if said else unnamed(reader)


def _event_item(
    reader: Reader,
    base_url: str,
    record: str,
    *,
    name: str,
    kind: str,
    version: int | None,
    at: dt.datetime,
    said: LangText | None,
    reason: str = "",
) -> Item:
    note = say(reader, said)
    words = translated(reader, KINDS[kind]).text
    return Item(
        id=_id(reader, base_url, record, at, str(version or kind)),
        url=f"{base_url}/{reader.tag}/records/{record}"
        + (f"/versions/{version}" if version else ""),
        title=f"{name} – {words}",
        text="\n".join(part for part in (reason, note.text if note else "") if part) or words,
        at=at.isoformat(),
        tags=[],
    )


def _id(reader: Reader, base_url: str, record: str, at: dt.datetime, what: str) -> str:
    host = urlsplit(base_url).hostname
    return f"tag:{host},{at.date().isoformat()}:records/{record}/{what}/{reader.tag}"
