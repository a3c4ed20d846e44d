"""`registry load`: publish a folder of records."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from registry.cli.opened import now, run, say
from registry.errors import InvalidRecord
from registry.office import loading

if TYPE_CHECKING:
    from registry.office.loading import Loaded
    from registry.settings import Settings


@click.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.pass_obj
def load(settings: Settings, directory: Path) -> None:
    """File and publish the records of DIRECTORY, laid out as <agency>/<slug>.json.

    Exit code 1 if any was refused; the others are published all the same.

    Example: registry load records
    """
    results = run(settings, lambda office: loading.load(office, directory, now=now))
    report(results)
    if any(loaded.refused for loaded in results):
        sys.exit(1)


def report(results: list[Loaded]) -> None:
    """Say what became of each record, refusals with every finding."""
    versions = sum(
        receipt.outcome == "published" for loaded in results for receipt in loaded.receipts
    )
    unchanged = sum(
        all(receipt.outcome == "unchanged" for receipt in loaded.receipts)
        for loaded in results
        if not loaded.refused
    )
    for loaded in results:
        if loaded.refused is None:
            continue
        say(f"refused {loaded.record}: {loaded.refused.detail}")
        if isinstance(loaded.refused, InvalidRecord):
            for finding in loaded.refused.findings:
                say(f"  {finding.severity} {finding.pointer} [{finding.rule}] {finding.message}")
    refused = sum(loaded.refused is not None for loaded in results)
    say(
        f"{len(results)} records: {versions} versions published, {unchanged} unchanged, "
        f"{refused} refused"
    )
