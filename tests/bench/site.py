"""The site built whole beside Hugo, and beside builds after which nothing changed, or one filing.

The register has everything that can be imported from ../shared, or else records of our own.
"""

import asyncio
import datetime as dt
import json
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import msgspec

from registry.record.pack import load_pack
from registry.services.context import ServiceContext
from registry.services.publication import BATCH_SIZE
from registry.services.startup import open_register
from registry.settings import Settings
from registry.store import embedded
from registry.store.database import connect
from registry.worker.runner import build_site
from tests.bench.documents import RECORDS, local_documents
from tests.bench.hugo import Measured, build_with_hugo, in_memory, measured
from tests.bench.measure import Comparison, Timing, timed
from tests.bench.search_corpus import SHARED, US
from tests.crash.register import environment
from tests.published import publish_together

NL = SHARED / "nl" / "algoritmes_2026-08-08.json"
OWN = 500
ROUNDS = 7
REGISTRY = (sys.executable, "-m", "registry")


def run() -> Iterator[Comparison | str]:
    with tempfile.TemporaryDirectory(
        prefix="rb", dir=in_memory(), ignore_cleanup_errors=True
    ) as name:
        # As root the embedded server is another user.
        Path(name).chmod(0o755)
        settings = Settings(data_dir=Path(name))
        server = embedded.start(settings.data_dir)
        try:
            yield from _run(msgspec.structs.replace(settings, database_url=server.url))
        finally:
            server.release()


def _run(settings: Settings) -> Iterator[Comparison | str]:
    with asyncio.Runner() as runner:
        context = runner.run(_filled(settings))
        whole = measured([*REGISTRY, "site", "build", "--full"], _environment(settings))
        site = settings.site_dir.resolve()
        files = sum(path.is_file() for path in site.rglob("*"))
        yield from _beside_hugo(whole, site, settings.data_dir / "hugo")
        full = Timing(seconds=[whole.seconds / files] * files)
        yield from _rebuilt(runner, context, settings, files, full)
        runner.run(context.database.close())


def _beside_hugo(whole: Measured, site: Path, folder: Path) -> Iterator[Comparison | str]:
    pages = list(site.rglob("*.html"))
    hugo = build_with_hugo(site, pages, folder)
    if isinstance(hugo, str):
        yield hugo
        return
    size = sum(path.stat().st_size for path in pages) / len(pages)
    yield Comparison(
        name=f"a full build of the site, {len(pages):,} pages of {size / 1024:.0f} KiB",
        unit="pages",
        beside_name=f"Hugo, {hugo.pages:,} pages of {hugo.size / 1024:.0f} KiB",
        ours=Timing(seconds=[whole.seconds / len(pages)] * len(pages)),
        beside=Timing(seconds=[hugo.seconds / hugo.pages] * hugo.pages),
    )
    yield (
        f"a full build of the site, other files included: {whole.seconds:.1f} s, in all processes "
        f"{whole.work:.1f} s of work and {whole.memory / 2**20:,.0f} MiB at most; Hugo "
        f"{hugo.seconds:.1f} s, {hugo.work:.1f} s and {hugo.memory / 2**20:,.0f} MiB, "
        f"{hugo.memory / whole.memory:.1f} times as much"
    )


def _rebuilt(
    runner: asyncio.Runner, context: ServiceContext, settings: Settings, files: int, full: Timing
) -> Iterator[Comparison | str]:
    timings = {"with nothing changed": Timing(), "after one filing": Timing()}
    worked: dict[str, list[float]] = {told: [] for told in timings}

    def build(told: str) -> None:
        began = time.process_time()
        timed(timings[told], lambda: runner.run(build_site(settings, context)), files)
        worked[told].append(time.process_time() - began)

    changing = _amendments()
    # After the first filing all files are linked, to have two folders that are nearly alike.
    for _ in range(2):
        runner.run(_publish(context, next(changing)))
        runner.run(build_site(settings, context))
    for _ in range(ROUNDS):
        build("with nothing changed")
        runner.run(_publish(context, next(changing)))
        build("after one filing")
    for told, timing in timings.items():
        yield Comparison(
            name=f"the site rebuilt {told}, {files:,} files",
            unit="files",
            beside_name="a full build",
            ours=timing,
            beside=full,
        )
        yield (
            f"the site rebuilt {told}, reading the register and the index for copies included: "
            f"{timing.quantile(0.5) * files:.3f} s, {median(worked[told]):.3f} s of work of the "
            "process beside PostgreSQL (medians)"
        )


async def _filled(settings: Settings) -> ServiceContext:
    """Open a register with all that there is to be filled in."""
    pack = load_pack("ma")
    database = await connect(settings.database_url or "")
    await open_register(database, pack, settings, now=_now())
    context = ServiceContext(database=database, pack=pack, random=secrets.token_bytes)
    if not SHARED.is_dir():
        documents = local_documents(OWN)
        for start in range(0, OWN, BATCH_SIZE):
            await publish_together(context, documents[start : start + BATCH_SIZE], now=_now())
    _command(settings, "load", str(RECORDS))
    if SHARED.is_dir():
        _command(settings, "import", "us-omb-2025", str(US))
        _command(settings, "import", "nl-algoritmeregister", str(NL))
    return context


def _amendments() -> Iterator[dict[str, object]]:
    """Change one demonstration record after the other."""
    for path in sorted(RECORDS.glob("*/*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        if path.name.count(".") == 1 and "summary" in document:
            note = dict.fromkeys(document["summary"], "+")
            document["publication"] = document["publication"] | {"change_note": note}
            document["summary"] = {tag: f"{text} +" for tag, text in document["summary"].items()}
            yield document


async def _publish(context: ServiceContext, document: dict[str, object]) -> None:
    await publish_together(context, [document], now=_now())


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _environment(settings: Settings) -> dict[str, str]:
    return environment() | {"REGISTRY_DATA_DIR": str(settings.data_dir)}


def _command(settings: Settings, *words: str) -> None:
    done = subprocess.run(
        [*REGISTRY, *words], env=_environment(settings), capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr.decode())
