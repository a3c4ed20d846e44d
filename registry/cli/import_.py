"""`registry import`: publish the records of another register, under its name."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import rich_click as click

from registry.cli.progress import progress_bar
from registry.cli.runtime import pass_settings, print_message, run
from registry.clock import utc_now
from registry.errors import ConfigurationError
from registry.settings import Settings


@click.command(name="import")
@click.argument("crosswalk")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Convert and report; publish nothing.")
@click.option("--report", type=click.Path(path_type=Path), help="Write the whole report, as JSON.")
@pass_settings
def import_(
    settings: Settings, crosswalk: str, file: Path, report: Path | None, *, dry_run: bool
) -> None:
    """Publish the rows of FILE as foreign records, as CROSSWALK says.

    CROSSWALK is a name in schemas/crosswalks/ or the path of such a file. Every row becomes a
    record or a line of the report; importing the same file again changes nothing. Exit code 1 if
    any row was refused.

    Example: registry import us-omb-2025 inventory.csv --report report.json
    """
    from registry.exchange.convert import convert_file
    from registry.exchange.crosswalk import load_crosswalk
    from registry.exchange.outcome import ForeignRecord
    from registry.exchange.report import ImportReport, as_json, as_lines
    from registry.record.fast_validator import FastValidator
    from registry.record.pack import load_pack
    from registry.services.importing import import_foreign

    table = load_crosswalk(crosswalk)
    counts = ImportReport(origin=table.origin)
    outcomes = convert_file(
        table,
        file,
        pack=load_pack(settings.pack),
        today=utc_now().date(),
        report=counts,
        fast=FastValidator(enabled=settings.accept_path == "on"),
    )
    filings: list[ForeignRecord] = []
    with progress_bar("Reading") as progress:
        for number, outcome in enumerate(outcomes, start=1):
            if isinstance(outcome, ForeignRecord):
                filings.append(outcome)
            progress(number, None)
    for line in as_lines(counts):
        print_message(line)
    if report is not None:
        _write(report, json.dumps(as_json(counts), ensure_ascii=False, indent=2) + "\n")
    if dry_run:
        print_message("dry run: nothing was published")
    else:
        with progress_bar("Publishing") as progress:
            done = run(
                settings,
                lambda context: import_foreign(context, filings, now=utc_now, progress=progress),
            )
        print_message(f"{done.created} created, {done.changed} changed, {done.unchanged} unchanged")
        if done.withdrawn:
            print_message(f"{done.withdrawn} were withdrawn from this register and stay so")
    if counts.refusals:
        sys.exit(1)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"cannot write the report {path}: {error.strerror}") from error
