"""The audit of a register by its address: its log verified, then all that it answers compared.

A register is rebuilt from the log on the machine of whoever audits, and both are asked the same. A
difference counts once it is found twice, the second time after what came since was taken in: a
register that is used meanwhile answers from one moment to the next by another state.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import random
import re
import secrets
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec
import uvloop

from registry import __version__
from registry.audit.comparison import bound_headers, difference
from registry.audit.questions import LogContents, Question, Questions
from registry.audit.rebuild import RebuiltRegister, StatedFacts, rebuilding
from registry.audit.remote import CONNECTIONS, Mirror, RemoteRegister
from registry.clock import utc_now
from registry.errors import ConfigurationError, RegistryError, Unavailable
from registry.log.blob import Content, KeptSection
from registry.log.configuration import PACK, RELEASE
from registry.log.entry import ConfigurationEntry, GenesisEntry, ImportEntry, LogEntry
from registry.log.files import CHECKPOINT, INCIDENTS, LogRefused
from registry.log.replay import LogReplay
from registry.pages.snapshot import BuildFacts
from registry.pages.views.prose_pages import GUIDES
from registry.record.pack import Pack, read_pack
from registry.store.imports import KeptRow
from registry.tlog import base64_text
from registry.verify.log import ReadFile, VerifiedLog
from registry.verify.remote_register import reader
from registry.web.in_process import Answer

VerifyLog: TypeAlias = Callable[[ReadFile, LogReplay], VerifiedLog]
"""Verifies a log by its files, and has a replay take its entries. Raises `LogRefused`."""

AuditVerdict: TypeAlias = Literal["in order", "partly compared", "differs", "log refused"]
_Progress: TypeAlias = Callable[[int, int | None], None]

MOST_NAMED = 20
"""How many differences a report names; all are counted."""

_LOG = "/log"
_OK, _NOT_FOUND = 200, 404
_PAUSE = 2.0
_LAGGING = 10
"""So many pauses the site may lag behind the log, as while it is built."""
_ROUNDS = 3
_WHOLE = 20_000
"""So many questions are asked whole, and of more such a part, unless a share is given."""
_LEAST = 100
"""So many of a kind are asked, whatever the share."""
_MOST = {"workbooks": 8}
"""So many are asked of what takes long and has nothing of the log."""
_PARSED = ("/api/v1/records", "/api/v1/changes", "/api/v1/statistics", "/api/v1/attestations")
"""What another release answers with the same members, and perhaps further ones."""

_NOT_PAGES = ("/api/", f"{_LOG}/", "/openapi.json")
_OF_SITE = f"{_LOG}/site.json"
MAX_AGE = dt.timedelta(days=2)
"""So long ago the site may be built, which is made anew each day."""

_NEVER_COVERED = (
    "its address, its contact for weaknesses, whether it has a filing office: as it says itself",
    "copies to carry (/copies/)",
    "other words, tables and combinations of filters than were drawn, and more than three filters",
    "addresses that nobody asked for: what the register shows beside its pages",
    "what other languages, agents, HEAD and conditions are answered, and POST /api/v1/validate",
    "headers of an exchange: dates, tags, caches, numbers of requests, Strict-Transport-Security",
    "packages (/exports/register/), which `registry export --package` makes again from the log",
    "letters, dates to contest by (/contest?received=) and records, which somebody fills in",
    "receipts of answers: `registry verify` computes each again, from the log",
    "that it answers you what it answers others: ask from elsewhere too",
)


class AnswerDifference(msgspec.Struct, frozen=True, kw_only=True):
    """Where a register answers otherwise than follows from its log, and how."""

    at: str
    why: str


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit found: of which log, what was compared, the first differences, and how many.

    `not_covered` are sentences on what was not compared, and why; the verdict is "partly compared"
    where whoever audits left the pages out. The same `seed` draws the same questions of the same
    log. Where the log itself is refused, nothing else was compared, and `refused` says why.
    """

    verdict: AuditVerdict
    address: str
    origin: str | None = None
    size: int | None = None
    root: str | None = None
    signed_by: str | None = None
    seed: int | None = None
    built_as_of: dt.datetime | None = None
    last_entry_at: str | None = None
    last_cosigned_at: dt.datetime | None = None
    checked: dict[str, int] = {}
    differences: Sequence[AnswerDifference] = ()
    differences_total: int = 0
    not_covered: Sequence[str] = ()
    refused: str | None = None


