"""The log in six lines, as published now, and their page for print with its QR code."""

from __future__ import annotations

import asyncio
import io
from html import escape

import segno

from registry.errors import Unavailable
from registry.ledger.published_log import read_keys
from registry.log.files import read_checkpoint
from registry.pages.labels import message
from registry.record.pack import Pack
from registry.settings import Settings
from registry.store import checkpoints
from registry.store.database import Database
from registry.text.catalogues import SOURCE, find, load_catalogues
from registry.text.locales import direction
from registry.tlog.checkpoint import stated
from registry.verify.gazette import Gazette

_TITLE = message("The log of this register, in six lines")
_LINES = (
    message("Name of the log"),
    message("Number of entries"),
    message("Hash of all entries"),
    message("Key of the log"),
    message("Day of the last entry"),
    message("Address"),
)
_WHY = message(
    "Whoever keeps these lines can show later whether the register has changed its story: its log "
    "must always have the same hash at this number of entries."
)
_HOW = message(
    "To check, write the six lines below each other into a file, or read the code with a "
    "telephone, and run:"
)
_STYLE = """
@page { size: A4; margin: 20mm }
body { font: 11pt/1.5 serif; max-width: 44em; margin: 0 auto }
dl { margin: 0 } dt { font-size: 9pt } dd { margin: 0 0 .5em }
code, bdi { font-family: monospace; overflow-wrap: anywhere }
svg { display: block; margin: 1em 0; width: 60mm; height: 60mm }
section { border-top: 1px solid; margin-top: 1.5em; break-inside: avoid }
"""


def qr_code(gazette: Gazette) -> str:
    """Return a QR code of the six lines as SVG."""
    out = io.BytesIO()
    segno.make(gazette.to_text(), error="m", micro=False).save(
        out, kind="svg", border=4, xmldecl=False, scale=4
    )
    return out.getvalue().decode()


def gazette_page(gazette: Gazette, pack: Pack) -> str:
    """Return a page to print: the six lines and their code, in the languages of the pack."""
    code = qr_code(gazette)
    lines = "\n".join(f"<code>{escape(line)}</code><br>" for line in gazette.lines)
    catalogues = load_catalogues("site", [tag for tag in pack.languages if tag != SOURCE])
    command = f"registry log verify {gazette.address} --kept FILE"

    def section(tag: str) -> str:
        order = [tag, *pack.fallback]

        def say(wording: str) -> str:
            return escape(find(catalogues, order, wording)[1])

        listed = "".join(
            f'<dt>{say(name)}</dt><dd><bdi dir="ltr">{escape(line)}</bdi></dd>'
            for name, line in zip(_LINES, gazette.lines, strict=True)
        )
        return (
            f'<section lang="{tag}" dir="{direction(tag)}"><h2>{say(_TITLE)}</h2>'
            f"<p>{say(_WHY)}</p><dl>{listed}</dl><p>{say(_HOW)}</p>"
            f'<p dir="ltr"><code>{escape(command)}</code></p></section>'
        )

    tags = [tag for tag in pack.languages if find(catalogues, [tag, SOURCE], _TITLE)[0] == tag]
    title = f"<title>{escape(gazette.checkpoint.origin)}</title>"
    return (
        f'<!doctype html>\n<html lang="{tags[0]}"><head><meta charset="utf-8">{title}'
        f'<style>{_STYLE}</style></head><body>\n<div dir="ltr"><p>{lines}</p>\n{code}</div>\n'
        + "\n".join(map(section, tags))
        + "\n</body></html>\n"
    )


async def make_gazette(database: Database, settings: Settings) -> Gazette:
    """Return the six lines of the published log; its day is that of its last entry.

    Raises `Unavailable` while nothing is published.
    """
    note = await asyncio.to_thread(read_checkpoint, settings.log_dir)
    if note is None:
        raise Unavailable("the log has not been published yet; run: registry log publish")
    checkpoint = stated(note)
    async with database.snapshot() as connection:
        chain = await read_keys(connection, checkpoint.size)
        [last] = await checkpoints.read_entries(connection, checkpoint.size - 1, checkpoint.size)
    return Gazette(
        checkpoint=checkpoint,
        verifier=chain.last,
        day=last.at.date(),
        address=f"{settings.base_url}/log",
    )
