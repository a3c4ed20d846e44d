"""`registry log`: publish the transparency log, prove from it, verify it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import rich_click as click

from registry.cli.command_options import Style, style_option
from registry.cli.evidence import (
    keeping_evidence,
    kept_option,
    memory_option,
    open_log,
    open_memory,
    open_source,
    policy_options,
    read_kept_files,
    read_printed,
    verifier_option,
    verify_known,
)
from registry.cli.output import print_message, progress_bar, write_json
from registry.cli.parameter_types import NUMBER, VERSION, RecordId, WholeNumber
from registry.cli.runtime import in_register, pass_settings, run
from registry.clock import utc_now
from registry.errors import ConfigurationError, Conflict, Unavailable
from registry.file_headers import LOG
from registry.ledger import key as keys
from registry.ledger.continuation import forget_continued, keep_continued, read_last_word
from registry.ledger.export import export_log
from registry.ledger.proofs import read_record_proof, site_made_from
from registry.ledger.published_log import LogTree, read_keys
from registry.ledger.targets import Folder
from registry.ledger.verify_database import VerifiedDatabase, check_database
from registry.log.files import published_size
from registry.log.key_chain import KeyChain
from registry.pages.gazette import gazette_page, make_gazette, qr_code
from registry.services.context import ServiceContext
from registry.services.log import recovery
from registry.services.log.key_rotation import read_key_state
from registry.services.log.key_rotation import rotate as rotate_key
from registry.services.log.recovery import discard_entries, heal_log, heal_rows, plan_discard
from registry.services.log.witness_policy import read_standings, take_policy
from registry.services.log.witness_rounds import WitnessRounds
from registry.services.operations.heartbeat import note_run
from registry.settings import Settings
from registry.tlog import base64_text
from registry.tlog.keys import Verifier
from registry.tlog.policy import Policy
from registry.verify import fsck as files
from registry.verify.consistency import compare_sources
from registry.verify.gazette import Gazette, check_printed
from registry.verify.log import VerifiedLog, check_continues, verify_log
from registry.verify.records import write_records
from registry.worker.publishing import read_stored


@click.group()
def log() -> None:
    """Publish the transparency log, prove records by it, and verify it.

    Example: registry log verify https://algorithms.example.org/log
    """


@log.command()
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


@log.command()
@click.option(
    "--accept-dates",
    is_flag=True,
    help="Accept that the last entry is dated ahead: until then all entries get its time.",
)
@click.option(
    "--discard-from",
    type=NUMBER,
    metavar="N",
    help="First give up what was acknowledged from entry N on and contradicts what was signed.",
)
@click.option("--yes", is_flag=True, help="Do not ask before entries are given up.")
@pass_settings
def heal(settings: Settings, *, accept_dates: bool, discard_from: int | None, yes: bool) -> None:
    """Bring back what the database has lost of the log, and rows that follow from the log.

    What a restored older database has lost, or an empty one in the place of a lost one, comes from
    our own published files: everything is verified first; nothing is taken that was not signed.
    Then the whole database is checked as by registry log verify, and rows that do not follow from
    the log are written anew from it.

    Example: registry log heal
    """
    if accept_dates:
        until = run(settings, recovery.accept_dates)
        print_message(
            f"entries have the time {until:%Y-%m-%dT%H:%M:%SZ} until then, as incidents.json says"
            if until
            else "the last entry is not dated ahead of the database's clock"
        )
        return

    if discard_from is not None:
        _discard(settings, discard_from, yes=yes)
    with progress_bar("Healing") as progress:

        async def work(context: ServiceContext) -> None:
            now = utc_now()
            count = await heal_log(context, settings, now=now, progress=progress)
            print_message(f"{count} entries were brought back" if count else "nothing is missing")
            if await heal_rows(context, settings, now=now, progress=progress):
                print_message("rows that did not follow from the log were written anew")

        run(settings, work, restores=True)


def _discard(settings: Settings, start: int, *, yes: bool) -> None:
    """Print which receipts die, ask, and give the entries up."""

    async def give_up(context: ServiceContext) -> None:
        planned = await plan_discard(context, settings, start)
        for one in planned.receipts:
            version = "" if one.version is None else f", version {one.version}"
            print_message(
                f"entry {one.entry}, {one.at:%Y-%m-%dT%H:%M:%SZ}: {one.kind}"
                f"{f' of {one.subject}' if one.subject else ''}{version}, {one.hash.hex()}"
            )
        print_message(f"{len(planned.receipts)} receipts die with their entries")
        if planned.lost is not None:
            first, end = planned.lost
            print_message(
                f"entries {first} to {end} were acknowledged, and are in no database or file: "
                "their receipts die too, and nothing else is known of them"
            )
        if not yes and not click.confirm("Give them up?", err=True):
            raise SystemExit(1)
        kept = await discard_entries(context, settings, planned, now=utc_now())
        print_message(f"given up{f'; kept in {kept}' if kept else ''}, told in incidents.json")

    run(settings, give_up)


@log.command()
@pass_settings
def publish(settings: Settings) -> None:
    """Sign the log as it is now and publish it; redactions that are published then are carried out.

    The background runner does the same within a second of anything new.

    Example: registry log publish
    """
    # It builds sites too; what else is done with logs needs neither pages nor the API.
    from registry.worker import runner  # noqa: PLC0415

    async def publish_cosigned(context: ServiceContext) -> None:
        await take_policy(context, settings, now=utc_now())
        rounds = WitnessRounds(context.database, settings)
        stored = await read_stored(settings, context)
        await runner.publish(settings, context, rounds, stored=stored)
        # Whoever answers later is in the checkpoint too.
        await rounds.go_on()
        await rounds.finish()
        await runner.publish(settings, context)

    run(settings, publish_cosigned)
    print_message(f"published: {published_size(settings.log_dir)} entries, {settings.log_dir}")


@log.command()
@click.argument("record", metavar="ID", type=RecordId())
@click.option("--version", type=VERSION, help="A version; default the latest.")
@in_register
async def prove(context: ServiceContext, record: str, version: int | None) -> None:
    """Write a record's proof to standard output, to be kept; `registry verify` checks it.

    Example: registry log prove demo-sante/prevision-lits > proof.json
    """
    async with context.database.snapshot() as connection:
        write_json(await read_record_proof(connection, LogTree(), record, version))


@log.command()
@click.argument("place", metavar="[URL|DIR]", required=False)
@verifier_option
@policy_options
@kept_option
@memory_option
@click.option("--continues", metavar="URL|DIR", help="The log that this one says to continue.")
@pass_settings
def verify(
    settings: Settings,
    place: str | None,
    key: Verifier | None,
    policy: Policy,
    kept: tuple[Path, ...],
    *,
    continues: str | None,
    no_memory: bool,
) -> None:
    """Verify a whole log: signature, tree, every entry, chains, times, contents.

    It must also go on from every note that was kept of it, and from what this user has seen of it
    before; where it does not, these are two histories, and both notes are copied into a folder.
    Without an address or folder it checks this register's database by its log, and derives every
    row again that an answer is made of; what it finds there blocks publication until it finds
    nothing more. Prints the first fault, with file or table, and entry.

    Example: registry log verify https://algorithms.example.org/log --key log.example+1234abcd+AQ…
    """
    if place is None and (policy.witnesses or policy.logs):
        raise click.UsageError("a policy is for checkpoints: name the log's address or folder")
    notes, printed = read_kept_files(kept), read_printed(kept)
    with progress_bar("Verifying the log") as progress, keeping_evidence():
        if place is None:

            async def check(context: ServiceContext) -> VerifiedDatabase:
                checked = await check_database(context.database, settings, progress=progress)
                await note_run(context.database, settings, "log verify", entries=checked.size)
                return checked

            _print_checked(run(settings, check, derives=False))
        if place is None and not kept and continues is None:
            return
        memory = None if place is None else open_memory(no_memory=no_memory)
        with open_log(place or str(settings.log_dir)) as read:

            def verified() -> VerifiedLog:
                found = verify_log(read, verifier=key, progress=progress, policy=policy)
                for where, one in printed:
                    check_printed(found, where, one)
                return found

            found = verify_known(verified, read, key, notes, memory)
        if continues is not None:
            with open_log(continues) as read:
                check_continues(found, read, progress)
    _print_verified(found, given=key is not None or bool(policy.logs) or bool(printed))
    before = found.keys.continues
    if before is not None:
        is_shown = "as that log shows" if continues else "name that log with --continues to see it"
        print_message(f"continues {before.origin} from {before.size} entries: {is_shown}")


@log.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@verifier_option
def compare(first: str, second: str, key: Verifier | None) -> None:
    """Compare what two people have of one log: addresses, folders, or files with signed notes.

    Exit code 0: the log has only grown from one to the other. 1: two histories; both notes are
    copied into a folder. 3: this cannot be told without the log itself, at its address or in a
    folder.

    Example: registry log compare https://algorithms.example.org/log kept/checkpoint
    """
    with open_source(first) as one, open_source(second) as other, keeping_evidence():
        found = compare_sources([one, other], key)
    sizes = " and ".join(f"{size:,}" for size in found.sizes)
    if not found.is_known:
        raise Unavailable(
            f"{found.origin}: whether it is one log at {sizes} entries cannot be told without the "
            "log itself; name its address or a folder that holds it"
        )
    print_message(f"consistent: {found.origin}, one history at {sizes} entries")


@log.command()
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), required=False)
@verifier_option
@pass_settings
def fsck(settings: Settings, folder: Path | None, key: Verifier | None) -> None:
    """Check every file of a log's folder, those of earlier sizes too; default DATA_DIR/log.

    Prints the first file in which a single bit is not as it was published.

    Example: registry log fsck
    """
    with progress_bar("Checking files") as progress:
        found, count = files.fsck(folder or settings.log_dir, verifier=key, progress=progress)
    print_message(f"{count} files")
    _print_verified(found, given=key is not None)


@log.command()
@style_option
@in_register
async def witnesses(context: ServiceContext, style: Style) -> None:
    """List the witnesses of this log: who, when asked last, what they answered, how far behind.

    Example: registry log witnesses
    """
    async with context.database.snapshot() as connection:
        found = await read_standings(connection)
    if style == "json":
        write_json(found)
        return
    if not found:
        print_message("the log names no witnesses; REGISTRY_LOG_POLICY_FILE does")
    for one in found:
        print_message(f"{one.name}, {one.url or 'without an address'}: {one.said}")


@log.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@pass_settings
def export(settings: Settings, folder: Path) -> None:
    """Write all of the published log to a folder, for any static host or for keeping.

    Example: registry log export /srv/www/log
    """
    site = site_made_from(settings.site_dir)
    target = Folder(folder, strip=LOG)
    with progress_bar("Exporting the log") as progress:
        size = run(
            settings,
            lambda context: export_log(context.database, target, site=site, progress=progress),
        )
    print_message(f"{size} entries: {folder}")


def _print_checked(found: VerifiedDatabase) -> None:
    print_message(
        f"in order: {found.size} entries in the database, with all that they commit to, and every "
        "row that follows from them"
    )
    if found.outdated:
        print_message(
            f"not compared: search rows of {found.outdated} versions, which another release "
            "wrote; they are derived from the log before they answer anything, and registry work "
            "writes them anew"
        )
    if found.source_rows:
        print_message(
            f"not checked, for no entry states it: {found.source_rows} rows of other registers, as "
            "these had them (source_row) and with when they were last there (foreign_record), or "
            "lost reports of imports (import_run)"
        )


def _print_verified(found: VerifiedLog, *, given: bool) -> None:
    checkpoint = found.checkpoint
    print_message(f"in order: {checkpoint.origin}, {checkpoint.size} entries")
    print_message(f"root {base64_text.encode(checkpoint.root)}")
    print_message(f"signed by {found.keys.last.to_text()}")
    if found.verifier != found.keys.last:
        print_message(f"which follows {found.verifier.to_text()}, as that key has signed")
    for one in found.cosigned:
        at = f"{dt.datetime.fromtimestamp(one.time or 0, dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
        print_message(f"cosigned by {one.verifier.name}" + (f", {at}" if one.time else ""))
    if not given:
        print_message(
            "This key is the one that the log names itself; compare it with one from elsewhere."
        )


@log.group()
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


@log.command()
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


@log.command()
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
