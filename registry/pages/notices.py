"""Notices in a member's language: for her page in the console, and for e-mail.

They name a record by its id and tell where to read on; no text of a record is in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote

import msgspec

from registry.pages.labels import message
from registry.record.pack import Pack
from registry.store.notices import MemberNotice, NoticeKind
from registry.text.catalogues import Catalogue, find
from registry.text.dates import format_date
from registry.text.locales import make_locale


class NoticeText(msgspec.Struct, frozen=True):
    """A notice, and the path that it leads to, below the register's address.

    In the English wordings of a kind, `%(record)s` stands for an id, `%(about)s` for a version, a
    day, or the number of an act, and `%(number)s` for how many were submitted.
    """

    title: str
    sentence: str
    path: str


WORDS: Mapping[NoticeKind, NoticeText] = {
    "review_waits": NoticeText(
        message("Waits for review: %(record)s"),
        message("This draft was submitted. It is published once somebody else has approved it."),
        "office/{lang}/review/{record}",
    ),
    "reviews_wait": NoticeText(
        message("Filings that wait for review: %(number)s (%(record)s)"),
        message(
            "These drafts were submitted together. Each is published once somebody else has "
            "approved it."
        ),
        "office/{lang}/review/",
    ),
    "returned": NoticeText(
        message("Returned: %(record)s"),
        message("The reviewer returned this draft with comments. Nothing was published."),
        "office/{lang}/records/{record}/",
    ),
    "published": NoticeText(
        message("Published: %(record)s"),
        message(
            "The reviewer approved this draft. Everybody can read it now as version %(about)s."
        ),
        "{lang}/records/{record}",
    ),
    "review_due": NoticeText(
        message("Review due: %(record)s"),
        message(
            "The record says that you review this system by %(about)s. Look whether it is still "
            "true, and file what has changed with the date of the next review."
        ),
        "office/{lang}/records/{record}/",
    ),
    "act_waits": NoticeText(
        message("Waits for review: %(record)s, request %(about)s"),
        message("A withdrawal or an attestation takes effect once somebody else has approved it."),
        "office/{lang}/review/acts/{about}",
    ),
    "act_returned": NoticeText(
        message("Returned: %(record)s, request %(about)s"),
        message("The reviewer returned this withdrawal or attestation with a comment."),
        "office/{lang}/review/acts/{about}",
    ),
    "act_approved": NoticeText(
        message("Approved: %(record)s, request %(about)s"),
        message("The reviewer approved this withdrawal or attestation. It is public now."),
        "{lang}/changes",
    ),
}


def render_notice(
    notice: MemberNotice, language: str, pack: Pack, say: Callable[[str], str]
) -> NoticeText:
    """Return a notice in the words that `say` finds for its English wordings."""
    words = WORDS[notice.kind]
    about = notice.about
    if notice.kind == "review_due":
        about = format_date(about, make_locale(language, pack.country).babel)
    values = {"record": notice.subject, "about": about, "number": str(notice.number)}
    return NoticeText(
        title=say(words.title) % values,
        sentence=say(words.sentence) % values,
        path=words.path.format(lang=language, record=quote(notice.subject), about=about),
    )


def notice_mail(
    notice: MemberNotice,
    language: str,
    pack: Pack,
    catalogues: Mapping[str, Catalogue],
    base_url: str,
) -> tuple[str, str]:
    """Return the subject and the text of the e-mail of a notice."""
    order = (language, *(tag for tag in pack.fallback if tag != language))

    def say(wording: str) -> str:
        return find(catalogues, order, wording)[1]

    told = render_notice(notice, language, pack, say)
    name = next(pack.site_name[tag] for tag in (*order, *pack.site_name) if tag in pack.site_name)
    reason = say(
        message("You get this message because you work in the register. All your notices:")
    )
    text = (
        f"{told.sentence}\n\n{base_url}/{told.path}\n\n"
        f"-- \n{name}\n{reason}\n{base_url}/office/{language}/notices\n"
    )
    return told.title, text
