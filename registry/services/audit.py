"""The audit trail: a write notes itself in its own transaction, a refusal in one for the note.

So nothing is written without a note of who wrote it, and a refusal leaves nothing but its note.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal, TypeAlias

from registry.services.access import Actor
from registry.store import audit
from registry.store.audit import Act
from registry.store.database import Connection, Database, retried

Action: TypeAlias = Literal[
    "save_draft",
    "delete_draft",
    "submit",
    "take_back",
    "approve",
    "return",
    "make_preview_link",
    "end_preview_link",
    "publish",
    "withdraw",
    "attest",
    "request_withdrawal",
    "request_attestation",
    "approve_act",
    "return_act",
    "delete_act",
    "request_redaction",
    "confirm_redaction",
    "delete_redaction",
    "invite_member",
    "link_member",
    "change_roles",
    "confirm_member",
    "end_member",
    "sign_in",
    "sign_out",
    "create_token",
    "revoke_token",
    "read_draft",
    "list_drafts",
    "list_redactions",
    "read_act",
    "list_acts",
    "file_many",
    "read_audit",
    "read_metrics",
    "discard_entries",
    "rewrite_rows",
    "rotate_key",
    "add_agency",
]
"""What can be done or refused. Reading is noted only where it was refused."""

DONE = "done"


def done(
    actor: Actor, action: Action, subject: str, *, before: str | None, now: dt.datetime
) -> Act:
    """Return the note of a write that is done."""
    return Act(
        at=now,
        request=actor.request,
        actor=actor.name,
        token=actor.token,
        action=action,
        subject=subject,
        before=before,
        result=DONE,
        member=actor.member,
    )


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
    await audit.insert(connection, done(actor, action, subject, before=before, now=now))


@retried
async def note_refusal(
    database: Database,
    actor: Actor | None,
    action: Action,
    subject: str | None,
    *,
    request: str,
    result: str,
    now: dt.datetime,
) -> None:
    """Note that somebody was refused; `result` is the slug of the refusal."""
    async with database.transaction() as connection:
        await audit.insert(
            connection,
            Act(
                at=now,
                request=request,
                actor=None if actor is None else actor.name,
                token=None if actor is None else actor.token,
                action=action,
                subject=subject,
                before=None,
                result=result,
                member=None if actor is None else actor.member,
            ),
        )
