"""What filing by the form asks of a person: questions, pages and keystrokes, without a script."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

from registry.record.pack import load_pack
from registry.services.operations.startup import open_register
from registry.settings import Settings
from registry.store import embedded
from registry.store.database import connect
from tests.bench.measure import Row
from tests.conftest import NOW
from tests.console.conftest import opened_office
from tests.typed import Typist, file_all, for_agency

LEVELS = ("minimal", "limited", "high")
MOST = {"minimal": (24, 8)}
DUTCH = "the Dutch register's form asks 7 of everyone"


def run() -> Iterator[Row]:
    with tempfile.TemporaryDirectory(prefix="rb", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = embedded.start(folder)
        try:
            yield from asyncio.run(_filed(server.url, folder))
        finally:
            server.release()


async def _filed(url: str, folder: Path) -> list[Row]:
    settings = Settings(data_dir=folder)
    database = await connect(url)
    await open_register(database, load_pack("ma"), settings, now=NOW)
    await database.close()
    rows = []
    async with opened_office(settings, url, limit_writes=0) as office:
        for level in LEVELS:
            browser, _ = await office.member("editor", agency="demo-services")
            someone = Typist(browser)
            document = for_agency(level)
            slug = f"{document['id']}-{level}"
            await file_all(someone, {**document, "id": slug})
            questions, pages = MOST.get(level, (None, None))
            what = f"a record at the level {level} by the form"
            rows += [
                Row(
                    what=f"{what}: questions answered",
                    figure=len(someone.answered),
                    unit="",
                    at_most=questions,
                    beside=DUTCH,
                ),
                Row(what=f"{what}: pages sent", figure=someone.pages, unit="", at_most=pages),
                Row(
                    what=f"{what}: keys pressed",
                    figure=someone.strokes,
                    unit="",
                    beside=f"{_characters(document):,} characters of text in two languages",
                ),
            ]
    return rows


def _characters(value: object) -> int:
    if isinstance(value, dict):
        return sum(map(_characters, value.values()))
    if isinstance(value, list):
        return sum(map(_characters, value))
    return len(value) if isinstance(value, str) else 0
