"""`registry log key`, `begin`, `records`: the log's keys, and going on under another name."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from registry.cli.evidence import open_log, verifier_option
from registry.cli.output import print_message, progress_bar
from registry.cli.parameter_types import WholeNumber
from registry.cli.runtime import pass_settings, run
from registry.clock import utc_now
from registry.errors import ConfigurationError, Conflict
from registry.ledger import key as keys
from registry.ledger.continuation import forget_continued, keep_continued, read_last_word
from registry.ledger.published_log import read_keys
from registry.log.key_chain import KeyChain
from registry.services.context import ServiceContext
from registry.services.log.key_rotation import read_key_state
from registry.services.log.key_rotation import rotate as rotate_key
from registry.settings import Settings
from registry.tlog.keys import Verifier
from registry.verify.records import write_records


@click.group()
def key() -> None:
    """Show the keys of the log, make one, or let another follow.

    Example: registry log key show
    """


@key.command()
@pass_settings
def show(settings: Settings) -> None:
    """List the keys that the log ever had, which sign, and which files may be destroyed.

    Example: registry log key show
    """
    state = run(
        settings,
        lambda context: read_key_state(context.database, settings),
        derives=False,
    )
    now = utc_now()
    for one in state.chain.keys:
        file = state.file_of(one.verifier)
        until = f", signs entries until {one.until}" if one.until else ""
        click.echo(f"{one.verifier.to_text()}\n  entry {one.index}, since {one.since}{until}")
        if state.is_needed(one, now=now):
            click.echo(f"  file {file}" if file else "  its file is needed and not here")
        else:
            click.echo(
                f"  file {file} is needed no more: destroy it, and all copies"
                if file
                else "  its file is needed no more, and not here"
            )
    for file in state.pending:
        click.echo(f"{state.files[file].verifier_key}\n  file {file}, not named by any entry yet")


@key.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--origin", required=True, help="The log's name, as its first line has it.")
def make(file: Path, origin: str) -> None:
    """Make a key of a log in a new file, on a machine that need not have a register.

    Nothing but its verifier key is printed. As the key of a new register it goes where
    REGISTRY_LOG_KEY_FILE says, before the first start; else `rotate --new` lets it follow.

    Example: registry log key make next.key --origin algorithms.example.org/log
    """
    if file.exists():
        raise ConfigurationError(f"{file} is there already; it was left as it is")
    keys.write(file, keys.make(origin))
    click.echo(keys.read(file).verifier_key)


@key.command()
@click.option(
    "--new",
    "made",
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE",
    help="The key that is to follow, made elsewhere; it is copied beside the others.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_settings
def rotate(settings: Settings, made: Path | None, *, yes: bool) -> None:
    """Name the key of the log that follows the last one; for 90 days both sign.

    The new key gets a file of its own beside the old one's, which stays. Then an entry of the log
    names it, and the background runner signs with both. Run it as the user who runs the runner,
    for whom alone the files are readable.

    Example: registry log key rotate
    """
    signer = None if made is None else keys.read(made)
    if not yes and not click.confirm("Let another key follow? This cannot be undone", err=True):
        raise SystemExit(1)

    async def work(context: ServiceContext) -> tuple[Path, int]:
        return await rotate_key(context, settings, made=signer, now=utc_now())

    path, index = run(settings, work)
    click.echo(keys.read(path).verifier_key)
    print_message(f"entry {index} names the key in {path}: keep a copy of the file elsewhere")
    print_message(
        "for 90 days both keys sign, and the old file is needed; registry log key show says when "
        "it may be destroyed"
    )


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
