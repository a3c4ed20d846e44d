"""The audit trail, for those who watch over the register."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from registry.api import parameters
from registry.api.write_options import private
from registry.services.access import Actor
from registry.store import audit
from registry.store.audit import NumberedAct
from registry.store.database import Database

MOST_ACTS = 1000


class ActList(msgspec.Struct, frozen=True, kw_only=True):
    """Acts in the order of their numbers; `next` is the `since` of what may follow, if any."""

    items: list[NumberedAct]
    next: int | None


@get("/api/v1/audit", summary="Read the audit trail", tags=["audit"])
async def list_acts(
    *,
    request: Request[object, object, State],
    database: NamedDependency[Database],
    actor: NamedDependency[Actor],
    since: Annotated[int, QueryParameter(description="Acts after this number")] = 0,
    limit: Annotated[int, QueryParameter(description="Acts an answer, 1 to 1000")] = 100,
    subject: Annotated[
        str | None, QueryParameter(description="Only of this record, agency or token number")
    ] = None,
) -> Response[bytes]:
    """Read who did what, and who was refused. It takes the scope `admin`.

    Acts are numbered as they begin and seen when they are done, so one may turn up below a number
    that was read a moment before.
    """
    actor.require("admin")
    parameters.once(request, "since", "limit", "subject")
    parameters.within("since", since, 0, 2**63 - 1)
    parameters.within("limit", limit, 1, MOST_ACTS)
    async with database.connection() as connection:
        acts = await audit.read(connection, since=since, subject=subject, limit=limit)
    answer = ActList(items=acts, next=acts[-1].id if len(acts) == limit else None)
    return private(msgspec.json.encode(answer))
