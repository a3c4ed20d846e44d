"""Options of commands that verify logs: keys, policies, trusted checkpoints, evidence."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click

from registry.cli.parameter_types import WholeNumber
from registry.clock import utc_now
from registry.errors import NotFound
from registry.log.files import CHECKPOINT
from registry.log.replay import LogInconsistent, LogReplay
from registry.tlog.keys import Verifier, parse_verifier
from registry.tlog.policy import Policy, parse_policy, quorum_of
from registry.verify.consistency import KeptNote, LogSource, TwoHistories, keep_evidence, read_kept
from registry.verify.fsck import read_from
from registry.verify.gazette import Gazette, parse_gazette
from registry.verify.log import ReadFile, VerifiedLog, verify_log
from registry.verify.remote_register import reader
from registry.verify.trusted_checkpoint import (
    TrustedCheckpoints,
    check_known,
    check_refused,
    memory_folder,
)

kept_option = click.option(
    "--kept",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A file that was kept of the log: a checkpoint, a proof, a saved page, the six lines of a "
    "gazette. May be repeated.",
)

memory_option = click.option(
    "--no-memory",
    is_flag=True,
    help="Do not compare with what was seen of the log before, and do not remember it.",
)


def open_memory(*, no_memory: bool) -> TrustedCheckpoints | None:
    """Return the memory of the user; None where it is to be left out."""
    return None if no_memory else TrustedCheckpoints(memory_folder(os.environ))


def read_kept_files(paths: Sequence[Path]) -> list[tuple[str, KeptNote]]:
    """Return the notes in files, each with the file's name; raises `NotFound` for one without."""
    found = []
    for path in paths:
        notes, _ = read_kept(path.read_bytes())
        if not notes and _printed_in(path) is None:
            raise NotFound(f"{path}: it holds no signed note of a log")
        found += [(str(path), note) for note in notes]
    return found


def read_printed(paths: Sequence[Path]) -> list[tuple[str, Gazette]]:
    """Return what was printed in a gazette, of the files that are that."""
    found = [(str(path), _printed_in(path)) for path in paths]
    return [(where, printed) for where, printed in found if printed is not None]


def _printed_in(path: Path) -> Gazette | None:
    try:
        return parse_gazette(path.read_bytes())
    except ValueError:
        return None


@contextmanager
def open_log(place: str) -> Iterator[ReadFile]:
    """Yield a function that reads the files of a log at an address or in a folder."""
    if "://" not in place:
        yield read_from(Path(place))
        return
    with reader(place) as read:
        yield read


@contextmanager
def open_source(place: str) -> Iterator[LogSource]:
    """Yield what lies at an address, in a folder or in a file: a log, or notes of one."""
    is_address = "://" in place
    if not is_address and not Path(place).exists():
        raise NotFound(f"{place}: there is no such file or folder")
    if not is_address and not (Path(place) / CHECKPOINT).exists():
        files = sorted(Path(place).iterdir()) if Path(place).is_dir() else [Path(place)]
        found = [
            (str(path), note)
            for path in files
            if path.is_file()
            for note in read_kept(path.read_bytes())[0]
        ]
        if not found:
            raise NotFound(f"{place}: it holds no signed note of a log")
        yield LogSource(notes=found)
        return
    with open_log(place) as read:
        try:
            [note] = read_kept(read(CHECKPOINT))[0]
        except (FileNotFoundError, ValueError) as error:
            raise NotFound(f"{place}: no log lies here") from error
        # A copied checkpoint is not a log: its files must be there.
        yield LogSource(
            notes=[(place, note)],
            read=read if is_address or (Path(place) / "tile").is_dir() else None,
        )


