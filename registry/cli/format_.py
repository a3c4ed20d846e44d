"""`registry format`: the documentation of the record format, written from the schema."""

from __future__ import annotations

import sys
from pathlib import Path

import rich_click as click

from registry.cli.runtime import print_message


@click.group(name="format")
def format_() -> None:
    """Document the record format; for those who change it.

    Example: registry format pages
    """


@format_.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("docs/record-format"),
    show_default=True,
    help="The folder of the pages.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a page would change.")
def pages(out: Path, *, check: bool) -> None:
    """Write the pages of the format from the schema, its code lists, rules and translations.

    Pages that are no longer written are removed; those written by hand stay.

    Example: registry format pages --check
    """
    from registry.exchange.format_pages import HAND_WRITTEN, format_pages

    wanted = format_pages()
    there = {
        path.relative_to(out).as_posix(): path.read_text(encoding="utf-8")
        for path in out.glob("*/*.md")
        if path.stem not in HAND_WRITTEN
    }
    stale = sorted(name for name in {*wanted, *there} if wanted.get(name) != there.get(name))
    for name in stale:
        if check:
            print_message(f"{out / name} is not what the schema says; run: registry format pages")
        elif name in wanted:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_text(wanted[name], encoding="utf-8")
        else:
            (out / name).unlink()
    if check and stale:
        sys.exit(1)
    print_message(f"{len(wanted)} pages, {len(stale)} of them changed")