def audit_register(
    address: str,
    *,
    verify: VerifyLog,
    progress: _Progress,
    share: float | None = None,
    seed: int | None = None,
    without_pages: bool = False,
    max_age: dt.timedelta = MAX_AGE,
    sleep: Callable[[float], None] = time.sleep,
) -> AuditReport:
    """Audit a register at the address of its pages, or of its log, which `verify` verifies.

    `share` is the part of its answers that is compared; without one a large register takes minutes.
    Without a `seed` nobody foresees what is drawn. `max_age` is how long ago the site may be built,
    and a witness that was asked for may have signed. Pages that are not there differ, unless the
    audit is `without_pages`. Raises `Unavailable` where it cannot be reached, and
    `ConfigurationError` for what is no address.
    """
    with (
        RemoteRegister(_base(address, sleep), sleep=sleep) as remote,
        tempfile.TemporaryDirectory(prefix="audit") as folder,
    ):
        # As root the embedded server is another user, who has to enter it.
        Path(folder).chmod(0o755)
        audit = _Audit(
            remote,
            Path(folder),
            verify,
            progress,
            share=share,
            seed=secrets.randbits(48) if seed is None else seed,
            without_pages=without_pages,
            max_age=max_age,
            sleep=sleep,
        )
        try:
            return uvloop.run(audit.run())
        except LogRefused as error:
            return AuditReport(verdict="log refused", address=remote.url, refused=error.detail)


def _base(address: str, sleep: Callable[[float], None]) -> str:
    """Return the address of a register, of which that of its log may have been given.

    Raises `ConfigurationError` for that of one of its pages.
    """
    given = base = address.rstrip("/")
    while True:
        with RemoteRegister(base, sleep=sleep) as remote:
            if remote.get(f"{_LOG}/{CHECKPOINT}").status == _OK:
                break
        if "/" not in base.partition("://")[2]:
            return given
        base = base.rpartition("/")[0]
    cut = given.removeprefix(base)
    if cut not in {"", _LOG}:
        raise ConfigurationError(
            f"{address} is the address of a page, and of the register {base}/: leave out {cut}"
        )
    return base


class AuditReplay(LogReplay):
    """The replay of a log that keeps the configurations it states, and digests of imports."""

    def __init__(self) -> None:
        """Begin before the first entry."""
        super().__init__()
        self.imported: dict[int, str] = {}
        self._configurations: dict[int, Mapping[str, KeptSection]] = {}

    def take(self, index: int, entry: LogEntry, content: Content) -> None:
        """Take an entry with its content."""
        if isinstance(entry, GenesisEntry | ConfigurationEntry):
            self._configurations[index] = content.sections
        elif isinstance(entry, ImportEntry):
            self.imported[entry.run] = entry.report

    def read_configuration(self, size: int) -> tuple[Pack, str]:
        """Return the country pack and the release that a log of a size states last.

        Raises `LogRefused`.
        """
        try:
            stated = self._configurations[max(at for at in self._configurations if at < size)]
            return read_pack(stated[PACK].value), msgspec.json.decode(stated[RELEASE].value)
        except (LookupError, ValueError) as error:
            raise LogRefused(
                f"the log states no configuration that can be read: {error}"
            ) from error

    def releases(self) -> list[str]:
        """Return the releases that the log states, each once."""
        stated = (msgspec.json.decode(one[RELEASE].value) for one in self._configurations.values())
        return list(dict.fromkeys(stated))


class _Import(msgspec.Struct, frozen=True):
    report: msgspec.Raw


class _Mirrored(msgspec.Struct, frozen=True, kw_only=True):
    """A log that was verified and copied, and what the site beside it was built from then."""

    log: VerifiedLog
    replay: AuditReplay
    built: BuildFacts | None
    has_changed: bool

    @property
    def built_as_of(self) -> dt.datetime | None:
        return None if self.built is None else self.built.as_of


