"""`registry translate`: the texts of a language as a PO file, for translators."""

from __future__ import annotations

import sys
from pathlib import Path

import rich_click as click
from babel.messages.catalog import Catalog

from registry import resources
from registry.cli.runtime import pass_settings
from registry.errors import ConfigurationError
from registry.exchange import translations
from registry.record.pack import load_pack
from registry.settings import Settings
from registry.text.catalogues import SOURCE

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
    """Write the texts of a language as a PO file for translators, and read it back.

    Example: registry translate export --language zgh --pages home,search,contest --out zgh.po
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
    """Write a PO file: each text with its place, its English, other languages and its translation.

    Example: registry translate export --language zgh --pages home,search,contest --out zgh.po
    """
    checkout = _place(folder)
    texts = _read_texts(settings, checkout, language)
    if pages is not None:
        texts = translations.of_pages(checkout, texts, pages.split(","))
    if missing:
        texts = translations.without_translated(texts)
    text = translations.write_file(checkout, texts, language)
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")
        click.echo(f"{len(texts)} texts in {out}", err=True)


@translate.command("import")
@_language_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_checkout_option
@pass_settings
def import_(settings: Settings, language: str, file: Path, folder: Path | None) -> None:
    """Write the texts of FILE into the catalogues, code lists and the pack they came from.

    Nothing is written where a value, a plural form or a text is wrong; each fault is a line.

    Example: registry translate import --language zgh zgh.po
    """
    checkout = _place(folder)
    texts = _read_texts(settings, checkout, language)
    translated = translations.read_file(file.read_bytes(), str(file))
    found = list(translations.faults(texts, translated))
    for line, fault in found:
        click.echo(f"{file}:{line}: {fault}", err=True)
    if found:
        click.echo(f"Nothing was written: {len(found)} faults.", err=True)
        sys.exit(1)
    for path in translations.write_back(checkout, texts, translated, language):
        click.echo(path)


def _place(folder: Path | None) -> Path:
    checkout = folder or resources.SITE.parent
    if not (checkout / "site").is_dir() or not (checkout / "schemas").is_dir():
        raise ConfigurationError(f"{checkout} has no folders site and schemas")
    return checkout


def _read_texts(settings: Settings, checkout: Path, language: str) -> Catalog:
    languages = load_pack(settings.pack, settings.packs).languages
    others = [tag for tag in languages if tag not in {SOURCE, language}]
    return translations.read_texts(checkout, others, language, settings.pack)
