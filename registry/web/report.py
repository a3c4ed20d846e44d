"""The report for a committee: questions to the register, each with its receipt, in sentences.

The register is asked in this process, as of the end of the report's time. Nothing else goes into
it, so that the same register gives the same bytes on any machine.
"""

from __future__ import annotations

import datetime as dt
from base64 import b64encode
from collections.abc import Callable
from operator import itemgetter
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import msgspec

from registry import resources
from registry.api.receipts import MEDIA_TYPE, PARAMETER, AnswerReceipt
from registry.errors import ConfigurationError, InvalidParameter, RegistryError
from registry.pages.editions import Edition
from registry.pages.observations import WORDS
from registry.pages.reader import Reader, Text, as_it_is, say, translated
from registry.pages.site import render
from registry.pages.views.finder import fact_title
from registry.record.facets import FACETS, KIND, LOCAL
from registry.web.in_process import Ask

_RECORDS, _CHANGES, _STATISTICS = "/api/v1/records", "/api/v1/changes", "/api/v1/statistics"
_OK, _WRONG = 200, 400
_MOST = 1000
_CHANGED = {
    "raised": ("risk_change", "raised"),
    "lowered": ("risk_change", "lowered"),
    "withdrawn": ("kind", "withdrawal"),
}
_ASKED_OF_SERIOUS = ("data.legal_basis", "assessments", "rights.contestation.available")
"""What is asked of systems of high risk, and asked again where it is not stated."""
_SERIOUS = [("risk", "high"), ("risk", "unacceptable")]
_FONTS = {"noto-sans-arabic-regular.woff2": 400, "noto-sans-arabic-bold.woff2": 700}


