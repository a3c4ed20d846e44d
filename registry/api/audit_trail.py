"""The audit trail, for those who watch over the register."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from registry.api.operations import answers, token
from registry.api.request import ApiState
from registry.api.writes import private
from registry.services import policy
from registry.services.operations.audit_trail import AuditLine, read_after
from registry.services.people.access import Actor
from registry.store import audit_trail
from registry.store.audit_trail import NumberedAct

MOST_ACTS = 1000


class ActList(msgspec.Struct, frozen=True, kw_only=True):
    """Acts in the order of their numbers; `next` is the `since` of what may follow, if any."""

    items: list[NumberedAct]
    next: int | None


class ChainedActList(msgspec.Struct, frozen=True, kw_only=True):
    """Acts in the order of the chain; `next` is the `after` of what may follow, if any."""

    items: list[AuditLine]
    next: int | None


@get(
    "/api/v1/audit",
    summary="Read the audit trail",
    tags=["audit"],
    security=token("read_audit"),
    responses=answers(ActList),
)
async def list_acts(
    *,
    state: ApiState,
    actor: NamedDependency[Actor],
    since: Annotated[
        int, QueryParameter(description="Acts after this number", ge=0, le=2**63 - 1)
    ] = 0,
    limit: Annotated[
        int, QueryParameter(description="Acts an answer, 1 to 1000", ge=1, le=MOST_ACTS)
    ] = 100,
    subject: Annotated[
        str | None, QueryParameter(description="Only of this record, agency or token number")
    ] = None,
) -> Response[bytes]:
    """Read who did what, and who was refused. It takes the scope `audit` or `admin`.

    Acts are numbered as they begin and seen when they are done, so one may turn up below a number
    that was read a moment before.
    """
    policy.require_scope(actor, "read_audit")
    async with state.context.database.connection() as connection:
        acts = await audit_trail.read(connection, since=since, subject=subject, limit=limit)
    answer = ActList(items=acts, next=acts[-1].id if len(acts) == limit else None)
    return private(answer)


@get(
    "/api/v1/audit/chain",
    summary="Read the audit trail with its hashes",
    tags=["audit"],
    security=token("read_audit"),
    responses=answers(ChainedActList),
)
async def list_chained_acts(
    *,
    state: ApiState,
    actor: NamedDependency[Actor],
    after: Annotated[
        int, QueryParameter(description="Acts after this position", ge=0, le=2**63 - 1)
    ] = 0,
    limit: Annotated[
        int, QueryParameter(description="Acts an answer, 1 to 1000", ge=1, le=MOST_ACTS)
    ] = 100,
) -> Response[bytes]:
    """Read the acts as they are shipped, each with its position and hash; none is left out.

    An act has its position within a second. It takes the scope `audit` or `admin`.
    """
    policy.require_scope(actor, "read_audit")
    async with state.context.database.connection() as connection:
        lines = await read_after(connection, after, limit=limit)
    answer = ChainedActList(items=lines, next=lines[-1].position if len(lines) == limit else None)
    return private(answer)
