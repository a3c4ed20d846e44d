"""Examining: a document by its own rules and beside what is published already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from registry.office.register_rules import RULES, Entrance, may_be_disguised
from registry.record.canonical import canonical
from registry.record.ids import split_id
from registry.record.validate import Verdict, validate, with_remarks
from registry.store import records
from registry.store.records import Namesake, Standing

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from registry.record.model import Document
    from registry.record.pack import Pack
    from registry.record.sayings import Remark
    from registry.store.database import Connection


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What the register holds around some documents.

    `standings` are their own records' last versions, `namesakes` what they could be taken for.
    """

    standings: dict[str, Standing]
    namesakes: dict[str, Namesake]

    def is_in_force(self, record: str, content: bytes) -> bool:
        """Tell whether exactly this document, in canonical bytes, is the published version."""
        standing = self.standings.get(record)
        return (
            standing is not None and standing.state == "published" and standing.document == content
        )

    def remarks(self, document: Document, content: bytes, pack: Pack) -> list[Remark]:
        """Say what is noticed in a document that would be published next.

        One that is in force as it stands has nothing to explain.
        """
        record = str(document["id"])
        if self.is_in_force(record, content):
            return []
        agency = None if may_be_disguised(document) else split_id(record)[0]
        standing = self.standings.get(record)
        entrance = Entrance(
            document=document,
            pack=pack,
            version=1 if standing is None else standing.version + 1,
            others=[
                other
                for other in self.namesakes.values()
                if other.record != record and agency in {None, other.agency}
            ],
        )
        return [remark for rule in RULES.values() for remark in rule(entrance)]

    def examine(
        self,
        document: Document,
        content: bytes,
        pack: Pack,
        *,
        now: dt.datetime,
        language: str = "en",
    ) -> Verdict:
        """Say whether a document could be published now, and everything that is noticed."""
        verdict = validate(
            document, profile="publication", pack=pack, today=now.date(), language=language
        )
        return with_remarks(verdict, self.remarks(document, content, pack), pack, language)

    def publish(self, document: Document, content: bytes, *, at: dt.datetime) -> None:
        """Count on a document's being published, at a place in the log that is not known yet."""
        record = str(document["id"])
        before = self.standings.get(record)
        self.standings[record] = Standing(
            version=1 if before is None else before.version + 1,
            state="published",
            entry=-1,
            leaf=b"",
            published_at=at,
            document=content,
        )
        self._name(record, _namesake_of(document))

    def withdraw(self, record: str) -> None:
        """Count on a record's being withdrawn."""
        before = self.standings[record]
        self.standings[record] = msgspec.structs.replace(before, state="withdrawn")
        self._name(record, None)

    def put_back(self, record: str, standing: Standing | None, namesake: Namesake | None) -> None:
        """Count on nothing: a record stands as it did."""
        self.standings.pop(record, None)
        if standing is not None:
            self.standings[record] = standing
        self._name(record, namesake)

    def _name(self, record: str, namesake: Namesake | None) -> None:
        self.namesakes.pop(record, None)
        if namesake is not None:
            self.namesakes[record] = namesake


async def surroundings(connection: Connection, documents: Sequence[Document]) -> Surroundings:
    """Read what there is around documents whose identifiers are sound."""
    ids = [str(document["id"]) for document in documents]
    agencies = {split_id(record)[0] for record in ids}
    named = await records.read_namesakes(
        connection, None if any(map(may_be_disguised, documents)) else agencies
    )
    return Surroundings(
        standings=await records.read_standings(connection, ids),
        namesakes={other.record: other for other in named},
    )


async def examine(
    connection: Connection,
    pack: Pack,
    document: Document,
    *,
    now: dt.datetime,
    language: str = "en",
) -> Verdict:
    """Say whether a document could be published now, and everything that is noticed."""
    around = await surroundings(connection, [document])
    return around.examine(document, canonical(document), pack, now=now, language=language)


def _namesake_of(document: Document) -> Namesake | None:
    """Make what others are compared with once a document is published."""
    if "name" not in document:
        return None
    record = str(document["id"])
    return Namesake(
        record=record,
        agency=split_id(record)[0],
        name=document["name"],
        source_id=document.get("source_id"),
    )
