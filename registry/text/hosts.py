"""Names of hosts in both their forms: as people read them, and in ASCII, as machines ask for them.

A name in other letters than it seems to be has an ASCII form that says so (`xn--…`, RFC 3492).
"""

from __future__ import annotations

from unicodedata import name
from urllib.parse import urlsplit

from registry.text.confusables import skeleton

_LATIN = "LATIN"
_ENCODED = "xn--"


def other_form(host: str) -> str | None:
    """Return the other form of a host's name; None where it has but one, or is no name."""
    try:
        if not host.isascii():
            return host.encode("idna").decode("ascii")
        if any(label.startswith(_ENCODED) for label in host.lower().split(".")):
            return host.encode("ascii").decode("idna")
    except UnicodeError:
        pass
    return None


def host_of(address: str) -> str:
    """Return the host of a link or of a mailbox; empty where there is none."""
    if "//" not in address:
        return address.rpartition("@")[2]
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def passes_for_another(host: str) -> bool:
    """Return whether a part of a host's name may be read as another (UTS 39 §5).

    It has letters of several scripts, or letters of one that all look Latin.
    """
    other = other_form(host) or host
    shown = other if host.isascii() else host
    return any(map(_is_mixed, shown.lower().split(".")))


def _is_mixed(label: str) -> bool:
    scripts = {name(letter, "").split(" ")[0] for letter in label if letter.isalpha()}
    return len(scripts) > 1 or (bool(scripts - {_LATIN}) and skeleton(label).isascii())