def verify_known(
    verify: Callable[[], VerifiedLog],
    read: ReadFile,
    key: Verifier | None,
    kept: Sequence[tuple[str, KeptNote]],
    memory: TrustedCheckpoints | None,
) -> VerifiedLog:
    """Return a log that `verify` finds in order, if it goes on from all that is known of it.

    It is remembered then. Raises as `verify` does, and `TwoHistories`: also where the log is not in
    order, which would else hide them.
    """
    notes = [(where, one.note) for where, one in kept]
    try:
        found = verify()
    except LogInconsistent:
        check_refused(read, key, notes, memory)
        raise
    check_known(found, read, notes, memory)
    return found


def log_verifier(
    key: Verifier | None,
    policy: Policy,
    kept: Sequence[tuple[str, KeptNote]],
    memory: TrustedCheckpoints | None,
    progress: Callable[[int, int | None], None],
) -> Callable[[ReadFile, LogReplay], VerifiedLog]:
    """Return what verifies a log by its files, and against all that is known of it."""

    def verify(read: ReadFile, replay: LogReplay) -> VerifiedLog:
        with keeping_evidence():
            return verify_known(
                lambda: verify_log(
                    read, verifier=key, progress=progress, policy=policy, replay=replay
                ),
                read,
                key,
                kept,
                memory,
            )

    return verify


@contextmanager
def keeping_evidence() -> Iterator[None]:
    """Keep the notes of two histories that are found in the block, and say where."""
    try:
        yield
    except TwoHistories as found:
        for folder in (Path.cwd(), memory_folder(os.environ).parent):
            try:
                place = keep_evidence(
                    folder,
                    origin=found.origin,
                    kind=found.kind,
                    notes=found.notes,
                    proof=found.proof,
                    why=found.why,
                    now=utc_now(),
                )
            except OSError:
                continue
            found.detail += f"\nBoth notes are kept: {place}"
            break
        else:
            notes = "\n\n".join(note.decode("utf-8", "replace") for note in found.notes)
            found.detail += f"\nNo folder can be written, so keep these notes:\n{notes}"
        raise


F = TypeVar("F", bound="Callable[..., Any]")


class _Key(click.ParamType["Verifier"]):
    name = "key"

    def convert(self, value: Any, param: Any, ctx: Any) -> Verifier:
        try:
            return value if isinstance(value, Verifier) else parse_verifier(str(value))
        except ValueError as error:
            self.fail(f"this is no verifier key: {error}", param, ctx)


KEY = _Key()

verifier_option = click.option(
    "--key", type=KEY, help="The log's verifier key, known from elsewhere: name+id+base64."
)


class _PolicyFile(click.ParamType["Policy"]):
    name = "file"

    def convert(self, value: Any, param: Any, ctx: Any) -> Policy:
        if isinstance(value, Policy):
            return value
        try:
            return parse_policy(Path(value).read_bytes().decode())
        except OSError as error:
            self.fail(f"{value} cannot be read: {error.strerror}", param, ctx)
        except ValueError as error:
            self.fail(f"{value} is no policy: {error}", param, ctx)


POLICY = _PolicyFile()


def policy_options(body: F) -> F:
    """Add `--policy`, and `--witness` with `--quorum`; the command gets one `policy`."""

    @wraps(body)
    def command(
        *args: Any,
        policy: Policy | None,
        witnesses: tuple[Verifier, ...],
        quorum: int,
        **given: Any,
    ) -> Any:
        if policy is not None and (witnesses or quorum):
            raise click.UsageError("--policy has the witnesses and the quorum: give no others")
        return body(*args, policy=policy or quorum_of(witnesses, quorum), **given)

    options = [
        click.option(
            "--policy",
            type=POLICY,
            metavar="FILE",
            help="Which witnesses must have cosigned: a c2sp.org/tlog-policy.",
        ),
        click.option(
            "--witness", "witnesses", type=KEY, multiple=True, help="A witness's verifier key."
        ),
        click.option(
            "--quorum",
            type=WholeNumber(0),
            default=0,
            help="How many witnesses must have cosigned.",
        ),
    ]
    decorated: Any = command
    for option in reversed(options):
        decorated = option(decorated)
    return decorated  # type: ignore[no-any-return]
