"""The site built whole beside Hugo, and builds after which nothing changed, or one filing.

The register has everything that can be imported from ../shared, or else records of our own.
"""

import asyncio
import datetime as dt
import json
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from registry.record.pack import load_pack
from registry.services.context import ServiceContext
from registry.services.filing.pipeline import BATCH_SIZE
from registry.services.operations.startup import open_register
from registry.settings import Settings
from registry.store import embedded
from registry.store.database import connect
from registry.worker.site_keeping import build_site
from tests.bench.corpus import FOREIGN
from tests.bench.documents import RECORDS, local_documents
from tests.bench.hugo import build_with_hugo
from tests.bench.measure import Measured, Row, in_memory, measured, quantile, seconds_of
from tests.crash.register import environment
from tests.published import given_times, publish_together

OWN = 500
ROUNDS = 7
REGISTRY = (sys.executable, "-m", "registry")


def run() -> Iterator[Row]:
    with tempfile.TemporaryDirectory(
        prefix="rb", dir=in_memory(), ignore_cleanup_errors=True
    ) as name:
        # As root the embedded server is another user.
        Path(name).chmod(0o755)
        settings = Settings(data_dir=Path(name))
        server = embedded.start(settings.data_dir)
        try:
            settings = msgspec.structs.replace(settings, database_url=server.url)
            with asyncio.Runner() as runner:
                context = runner.run(_filled(settings))
                command = [*REGISTRY, "site", "build", "--full"]
                whole = measured(command, _environment(settings))
                yield from _beside_hugo(whole, settings)
                yield from _rebuilt(runner, context, settings)
                runner.run(context.database.close())
        finally:
            server.release()


def _beside_hugo(whole: Measured, settings: Settings) -> Iterator[Row]:
    site = settings.site_dir.resolve()
    pages = list(site.rglob("*.html"))
    hugo = build_with_hugo(site, pages, settings.data_dir / "hugo")
    if hugo is None:
        sys.stdout.write("Hugo is not installed (Debian: hugo): a full build is measured alone\n")
        return
    size = sum(path.stat().st_size for path in pages) / len(pages) / 1024
    yield Row(
        what=f"full site build, {len(pages):,} pages of {size:.0f} KiB: pages a second",
        figure=hugo.seconds / whole.seconds,
        unit="×",
        at_least=1,
        beside=f"{whole.seconds:.1f} s, Hugo {hugo.seconds:.1f} s",
    )
    yield Row(
        what="the same: memory",
        figure=whole.memory / hugo.memory,
        unit="×",
        at_most=0.25,
        beside=f"{whole.memory / 2**20:,.0f} MiB, Hugo {hugo.memory / 2**20:,.0f} MiB",
    )


def _rebuilt(runner: asyncio.Runner, context: ServiceContext, settings: Settings) -> Iterator[Row]:
    files = sum(path.is_file() for path in settings.site_dir.resolve().rglob("*"))
    seconds: dict[str, list[float]] = {"nothing changed": [], "one filing": []}

    def build() -> float:
        return seconds_of(lambda: runner.run(build_site(settings, context)))

    for document in _amendments(2 + ROUNDS):
        seconds["nothing changed"].append(build())
        runner.run(publish_together(context, [document], now=_now()))
        seconds["one filing"].append(build())
    for what, most in (("one filing", 3), ("nothing changed", 1)):
        # After the first filing all files are linked, to have two folders that are nearly alike.
        figure = quantile(seconds[what][2:], 0.5)
        yield Row(
            what=f"{what}, on a site of {files:,} files", figure=figure, unit="s", at_most=most
        )


async def _filled(settings: Settings) -> ServiceContext:
    """Open a register with all that there is to be filled in."""
    pack = load_pack("ma")
    database = await connect(settings.database_url or "")
    await open_register(database, pack, settings, now=_now())
    context = ServiceContext(
        database=database, pack=pack, random=secrets.token_bytes, guard=given_times()
    )
    inventories = {name: path for name, path in FOREIGN.items() if path.exists()}
    if not inventories:
        documents = local_documents(OWN)
        for start in range(0, OWN, BATCH_SIZE):
            await publish_together(context, documents[start : start + BATCH_SIZE], now=_now())
    _command(settings, "load", str(RECORDS))
    for name, path in inventories.items():
        _command(settings, "import", name, str(path))
    return context


def _command(settings: Settings, *words: str) -> None:
    done = subprocess.run(
        [*REGISTRY, *words], env=_environment(settings), capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode())


def _amendments(count: int) -> Iterator[dict[str, object]]:
    """Change so many demonstration records, one after the other."""
    for path in sorted(RECORDS.glob("*/*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        if count and path.name.count(".") == 1 and "summary" in document:
            count -= 1
            note = dict.fromkeys(document["summary"], "One word more +")
            document["publication"] = document["publication"] | {"change_note": note}
            document["summary"] = {tag: f"{text} +" for tag, text in document["summary"].items()}
            yield document


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _environment(settings: Settings) -> dict[str, str]:
    return environment() | {"REGISTRY_DATA_DIR": str(settings.data_dir)}
