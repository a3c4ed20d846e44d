"""`registry load`: publish a folder of records."""

from __future__ import annotations

import sys
from pathlib import Path

import rich_click as click

from registry.cli.output import print_error, print_message, progress_bar
from registry.cli.runtime import pass_settings, run
from registry.clock import utc_now
from registry.errors import NotFound
from registry.services.filing import loading
from registry.services.filing.loading import LoadCounts
from registry.settings import Settings


@click.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@pass_settings
def load(settings: Settings, directory: Path) -> None:
    """File and publish the records of DIRECTORY, laid out as <agency>/<slug>.json.

    Earlier versions of a record are <slug>.1.json, <slug>.2.json and so on; withdrawals.csv says
    which versions were withdrawn. Loading again changes nothing. Exit code 1 if any was refused;
    the others are published all the same.

    Example: registry load records
    """
    if not loading.find_files(directory):
        raise NotFound(f"{directory} holds no record; records lie in DIR/<agency>/<slug>.json")
    with progress_bar("Loading") as progress:
        results = run(
            settings,
            lambda context: loading.load(context, directory, now=utc_now, progress=progress),
            begins=True,
        )
    report(results)


def report(results: list[LoadCounts]) -> None:
    """Print the totals, and each refusal with its findings; exit with 1 if any was refused."""
    outcomes = [receipt.outcome for loaded in results for receipt in loaded.receipts]
    withdrawn = outcomes.count("withdrawn")
    for loaded in results:
        if loaded.refused is not None:
            print_error(f"refused {loaded.record}", loaded.refused)
    refused = sum(loaded.refused is not None for loaded in results)
    print_message(
        f"{len(results)} records: {outcomes.count('published')} versions published, "
        + (f"{withdrawn} withdrawn, " if withdrawn else "")
        + f"{outcomes.count('unchanged')} unchanged, {refused} refused"
    )
    if refused:
        sys.exit(1)
