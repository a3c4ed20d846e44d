"""Backups: the database in one state, the log's key, and what was signed with it, in a folder.

The published log and the site need none: both are made anew from the database.
"""

import asyncio
import datetime as dt
import hashlib
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from registry.errors import ConfigurationError, Conflict
from registry.ledger import key
from registry.log.files import sync
from registry.settings import Settings
from registry.store import dump, log
from registry.store.database import Database

BackupProgress = Callable[[int, int], None]

_ABOUT = "backup.json"
_DUMP = "database.dump"
_KEY = "log.key"
_SIGNED = "signed-sizes"
_FORMAT = 1
_OWNER = 0o700


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds: the log up to `entries` with its `root`, in hex, and all beside it."""

    format: int
    made_at: dt.datetime
    origin: str
    entries: int
    root: str
    tables: int
    dump_sha256: str


async def back_up(
    database: Database,
    settings: Settings,
    folder: Path,
    *,
    now: dt.datetime,
    progress: BackupProgress,
) -> Backup:
    """Write a backup to a new folder, while the register goes on; whole, or not at all.

    It holds the log's key, so nobody but its owner may read it.
    """
    async with database.connection() as connection:
        tables = await dump.count_tables(connection)
    if not tables:
        raise ConfigurationError("there is no register in this database; nothing to back up")
    with _new_folder(folder) as making:
        return await _write(database, settings, making, now=now, progress=progress)


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """Make a folder that is moved to its place when all is written, and removed otherwise."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(f"{folder} is there already; name a new folder for a backup")
    making = folder.absolute().with_name(f"{folder.name}.making-{secrets.token_hex(4)}")
    making.mkdir(parents=True, mode=_OWNER)
    try:
        yield making
        for file in making.iterdir():
            sync(file)
        sync(making)
        if folder.exists():
            folder.rmdir()
        making.rename(folder)
        sync(making.parent)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise


async def _write(
    database: Database,
    settings: Settings,
    folder: Path,
    *,
    now: dt.datetime,
    progress: BackupProgress,
) -> Backup:
    signer = key.read_all(settings.key_file)[0]
    # Before the database is read, so that it never lacks what was signed.
    for file in key.files(settings.key_file):
        _copy(file, folder / _name(settings, file))
    if settings.signed_sizes_file.exists():
        _copy(settings.signed_sizes_file, folder / _SIGNED)
    async with database.snapshot() as connection:
        tables = await dump.count_tables(connection)
        state = await log.read_state(connection)
        await asyncio.to_thread(
            dump.dump,
            settings.database_url or "",
            folder / _DUMP,
            server=await dump.read_server(connection),
            snapshot=await dump.export_snapshot(connection),
            tables=tables,
            progress=progress,
        )
    backup = Backup(
        format=_FORMAT,
        made_at=now,
        origin=signer.name,
        entries=state.range.size,
        root=state.range.root().hex(),
        tables=tables,
        dump_sha256=_digest(folder / _DUMP),
    )
    about = msgspec.json.format(msgspec.json.encode(backup)) + b"\n"
    (folder / _ABOUT).write_bytes(about)
    return backup


async def restore(
    database: Database, settings: Settings, folder: Path, *, progress: BackupProgress
) -> Backup:
    """Bring a backup back into an empty database, and its key where there is none.

    What was signed since, and the key, stay as they are where they still are.
    """
    backup = _read(folder)
    _check_key(settings, folder)
    async with database.connection() as connection:
        if await dump.count_tables(connection):
            raise Conflict(
                "there is a register in this database; a backup is restored into an empty one: "
                "set REGISTRY_DATA_DIR or REGISTRY_DATABASE_URL to a new place"
            )
        server = await dump.read_server(connection)
    await asyncio.to_thread(
        dump.restore,
        settings.database_url or "",
        folder / _DUMP,
        server=server,
        tables=backup.tables,
        progress=progress,
    )
    keys = [(file.name, _place(settings, file)) for file in key.files(folder / _KEY)]
    for kept, place in (*keys, (_SIGNED, settings.signed_sizes_file)):
        if (folder / kept).exists() and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True, mode=_OWNER)
            _copy(folder / kept, place)
            sync(place)
            sync(place.parent)
    return backup


def _read(folder: Path) -> Backup:
    try:
        content = (folder / _ABOUT).read_bytes()
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"{folder} is no backup: there is no {_ABOUT} in it; `registry backup` makes one"
        ) from error
    try:
        backup = msgspec.json.decode(content, type=Backup)
    except msgspec.MsgspecError as error:
        raise ConfigurationError(f"{folder / _ABOUT} is not as it was written: {error}") from error
    if backup.format != _FORMAT:
        raise ConfigurationError(
            f"{folder} is a backup of format {backup.format}, of a later release; restore it with "
            "that one"
        )
    if not (folder / _DUMP).exists() or _digest(folder / _DUMP) != backup.dump_sha256:
        raise ConfigurationError(
            f"{folder / _DUMP} is not as it was written, or not all of it; use another backup"
        )
    return backup


def _check_key(settings: Settings, folder: Path) -> None:
    """See that the key is one that this process can take, before anything is changed."""
    key.read_all(folder / _KEY)
    for file in key.files(folder / _KEY):
        place = _place(settings, file)
        if place.exists() and key.read(place) != key.read(file):
            raise Conflict(
                f"{place} is another log's key than the backup's; move it away, with "
                "everything else of that register"
            )


def _name(settings: Settings, file: Path) -> str:
    """Return the name that a key file has in a backup."""
    return Path(_KEY).stem + file.stem.removeprefix(settings.key_file.stem) + Path(_KEY).suffix


def _place(settings: Settings, kept: Path) -> Path:
    """Return where a key of a backup belongs."""
    where = settings.key_file
    return where.with_name(where.stem + kept.stem.removeprefix(Path(_KEY).stem) + where.suffix)


def _copy(file: Path, to: Path) -> None:
    to.touch(mode=0o600)
    shutil.copyfile(file, to)


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
