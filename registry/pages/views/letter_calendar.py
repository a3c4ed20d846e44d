"""The dates that follow a decision, as a file for calendars (iCalendar, RFC 5545)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

from registry.pages.editions import Edition
from registry.pages.labels import message
from registry.pages.page import digest
from registry.pages.reader import say, translated
from registry.pages.views.letter_pages import LetterSubject
from registry.pages.views.record_view import read_document
from registry.record.pointers import dig
from registry.text.dates import day_after, read_day

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
