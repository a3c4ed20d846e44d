"""How long a text is as a short message of a telephone (3GPP TS 23.038, TS 23.040)."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

SmsEncoding: TypeAlias = Literal["GSM-7", "UCS-2"]

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
_ONE = {"GSM-7": 160, "UCS-2": 70}
_OF_MANY = {"GSM-7": 153, "UCS-2": 67}


class SmsLength(msgspec.Struct, frozen=True, kw_only=True):
    """The size of a message: its encoding, its units, those of one message, and the messages.

    Units are septets of GSM-7, where a few characters take two, or 16-bit units of UCS-2.
    """

    encoding: SmsEncoding
    units: int
    most: int
    messages: int


def measure(text: str) -> SmsLength:
    """Return the size of a text; GSM-7 is taken where it has all characters."""
    encoding: SmsEncoding = "GSM-7"
    if all(one in _BASIC or one in _EXTENDED for one in text):
        units = len(text) + sum(one in _EXTENDED for one in text)
    else:
        encoding, units = "UCS-2", len(text.encode("utf-16-le")) // 2
    most = _ONE[encoding]
    messages = 1 if units <= most else -(-units // _OF_MANY[encoding])
    return SmsLength(encoding=encoding, units=units, most=most, messages=messages)
