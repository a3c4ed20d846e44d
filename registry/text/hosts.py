"""Names of hosts in both their forms: as people read them, and in ASCII, as machines ask for them.

A name in other letters than it seems to be has an ASCII form that says so (`xn--…`, RFC 3492).
"""

from __future__ import annotations

from urllib.parse import urlsplit

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
