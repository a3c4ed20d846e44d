"""`registry log begin` and `records`: going on under another name where a key is stolen or lost."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from registry.cli.evidence import open_log
from registry.cli.keys import verifier_option
from registry.cli.output import print_message
from registry.cli.parameter_types import WholeNumber
from registry.cli.progress import progress_bar
from registry.cli.runtime import pass_settings, run
from registry.errors import Conflict
from registry.ledger.continuation import forget_continued, keep_continued, read_last_word
from registry.ledger.published_log import read_keys
from registry.log.key_chain import KeyChain
from registry.services.context import ServiceContext
from registry.settings import Settings
from registry.tlog.keys import Verifier
from registry.verify.records import write_records


@click.command()
@click.option(
    "--continues",
    "last_word",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The last checkpoint of the old log that is trusted: a signed note, or the six lines of a "
    "gazette.",
)
@verifier_option
@pass_settings
def begin(settings: Settings, last_word: Path, key: Verifier | None) -> None:
    """Begin the log of an empty register as one that continues another.

    For a log whose key was stolen or lost: the new one has a name (REGISTRY_LOG_ORIGIN) and a key
    of its own, and its first entry says from which size and root it goes on. `--key` is the old
    log's; docs/key-ceremony.md has the whole procedure.

    Example: registry log begin --continues checkpoint --key log.example+1234abcd+AQ…
    """
    checkpoint = read_last_word(last_word, key)
    keep_continued(settings, checkpoint)

    async def read(context: ServiceContext) -> KeyChain:
        async with context.database.connection() as connection:
            return await read_keys(connection)

    chain = run(settings, read, begins=True)
    if chain.continues != checkpoint:
        forget_continued(settings)
        raise Conflict(
            f"the log {chain.origin} was begun before, and does not continue {checkpoint.origin}; "
            "name a new REGISTRY_DATA_DIR, or database and key"
        )
    click.echo(chain.last.to_text())
    print_message(
        f"{chain.origin} continues {checkpoint.origin} from {checkpoint.size} entries; the records "
        "of these come with registry log records and registry load"
    )


@click.command()
@click.argument("place", metavar="URL|DIR")
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--until", type=WholeNumber(1), metavar="SIZE", help="Only its first entries.")
@verifier_option
def records(place: str, out: Path, until: int | None, key: Verifier | None) -> None:
    """Write the records of a published log as a folder that `registry load` reads.

    All versions that were filed there, and their withdrawals, after the log was verified; what was
    erased is not in it. No database is needed.

    Example: registry log records https://algorithms.example.org/log records/ --until 1420
    """
    with progress_bar("Reading the log") as progress, open_log(place) as read:
        count = write_records(read, out, verifier=key, until=until, progress=progress)
    print_message(f"{count} records: {out}")
