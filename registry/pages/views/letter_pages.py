"""A person's letter to an agency about a decision: page, text, dates as iCalendar (RFC 5545)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from html import unescape
from itertools import count
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from markupsafe import Markup

from registry.log.register import StoredRecord
from registry.pages.editions import Edition
from registry.pages.labels import legal_fact_view, message, steps_view
from registry.pages.page import Page, digest
from registry.pages.reader import Reader, as_it_is, language, say, translated
from registry.pages.short_links import kit_view
from registry.pages.site import Site, page, pages
from registry.pages.views.document_view import show
from registry.pages.views.prose_pages import markdown_view, read_words
from registry.pages.views.record_view import read_document, read_languages
from registry.record.pack import Agency
from registry.record.pointers import dig
from registry.text.catalogues import SOURCE, find
from registry.text.dates import day_after, read_day
from registry.text.folding import fold

_FIRST = message("Madam, Sir,")
_OWN_DATA = "own_data"
"""The right of a pack that is cited where data are to be corrected."""

_SPACE = re.compile(r"[ \n]+")
_ENDS = (("<br> ?", "\n"), ("</p> ?", "\n\n"), ("</li> ?", "\n"), ("</ol> ?", "\n"))
_ITEM = re.compile(r"<li>")
_TAG = re.compile(r"<[^>]+>")
_LINES = re.compile(r" *\n *")
_GAPS = re.compile(r"\n{3,}")
_Typed: TypeAlias = Annotated[str, msgspec.Meta(max_length=4000)]
_MARK = "\ufeff"
"""The byte order mark: by it, what opens the file knows its encoding without a server."""


class Letter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person writes into a letter; empty is what they leave for their hand, or out."""

    about: Literal["me", "son", "daughter"] = "me"
    name: _Typed = ""
    identity: _Typed = ""
    address: _Typed = ""
    phone: _Typed = ""
    email: _Typed = ""
    agency: _Typed = ""
    place: _Typed = ""
    day: _Typed = ""
    number: _Typed = ""
    dated: _Typed = ""
    file: _Typed = ""
    son: _Typed = ""
    daughter: _Typed = ""
    received: _Typed = ""
    reasons: _Typed = ""


EMPTY = Letter()


class LetterSubject(msgspec.Struct, frozen=True, kw_only=True):
    """What a letter is about: a record, an agency, both or neither; `path` is where its page is."""

    path: str
    record: StoredRecord | None = None
    agency: Agency | None = None


def general_letter_pages(site: Site) -> Iterator[Page]:
    """Yield the letter to an agency whose system is not in the register, with its name or none."""
    yield from _pages(site, "letter", lambda: LetterSubject(path="letter"))
    for agency in site.snapshot.agencies.values():
        if agency.origin is None:
            subject = agency_subject(agency)
            key = digest(msgspec.json.encode(agency))
            yield from _pages(site, subject.path, partial(_same, subject), key=key, listed=False)


def record_letter_pages(site: Site, name: str, key: str) -> Iterator[Page]:
    """Yield the letter about one record; `key` is that of the record's own page."""

    def subject() -> LetterSubject:
        return record_subject(site.histories[name][-1], site.snapshot.agencies)

    path = f"records/{name}/letter"
    yield from _pages(site, path, subject, key=key, listed=False, needs=(name,))


def agency_subject(agency: Agency) -> LetterSubject:
    """Return the subject of the letter to an agency about no record."""
    return LetterSubject(path=f"agencies/{agency.id}/letter", agency=agency)


def record_subject(record: StoredRecord, agencies: Mapping[str, Agency]) -> LetterSubject:
    """Return the subject of the letter about a record."""
    agency = agencies.get(record.agency)
    return LetterSubject(path=f"records/{record.id}/letter", record=record, agency=agency)


def _same(subject: LetterSubject) -> LetterSubject:
    return subject


def _pages(
    site: Site,
    path: str,
    subject: Callable[[], LetterSubject],
    *,
    key: str = "",
    listed: bool = True,
    needs: tuple[str, ...] = (),
) -> Iterator[Page]:
    """Yield the page of a letter, and its text in each language that has the words."""

    def view(reader: Reader) -> dict[str, Any]:
        return letter_view(reader, site.editions, subject(), today=site.day, is_copy=site.is_copy)

    def text(tag: str) -> bytes:
        return letter_text(site.editions, tag, subject())

    key = digest(key, str(site.is_copy))
    yield from pages(
        site, path, template="letter.html", key=key, view=view, listed=listed, needs=needs
    )
    shared = digest(site.fingerprint, path, "text", key)
    for tag in letter_languages(site.editions):
        file = f"{tag}/{path}.txt"
        yield Page(file=file, key=shared, render=partial(text, tag), listed=False, needs=needs)


