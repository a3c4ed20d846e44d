"""The gaps of a country pack: texts that it does not have in all its languages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from registry.record.codelists import codelists
from registry.record.model import LangText
from registry.record.pack import Pack

_SHOWN = 5


def gaps(pack: Pack) -> Iterator[str]:
    """Yield the texts that a reader of one of the pack's languages meets in another one.

    Texts in a recommended language may be missing.
    """
    texts_of: dict[str, Mapping[str, LangText]] = {
        "pack.json": {
            "site_name": pack.site_name,
            "redress": pack.redress,
            "attestation": pack.attestation,
            **{f"operator/{name}": text for name, text in _operator_texts(pack)},
            **{f"laws/{name}": text for name, text in pack.laws.items()},
            **{f"duties/{name}": text for name, text in pack.duties.items()},
        },
        "agencies.csv": {agency.id: agency.name for agency in pack.agencies.values()},
    }
    for name, codelist in (*pack.lists.items(), *codelists().items()):
        texts_of[f"{name}.csv"] = {code.code: code.label for code in codelist.values()}
    texts_of |= {
        "bodies.csv, purpose": {body.code: body.purpose for body in pack.redress_bodies},
        "bodies.csv, by_when": {body.code: body.by_when for body in pack.redress_bodies},
        "bodies.csv, source": {body.code: body.source for body in pack.redress_bodies},
        "rights.csv": {right.code: right.words for right in pack.rights},
        "rights.csv, source": {right.code: right.source for right in pack.rights},
        "deadlines.csv": {one.code: one.words for one in pack.deadlines},
        "deadlines.csv, source": {one.code: one.source for one in pack.deadlines},
    }
    if not pack.redress_bodies:
        yield "bodies.csv: no body helps with decisions; number one in the column redress"
    for file, named in texts_of.items():
        for tag in pack.languages:
            missing = [name for name, text in named.items() if tag not in text]
            if missing and tag not in pack.recommended:
                names = ", ".join(missing[:_SHOWN]) + (", …" if len(missing) > _SHOWN else "")
                yield f"{file}: {len(missing)} of {len(named)} not in {tag}: {names}"


def unfinished(pack: Pack) -> Iterator[str]:
    """Yield what a register that serves the public still has to state of its operator."""
    if not pack.operator.is_reachable:
        yield f"pack.json, /operator/email: no mail arrives at {pack.operator.email}"
    for name in ("post", "legal"):
        if getattr(pack.operator, name) is None:
            yield f"pack.json, /operator/{name}: it is not stated"


def _operator_texts(pack: Pack) -> Iterator[tuple[str, LangText]]:
    for name in ("name", "post", "legal", "privacy"):
        text: LangText | None = getattr(pack.operator, name)
        if text is not None:
            yield name, text
