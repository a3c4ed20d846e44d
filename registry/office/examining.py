"""Examining: a document by its own rules and beside what is published already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from registry.office.register_rules import RULES, Entrance, may_be_disguised
from registry.record.canonical import canonical
from registry.record.ids import split_id
from registry.record.validate import Verdict, validate, with_remarks
from registry.store import records

if TYPE_CHECKING:
    import datetime as dt

    from registry.record.model import Document
    from registry.record.pack import Pack
    from registry.store.database import Connection


async def examine(
    connection: Connection,
    pack: Pack,
    document: Document,
    *,
    now: dt.datetime,
    language: str = "en",
) -> Verdict:
    """Say whether a document could be published now, and everything that is noticed.

    One that is in force as it stands has nothing to explain, and is not mistaken for another.
    """
    verdict = validate(
        document, profile="publication", pack=pack, today=now.date(), language=language
    )
    record = str(document["id"])
    latest = await records.latest_documents(connection, [record])
    if latest.get(record) == canonical(document):
        return verdict
    agency = None if may_be_disguised(document) else split_id(record)[0]
    entrance = Entrance(
        document=document,
        pack=pack,
        version=await records.last_version(connection, record) + 1,
        others=await records.read_namesakes(connection, record, agency=agency),
    )
    remarks = [remark for rule in RULES.values() for remark in rule(entrance)]
    return with_remarks(verdict, remarks, pack, language)