def letter_languages(editions: Mapping[str, Edition]) -> list[str]:
    """Return the languages of the site that have the words of letters."""
    return [
        tag
        for tag, edition in editions.items()
        if find(edition.reader.catalogues, (tag, SOURCE), _FIRST)[0] == tag
    ]


def writing_language(editions: Mapping[str, Edition], tag: str) -> str:
    """Return the language of the letter for a reader: the reader's, or the next that has words."""
    written = letter_languages(editions)
    return next((one for one in editions[tag].reader.order if one in written), tag)


def letter_view(
    reader: Reader,
    editions: Mapping[str, Edition],
    subject: LetterSubject,
    *,
    today: dt.date,
    typed: Letter = EMPTY,
    fault: str = "",
    is_filled: bool = False,
    is_copy: bool = False,
) -> dict[str, Any]:
    """Return the page of a letter, which is in the reader's language or in the next that has it.

    It has fields for what is typed; one that `is_filled` is the page to print. `fault` is the field
    that cannot be read.
    """
    tag = writing_language(editions, reader.tag)
    written, writer = letter_languages(editions), editions[tag].reader
    known = _facts(editions[reader.tag], subject)
    source = known["r"] and known["r"]["source"]
    body = _body(editions[tag], subject, typed, fault=fault, fill=not is_filled)
    return known | {
        "letter": Markup(body),  # noqa: S704  escaped
        "writer": {"lang": tag, "dir": writer.locale.dir, "differs": tag != reader.locale.tag},
        "path": subject.path,
        "redress_steps": steps_view(reader, today),
        "typed": typed,
        "fault": fault,
        "is_filled": is_filled,
        "is_copy": is_copy,
        "texts": [(each, language(reader, each)) for each in written],
        "source": language(reader, source) if source in written and source != tag else None,
    }


def letter_text(
    editions: Mapping[str, Edition], tag: str, subject: LetterSubject, typed: Letter = EMPTY
) -> bytes:
    """Return a letter as plain text, in one of its languages."""
    numbers = count(1)
    text = _SPACE.sub(" ", _body(editions[tag], subject, typed, fault="", fill=False))
    for end, instead in _ENDS:
        text = re.sub(end, instead, text)
    text = _ITEM.sub(lambda _: f"{next(numbers)}. ", text)
    text = _LINES.sub("\n", unescape(_TAG.sub("", text)).strip())
    return (_MARK + _GAPS.sub("\n\n", text) + "\n").encode()


def _body(
    edition: Edition, subject: LetterSubject, typed: Letter, *, fault: str, fill: bool
) -> str:
    """Return the letter as HTML: with fields to fill in, or with what was typed."""
    known = _facts(edition, subject) | {"fault": fault, "fill": fill, "begun": typed != EMPTY}
    fields = msgspec.structs.asdict(typed)
    return edition.templates.get_template("letter_body.html").render(known, typed=fields)


def _facts(edition: Edition, subject: LetterSubject) -> dict[str, Any]:
    """Return what a reader of a language is told about a record and its agency."""
    reader = edition.reader
    cited = (right.source for right in reader.pack.rights if right.code == _OWN_DATA)
    r, d = None, None
    if subject.record is not None:
        r, d = _record(edition, subject.record)
    contest = d["rights"]["contestation"] if d is not None else {}
    contact = d["contact"] if d is not None else {}
    post = contest.get("postal_address") or contact.get("postal_address")
    name = subject.agency and say(reader, subject.agency.name)
    if name is None and subject.record is not None:
        name = as_it_is(reader, subject.record.agency)
    return {
        "r": r,
        "d": d,
        "name": name,
        "agency": None if post and _begins_with(post.text, subject.agency) else name,
        "post": post,
        "mailbox": contest.get("email") or contact.get("email"),
        "own_data": say(reader, next(cited, None)),
    }


def _begins_with(post: str, agency: Agency | None) -> bool:
    """Return whether an address begins with the agency's name, in any language and spelling."""
    names = agency.name.values() if agency else ()
    return any(_letters(post).startswith(_letters(name)) for name in names)


def _letters(text: str) -> str:
    return "".join(letter for letter in fold(text) if letter.isalnum())


def _record(edition: Edition, record: StoredRecord) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """Return what a reader is told of a record, and its document."""
    reader, base_url = edition.reader, str(edition.templates.globals["base_url"])
    document, written = read_document(record.document), read_languages(record.document)
    register = record.register
    is_withdrawn = register.state == "withdrawn"
    name = say(reader, document.get("name"), written)
    if is_withdrawn:
        # Whom to write to is all that a tombstone has.
        document = {"contact": document.get("contact") or {}}
    facts = {
        "id": record.id,
        "fictitious": register.fictitious,
        "withdrawn": is_withdrawn,
        "name": name,
        "kit": kit_view(base_url, register.code),
        "source": (document.get("languages") or {}).get("source"),
    }
    return facts, show(reader, document, record.whole, written)


