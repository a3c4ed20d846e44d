"""Who may do what: one table of acts, which services and the console ask.

`docs/operating.md` shows it, and a test holds that against it. What two people decide is in
`four_eyes`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, TypeAlias

from registry.errors import Forbidden
from registry.services.people.access import OPERATOR, Actor, Scope

MemberRole: TypeAlias = Literal[
    "editor", "reviewer", "agency_admin", "data_protection", "register_admin"
]
_Filing: TypeAlias = Literal["file", "attest", "withdraw", "read_draft"]
_Deciding: TypeAlias = Literal["read_act", "take_back_act", "review", "redact"]
Permission: TypeAlias = Literal[_Filing, _Deciding, "read_audit", "read_metrics"]
Reach: TypeAlias = Literal["own", "side", "all"]
"""Of whose: the actor's own agency; the same, or of all for who has none; everybody's."""

ROLES: Mapping[MemberRole, frozenset[Scope]] = {
    "editor": frozenset({"file"}),
    "reviewer": frozenset({"review"}),
    "agency_admin": frozenset(),
    "data_protection": frozenset({"redact"}),
    "register_admin": frozenset({"admin", "redact"}),
}
"""The scopes of a member's roles."""

MANAGERS: frozenset[MemberRole] = frozenset({"agency_admin", "register_admin"})
"""The roles that manage members and tokens: of their agency, or of all."""

GIVEN_BY_AUTHORITY: frozenset[MemberRole] = frozenset({"data_protection", "register_admin"})
"""The roles that no admin of an agency gives."""

PERMISSIONS: Mapping[Permission, Mapping[Scope, Reach]] = {
    "file": {"file": "own"},
    "attest": {"file": "own"},
    "withdraw": {"file": "own", "admin": "side"},
    "read_draft": {"file": "own", "review": "side"},
    "read_act": {"file": "own", "review": "side", "admin": "side"},
    "take_back_act": {"file": "own", "admin": "side"},
    "review": {"review": "side"},
    "redact": {"redact": "side"},
    "read_audit": {"audit": "all", "admin": "all"},
    "read_metrics": {"metrics": "all", "admin": "all"},
}
"""The scopes that allow an act; with `review` drafts and acts are read that are in review."""


def scopes_of(roles: Collection[str]) -> frozenset[Scope]:
    """Return the scopes of a member's roles."""
    return frozenset(scope for role, scopes in ROLES.items() if role in roles for scope in scopes)


def manages(actor: Actor) -> bool:
    """Return whether an actor manages members and tokens, of its agency or of all."""
    return actor is OPERATOR or not MANAGERS.isdisjoint(actor.roles)


def searches_texts(actor: Actor) -> bool:
    """Return whether an actor may search texts for personal data, of its agency or of all."""
    return "data_protection" in actor.roles


def allows(actor: Actor, act: Permission, agency: str | None) -> bool:
    """Return whether an actor may do this to what is of an agency, or of none."""
    reaches = {reach for scope, reach in PERMISSIONS[act].items() if scope in actor.scopes}
    if actor.agency is None:
        return not reaches.isdisjoint({"side", "all"})
    return "all" in reaches or (bool(reaches) and actor.agency == agency)


def require_scope(actor: Actor, act: Permission) -> None:
    """Refuse, by `Forbidden`, who has no scope that allows this to anything."""
    if not actor.scopes.isdisjoint(PERMISSIONS[act]):
        return
    needed = " or ".join(PERMISSIONS[act])
    held = ", ".join(sorted(actor.roles or actor.scopes))
    whose = "your roles are" if actor.roles else "this token has the scopes"
    raise Forbidden(f"{whose} {held}; this needs the scope {needed}")


def require(actor: Actor, act: Permission, agency: str) -> None:
    """Refuse, by `Forbidden`, who may not do this to what is of an agency."""
    require_scope(actor, act)
    if not allows(actor, act, agency):
        [scope, *_] = [scope for scope in PERMISSIONS[act] if scope in actor.scopes]
        does = {"admin": "administer"}.get(scope, scope) + "s"
        raise Forbidden(f"this token {does} for {actor.agency}; it cannot {act} for {agency}")
