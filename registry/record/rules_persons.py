"""Rules on persons: generic mailboxes, and roles instead of names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache

from registry.record.field_descriptions import quoted
from registry.record.messages import PendingFinding, message
from registry.record.pointers import pointer
from registry.record.rule_context import RuleContext, remark
from registry.text.folding import fold
from registry.text.language_words import words_of

_NAME_LIKE = re.compile(r"[a-z]+(?:-[a-z]+)?[._][a-z]+(?:-[a-z]+)*[0-9]{0,3}")
_OF_PROVIDERS = re.compile(r"(?:com?\.)?(?!(?:example|gov|invalid|localhost|test)$)[a-z]{2,}")
"""What the host of a provider ends with after its name, and that of no administration."""
_MAILBOXES = (("contact", "email"), ("rights", "data_rights_contact", "email"))


def mailbox_generic(context: RuleContext) -> Iterator[PendingFinding]:
    """R19: A mailbox that looks like a person's own is pointed out.

    A warning: a mailbox of the agency outlives whoever reads it, and names nobody.
    """
    for path in _MAILBOXES:
        address = context.dig(*path)
        if address is not None and _is_personal(address):
            yield remark(
                "R19",
                pointer(path),
                message(
                    "{address} looks like a person's own mailbox. Use a generic one of the agency, "
                    "which outlives whoever reads it.",
                    address=quoted(address),
                ),
                severity="warning",
            )


# The records of an agency repeat mailboxes and roles.
@lru_cache(maxsize=4096)
def _is_personal(address: str) -> bool:
    local, _, host = address.lower().rpartition("@")
    named = _NAME_LIKE.fullmatch(local) and _role_words().isdisjoint(
        re.split(r"[._-]", local.rstrip("0123456789"))
    )
    provider, _, ending = host.partition(".")
    known = {host, provider} if _OF_PROVIDERS.fullmatch(ending) else {host}
    return bool(named) or not _private_mailboxes().isdisjoint(known)


@cache
def _private_mailboxes() -> frozenset[str]:
    return frozenset(words_of("mailbox"))


@cache
def _role_words() -> frozenset[str]:
    """Return the words of a mailbox or role that no person's name holds, folded."""
    return frozenset(map(fold, (*words_of("role"), *words_of("office"))))


@cache
def _title() -> re.Pattern[str]:
    """Return the pattern of a title before a name."""
    titles = "|".join(map(re.escape, words_of("title")))
    return re.compile(rf"(?<!\w)(?:{titles})\.?\s(?=\w)")


_FEWEST, _MOST = 2, 3


def role_not_person(context: RuleContext) -> Iterator[PendingFinding]:
    """R20: An accountable role that looks like a person's name is pointed out.

    A warning: the format asks who answers by office, never by name.
    """
    for tag, text in (context.dig("organisation", "accountable_role") or {}).items():
        if _looks_like_a_name(text):
            yield remark(
                "R20",
                pointer(("organisation", "accountable_role", tag)),
                message(
                    "{given} looks like a person's name. State the role that answers for the "
                    "system, such as head of division.",
                    given=quoted(text),
                ),
                severity="warning",
            )


@lru_cache(maxsize=4096)
def _looks_like_a_name(text: str) -> bool:
    """Return whether a text has a title, or is two or three capitalised words, none of offices."""
    if _title().search(text):
        return True
    words = text.split()
    if not _FEWEST <= len(words) <= _MOST:
        return False
    folded = {part for word in words for part in fold(word).split("-")}
    return _role_words().isdisjoint(folded) and all(word[0].isupper() for word in words)
