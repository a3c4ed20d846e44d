"""The short address of a record, and the QR code of it."""

from __future__ import annotations

import io
from functools import lru_cache

import segno
from markupsafe import Markup

from registry.record.short_code import spaced


def short_address(base_url: str, code: str) -> str:
    """Return the address that letters carry."""
    return f"{base_url}/r/{code}"


@lru_cache(maxsize=64)
def qr_markup(address: str) -> Markup:
    """Return the QR code of an address as SVG to stand in a page, dark on light in any scheme.

    What it says stands beside it as text.
    """
    drawn = segno.make(address, error="m", micro=False).svg_inline(
        border=4, omitsize=True, svgclass="qr", lineclass=None, light="#fff"
    )
    return Markup(drawn.replace("<svg ", '<svg aria-hidden="true" ', 1))  # noqa: S704  our own


def qr_file(address: str) -> bytes:
    """Return the QR code of an address as a file, with the address as its title."""
    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        out, kind="svg", border=4, scale=8, light="#fff", title=address, xmldecl=False
    )
    return out.getvalue()


def kit_view(base_url: str, code: str | None) -> dict[str, object] | None:
    """Return the short code of a record as its pages show it; None where it has none."""
    if code is None:
        return None
    address = short_address(base_url, code)
    return {
        "code": spaced(code),
        "address": address,
        "shown": address.partition("://")[2],
        "file": f"r/{code}.svg",
        "qr": qr_markup(address),
    }
