"""`registry translate`: the words of a language as a table, for those who know it."""

from __future__ import annotations

import sys
from pathlib import Path

import rich_click as click

from registry import resources
from registry.cli.runtime import pass_settings
from registry.errors import ConfigurationError
from registry.exchange import translation_table as table
from registry.record.pack import load_pack
from registry.settings import Settings

_checkout_option = click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The checkout with the folders site and schemas; default that of this program.",
)
_language_option = click.option(
    "--language", required=True, help="The language that is translated into, such as zgh."
)


@click.group()
def translate() -> None:
    """Write the words of a language as a table for people who know it, and read it back.

    Example: registry translate export --language zgh --pages home,search,contest --out zgh.csv
    """


@translate.command("export")
@_language_option
@click.option("--pages", help="Only what these pages say: home, search, contest.")
@click.option("--missing", is_flag=True, help="Only what the language has no words for yet.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Default: stdout.")
@_checkout_option
@pass_settings
def export_(  # noqa: PLR0917
    settings: Settings,
    language: str,
    pages: str | None,
    missing: bool,  # noqa: FBT001
    out: Path | None,
    folder: Path | None,
) -> None:
    """Write a CSV with a row a wording: where it stands, all languages, the last to be filled in.

    Example: registry translate export --language zgh --pages home,search,contest --out zgh.csv
    """
    checkout, languages = _place(folder), _languages(settings, language)
    wordings = table.read_wordings(checkout, languages, settings.pack)
    if pages is not None:
        wordings = table.of_pages(checkout, wordings, pages.split(","))
    if missing:
        wordings = [one for one in wordings if language not in one.texts]
    text = table.write_table(wordings, languages, table.open_target(checkout, language))
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8", newline="")
        click.echo(f"{len(wordings)} wordings in {out}", err=True)


@translate.command("import")
@_language_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_checkout_option
@pass_settings
def import_(settings: Settings, language: str, file: Path, folder: Path | None) -> None:
    """Write the words of FILE into the catalogues, code lists and the pack they came from.

    Nothing is written where a value, a plural form or a wording is wrong; each fault is a line.

    Example: registry translate import --language zgh zgh.csv
    """
    checkout, languages = _place(folder), _languages(settings, language)
    target = table.open_target(checkout, language)
    wordings = table.read_wordings(checkout, languages, settings.pack)
    try:
        rows = table.read_table(file.read_bytes(), language)
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file} is not in UTF-8: {error}") from error
    found = table.faults(wordings, rows, target)
    for fault in found:
        click.echo(fault, err=True)
    if found:
        click.echo(f"Nothing was written: {len(found)} faults.", err=True)
        sys.exit(1)
    for path in table.write_back(checkout, wordings, rows, target):
        click.echo(path)


def _place(folder: Path | None) -> Path:
    checkout = folder or resources.SITE.parent
    if not (checkout / "site").is_dir() or not (checkout / "schemas").is_dir():
        raise ConfigurationError(f"{checkout} has no folders site and schemas")
    return checkout


def _languages(settings: Settings, language: str) -> tuple[str, ...]:
    """Return English, the other languages of the pack, and the one that is translated into."""
    others = [
        tag
        for tag in load_pack(settings.pack, settings.packs).languages
        if tag not in {"en", language}
    ]
    return ("en", *others, language)
