"""`registry import` and `registry origin`: records of other registers, under their names."""

from __future__ import annotations

import datetime as dt
import functools
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import rich_click as click

from registry.cli.output import print_message, progress_bar, write_json
from registry.cli.runtime import in_register, pass_settings, run
from registry.clock import utc_now
from registry.errors import ConfigurationError, Unavailable
from registry.imports.convert import convert_file
from registry.imports.crosswalk import load_crosswalk
from registry.imports.identity import record_key
from registry.imports.report import (
    ForeignRecord,
    ImportReport,
    Refusal,
    as_json,
    as_lines,
    run_lines,
)
from registry.record.fast_validator import FastValidator
from registry.record.pack import load_pack
from registry.services.context import ServiceContext
from registry.services.importing.importing import (
    RunReport,
    by_reason,
    import_foreign,
)
from registry.settings import Settings
from registry.store import imports
from registry.store.imports import ImportCounts, ImportFile


@click.command(name="import")
@click.argument("crosswalk")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Convert, compare and report; publish nothing.")
@click.option("--report", type=click.Path(path_type=Path), help="Write the whole report, as JSON.")
@click.option(
    "--complete",
    is_flag=True,
    help="The file is the whole source: what is no longer in it is marked as gone.",
)
@click.option(
    "--gone-anyway", is_flag=True, help="Mark records as gone even if they are most of them."
)
@click.option(
    "--renamed-anyway",
    is_flag=True,
    help="Take names that went from one id of the source to another for new names.",
)
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The source's own date of the file; default as the crosswalk says, or none.",
)
@pass_settings
def import_(
    settings: Settings,
    crosswalk: str,
    file: Path,
    report: Path | None,
    as_of: dt.datetime | None,
    *,
    dry_run: bool,
    complete: bool,
    gone_anyway: bool,
    renamed_anyway: bool,
) -> None:
    """Publish the rows of FILE as foreign records, as CROSSWALK says.

    CROSSWALK is a name in schemas/crosswalks/ or the path of such a file. Every row becomes a
    record or a line of the report; importing the same file again changes nothing. Exit code 1 if
    any row was refused.

    Example: registry import us-omb-2025 inventory.csv --complete --report report.json
    """
    table = load_crosswalk(crosswalk)
    counts = ImportReport(origin=table.origin)
    with progress_bar("Reading") as progress:
        outcomes = convert_file(
            table,
            file,
            pack=load_pack(settings.pack, settings.packs),
            today=utc_now().date(),
            report=counts,
            fast=FastValidator(enabled=settings.accept_path == "on"),
            progress=progress,
        )
    filings, refused = _sorted(outcomes)
    for line in as_lines(counts):
        print_message(line)
    done = RunReport(
        counts=ImportCounts(rows=counts.rows, records=counts.records, refused=len(refused)),
        refused=by_reason(refused),
    )
    if report is not None:
        _write(report, as_json(counts), done)
    with (
        progress_bar("Comparing" if dry_run else "Publishing") as progress,
        _advice_when_stopped(progress, len(filings), dry_run=dry_run) as batch_done,
    ):

        async def work(context: ServiceContext) -> RunReport:
            return await import_foreign(
                context,
                ImportFile(
                    origin=table.as_origin(),
                    name=file.name,
                    sha256=counts.sha256,
                    crosswalk_sha256=table.sha256(),
                    as_of=_day(as_of, counts),
                    complete=complete,
                ),
                filings,
                key_of=functools.partial(record_key, table),
                now=utc_now,
                refused=refused,
                reading=as_json(counts),
                dry_run=dry_run,
                gone_anyway=gone_anyway,
                renamed_anyway=renamed_anyway,
                progress=batch_done,
            )

        try:
            done = run(settings, work, begins=not dry_run)
        except (ConfigurationError, Unavailable) as error:
            if not dry_run:
                raise
            done.notes.append(f"not compared with a register: {error.detail}")
    for line in run_lines(done, complete=complete):
        print_message(line)
    print_message("dry run: nothing was published" if dry_run else f"import {done.run}")
    if report is not None:
        _write(report, as_json(counts), done)
    if done.refused:
        sys.exit(1)


@contextmanager
def _advice_when_stopped(
    progress: Callable[[int, int], None], total: int, *, dry_run: bool
) -> Iterator[Callable[[int, int], None]]:
    """Yield `progress`, and say to whoever stops an import how far it came."""
    finished = 0

    def batch_done(done: int, of: int) -> None:
        nonlocal finished
        finished = done
        progress(done, of)

    try:
        yield batch_done
    except KeyboardInterrupt:
        if not dry_run:
            print_message(
                f"stopped after {finished:,} of {total:,} records, which stay; import the file "
                "again to go on"
            )
        raise


def _day(said: dt.datetime | None, counts: ImportReport) -> dt.date | None:
    if said is not None:
        return said.date()
    return dt.date.fromisoformat(counts.as_of) if counts.as_of else None


def _sorted(
    outcomes: Iterable[ForeignRecord | Refusal],
) -> tuple[list[ForeignRecord], list[Refusal]]:
    filings: list[ForeignRecord] = []
    refused: list[Refusal] = []
    with progress_bar("Converting") as progress:
        for number, one in enumerate(outcomes, start=1):
            if isinstance(one, ForeignRecord):
                filings.append(one)
            else:
                refused.append(one)
            progress(number, None)
    return filings, refused


def _write(path: Path, reading: dict[str, Any], done: RunReport) -> None:
    whole = reading | {"import": msgspec.structs.replace(done, reading={})}
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(whole)) + b"\n")
    except OSError as error:
        raise ConfigurationError(f"cannot write the report {path}: {error.strerror}") from error


@click.group()
def origin() -> None:
    """List the other registers that records come from.

    Example: registry origin list
    """


@origin.command(name="list")
@in_register
async def list_(context: ServiceContext) -> None:
    """Write the registers that something was imported of, as JSON.

    Example: registry origin list
    """
    async with context.database.connection() as connection:
        write_json(list((await imports.read_origins(connection)).values()))
