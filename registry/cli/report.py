"""`registry report`: what a committee asks of a register every half-year, as HTML or PDF."""

from __future__ import annotations

import datetime as dt
import logging
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import rich_click as click

from registry import resources
from registry.cli.output import print_message
from registry.cli.runtime import pass_settings, running_database
from registry.clock import utc_now
from registry.errors import ConfigurationError
from registry.pages.assets import read_assets
from registry.pages.editions import open_editions
from registry.services.context import ServiceContext
from registry.services.operations.startup import run_in_register
from registry.settings import LIMITS, Settings
from registry.web.app import create_app
from registry.web.in_process import answering
from registry.web.report import ReportScope, write_report

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command()
@click.option("--agency", metavar="ID", help="The agency that the report is about.")
@click.option("--all", "is_all", is_flag=True, help="About all agencies that file here.")
@click.option("--from", "first", type=_DAY, required=True, help="The first day, in UTC.")
@click.option("--to", "last", type=_DAY, required=True, help="The last day, in UTC.")
@click.option("--lang", required=True, metavar="TAG", help="The language of the report.")
@click.option("--pdf", is_flag=True, help="Write a PDF, which needs WeasyPrint.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="A file; else standard output."
)
@pass_settings
def report(
    settings: Settings,
    *,
    agency: str | None,
    is_all: bool,
    first: dt.datetime,
    last: dt.datetime,
    lang: str,
    pdf: bool,
    out: Path | None,
) -> None:
    """Write a report for a committee: coverage, changes, delays, observations, open questions.

    Each number leads to the question that gives it, and has the code of its receipt. The same
    register gives the same bytes on any machine.

    Example: registry report --all --from 2026-01-01 --to 2026-06-30 --lang fr --out report.html
    """
    if is_all == (agency is not None):
        raise click.UsageError("say whom the report is about: --agency ID, or --all")
    scope = ReportScope(agency=agency, first=first.date(), last=last.date())

    async def work(context: ServiceContext) -> bytes:
        if lang not in context.pack.languages:
            known = ", ".join(context.pack.languages)
            raise click.UsageError(f"--lang {lang}: the register is in {known}")
        unlimited: dict[str, Any] = dict.fromkeys(LIMITS, 0)
        quiet = msgspec.structs.replace(ready, console="off", **unlimited)
        editions = open_editions(
            context.pack, read_assets(resources.SITE), settings.base_url, bytecode=None
        )
        async with answering(create_app(quiet, tell=None, pack=context.pack)) as ask:
            return await write_report(ask, editions[lang], scope, utc_now().date())

    with running_database(settings) as ready:
        content = run_in_register(ready, work, begins=False)
    if pdf:
        content = _as_pdf(content)
    if out is None:
        sys.stdout.buffer.write(content)
        return
    out.write_bytes(content)
    print_message(f"{out}: SHA-256 {sha256(content).hexdigest()}")


def _as_pdf(page: bytes) -> bytes:
    """Return a page as PDF, with nothing in it of the moment. Raises `ConfigurationError`."""
    try:
        # Optional, and large: it brings its own fonts and layout.
        from weasyprint import HTML  # noqa: PLC0415
    except (ImportError, OSError) as error:
        raise ConfigurationError(
            "a PDF needs WeasyPrint, which is not installed here, or its library Pango is not "
            f"({error}): pip install 'public-algorithm-register[pdf]'; without --pdf the report is "
            "a page of HTML, which any browser prints"
        ) from error
    # It warns of each invisible character that a font has no glyph for.
    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    written: bytes = HTML(string=page.decode()).write_pdf(pdf_identifier=sha256(page).digest()[:16])
    return written
