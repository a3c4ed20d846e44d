"""Reading withdrawals and attestations that take two: whose they are, and who may do what."""

from __future__ import annotations

import datetime as dt

import msgspec

from registry.errors import NotFound
from registry.record.model import LangText
from registry.services.access import Actor
from registry.services.context import ServiceContext
from registry.store import attestations, pending_acts, records
from registry.store.pending_acts import ActKind, ActState, PendingAct

_LARGEST = 2**63


async def list_acts(
    context: ServiceContext, actor: Actor, *, state: ActState | None = None
) -> list[PendingAct]:
    """List the acts about an agency, newest first, or, for a reviewer, those in review."""
    _require_reader(actor)
    own = _is_filer(actor)
    if not own and state not in {None, "in_review"}:
        return []
    async with context.database.connection() as connection:
        return await pending_acts.read_all(
            connection, actor.agency, state=state if own else "in_review"
        )


async def list_named(
    context: ServiceContext, actor: Actor
) -> list[tuple[PendingAct, LangText | None]]:
    """List the acts that the actor may read, newest first, with the names of their records."""
    found = await list_acts(context, actor)
    subjects = [act.subject for act in found if act.kind == "withdrawal"]
    async with context.database.connection() as connection:
        current = await records.read_current(connection, subjects)
    names = {
        record: msgspec.json.decode(one.document).get("name") for record, one in current.items()
    }
    return [(act, names.get(act.subject)) for act in found]


async def read_act(context: ServiceContext, actor: Actor, number: int) -> PendingAct:
    """Read an act about one's own agency, or one that waits for the actor or was decided by her."""
    _require_reader(actor)
    async with context.database.connection() as connection:
        act = await pending_acts.read(connection, number)
    if act is None or not (
        is_own_act(actor, act)
        or (
            actor.reviews_for(act.agency)
            and (act.state == "in_review" or act.decided_person == actor.person)
        )
    ):
        raise act_not_found(number)
    return act


class ReadAct(msgspec.Struct, frozen=True, kw_only=True):
    """An act as its page shows it, and what whoever reads it may do with it.

    `name` is that of the record. `in_use` counts the agency's records in use on an attestation's
    day. `is_overtaken` means that what it follows has changed, so that it cannot be approved.
    `is_own_request` means that the reader asked for it and another person decides.
    """

    act: PendingAct
    name: LangText | None = None
    in_use: int | None = None
    is_overtaken: bool = False
    is_own_request: bool = False
    may_decide: bool = False
    may_take_back: bool = False


async def read_for_decision(context: ServiceContext, actor: Actor, number: int) -> ReadAct:
    """Read an act with what has become of its subject, and what the actor may do with it."""
    act = await read_act(context, actor, number)
    name, in_use, base = None, None, act.base
    async with context.database.connection() as connection:
        if act.kind == "withdrawal":
            current = (await records.read_current(connection, [act.subject])).get(act.subject)
            if current is not None:
                name = msgspec.json.decode(current.document).get("name")
                base = None if current.state == "withdrawn" else current.leaf
        else:
            history = await attestations.read_history(connection, act.subject)
            last = max(history, key=lambda one: one.entry, default=None)
            base = None if last is None else bytes.fromhex(last.hash)
            if act.statement is not None:
                day = dt.date.fromisoformat(msgspec.json.decode(act.statement)["day"])
                in_use = await attestations.count_in_use(connection, act.subject, day)
    waits, is_own = act.state == "in_review", act.requested_person == actor.person
    reviews = waits and actor.reviews_for(act.agency)
    return ReadAct(
        act=act,
        name=name,
        in_use=in_use,
        is_overtaken=waits and base != act.base,
        is_own_request=reviews and is_own,
        may_decide=reviews and not is_own,
        may_take_back=act.state != "approved"
        and is_own_act(actor, act)
        and act.requested_agency == actor.agency,
    )


async def find_waiting(
    context: ServiceContext, actor: Actor, agency: str, kind: ActKind, subject: str
) -> PendingAct | None:
    """Return the act of a kind that waits for a subject.

    Raises `NotFound` where the actor may not ask for one, whether there is such a subject or not.
    """
    if not may_request(actor, agency):
        raise NotFound(f"there is no {subject} that you may change")
    async with context.database.connection() as connection:
        return await pending_acts.read_waiting(connection, kind, subject)


def may_request(actor: Actor, agency: str) -> bool:
    """Return whether the actor may ask for withdrawals and attestations of an agency."""
    return _is_filer(actor) and actor.agency in {None, agency}


def number_of(given: int) -> int:
    """Return the number of an act as the database can compare it; 0 is none."""
    return given if 0 < given < _LARGEST else 0


def act_not_found(number: int) -> NotFound:
    """Return the error for an act that is not there, or that the actor may not know of."""
    return NotFound(f"there is no act {number} that you may read")


def _is_filer(actor: Actor) -> bool:
    """Return whether the actor may ask for acts: for its agency, or as administrator for all."""
    return "admin" in actor.scopes or ("file" in actor.scopes and actor.agency is not None)


def is_own_act(actor: Actor, act: PendingAct) -> bool:
    """Return whether an act is about what the actor may ask for."""
    return may_request(actor, act.agency)


def _require_reader(actor: Actor) -> None:
    if not {"review", "admin"} & actor.scopes:
        actor.require("file")
