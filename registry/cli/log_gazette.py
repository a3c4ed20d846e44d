"""`registry log gazette`: the log in six lines, for print."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from registry.cli.output import print_message
from registry.cli.runtime import pass_settings, run
from registry.errors import ConfigurationError
from registry.pages.gazette import gazette_page, qr_code
from registry.services.context import ServiceContext
from registry.services.gazette import make_gazette
from registry.settings import Settings
from registry.verify.gazette import Gazette


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A file: .txt the six lines, .svg their QR code, .html a page to print. Default: stdout.",
)
@pass_settings
def gazette(settings: Settings, out: Path | None) -> None:
    """Write six lines about the published log, to be printed where nobody can take them back.

    Name, size, root, key, day and address. With them alone anybody can check the log later:
    `registry log verify ADDRESS --kept FILE`.

    Example: registry log gazette --out gazette.html
    """
    kinds = {"", ".txt", ".svg", ".html"}
    if out is not None and out.suffix not in kinds:
        raise ConfigurationError(f"{out} is none of .txt, .svg and .html")

    async def make(context: ServiceContext) -> tuple[Gazette, str]:
        found = await make_gazette(context.database, settings)
        if out is None or out.suffix in {"", ".txt"}:
            return found, found.to_text()
        if out.suffix == ".svg":
            return found, qr_code(found)
        return found, gazette_page(found, context.pack)

    found, text = run(settings, make)
    if out is None:
        click.echo(text, nl=False)
        return
    out.write_text(text, encoding="utf-8")
    print_message(f"{out}: {found.checkpoint.origin}, {found.checkpoint.size} entries")
