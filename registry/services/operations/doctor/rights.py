"""What the role of `registry serve` may do, beside what `deploy/database` gives it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection

from registry.resources import GRANTS
from registry.services.operations.doctor.checks import Check, Installation, judged, unseen
from registry.store.diagnosis import read_rights

_COMMENT = re.compile(r"--.*")
_STATEMENT = re.compile(r"^(grant|revoke)\s([^;]+?)\son\s([^;]+?)\s(?:to|from)\s\w+;", re.MULTILINE)
_COLUMN = re.compile(r" \(.*\)")
_SHOWN = 5


async def check_rights(looked: Installation) -> AsyncIterator[Check]:
    """Check whether the role that serves may do what the files give, no more and no less."""
    read = await read_rights(looked.connection)
    if not any(rights for _, _, rights in read):
        yield unseen("rights", "no role here serves but the owner of the tables")
        return
    role, tables = read[0][0], [table for _, table, _ in read]
    held = {f"{right} on {table}" for _, table, rights in read for right in rights}
    most = "".join((GRANTS / f"grants{name}.sql").read_text("utf-8") for name in ("", "-console"))
    least = (GRANTS / "grants.sql").read_text("utf-8")
    more = held - granted(most, tables)
    less = {r for r in granted(least, tables) - held if _COLUMN.sub("", r) not in held}
    named = sorted(more or less)
    seen = ", ".join(named[:_SHOWN]) + f" and {len(named) - _SHOWN} more" * (len(named) > _SHOWN)
    wrong = f"{'may do more than it needs' if more else 'lacks'}: {seen}"
    yield judged(
        "rights",
        f"role {role} {wrong if named else 'may do what grants.sql gives it, and no more'}",
        "Run deploy/database/grants.sql again, as the owner of the tables.",
        is_wrong=bool(named),
    )


def granted(script: str, tables: Collection[str]) -> set[str]:
    """Return the rights on tables that a script leaves, `update (size) on log_state` for one."""
    rights: set[str] = set()
    for verb, what, where in _STATEMENT.findall(_COMMENT.sub("", script)):
        if where.startswith("schema"):
            continue
        on = tables if where.startswith("all tables") else re.split(r",\s*", where.strip())
        for privilege in re.split(r",\s*(?![^(]*\))", what):
            kind, _, columns = privilege.partition(" (")
            kinds = [f" ({one})" for one in columns.rstrip(")").split(", ")] if columns else [""]
            named = {f"{kind}{one} on {table}" for one in kinds for table in on}
            rights = rights | named if verb == "grant" else rights - named
    return rights
