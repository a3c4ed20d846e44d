"""Notices in a member's language: for her page in the console, and for e-mail.

They name a record by its id and tell where to read on; no text of a record is in them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

import msgspec

from registry.pages.labels import message
from registry.record.pack import Pack
from registry.store.mail_requests import MailKind
from registry.store.notices import MemberNotice, NoticeKind
from registry.text.catalogues import Catalogue, find
from registry.text.dates import format_date


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
        about = format_date(about, pack.locale(language).babel)
    values = {"record": notice.subject, "about": about, "number": str(notice.number)}
    return NoticeText(
        title=say(words.title) % values,
        sentence=say(words.sentence) % values,
        path=words.path.format(lang=language, record=quote(notice.subject), about=about),
    )


def notice_mail(
    notices: Sequence[MemberNotice],
    language: str,
    pack: Pack,
    catalogues: Mapping[str, Catalogue],
    base_url: str,
) -> tuple[str, str]:
    """Return the subject and the text of the e-mail of a notice, or of a digest of several."""
    say, name = _speaker(language, pack, catalogues)
    told = [render_notice(notice, language, pack, say) for notice in notices]
    reason = say(
        message("You get this message because you work in the register. All your notices:")
    )
    subject = told[0].title
    if len(told) == 1:
        text = f"{told[0].sentence}\n\n{base_url}/{told[0].path}\n\n"
    else:
        subject = say(message("New in the register for you: %(number)s")) % {"number": len(told)}
        text = "".join(f"{one.title}\n{base_url}/{one.path}\n\n" for one in told)
    text += f"-- \n{name}\n{reason}\n{base_url}/office/{language}/notices\n"
    return subject, text


_LINK_MAILS: Mapping[MailKind, tuple[str, str, str]] = {
    "sign_in": (
        message("Your link to sign in"),
        message(
            "%(name)s, this link signs you in to the filing office. It works once, within 15 "
            "minutes. Do not pass it on."
        ),
        message(
            "You get this message because somebody gave your address on the page of signing in. If "
            "it was not you, do nothing: without the link nobody signs in. Another link:"
        ),
    ),
    "invitation": (
        message("You are invited to the filing office"),
        message(
            "%(name)s, you are a member of the filing office now. This link signs you in. It works "
            "once, within 15 minutes. Do not pass it on."
        ),
        message(
            "You get this message because a colleague of yours gave your address. After that you "
            "sign in here:"
        ),
    ),
    "new_address": (
        message("Confirm your e-mail address"),
        message(
            "%(name)s, this link confirms that mails of the filing office come to this address. It "
            "works within a day, while you are signed in."
        ),
        message(
            "You get this message because a member gave this address. If it was not you, do "
            "nothing: nothing more comes. The filing office is here:"
        ),
    ),
    "address_changed": (
        message("Your e-mail address was changed"),
        message(
            "%(name)s, mails of the filing office no longer come to this address: it was replaced "
            "or removed in your settings. If it was not you, tell your admin at once."
        ),
        message(
            "You get this message because this was your address in the filing office. You sign in "
            "here:"
        ),
    ),
}
"""The subject, the sentence, and why a mail comes, of mails with a link."""


def link_mail(
    kind: MailKind,
    language: str,
    *,
    secret: str,
    member: str,
    pack: Pack,
    catalogues: Mapping[str, Catalogue],
    base_url: str,
) -> tuple[str, str]:
    """Return the subject and the text of the e-mail with the link of a member of that name."""
    say, name = _speaker(language, pack, catalogues)
    subject, sentence, reason = map(say, _LINK_MAILS[kind])
    office = f"{base_url}/office/{language}"
    path = {"new_address": f"settings/address/{secret}", "address_changed": "settings"}.get(
        kind, f"sign-in/link/{secret}"
    )
    text = (
        f"{sentence % {'name': member}}\n\n{office}/{path}\n\n"
        f"-- \n{name}\n{reason}\n{office}/sign-in\n"
    )
    return subject, text


def _speaker(
    language: str, pack: Pack, catalogues: Mapping[str, Catalogue]
) -> tuple[Callable[[str], str], str]:
    """Return what finds wordings for a language, and the register's name in it."""
    order = (language, *(tag for tag in pack.fallback if tag != language))
    name = next(pack.site_name[tag] for tag in (*order, *pack.site_name) if tag in pack.site_name)
    return (lambda wording: find(catalogues, order, wording)[1]), name
