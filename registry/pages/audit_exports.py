"""Auditing what is taken away: whole exports, and feeds that are made when asked.

An export of everything is compared line by line as JSON Lines and cell by cell as CSV, and the CSV
of each level of risk too, read as it comes; so are each record's feed and that of each level.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias
from urllib.parse import urlencode

import msgspec

from registry.exports.columns import ExportColumn, ExportRow, LabelSource, columns
from registry.exports.spreadsheets import cell_text
from registry.log.entry import entry_summary
from registry.log.register import RegisterReplay, ReplayedVersion
from registry.pages.editions import Edition
from registry.pages.views.feeds import (
    FORMATS,
    MOST_ITEMS,
    Feed,
    FeedIntroduction,
    Item,
    found_item,
    record_items,
)
from registry.record.model import NOT_STATED
from registry.record.search_document import RecordSummary
from registry.verify.audit import AnswerDifference, ApiAudit, unlike, unlike_value
from registry.verify.remote_register import RemoteFacts, RemoteRegister

MOST_NAMED = 6
"""How many differences of one export are named."""

_Line: TypeAlias = tuple[str | None, Any]
"""A line of an export: the id of its record, None where it is no record, and what it says."""

_OK = 200
_LONGEST_CELL = 1 << 24
_READ_CARD = msgspec.json.Decoder(RecordSummary).decode


class ExportAudit:
    """The comparison of exports and served feeds with the replay of a register's log.

    `checked` counts files and their records, `not_covered` says what could not be compared.
    """

    def __init__(
        self, remote: RemoteRegister, replay: RegisterReplay, api: ApiAudit, facts: RemoteFacts
    ) -> None:
        """Take a register, what its log says, and the audit of its answers, which ended."""
        self.checked: Counter[str] = Counter()
        self.not_covered: list[str] = []
        self._remote = remote
        self._replay = replay
        self._api = api
        self._facts = facts

    def differences(self, editions: Sequence[Edition]) -> Iterator[AnswerDifference]:
        """Yield every difference; feeds are compared where there is a site, in its first language.

        Raises `Unavailable` where the register does not answer.
        """
        in_force = self._api.in_force
        yield from self._export("jsonl", {}, in_force, _json_lines, self._unlike_line)
        levels: dict[str, list[ReplayedVersion]] = {}
        for one in in_force:
            level = entry_summary(msgspec.json.decode(one.document)).risk or NOT_STATED
            levels.setdefault(level, []).append(one)
        if self._facts.pack is None:
            self.not_covered.append(
                f"tables as CSV: there is no country pack of {self._facts.country} here"
            )
        else:
            yield from self._table({"columns": "full"}, in_force)
            for level, several in sorted(levels.items()):
                yield from self._table({"columns": "summary", "risk": level}, several)
        if editions:
            yield from self._feeds(editions[0], levels)

    def _export(
        self,
        form: str,
        asked: dict[str, str],
        expected: Sequence[ReplayedVersion],
        read: Callable[[Iterator[bytes]], Iterator[_Line]],
        compare: Callable[[ReplayedVersion, Any], str | None],
    ) -> Iterator[AnswerDifference]:
        """Compare an export of versions, line by line as it comes, until much of it differs."""
        query = urlencode({**asked, "as_of": self._api.as_of}, safe=":")
        path = f"/api/v1/exports/records.{form}?{query}"
        self.checked["exports"] += 1
        missing = {one.record: one for one in expected}
        named = 0
        with self._remote.stream(path) as (status, lines):
            if status != _OK:
                yield AnswerDifference(at=path, why=unlike_value("the status", status, _OK))
                return
            for record, said in read(lines):
                self.checked["exported records"] += 1
                version = missing.pop(record, None) if record is not None else None
                if version is None:
                    why = f"{record or said} is in it, and does not follow from the log"
                elif found := compare(version, said):
                    why = f"{record}: {found}"
                else:
                    continue
                yield AnswerDifference(at=path, why=why)
                named += 1
                if named == MOST_NAMED:
                    return
        for record in sorted(missing)[: MOST_NAMED - named]:
            yield AnswerDifference(at=path, why=f"{record} is missing, and follows from the log")

    def _unlike_line(self, version: ReplayedVersion, said: Any) -> str | None:
        return unlike(self._api.answer_of(version), said)

    def _table(
        self, asked: dict[str, str], expected: Sequence[ReplayedVersion]
    ) -> Iterator[AnswerDifference]:
        pack = self._facts.pack
        if pack is None:
            return
        lang = pack.languages[0]
        wording = LabelSource(
            lang=lang, pack=pack, agencies=self._api.agencies, site=self._facts.base_url
        )
        table = columns("full" if asked["columns"] == "full" else "summary", wording)

        def compare(version: ReplayedVersion, said: dict[str, str]) -> str | None:
            return self._unlike_cells(table, version, said)

        asked = asked | {"labels": lang, "safe": "false"}
        yield from self._export("csv", asked, expected, _csv_lines, compare)

    def _unlike_cells(
        self, table: Sequence[ExportColumn], version: ReplayedVersion, said: dict[str, str]
    ) -> str | None:
        """Return the first cell that differs; another release may have other columns and labels."""
        stored = self._api.stored(version, as_of=self._replay.size - 1)
        row = ExportRow(
            id=version.record,
            agency=version.agency,
            document=msgspec.json.decode(version.document),
            register=stored.register,
        )
        is_same = self._facts.is_this_release
        for column in table:
            name = column.name
            if not is_same and (name not in said or name.endswith("_label")):
                continue
            log = cell_text(column.cell(row))
            if said.get(name) != log:
                return unlike_value(name, said.get(name), log)
        return None

    def _feeds(
        self, edition: Edition, levels: dict[str, list[ReplayedVersion]]
    ) -> Iterator[AnswerDifference]:
        """Compare the feed of each record, and that of what was filed here at each level."""
        if not self._facts.is_this_release:
            self.not_covered.append("feeds of records and of questions: of another release")
            return
        reader, base = edition.reader, self._facts.base_url
        expected: dict[str, list[Item]] = {}
        for record in sorted(self._replay.versions):
            latest = self._replay.versions[record][-1]
            expected[f"/feeds/{reader.tag}/records/{record}.json"] = record_items(
                reader,
                base,
                record,
                name=msgspec.json.decode(latest.document).get("name"),
                versions=self._replay.lines(record),
                withdrawals=self._replay.withdrawals(record),
            )
        for level, several in levels.items():
            here = [one for one in several if one.origin is None]
            here.sort(key=lambda one: one.entry, reverse=True)
            expected[f"/feeds/{reader.tag}/search.json?risk={level}"] = [
                found_item(reader, base, _READ_CARD(self._api.card(one)))
                for one in here[:MOST_ITEMS]
            ]
        for path, answer in self._remote.each(expected, self._remote.get):
            self.checked["feeds"] += 1
            if answer.status != _OK:
                why: str | None = unlike_value("the status", answer.status, _OK)
            else:
                why = unlike({"items": _as_json(expected[path])}, answer.json)
            if why:
                yield AnswerDifference(at=path, why=why)


def _json_lines(lines: Iterator[bytes]) -> Iterator[_Line]:
    for line in lines:
        try:
            said = msgspec.json.decode(line)
            yield str(said["record"]["id"]), said
        except (msgspec.DecodeError, KeyError, TypeError):
            yield None, "a line that is no record"


def _csv_lines(lines: Iterator[bytes]) -> Iterator[_Line]:
    csv.field_size_limit(_LONGEST_CELL)
    try:
        for row in csv.DictReader(line.decode("utf-8", "replace") for line in lines):
            yield row.get("id"), row
    except csv.Error as error:
        yield None, f"what is no CSV ({error})"


def _as_json(items: Sequence[Item]) -> Any:
    nothing = FeedIntroduction(about="", guide="", stylesheet="")
    feed = Feed(
        title="", lang="", address="", introduction=nothing, home="", updated="", items=list(items)
    )
    return msgspec.json.decode(FORMATS["json"](feed))["items"]
