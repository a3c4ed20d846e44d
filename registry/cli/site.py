"""`registry site`: build the static site."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import rich_click as click

from registry.cli.output import print_message, progress_bar
from registry.cli.runtime import pass_settings, run
from registry.errors import ConfigurationError, Unavailable
from registry.ledger.export import export_record_proofs
from registry.pages.build.build_directory import link_build
from registry.pages.build.plan import BuildReport
from registry.pages.offline import COPY_PREFIX, offline_files, write_folder, write_zip
from registry.record.pack import load_pack
from registry.services.context import ServiceContext
from registry.settings import Settings
from registry.worker.site_keeping import build_site


@click.group()
def site() -> None:
    """Build the static site.

    Example: registry site build
    """


@site.command()
@click.option("--out", type=click.Path(path_type=Path), help="Where; default DATA_DIR/site.")
@click.option("--full", is_flag=True, help="Render every page, changed or not.")
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The UTC day by which reviews are overdue; default today.",
)
@pass_settings
def build(settings: Settings, out: Path | None, *, full: bool, as_of: dt.datetime | None) -> None:
    """Build the site from the register, beside the one in force, and switch to it at once.

    The same register and the same day give the same bytes. All processors take part. A copy that
    is built elsewhere with --out has the proof of each version too, for where no register answers.

    Example: registry site build --as-of 2026-11-24
    """

    async def work(context: ServiceContext) -> tuple[BuildReport, int]:
        report = await build_site(
            settings,
            context,
            out=out,
            full=full,
            as_of=day,
            progress=progress,
            processes=os.cpu_count() or 1,
        )
        if out is None:
            return report, 0
        return report, await export_record_proofs(
            context.database, Path(report.folder), progress=progress
        )

    day = as_of and as_of.replace(tzinfo=dt.UTC)
    with progress_bar("Building the site") as progress:
        report, proofs = run(settings, work)
    print_message(
        f"{report.files} files, {report.rendered} of them new or changed: {report.folder}"
    )
    if proofs:
        print_message(f"{proofs} proofs: {report.folder}/proofs")


@site.command()
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="A new folder, or a new archive with the ending .zip.",
)
@click.option(
    "--language", "languages", multiple=True, help="Only the pages of a language; may be repeated."
)
@pass_settings
def copy(settings: Settings, out: Path, languages: tuple[str, ...]) -> None:
    """Write the site in force as files that open by double click, with its search and its proofs.

    No host, no network and no program is needed; start with index.html.

    Example: registry site copy --out register.zip --language ar --language fr
    """
    known = load_pack(settings.pack, settings.packs).languages
    for tag in languages:
        if tag not in known:
            raise ConfigurationError(f"no language {tag!r}; there are: {', '.join(known)}")
    if out.exists():
        raise ConfigurationError(f"{out} is there already; name another")
    if not (settings.site_dir / "index.html").is_file():
        raise Unavailable("the site has not been built yet; run: registry site build")

    async def work(context: ServiceContext, folder: Path) -> None:
        await export_record_proofs(context.database, folder, progress=progress)

    with (
        # Where the builds lie, so that their files can be linked.
        TemporaryDirectory(prefix=COPY_PREFIX, dir=settings.data_dir) as name,
        progress_bar("Proving the versions") as progress,
    ):
        link_build(settings.site_dir, Path(name) / "site")
        run(settings, lambda context: work(context, Path(name)))
        files = offline_files(
            Path(name) / "site",
            settings.base_url,
            languages or known,
            proofs=Path(name) / "proofs",
        )
        number = (write_zip if out.suffix == ".zip" else write_folder)(files, out)
    print_message(f"{number} files: {out}")