class _Audit:
    """One audit, with a folder for the rebuilt register."""

    def __init__(
        self,
        remote: RemoteRegister,
        folder: Path,
        verify: VerifyLog,
        progress: _Progress,
        *,
        share: float | None,
        seed: int,
        without_pages: bool,
        max_age: dt.timedelta,
        sleep: Callable[[float], None],
    ) -> None:
        self._remote = remote
        self._folder = folder
        self._verify = verify
        self._progress = progress
        self._share = share
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311  to be drawn again
        self._without_pages = without_pages
        self._max_age = max_age
        self._sleep = sleep
        self._checked: Counter[str] = Counter()
        self._not_covered: list[str] = []
        self._differences: dict[str, AnswerDifference] = {}
        self._unasked: tuple[str, ...] = ()
        """The ends of paths whose answers follow from what is outside the log."""
        self._built_fault: AnswerDifference | None = None
        self._not_offered: list[AnswerDifference] = []
        self._is_same_release = True
        self._expected: dict[str, bytes] = {}
        """Digests of what the rebuilt register answered when its lists led on."""
        self._one_at_a_time = asyncio.Semaphore()

    async def run(self) -> AuditReport:
        """Return what the audit found."""
        for _ in range(_ROUNDS):
            mirrored = await asyncio.to_thread(self._mirror)
            if mirrored.built is not None or self._without_pages:
                break
            await asyncio.to_thread(self._sleep, _PAUSE)
        facts = await asyncio.to_thread(self._read_facts, mirrored)
        questions: list[Question] | None = None
        for number in range(_ROUNDS):
            folder = self._folder / str(number)
            folder.mkdir()
            (folder / "log").symlink_to(self._folder / "log")
            async with rebuilding(folder, facts) as here:
                files = await self._rebuild(here, mirrored)
                async with here.serving():
                    if questions is None:
                        questions = await self._choose(here, facts, mirrored, files)
                        self._checked.update(one.kind for one in questions)
                    left, mirrored = await self._compare(here, questions, mirrored)
            if left is None:
                break
            questions = left
        return self._report(mirrored)

    async def _compare(
        self, here: RebuiltRegister, questions: list[Question], mirrored: _Mirrored
    ) -> tuple[list[Question] | None, _Mirrored]:
        """Compare answers, those that differ again after taking in what came since.

        Return None once what differs was found twice in one state of the register; else the
        questions that are left, to be asked again of a register that is rebuilt from nothing.
        """
        for _ in range(_ROUNDS):
            questions = await self._ask_all(here, questions, mirrored.log.checkpoint.origin)
            if not questions:
                return None, mirrored
            await asyncio.to_thread(self._sleep, _PAUSE)
            later = await asyncio.to_thread(self._mirror)
            self._expected.clear()
            if later.has_changed:
                return questions, later
            sizes = {one.log.checkpoint.size for one in (mirrored, later)}
            is_quiet = len(sizes) == 1 and later.built == mirrored.built
            if not is_quiet:
                await self._rebuild(here, later)
            mirrored = later
            if is_quiet:
                await self._ask_all(here, questions, mirrored.log.checkpoint.origin)
                return None, mirrored
        return questions, mirrored

    def _mirror(self) -> _Mirrored:
        """Verify the log and copy it; the site beside it may lag, for a moment."""
        replay = AuditReplay()
        with reader(self._remote.url + _LOG) as read:
            copy = Mirror(read, self._folder / "log")
            found = self._verify(copy, replay)
        for _ in range(_LAGGING):
            built = self._read_built(found)
            if built is None or built.log.size >= found.checkpoint.size:
                break
            self._sleep(_PAUSE)
        return _Mirrored(log=found, replay=replay, built=built, has_changed=copy.has_changed)

    async def _rebuild(self, here: RebuiltRegister, mirrored: _Mirrored) -> list[str]:
        """Rebuild the register, with its site as of the build there; return the site's files."""
        log, built, files = mirrored.log, mirrored.built, []
        if built is not None and built.log.size >= here.size:
            await here.fold(built.log.size, log, self._progress)
            await here.take_rows(self._read_row)
            files = await here.build(built.as_of, self._progress)
        await here.fold(log.checkpoint.size, log, self._progress)
        await here.take_rows(self._read_row)
        return files

    async def _choose(
        self,
        here: RebuiltRegister,
        facts: StatedFacts,
        mirrored: _Mirrored,
        files: Sequence[str],
    ) -> list[Question]:
        """Return the questions that are asked: all, or of each kind a share nobody foresees."""
        replay, checkpoint = mirrored.replay, mirrored.log.checkpoint

        async def ask(path: str) -> Answer:
            answer = await here.ask(path)
            self._expected[path] = _digest(answer)
            return answer

        questions = Questions(
            ask,
            LogContents(
                versions={name: one.version for name, one in replay.last.items() if one.version},
                codes=sorted(replay.codes),
                size=checkpoint.size,
            ),
            files,
            drawn=self._random,
            languages=facts.pack.languages,
        )
        kinds: dict[str, list[Question]] = {}
        async for one in questions.all():
            if self._is_asked(one):
                kinds.setdefault(one.kind, []).append(one)
        total = sum(map(len, kinds.values()))
        share = min(1.0, _WHOLE / total) if self._share is None else self._share
        chosen: list[Question] = []
        for kind, found in kinds.items():
            number = max(math.ceil(share * len(found)), min(len(found), _LEAST))
            number = min(number, _MOST.get(kind, number))
            if number < len(found):
                self._not_covered.append(
                    f"{len(found) - number:,} of {len(found):,} {kind}, which were not asked for"
                )
            chosen += self._random.sample(found, number)
        as_of = f"entry:{checkpoint.size - 1}"
        return [one.in_form(self._random, as_of) for one in chosen]

    def _is_asked(self, one: Question) -> bool:
        if one.path.partition("?")[0].endswith(self._unasked):
            return False
        if self._without_pages and (one.path == _OF_SITE or not one.path.startswith(_NOT_PAGES)):
            return False
        return self._is_same_release or one.path.startswith(_PARSED)

    async def _ask_all(
        self, here: RebuiltRegister, questions: Sequence[Question], origin: str
    ) -> list[Question]:
        """Ask both registers; return the questions of which the answers differ."""
        left = iter(questions)
        differing: list[Question] = []
        self._differences.clear()
        done = 0

        async def ask_on() -> None:
            nonlocal done
            for one in left:
                why = await self._ask_both(here, one, origin)
                done += 1
                self._progress(done, len(questions))
                if why is not None:
                    differing.append(one)
                    agent = one.headers.get("user-agent", "registry").partition("/")[0]
                    at = one.path if one.body is None else f"{one.path} {one.body.decode()}"
                    self._differences[at] = AnswerDifference(at=at, why=f"{why} (asked as {agent})")

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(CONNECTIONS):
                    group.create_task(ask_on())
        except* RegistryError as errors:
            raise errors.exceptions[0] from None
        return differing

    async def _ask_both(self, here: RebuiltRegister, one: Question, origin: str) -> str | None:
        async with self._one_at_a_time if one.kind == "exports" else nullcontext():
            try:
                known = await self._remote.ask(one.path, one.headers, one.body)
            except Unavailable as error:
                # A row that cannot be read breaks off an answer: others come all the same.
                await self._remote.ask(f"{_LOG}/{CHECKPOINT}")
                return error.detail
            if one.is_plain and _digest(known) == self._expected.get(one.path):
                return None
            log = await here.ask(one.path, one.headers, one.body)
        return difference(one.path, known, log, origin=origin, is_parsed=not self._is_same_release)

    def _report(self, mirrored: _Mirrored) -> AuditReport:
        found, checkpoint = mirrored.log, mirrored.log.checkpoint
        cosigned = max((one.time for one in found.cosigned if one.time is not None), default=None)
        cosigned_at = None if cosigned is None else dt.datetime.fromtimestamp(cosigned, dt.UTC)
        if self._built_fault is not None:
            self._differences["/build.json"] = self._built_fault
        differences = [
            *self._not_offered,
            *self._outdated(mirrored, cosigned_at),
            *self._differences.values(),
        ]
        whole: AuditVerdict = "partly compared" if self._without_pages else "in order"
        return AuditReport(
            verdict="differs" if differences else whole,
            address=self._remote.url,
            origin=checkpoint.origin,
            size=checkpoint.size,
            root=base64_text.encode(checkpoint.root),
            signed_by=found.keys.last.to_text(),
            seed=self._seed,
            built_as_of=mirrored.built_as_of,
            last_entry_at=found.at,
            last_cosigned_at=cosigned_at,
            checked=dict(sorted(self._checked.items())),
            differences=differences[:MOST_NAMED],
            differences_total=len(differences),
            not_covered=self._not_covered + list(_NEVER_COVERED),
        )

    def _read_built(self, found: VerifiedLog) -> BuildFacts | None:
        """Return what the site was built from; None where it does not tell, or nobody asked."""
        self._built_fault = None
        if self._without_pages:
            return None
        answer = self._remote.get("/build.json")
        try:
            built = msgspec.json.decode(answer.content, type=BuildFacts)
            size, root = built.log.size, built.log.root
            if 0 < size <= found.checkpoint.size and found.root_at(size).hex() == root:
                return built
            why = f"it is of a log of {size} entries with the root {root}, which this one never had"
        except msgspec.DecodeError:
            why = "it does not say what the site was built from"
        self._built_fault = AnswerDifference(at="/build.json", why=why)
        return None

    def _read_facts(self, mirrored: _Mirrored) -> StatedFacts:
        """Read what the register says of itself, and note what is not compared for it."""
        pack, release = mirrored.replay.read_configuration(mirrored.log.checkpoint.size)
        self._is_same_release = release == __version__
        if not self._is_same_release:
            self._leave_out(
                f"pages, files, feeds and tables: release {release} made them, and this is "
                f"{__version__}; other answers were compared by their members"
            )
        elif self._without_pages:
            self._leave_out("pages, short links, feeds and other files of the site")
        elif mirrored.built is None:
            self._leave_out("pages, since /build.json does not say what they follow from")
        if mirrored.log.policy is not None:
            self._unasked += ("/witnesses",)
            self._not_covered.append("the page of witnesses: when each has signed last")
        if peers := self._items("/api/v1/peers"):
            self._unasked += ("/peers",)
            self._not_covered.append(f"how {len(peers)} registers stand that are watched")
        incidents = (_json(self._remote.get(f"{_LOG}/{INCIDENTS}")) or {}).get("incidents", ())
        if incidents:
            self._unasked += (INCIDENTS,)
            self._not_covered.append(f"{len(incidents)} incidents that the register states")
        if self._items("/api/v1/origins"):
            self._unasked += ("/source",)
            self._not_covered.append(
                "rows of other registers and when they were last there (/source), and whole texts "
                "of which records have a part"
            )
        if any(one.get("ended_at") is None for one in self._items("/api/v1/imports")):
            self._unasked += ("/api/v1/imports",)
            self._not_covered.append("imports, of which one has not ended")
        catalogue = _json(self._remote.get("/api/v1/catalogue")) or {}
        text = self._remote.get("/.well-known/security.txt").content.decode(errors="replace")
        contact = re.search(r"^Contact: (\S+)$", text, re.MULTILINE)
        guide = f"/{pack.languages[0]}/filing/{GUIDES[0]}"
        return StatedFacts(
            base_url=(catalogue.get("landing_page") or self._remote.url).rstrip("/"),
            pack=pack,
            security_contact=contact and contact[1],
            has_console=self._remote.get("/office").status != _NOT_FOUND,
            has_guides=self._remote.get(guide).status == _OK,
            reports=self._read_reports(mirrored.replay.imported),
        )

    def _leave_out(self, what: str) -> None:
        """Note what is not compared, which differs unless whoever audits asked for no pages."""
        self._not_covered.append(what)
        if not self._without_pages:
            why = f"not compared: {what}; --without-pages leaves them out"
            self._not_offered.append(AnswerDifference(at="/build.json", why=why))

    def _outdated(
        self, mirrored: _Mirrored, cosigned_at: dt.datetime | None
    ) -> Iterator[AnswerDifference]:
        """Yield what is of another day than the clock of whoever audits lets it be."""
        for at, what, day in (
            ("/build.json", "the site is", mirrored.built_as_of),
            (f"{_LOG}/{CHECKPOINT}", "a witness signed last", cosigned_at),
        ):
            if day is not None and abs(utc_now() - day) > self._max_age:
                why = f"{what} as of {day:%Y-%m-%d %H:%M} UTC, and it is {utc_now():%Y-%m-%d %H:%M}"
                yield AnswerDifference(at=at, why=why)

    def _read_reports(self, imported: Mapping[int, str]) -> dict[int, str]:
        """Return the reports of imports, by number, that have the digests which entries state."""
        found: dict[int, str] = {}
        for run, digest in imported.items():
            content = self._remote.get(f"/api/v1/imports/{run}").content
            with suppress(msgspec.DecodeError):
                report = bytes(msgspec.json.decode(content, type=_Import).report)
                if sha256(report).hexdigest() == digest:
                    found[run] = report.decode()
        if lost := len(imported) - len(found):
            self._not_covered.append(f"reports of imports: {lost} are lost, or not those stated")
        return found

    async def _read_row(self, record: str) -> KeptRow | None:
        """Return the row that a record was made from, as the register has it."""
        said = _json(await self._remote.ask(f"/api/v1/records/{record}/source"))
        if said is None:
            return None
        content, whole = (msgspec.json.encode(said[name]).decode() for name in ("row", "whole"))
        return KeptRow(content=content, whole=whole)

    def _items(self, path: str) -> Sequence[Any]:
        found: Sequence[Any] = (_json(self._remote.get(path)) or {}).get("items", ())
        return found


def _json(answer: Answer) -> Any:
    if answer.status != _OK:
        return None
    with suppress(msgspec.DecodeError, RecursionError):
        return msgspec.json.decode(answer.content)
    return None


def _digest(answer: Answer) -> bytes:
    bound = msgspec.structs.replace(answer, headers=bound_headers(answer))
    return sha256(msgspec.msgpack.encode(bound)).digest()
