"""Asking witnesses to cosign the log's checkpoints (c2sp.org/tlog-witness), in rounds.

A witness may be dead, slow, or lie: it never stops a publication, and delays one by 2 seconds at
most. Whatever it answers is checked before it is kept.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import structlog

from registry.clock import utc_now
from registry.ledger.published_log import read_keys
from registry.log.files import tree_of
from registry.log.key_chain import KeyChain
from registry.log.replay import LogInconsistent
from registry.services.log.witness_client import WitnessAnswer, WitnessClient
from registry.services.log.witness_policy import can_be_asked, policy_in_force
from registry.settings import Settings
from registry.store import checkpoints, witnesses
from registry.store.checkpoints import Signed
from registry.store.database import Database
from registry.store.witnesses import WitnessState
from registry.tlog.checkpoint import stated
from registry.tlog.keys import Verifier
from registry.tlog.note import NoteRefused
from registry.tlog.policy import Policy
from registry.tlog.proof import prove_consistency
from registry.verify.consistency import TwoHistories, compare_notes, keep_evidence
from registry.verify.fsck import read_from

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