class ReportScope(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is about: an agency, or all, and its first and last day, in UTC."""

    agency: str | None
    first: dt.date
    last: dt.date


class ReportNumber(msgspec.Struct, frozen=True, kw_only=True):
    """A number with the receipt of the answer that it is read from."""

    n: int
    receipt: AnswerReceipt

    @property
    def address(self) -> str:
        """The address of the question, which gives the same number at any later time."""
        return self.receipt.register + self.receipt.question


async def write_report(ask: Ask, edition: Edition, scope: ReportScope, today: dt.date) -> bytes:
    """Return the report as a page of HTML that needs no other file.

    Raises `InvalidParameter` for an agency that is not there, or a time that is none of the
    register's, and what else the register refuses.
    """
    if scope.first > scope.last:
        raise InvalidParameter(f"from: {scope.first} is after {scope.last}, the last day")
    asked = _Questions(ask, scope, today)
    reader = edition.reader
    view: dict[str, Any] = {
        "agency": None if scope.agency is None else _agency_name(reader, scope.agency),
        "first": scope.first.isoformat(),
        "last": scope.last.isoformat(),
        "coverage": await _coverage(reader, asked),
        "in_force": await asked.found([]),
        "new": await asked.number(
            _RECORDS,
            [("transitions", "risk"), ("limit", "1"), *asked.window],
            _transitions_from_none,
        ),
        **{
            name: await asked.number(
                _CHANGES, [which, ("limit", str(_MOST)), *asked.window], _listed
            )
            for name, which in _CHANGED.items()
        },
        "overdue": await asked.found([("overdue", "true")]),
        **{
            name: await asked.found([(name, code) for code in FACETS[name].listed(reader.pack)])
            for name in ("withheld", "restricted")
        },
        "unanswered": [
            (
                fact_title(reader, fact),
                await asked.found([*_SERIOUS, (f"{KIND}{fact}", "asked_not_stated")]),
            )
            for fact in _ASKED_OF_SERIOUS
        ],
        "observations": [
            {
                "words": translated(reader, sentence),
                "shown": await asked.found([("observation", code)]),
                "answered": await asked.found(
                    [("observation", code), ("publication.answers.observation", code)]
                ),
            }
            for code, (sentence, _) in WORDS.items()
        ],
        "fonts": _fonts() if reader.locale.dir == "rtl" else [],
    }
    view["receipts"] = asked.receipts
    return render(edition, "report", "report.html", lambda: view)


class _Questions:
    """Asks a register as of the end of a report's time, and keeps the receipts in their order."""

    def __init__(self, ask: Ask, scope: ReportScope, today: dt.date) -> None:
        self.receipts: list[AnswerReceipt] = []
        self._ask = ask
        own = LOCAL if scope.agency is None else scope.agency
        self._about = [("origin" if scope.agency is None else "agency", own)]
        days = {"changed_since": scope.first, "changed_until": scope.last}
        self.window = [(name, day.isoformat()) for name, day in days.items()]
        # The last day may not be over yet: then the report is of the newest entry that is signed.
        self._then = [("as_of", scope.last.isoformat())] if scope.last < today else []

    async def receipt(self, path: str, query: list[tuple[str, str]]) -> AnswerReceipt:
        asked = urlencode([*query, *self._about, *self._then, (PARAMETER, "1")], quote_via=quote)
        answer = await self._ask(f"{path}?{asked}")
        if answer.status != _OK or answer.media_type != MEDIA_TYPE:
            detail = msgspec.json.decode(answer.content).get("detail", "")
            kind = InvalidParameter if answer.status == _WRONG else RegistryError
            raise kind(detail)
        receipt = msgspec.json.decode(answer.content, type=AnswerReceipt)
        self.receipts.append(receipt)
        # What is published meanwhile is no part of the report.
        asked_of = dict(parse_qsl(receipt.question.partition("?")[2]))
        self._then = [("as_of", asked_of["as_of"])]
        return receipt

    async def number(
        self, path: str, query: list[tuple[str, str]], count: Callable[[Any], int]
    ) -> ReportNumber:
        receipt = await self.receipt(path, query)
        return ReportNumber(n=count(receipt.answer), receipt=receipt)

    async def found(self, query: list[tuple[str, str]]) -> ReportNumber:
        return await self.number(_RECORDS, [*query, ("limit", "1")], itemgetter("total"))


async def _coverage(reader: Reader, asked: _Questions) -> dict[str, Any]:
    """Return how many of the systems that agencies attest are in the register, who is silent."""
    receipt = await asked.receipt(_STATISTICS, [("by", "risk")])
    agencies = receipt.answer["agencies"]
    attested = [one for one in agencies if one["systems_total"] is not None]

    def number(n: int) -> ReportNumber:
        return ReportNumber(n=n, receipt=receipt)

    return {
        "agencies": number(len(agencies)),
        "attested": number(len(attested)),
        "systems": number(sum(one["systems_total"] for one in attested)),
        "filed": number(sum(one["records"] for one in attested)),
        "others": number(
            sum(one["records"] for one in agencies) - sum(one["records"] for one in attested)
        ),
        "without_record": number(sum(not one["records"] for one in agencies)),
        "silent": [
            _agency_name(reader, one["agency"])
            for one in agencies
            if one["systems_total"] is None and one["records"]
        ],
    }


def _transitions_from_none(answer: Any) -> int:
    return sum(one["records"] for one in answer["transitions"] if one["from"] is None)


def _listed(answer: Any) -> int:
    if answer["next"] is not None:
        raise ConfigurationError(
            f"more than {_MOST:,} changes of one kind came in this time: report on a shorter one"
        )
    return len(answer["items"])


def _agency_name(reader: Reader, agency: str) -> Text:
    known = reader.pack.agencies.get(agency)
    return (known and say(reader, known.name)) or as_it_is(reader, agency)


def _fonts() -> list[tuple[int, str]]:
    """Return the weights and contents of the fonts that a report brings, as base64."""
    folder = resources.SITE / "fonts"
    return [
        (weight, b64encode((folder / name).read_bytes()).decode())
        for name, weight in _FONTS.items()
    ]