_UNCONFIRMED = message("to be confirmed by counsel")
_OWN_LIMIT = message("The time limit that the agency states in the record ends today.")
_LONGEST = 75
"""Bytes of a line."""

_ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


def read_received(editions: Mapping[str, Edition], typed: str, today: dt.date) -> dt.date | None:
    """Return the day on which a decision was received, as somebody typed it; None if it is none.

    It is not after `today`, by a day more: it may be tomorrow where they are.
    """
    day = read_day(typed, [one.reader.locale.babel for one in editions.values()])
    is_past = day is not None and day <= today + dt.timedelta(days=1)
    return day if is_past else None


def calendar_file(
    edition: Edition, subject: LetterSubject, received: dt.date, *, now: dt.datetime
) -> bytes:
    """Return the dates of the country, and the last of the record's own number of days.

    They lead back to the page of the letter, and have nothing of what was typed into it.
    """
    reader = edition.reader
    address = f"{edition.templates.globals['base_url']}/{reader.tag}/{subject.path}"
    own_days = (
        None
        if subject.record is None
        else dig(read_document(subject.record.document), "rights", "contestation", "deadline_days")
    )
    known: dict[dt.date, tuple[str, str]] = {}
    for one in reader.pack.deadlines:
        said, source = (say(reader, text) for text in (one.words, one.source))
        unsure = "" if one.confirmed else f" ({translated(reader, _UNCONFIRMED).text})"
        known[day_after(received, one.after)] = (
            said.text if said else one.code,
            (source.text if source else "") + unsure,
        )
    if own_days is not None:
        own = translated(reader, _OWN_LIMIT).text
        known.setdefault(received + dt.timedelta(days=own_days), (own, ""))
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Public Algorithm Register//Letter//EN",
    ]
    for day, (what, ground) in sorted(known.items()):
        lines += [
            "BEGIN:VEVENT",
            f"UID:{digest(address, received.isoformat(), day.isoformat())}",
            f"DTSTAMP:{now:%Y%m%dT%H%M%SZ}",
            f"DTSTART;VALUE=DATE:{day:%Y%m%d}",
            f"SUMMARY:{what.translate(_ESCAPES)}",
            f"DESCRIPTION:{ground.translate(_ESCAPES)}",
            f"URL:{address}",
            "TRANSP:TRANSPARENT",
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            f"DESCRIPTION:{what.translate(_ESCAPES)}",
            "TRIGGER:PT9H",
            "END:VALARM",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return b"".join(part + b"\r\n" for line in lines for part in _folded(line))


def _folded(line: str) -> Iterator[bytes]:
    """Yield a line in parts of 75 bytes at most, between characters, all but the first indented."""
    part = b""
    for letter in line:
        if len(part) + len(letter.encode()) > _LONGEST:
            yield part
            part = b" "
        part += letter.encode()
    yield part


def contest_pages(site: Site) -> Iterator[Page]:
    """Yield the page in each language, without dates: these the register computes when asked."""
    today = site.day
    for tag, edition in site.editions.items():
        view = partial(
            contest_view, edition.reader, site.editions, today=today, is_copy=site.is_copy
        )
        key = str(site.is_copy)
        yield page(site, tag, "contest", template="contest.html", key=key, view=view)


def contest_view(
    reader: Reader,
    editions: Mapping[str, Edition],
    *,
    today: dt.date,
    received: dt.date | None = None,
    typed: str = "",
    is_copy: bool = False,
) -> dict[str, Any]:
    """Return the page, with the dates of a decision that was `received` on a day.

    `typed` is what was given as that day, which may be none.
    """
    lang, text = read_words(reader, "contest")
    intro, _, steps = text.partition("\n## ")
    deadlines = [legal_fact_view(reader, one) for one in reader.pack.deadlines]
    if received is not None:
        for one in deadlines:
            day = day_after(received, one["after"])
            one |= {"day": day.isoformat(), "is_past": day < today}
    return markdown_view(editions, reader.tag, lang, intro) | {
        "steps": markdown_view(editions, reader.tag, lang, f"\n## {steps}")["body"],
        "redress_steps": steps_view(reader, today, received),
        "rights": [legal_fact_view(reader, right) for right in reader.pack.rights],
        "deadlines": deadlines,
        "last": next((one for one in deadlines if one["code"] == "contest"), None),
        "received": received and received.isoformat(),
        "typed": typed,
        "is_copy": is_copy,
    }
