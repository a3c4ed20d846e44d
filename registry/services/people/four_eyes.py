"""Four eyes: who may decide on what somebody else asked for.

| `REGISTRY_REVIEW` | below high risk       | high and unacceptable risk |
|-------------------|-----------------------|----------------------------|
| `none`            | nothing waits         | nothing waits              |
| `required`        | another               | another, of the authority  |
| `authority`       | another, of the authority | another, of the authority |

The risk is the highest of what is asked for and of what stood before. Members are one person where
one has let the other in, or the same member of an agency has let both in, however many are between
them; the register has nobody but that member to vouch that they are two.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, TypeAlias

from registry.errors import Forbidden
from registry.log.entry import ApprovedBy
from registry.services import policy
from registry.services.context import Review
from registry.services.people.access import OPERATOR, Actor, person_of
from registry.store import members
from registry.store.database import Connection
from registry.store.drafts import Draft

ReviewRefusal: TypeAlias = Literal["oneself", "one_person", "authority"]
"""Why somebody may not decide: she asked for it, is one with who did, or is of an agency."""

_OF_AUTHORITY = {"high", "unacceptable"}


async def find_refusal(
    connection: Connection,
    actor: Actor,
    *,
    asked_by: str,
    review: Review = "none",
    risks: Collection[str | None] = (),
) -> ReviewRefusal | None:
    """Return why an actor may not decide on what the person `asked_by` asked for; None if she may.

    `risks` are the levels that it is about, before and after.
    """
    if actor.person == asked_by:
        return "oneself"
    takes_authority = review == "authority" or not _OF_AUTHORITY.isdisjoint(risks)
    if takes_authority and actor.agency is not None:
        return "authority"
    other = _member(asked_by)
    if other is None or actor.member is None:
        return None
    return "one_person" if await members.are_one(connection, actor.member, other) else None


async def require_second(
    connection: Connection,
    actor: Actor,
    *,
    asked_by: str,
    did: str,
    decision: str,
    review: Review = "none",
    risks: Collection[str | None] = (),
) -> None:
    """Refuse, by `Forbidden` with what to do, whoever may not decide on what another asked for.

    `did` is such as "submitted this draft", `decision` the participle, such as "approved".
    """
    refusal = await find_refusal(connection, actor, asked_by=asked_by, review=review, risks=risks)
    if refusal is not None:
        raise _refused(refusal, actor, did, decision)


def require_redactor(actor: Actor) -> None:
    """Refuse who may not redact, and who is neither a member nor the holder of a token."""
    policy.require_scope(actor, "redact")
    if actor.member is None and actor.token is None:
        raise Forbidden("a redaction takes two members or tokens: bring a token (--token-file)")


def _refused(refusal: ReviewRefusal, actor: Actor, did: str, decision: str) -> Forbidden:
    """Return the error for a refusal, which says who may decide instead."""
    if refusal == "authority":
        return Forbidden(
            f"{actor.name} is of an agency and does not decide on this: it is {decision} by the "
            "authority, by a reviewer without an agency, as everything at high risk is"
        )
    if refusal == "one_person":
        return Forbidden(
            f"you and who {did} are one person for four eyes: one of you let the other in by an "
            "invitation, a role or a link, or the same colleague let in both. Ask the authority: "
            "once its admin has confirmed one of you as a person of her own (registry member "
            f"confirm NUMBER, or the member's page in the console), it can be {decision}"
        )
    sentence = (
        f"{actor.name} {did}, and one person does not decide as well: it takes four eyes, and is "
        f"{decision} by another actor"
    )
    if actor.person == OPERATOR.person:
        sentence += (
            ". Whatever is done at the command line without a token is one person's, whatever "
            "--actor says: one of the two brings a token (--token-file)"
        )
    return Forbidden(sentence)


def submitting_person(draft: Draft) -> str:
    """Return who submitted a draft, as a person for four eyes."""
    return draft.submitted_person or person_of(draft.submitted_by or "")


def side_of(actor: Actor) -> ApprovedBy:
    """Return for whom an actor approves, as the log says it."""
    return "authority" if actor.agency is None else "agency"


def _member(person: str) -> int | None:
    kind, _, number = person.partition(" ")
    return int(number) if kind == "member" else None
