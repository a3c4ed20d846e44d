"""Who acts: actors with their scopes."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import msgspec

from registry.text.text_safety import skeleton

_OPERATOR = "operator"

Scope: TypeAlias = Literal["file", "review", "redact", "admin", "metrics", "audit"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts: a role, bound to an agency unless it is the authority's.

    `token` is None for the operator at the command line, and for a `member` who is signed in to the
    console, whose `roles` are given. A token that a member made acts for that member. `request` is
    the id of the request, which the audit trail, the logs and every problem name alike.
    """

    name: str
    agency: str | None
    scopes: frozenset[str]
    token: int | None
    request: str = ""
    member: int | None = None
    roles: frozenset[str] = frozenset()

    @property
    def person(self) -> str:
        """Who this is for four eyes: one person, however many tokens, sessions and roles.

        Whoever has the command line is one, whatever name is given there.
        """
        if self.member is not None:
            return f"member {self.member}"
        return _OPERATOR if self.token is None else person_of(self.name)


def person_of(actor: str) -> str:
    """Return the person of an actor of whom no member is known: each name is one, as it looks."""
    return "actor " + "".join(filter(str.isalnum, skeleton(actor)))


OPERATOR = Actor(name=_OPERATOR, agency=None, scopes=frozenset(), token=None)
"""Who makes and revokes tokens: whoever has the command line of the register."""
