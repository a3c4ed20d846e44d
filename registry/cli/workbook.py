"""`registry workbook`: records as workbooks to fill in, and what was filled in."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import rich_click as click

from registry.cli.command_options import Style, of_agency, style_option
from registry.cli.output import print_message, write_json
from registry.cli.runtime import pass_settings, run
from registry.clock import utc_now
from registry.errors import InvalidParameter
from registry.record.ids import agency_of
from registry.record.pack import load_pack
from registry.services.context import ServiceContext
from registry.settings import Settings
from registry.text.catalogues import SOURCE
from registry.text.text_safety import visible
from registry.workbooks.answer import WorkbookRecord, finding_lines, status, write_answer
from registry.workbooks.cells import WorkbookWords
from registry.workbooks.filing import check_workbook, file_workbook
from registry.workbooks.reading import read_workbook
from registry.workbooks.writing import WorkbookLayout, make_workbook, new_source, read_sources


def _named_xlsx(_context: click.Context, _option: click.Parameter, out: Path | None) -> Path | None:
    if out is not None and out.suffix.lower() != ".xlsx":
        raise click.BadParameter("a workbook is in the format of Excel; name it with .xlsx")
    return out


_out = partial(
    click.option,
    *("-o", "--out"),
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_named_xlsx,
)


@click.group()
def workbook() -> None:
    """Make workbooks to fill in, and read what was filled in.

    Example: registry workbook make --agency demo-sante -o record.xlsx
    """


@workbook.command()
@click.option("--agency", metavar="CODE", help="Whose new record it is.")
@click.option("--risk", metavar="LEVEL", help="The risk level of the new record, such as high.")
@click.option("--record", "records", metavar="ID", multiple=True, help="A record; repeatable.")
@click.option("--lang", metavar="TAG", help="The language. Default: the country's first.")
@click.option(
    "--layout",
    type=click.Choice(["form", "table"]),
    default="form",
    show_default=True,
    help="A sheet a record, or a row a record.",
)
@_out(required=True, help="The file.")
@pass_settings
def make(
    settings: Settings,
    /,
    *,
    agency: str | None,
    risk: str | None,
    records: tuple[str, ...],
    lang: str | None,
    layout: WorkbookLayout,
    out: Path,
) -> None:
    """Make a workbook of a new record, or of the newest states of records with their drafts.

    Example: registry workbook make --agency demo-sante --risk high --lang fr -o record.xlsx
    """
    words = _words(settings, lang)
    if records:
        if agency is not None or risk is not None:
            raise click.UsageError("--agency and --risk are for a new record, without --record")
        sources = run(
            settings,
            lambda context: read_sources(context, records, partial(of_agency, None)),
        )
    else:
        sources = [new_source(words, agency=agency, risk=risk)]
    out.write_bytes(make_workbook(sources, words, layout=layout))


@workbook.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--agency", metavar="CODE", help="Only this agency's records are saved.")
@click.option("--save", is_flag=True, help="Save each record as a draft of its agency.")
@click.option("--lang", metavar="TAG", help="The language. Default: the country's first.")
@_out(help="Write the workbook anew, with each finding in its cell.")
@style_option
@pass_settings
def read(
    settings: Settings,
    /,
    *,
    file: Path,
    agency: str | None,
    save: bool,
    lang: str | None,
    out: Path | None,
    style: Style,
) -> None:
    """Read FILE, a workbook or a table in the columns of the full export, and say what is wrong.

    Exit code 1 if a record was refused, or could not be published as it is; the others are saved
    all the same.

    Example: registry workbook read record.xlsx --agency demo-sante --save -o answer.xlsx
    """
    words = _words(settings, lang)
    sheets = read_workbook(file.read_bytes(), words, name=str(file))
    if save:
        agencies = sorted({agency_of(one.record) for sheet in sheets for one in sheet.records})
        if agency is None and len(agencies) != 1:
            raise click.UsageError("--save: say by --agency whose records are saved")
        actor = of_agency(None, agency or agencies[0])

        async def work(context: ServiceContext) -> list[WorkbookRecord]:
            return await file_workbook(context, actor, sheets, words, now=utc_now())

        results = run(settings, work)
    else:
        results = check_workbook(sheets, words, words.pack.day(utc_now()))
    if out is not None:
        out.write_bytes(write_answer(sheets, results, words))
    if style == "json":
        write_json(results)
    else:
        for one in results:
            name = one.record or one.sheet
            sys.stdout.write(visible(f"{name}: {one.outcome}. {status(one, words)}") + "\n")
            for cell, text in finding_lines(one, words):
                print_message(f"  {one.sheet}!{cell} {text}")
    if any(one.outcome == "refused" or not one.publishable for one in results if one.record):
        sys.exit(1)


def _words(settings: Settings, lang: str | None) -> WorkbookWords:

    pack = load_pack(settings.pack, settings.packs)
    known = (*pack.languages, SOURCE)
    if lang is not None and lang not in known:
        raise InvalidParameter(f"--lang {lang}: the register speaks {', '.join(known)}")
    return WorkbookWords(pack, lang or pack.languages[0], pack.day(utc_now()))
