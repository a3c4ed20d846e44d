"""Asking witnesses to cosign the log's checkpoints (c2sp.org/tlog-witness), in rounds."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

import httpx
import msgspec
import structlog

from registry.clock import utc_now
from registry.http_client import HttpAnswer, exchange
from registry.ledger.published_log import read_keys
from registry.log.files import tree_of
from registry.log.key_chain import KeyChain
from registry.log.replay import LogInconsistent
from registry.services.log.witness_policy import can_be_asked, policy_in_force
from registry.settings import Settings
from registry.store import checkpoints
from registry.store import checkpoints as witnesses
from registry.store.checkpoints import Cosignature, Signed, WitnessState
from registry.store.database import Database
from registry.tlog import base64_text
from registry.tlog.checkpoint import stated
from registry.tlog.keys import Verifier
from registry.tlog.note import NoteRefused, open_note, parse_note
from registry.tlog.policy import Policy
from registry.tlog.proof import prove_consistency
from registry.verify.consistency import TwoHistories, compare_notes, keep_evidence
from registry.verify.fsck import read_from

Prove: TypeAlias = Callable[[int], Awaitable[list[bytes]]]
"""Makes the proof that the log goes on from an earlier size."""

_SECONDS = 5.0
_LARGEST = 64 << 10
_MOST_LINES = 16
_AHEAD = dt.timedelta(minutes=5)
"""By how much a witness's clock may be ahead of ours."""
_OK, _CONFLICT, _UNPROCESSABLE = 200, 409, 422
_SIZE_TYPE = "text/x.tlog.size"
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,18})\n?")
_MEANINGS = {
    _OK: "cosigned",
    400: "finds the request malformed (400)",
    403: "does not know the key of this log (403)",
    404: "does not know this log (404)",
    429: "is asked too often (429)",
}


class WitnessAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a witness has answered: `said` in words, and the lines of a success.

    `old` is the size that it had cosigned, as it says itself where that was another than
    supposed. `alarm` says why the answer is one that a witness gives to a log of two histories;
    `size` is the larger one that it claims to have seen then, if it names one.
    """

    said: str
    content: bytes = b""
    is_success: bool = False
    old: int | None = None
    alarm: str | None = None
    size: int | None = None

    def cosignatures(
        self, note: bytes, verifiers: Iterable[Verifier], *, now: dt.datetime
    ) -> list[Cosignature]:
        """Return the lines that hold for a checkpoint, by any of the keys; others are dropped."""
        if not self.is_success:
            return []
        known, found = list(verifiers), []
        text = parse_note(note).text.encode()
        for line in self.content.split(b"\n")[:_MOST_LINES]:
            try:
                whole = text + b"\n" + line + b"\n"
                [opened] = open_note(whole, known).verified
            except NoteRefused:
                continue
            time = opened.time or 0
            if time <= (now + _AHEAD).timestamp():
                [signature] = parse_note(whole).signatures
                found.append(
                    Cosignature(
                        verifier=opened.verifier.to_text(), time=time, line=signature.to_line()
                    )
                )
        return found


class WitnessClient:
    """Asks witnesses: within 5 seconds, without redirects, and reads no more than 64 KiB."""

    def __init__(self) -> None:
        """Open no connection yet."""
        self._http: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """Close the connections that are kept open."""
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def add_checkpoint(
        self, url: str, note: bytes, *, old: int, prove: Prove
    ) -> WitnessAnswer:
        """Ask for cosignatures, from the size that the witness is supposed to have.

        It may say another one, up to the checkpoint's: then it is asked once more, from there.
        """
        size = stated(note).size
        try:
            async with asyncio.timeout(_SECONDS):
                answer = await self._add(url, note, size, old, prove)
                if answer.old is not None and answer.old != old:
                    answer = await self._add(url, note, size, answer.old, prove)
                return answer
        except (TimeoutError, httpx.TimeoutException):
            return WitnessAnswer(said=f"no answer within {_SECONDS:.0f} seconds")
        except (httpx.HTTPError, OSError) as error:
            return WitnessAnswer(said=f"cannot be asked: {type(error).__name__} {error}".strip())

    async def read_checkpoint(self, url: str, origin: str) -> bytes | None:
        """Return the checkpoint of a log that a witness shows; None where it shows none."""
        try:
            async with asyncio.timeout(_SECONDS):
                answer = await self._send("GET", checkpoint_address(url, origin), b"")
        except (TimeoutError, httpx.HTTPError, OSError):
            return None
        return answer.content if answer.status == _OK else None

    async def _add(self, url: str, note: bytes, size: int, old: int, prove: Prove) -> WitnessAnswer:
        proof = [base64_text.encode(one) for one in await prove(old)]
        body = "\n".join([f"old {old}", *proof, "", ""]).encode() + note
        answer = await self._send("POST", f"{url}/add-checkpoint", body)
        status = answer.status
        if status == _CONFLICT:
            return _conflict(size, old, answer)
        if status == _UNPROCESSABLE:
            why = f"finds that the checkpoint does not go on from the {old:,} entries it has seen"
            return WitnessAnswer(said=f"{why} (422)", alarm=f"{why} (422)")
        return WitnessAnswer(
            said=_MEANINGS.get(status, f"answers {status}"),
            is_success=status == _OK,
            content=answer.content if status == _OK else b"",
        )

    async def _send(self, method: str, url: str, body: bytes) -> HttpAnswer:
        if self._http is None:
            self._http = httpx.AsyncClient(
                timeout=_SECONDS,
                follow_redirects=False,
                # Plain http is for this machine alone, whatever proxy the others are behind.
                mounts={"http://": httpx.AsyncHTTPTransport()},
            )
        return await exchange(
            self._http, method, url, seconds=_SECONDS, most=_LARGEST, content=body
        )


def checkpoint_address(url: str, origin: str) -> str:
    """Return where a witness shows the newest checkpoint of a log that it has cosigned."""
    return f"{url.rstrip('/')}/{sha256(origin.encode()).hexdigest()}/checkpoint"


def _conflict(size: int, old: int, answer: HttpAnswer) -> WitnessAnswer:
    """Return what it means that a witness has another size than was supposed."""
    kind = answer.headers.get("content-type", "").split(";")[0].strip().lower()
    match = _SIZE.fullmatch(answer.content) if kind == _SIZE_TYPE else None
    if match is None:
        why = f"has another checkpoint of {old:,} entries, and does not name it (409)"
        return WitnessAnswer(said=why, alarm=why)
    theirs = int(match[1])
    if theirs > size:
        why = f"has seen {theirs:,} entries of this log, which has {size:,} (409)"
        return WitnessAnswer(said=why, alarm=why, size=theirs)
    return WitnessAnswer(said=f"has seen {theirs:,} entries (409)", old=theirs)


_APART = dt.timedelta(seconds=10)
"""Between two requests to one address, whatever is new."""
_AGAIN = dt.timedelta(minutes=5)
"""After which an address that has not cosigned the newest checkpoint is asked for it again."""
_FRESH = dt.timedelta(hours=12)
"""After which the newest checkpoint is cosigned again, while the log is quiet."""
_LOOK_APART = dt.timedelta(seconds=2)
_WAIT_SECONDS = 2.0

_log = structlog.get_logger()


class WitnessRounds:
    """Asks the witnesses of the policy in force, each address once a round and all at once."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        clock: Callable[[], dt.datetime] = utc_now,
        client: WitnessClient | None = None,
    ) -> None:
        """Take the register; nobody is asked before there is a policy with addresses."""
        self._database = database
        self._settings = settings
        self._clock = clock
        self._client = client or WitnessClient()
        self._under_way: set[asyncio.Task[Sequence[Verifier]]] = set()
        self._looks_at: dt.datetime | None = None

    async def cosign(self, signed: Signed) -> None:
        """Ask for a checkpoint that is about to be published, and wait a little for the quorum."""
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await self._wait_for_quorum(signed)
        except TimeoutError:
            pass
        except Exception:  # noqa: BLE001  nothing about witnesses may keep a publication back
            _log.exception("witnesses could not be asked")

    async def go_on(self) -> None:
        """Ask who has not cosigned the newest checkpoint, or so long ago that it proves little."""
        now = self._clock()
        if self._looks_at is not None and now < self._looks_at:
            return
        self._looks_at = now + _LOOK_APART
        async with self._database.connection() as connection:
            last = await checkpoints.read_last(connection)
            policy = await policy_in_force(connection)
            states = await witnesses.read_states(connection)
            if last is None or policy is None:
                return
            cosigned = await witnesses.read_cosignatures(connection, last.size)
        have = {one.verifier for one in cosigned}
        due = {
            url: verifiers
            for url, verifiers in _by_address(policy).items()
            if _is_due(
                next((one for one in states if one.url == url), None),
                last.size,
                is_cosigned=any(one.to_text() in have for one in verifiers),
                now=now,
            )
        }
        self._begin(last, due)

    async def finish(self) -> None:
        """Wait for the answers of those that were asked; none takes longer than its time limit."""
        while self._under_way:
            await asyncio.wait(self._under_way)
        await self._client.close()

    async def _wait_for_quorum(self, signed: Signed) -> None:
        async with self._database.connection() as connection:
            policy = await policy_in_force(connection)
        if policy is None:
            return
        asked = self._begin(signed, _by_address(policy))
        own = [one.verifier for one in policy.logs]
        cosigned: list[Verifier] = []
        while asked and not policy.is_satisfied([*own, *cosigned]):
            done, asked = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            cosigned += [verifier for task in done for verifier in task.result()]

    def _begin(
        self, signed: Signed, by_address: dict[str, list[Verifier]]
    ) -> set[asyncio.Task[Sequence[Verifier]]]:
        tasks = {
            asyncio.create_task(self._ask(signed, url, verifiers))
            for url, verifiers in by_address.items()
        }
        self._under_way |= tasks
        for task in tasks:
            task.add_done_callback(self._under_way.discard)
        return tasks

    async def _ask(
        self, signed: Signed, url: str, verifiers: Collection[Verifier]
    ) -> Sequence[Verifier]:
        """Ask one address if it is its turn; return the keys of the lines that were kept."""
        try:
            now = self._clock()
            async with self._database.connection() as connection:
                state = await witnesses.claim(connection, url, signed.size, now=now, apart=_APART)
            if state is None:
                return []

            async def prove(old: int) -> list[bytes]:
                return await asyncio.to_thread(_prove, self._settings.log_dir, old, signed.size)

            answer = await self._client.add_checkpoint(
                url, signed.note, old=min(state.size, signed.size), prove=prove
            )
            return await self._keep(signed, state, answer, verifiers)
        except Exception:  # noqa: BLE001  one witness is no reason to lose the others
            _log.exception("a witness could not be asked", witness=url)
            return []

    async def _keep(
        self,
        signed: Signed,
        state: WitnessState,
        answer: WitnessAnswer,
        verifiers: Collection[Verifier],
    ) -> Sequence[Verifier]:
        now = self._clock()
        lines = answer.cosignatures(signed.note, verifiers, now=now)
        said = answer.said if lines or not answer.is_success else "no signature of its key holds"
        async with self._database.transaction() as connection:
            alarm = answer.alarm
            last = await checkpoints.read_last(connection)
            if answer.size is not None and last is not None and answer.size <= last.size:
                # Another process of this register has asked for a newer checkpoint meanwhile.
                alarm = None
            for one in lines:
                await witnesses.keep_cosignature(connection, signed.size, one, now=now)
            await witnesses.keep_answer(
                connection,
                state.url,
                size=signed.size if lines else answer.old,
                answer=said,
                alarm=alarm,
            )
        if alarm is not None:
            _log.error("a witness refuses the log", witness=state.url, why=alarm)
            if state.alarm is None:
                await self._keep_evidence(signed, state.url, alarm)
        by_text = {one.to_text(): one for one in verifiers}
        return [by_text[one.verifier] for one in lines]

    async def _keep_evidence(self, signed: Signed, url: str, why: str) -> None:
        """Keep our checkpoint and the one that the witness shows, once until it cosigns again."""
        said = stated(signed.note)
        async with self._database.connection() as connection:
            keys = await read_keys(connection)
        theirs = await self._client.read_checkpoint(url, said.origin)
        kept = await asyncio.to_thread(
            _write_evidence,
            self._settings,
            keys,
            [signed.note] if theirs is None else [theirs, signed.note],
            f"{url}: {why}",
            self._clock(),
        )
        _log.error("evidence kept", place=str(kept))


