"""The audit trail: a write notes itself in its own transaction, a refusal in one for the note.

So nothing is written without a note of who wrote it, and a refusal leaves nothing but its note.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from registry.store import audit
from registry.store.audit import Act

if TYPE_CHECKING:
    import datetime as dt

    from registry.office.access import Actor
    from registry.store.database import Connection

Action: TypeAlias = Literal[
    "save_draft",
    "delete_draft",
    "submit",
    "approve",
    "return",
    "publish",
    "withdraw",
    "attest",
    "create_token",
    "revoke_token",
]

DONE = "done"


async def note(
    connection: Connection,
    actor: Actor,
    action: Action,
    subject: str,
    *,
    before: str | None,
    now: dt.datetime,
) -> None:
    """Note a write in the trail, inside the transaction that writes."""
    await audit.insert(
        connection,
        Act(
            at=now,
            request=actor.request,
            actor=actor.name,
            token=actor.token,
            action=action,
            subject=subject,
            before=before,
            result=DONE,
        ),
    )
