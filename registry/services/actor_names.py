"""The names of actors: as programs have them in log and audit trail, each of one program."""

from __future__ import annotations

from unicodedata import normalize

from registry.errors import InvalidParameter
from registry.services.access import OPERATOR, person_of
from registry.store import agencies, tokens
from registry.store.database import Connection
from registry.text.confusables import is_confusable
from registry.text.text_safety import first_problem

AUTHORITY = "authority"
"""The name of the authority's actors that have no other."""

_LONGEST_ACTOR = 60


def tidied(actor: str) -> str:
    """Return the name of an actor with single blanks; raises `InvalidParameter` for look-alikes."""
    name = " ".join(normalize("NFC", actor).split())
    if not 0 < len(name) <= _LONGEST_ACTOR or not name.isprintable() or first_problem(name):
        raise InvalidParameter(f"actor: give 1 to {_LONGEST_ACTOR} characters on one line")
    if is_confusable(name) or person_of(name) == person_of(""):
        raise InvalidParameter(f"actor: {name} has letters that look like others, or none at all")
    return name


async def require_distinct(connection: Connection, name: str, own: str) -> None:
    """Raise `InvalidParameter` where a name reads like that of somebody else; `own` is nobody's."""
    bodies = [one.agency.id for one in await agencies.read_all(connection)]
    for other in (AUTHORITY, OPERATOR.name, *bodies):
        if name != own and person_of(other) == person_of(name):
            raise InvalidParameter(f"actor: {name} is, or reads like, the name of {other}")
    for other in await tokens.read_actors(connection):
        if other != name and person_of(other) == person_of(name):
            raise InvalidParameter(
                f"actor: {name} reads like {other}, whose tokens there are; write it as these "
                "have it, or take another name"
            )