def _by_address(policy: Policy) -> dict[str, list[Verifier]]:
    """Return the keys that sign at each address; a witness may have two kinds."""
    found: dict[str, list[Verifier]] = {}
    for one in policy.witnesses:
        if one.url is not None and can_be_asked(one.url):
            found.setdefault(one.url.rstrip("/"), []).append(one.verifier)
    return found


def _is_due(state: WitnessState | None, size: int, *, is_cosigned: bool, now: dt.datetime) -> bool:
    if state is None:
        return True
    wait = _FRESH if is_cosigned else _AGAIN if state.asked >= size else _APART
    return now >= state.asked_at + wait


def _prove(folder: Path, old: int, size: int) -> list[bytes]:
    return prove_consistency(tree_of(folder, size), old, size) if old else []


def _write_evidence(
    settings: Settings, keys: KeyChain, notes: Sequence[bytes], why: str, now: dt.datetime
) -> Path:
    """Write both notes; with the proof, where they show two histories by themselves."""
    proof, kind = None, "witness"
    try:
        compare_notes(notes[0], notes[-1], keys.verifiers, read_from(settings.log_dir))
    except TwoHistories as found:
        notes, proof, kind, why = found.notes, found.proof, found.kind, f"{why}; {found.why}"
    except (NoteRefused, LogInconsistent):
        pass
    return keep_evidence(
        settings.data_dir / "evidence",
        origin=keys.origin,
        kind=kind,
        notes=notes,
        proof=proof,
        why=why,
        now=now,
    )
