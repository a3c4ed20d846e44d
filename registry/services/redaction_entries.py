"""The entry of a redaction, made of its request."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from registry.ledger.entries import StatedEntry
from registry.log.disclosure_tree import Section, commitments, seal
from registry.log.entry import PeerEntry, Previous, RedactionEntry
from registry.log.erasure import REPLACED
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
    confirmed_person: str | None = None,
    prev: Previous | None,
    sections: Sequence[Section],
    source: PeerEntry | None = None,
) -> StatedEntry:
    """Return the entry of the request of a number; `source` is the redaction that it follows."""
    entry = RedactionEntry(
        actor=asked.requested_by,
        confirmed_by=confirmed_by,
        id=asked.record,
        agency=asked.agency if asked.record is None else None,
        versions=list(asked.versions),
        entries=list(asked.entries),
        pointers=sorted(asked.pointers),
        basis=asked.basis,
        prev=prev,
        sections=commitments(sections),
        source=source,
    )
    return StatedEntry(
        entry=entry, sections=sections, request=number, confirmed_person=confirmed_person
    )
