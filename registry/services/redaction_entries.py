"""The entry of a redaction, made of its request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from registry.ledger.entries import RedactionEntry
from registry.record.entry import Previous
from registry.record.erasure import REPLACED
from registry.record.sections import Section, seal
from registry.store.redactions import Redaction


def seal_decision(asked: Redaction, random: Callable[[int], bytes]) -> list[Section]:
    """Return what the entry commits to: who decided it, by what, and what is shown instead."""
    decided = {
        "authority": asked.authority,
        "reference": asked.reference,
        REPLACED: asked.replaced,
    }
    return seal({key: value for key, value in decided.items() if value}, random)


def redaction_entry_of(
    asked: Redaction,
    number: int,
    *,
    confirmed_by: str,
    previous: Previous | None,
    sections: Sequence[Section],
    **more: Any,
) -> RedactionEntry:
    """Return the entry of the request of a number; `more` are members that not every one has."""
    return RedactionEntry(
        actor=asked.requested_by,
        redaction=number,
        confirmed_by=confirmed_by,
        id=asked.record,
        agency=asked.agency,
        versions=asked.versions,
        entries=asked.entries,
        pointers=asked.pointers,
        basis=asked.basis,
        previous=previous,
        sections=sections,
        **more,
    )
