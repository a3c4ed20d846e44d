"""Statistics against a plain count over all documents, at any moment of a long history."""

import copy
import datetime as dt
import itertools
import json
import math
import random
import secrets
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from registry.ledger import append
from registry.ledger.publication import Publication
from registry.record.pack import Agency
from registry.record.validate import validate
from registry.services.filing.pipeline import execute
from registry.services.people.access import Actor
from registry.services.statements import attestation, withdrawal
from registry.store import agencies, statistics
from registry.store.as_of import read_as_of
from tests.published import given_times

RECORDS = Path(__file__).parents[2] / "records"
START = dt.datetime(2026, 12, 1, 6, 0, tzinfo=dt.UTC)
FOREIGN = [
    Agency(id=f"us.{code}", name={"en": code}, kind="agency", origin="us-omb-2025")
    for code in ("hhs", "dot")
]
LEVELS = ["minimal", "limited", "high", "unacceptable", None]
STATUSES = ["planned", "in_use", "retired", None]
GROUNDS = ["state_security", "trade_secret"]
REAL = "dgi"
RANGES = [*((low, low + 9) for low in range(0, 90, 10)), (90, 100)]
APPROVERS = (None, "authority", "agency")
STEPS = 160
REAL_AFTER = 110


def operator(name, agency):
    scopes = frozenset(("admin", "file"))
    return Actor(name=name, agency=agency, scopes=scopes, token=1, request="r")


class Told:
    """What the plain count knows of one version: all that was published, in this process."""

    def __init__(self, entry, at, document, agency, verdict):
        self.entry, self.at, self.until = entry, at, None
        self.until_at = self.until_kind = None
        self.approvals = []
        self.local, self.fictitious = agency.origin is None, agency.fictitious
        self.verdict = verdict
        self.due = document.get("lifecycle", {}).get("next_review_on")
        self.withheld = [
            field["ground"] for field in document.get("publication", {}).get("withheld_fields", [])
        ]
        self.restriction = document.get("publication", {}).get("restriction", {}).get("ground")
        self.codes = {
            "risk": document.get("risk", {}).get("level", "not_stated"),
            "sector": document.get("sector", {}).get("primary", "not_stated"),
            "agency": agency.id,
            "status": document.get("lifecycle", {}).get("status", "not_stated"),
            "personal_data": document.get("data", {}).get("personal_data", "not_stated"),
            "completeness_range": "cannot_be_said"
            if document.get("risk", {}).get("level") is None
            else _range(verdict.completeness),
        }
        self.several = {
            "finding": [each.rule for each in verdict.findings],
            "ground": self.withheld,
        }

    def combinations(self, by):
        """The codes of each group that it is in."""
        kinds = [name for name in statistics.GROUPS if name in by]
        return itertools.product(
            *(
                [self.codes[kind]] if kind in self.codes else sorted(set(self.several[kind]))
                for kind in kinds
            )
        )

    def late(self, day):
        if self.due is None or self.codes["status"] == "retired":
            return 0
        return max(0, (day - dt.date.fromisoformat(self.due)).days)


def _range(score):
    return next(f"{low}-{high}" for low, high in RANGES if low <= score <= high)


def models():
    return [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(RECORDS.glob("*/*.json"))
        if path.name.count(".") == 1
    ]


def varied(document, chance):
    """Change a document's codes, dates and withheld fields by chance."""
    document = copy.deepcopy(document)
    if "restriction" in document["publication"]:
        return document
    level, status = chance.choice(LEVELS), chance.choice(STATUSES)
    for section, member, value in (("risk", "level", level), ("lifecycle", "status", status)):
        document[section].pop(member, None)
        if value is not None:
            document[section][member] = value
    if chance.random() < 0.2:
        del document["data"]
    document["lifecycle"]["next_review_on"] = str(
        START.date() + dt.timedelta(days=chance.randint(-60, 400))
    )
    document["publication"]["withheld_fields"] = [
        {"pointer": f"/x/{at}", "ground": chance.choice(GROUNDS)}
        for at in range(chance.randint(0, 3))
    ]
    return document


@pytest.fixture
async def history(context, pack):
    """A register with versions, withdrawals and attestations, and what was told of each."""
    chance, said, now = random.Random(11), [], START
    everyone = [*models(), {"id": "us.hhs/a", "schema_version": "1.0", "name": {"en": "A"}}]
    attested = []
    async with context.database.transaction() as connection:
        await agencies.save(connection, FOREIGN)
    for step in range(STEPS):
        now += dt.timedelta(hours=chance.randint(1, 40))
        document = varied(chance.choice(everyone[:-1]), chance)
        standing = [one for one in said if one.until is None]
        kind = chance.random()
        if kind < 0.12 and standing:
            gone = chance.choice(standing)
            await _withdraw(context, gone, now, chance.choice(APPROVERS))
            continue
        if kind < 0.17:
            agency = chance.choice(["demo-sante", REAL, "demo-education"])
            attested.append(await _attest(context, agency, 100 + chance.randint(0, 9), now))
            continue
        if kind < 0.35:
            home = chance.choice(FOREIGN)
            document = chance.choice([document, everyone[-1]]) | {
                "id": f"{home.id}/{chance.randint(0, 9)}"
            }
            verdict = validate(document, profile="foreign", pack=pack, today=now.date())
        else:
            if step >= REAL_AFTER and kind > 0.8:
                document["id"] = f"{REAL}/{chance.randint(0, 4)}"
            home = pack.agencies[document["id"].split("/")[0]]
            verdict = validate(document, profile="publication", pack=pack, today=now.date())
        by = chance.choice(APPROVERS) if home.origin is None else None
        publication = Publication(
            document=document, agency=home, actor=home.id, verdict=verdict, approved_by=by
        )
        async with context.database.transaction() as connection:
            [done] = await append.publish(
                connection,
                [publication],
                guard=given_times(),
                now=now,
                random=secrets.token_bytes,
            )
        told = Told(done.index, done.at, document, home, verdict)
        told.record = document["id"]
        told.approvals.append((told.entry, by))
        for one in said:
            if one.record == told.record and one.until is None:
                one.until, one.until_at, one.until_kind = told.entry, told.at, "version"
        said.append(told)
    return said, attested


async def _withdraw(context, told, now, by):
    statement = {"reason": "other", "note": {"fr": "Fin", "ar": "نهاية"}}
    command = withdrawal.Withdraw(
        actor=operator("a", None), subject=told.record, statement=statement, approved_by=by
    )
    receipt = await execute(context, command, now=now)
    told.until, told.until_at, told.until_kind = receipt.entry, receipt.withdrawn_at, "withdrawal"
    told.approvals.append((receipt.entry, by))


async def _attest(context, agency, total, now):
    statement = {
        "day": now.date().isoformat(),
        "systems_total": total,
        "contact": {"email": "registre@a.example"},
    }
    done = await attestation.attest(context, operator(agency, agency), agency, statement, now=now)
    return done.entry, agency, total, now.date()


# --- the plain count


def spread(scores):
    scores = sorted(score for score in scores if score is not None)
    if not scores:
        return None

    def within(share):
        return scores[max(1, math.ceil(share * len(scores))) - 1]

    exact = sum(scores) * 10 / len(scores)
    return {
        "records": len(scores),
        "mean": math.floor(exact + 0.5) / 10,
        "lowest": scores[0],
        "lower_quartile": within(0.25),
        "median": within(0.5),
        "upper_quartile": within(0.75),
        "highest": scores[-1],
    }


def tallies(standing, codes_of):
    records, places = Counter(), Counter()
    for one in standing:
        codes = codes_of(one)
        records.update(set(codes))
        places.update(codes)
    return [
        {"code": code, "records": records[code], "places": places[code]} for code in sorted(records)
    ]


def months(counted, entry, day):
    if not counted:
        return []
    first = min(one.at for one in counted)
    listed, year, month = [], first.year, first.month
    while (year, month) <= (day.year, day.month):

        def fell(at, year=year, month=month):
            return (at.year, at.month) == (year, month)

        ended = [one for one in counted if one.until is not None and one.until <= entry]
        begun = sum((one.at.year, one.at.month) <= (year, month) for one in counted)
        over = sum((one.until_at.year, one.until_at.month) <= (year, month) for one in ended)
        listed.append(
            {
                "month": f"{year}-{month:02}",
                "published": sum(fell(one.at) for one in counted),
                "withdrawn": sum(
                    fell(one.until_at) for one in ended if one.until_kind == "withdrawal"
                ),
                "records": begun - over,
            }
        )
        year, month = (year + month // 12, month % 12 + 1)
    return listed


def approvals(counted, until):
    took = [
        (by, one.record)
        for one in counted
        for entry, by in one.approvals
        if by is not None and entry <= until
    ]
    return [
        {"code": code, "records": len({record for by, record in took if by == code}), "places": n}
        for code, n in sorted(Counter(by for by, _ in took).items())
    ]


def part(said, moment, by, filters, *, local, fictitious):
    counted = [
        one
        for one in said
        if one.entry <= moment.entry
        and one.local is local
        and (fictitious or not one.fictitious)
        and all(one.codes[name] in codes for name, codes in filters.items())
    ]
    standing = [one for one in counted if one.until is None or one.until > moment.entry]
    groups = {}
    for one in standing:
        for codes in one.combinations(by):
            groups.setdefault(codes, []).append(one)

    def figures(those):
        return {
            "records": len(those),
            "completeness": spread(
                [one.verdict.completeness for one in those if one.codes["risk"] != "not_stated"]
            ),
            "accountability": spread([one.verdict.accountability for one in those]),
        }

    def places(those, kind, codes):
        """How many findings, or withheld fields, of some records, or of a group's one code."""
        kinds = [name for name in statistics.GROUPS if name in by]
        wanted = codes[kinds.index(kind)] if kind in kinds else None
        return sum(wanted in {None, code} for one in those for code in one.several[kind])

    late = [one.late(moment.day) for one in standing if one.late(moment.day)]
    return {
        **figures(standing),
        "completeness_ranges": tallies(standing, lambda one: [one.codes["completeness_range"]]),
        "overdue": {"records": len(late), "longest_days": max(late, default=0)},
        "personal_data": tallies(standing, lambda one: [one.codes["personal_data"]]),
        "findings": tallies(standing, lambda one: [each.rule for each in one.verdict.findings]),
        "facts": [],
        "observations": [],
        "withheld": tallies(standing, lambda one: one.withheld),
        "restricted": tallies(standing, lambda one: [one.restriction] if one.restriction else []),
        "approvals": approvals(counted, moment.entry),
        "months": months(counted, moment.entry, moment.day),
        "groups": [
            {
                **dict(zip([name for name in statistics.GROUPS if name in by], codes, strict=True)),
                **figures(groups[codes]),
                "overdue": sum(one.late(moment.day) > 0 for one in groups[codes]),
                "longest_days": max(one.late(moment.day) for one in groups[codes]),
                "findings": places(groups[codes], "finding", codes),
                "withheld": places(groups[codes], "ground", codes),
            }
            for codes in sorted(groups)
        ],
    }


def coverage(said, attested, moment, pack, asked, *, fictitious):
    listed = []
    for agency in sorted(pack.agencies.values(), key=lambda agency: agency.id):
        if (agency.fictitious and not fictitious) or (asked and agency.id not in asked):
            continue
        words = [
            (day, entry, total)
            for entry, who, total, day in attested
            if who == agency.id and entry <= moment.entry
        ]
        day, _, total = max(words, default=(None, None, None))
        listed.append(
            {
                "agency": agency.id,
                "fictitious": agency.fictitious,
                "records": sum(
                    one.codes["agency"] == agency.id
                    and one.entry <= moment.entry
                    and (one.until is None or one.until > moment.entry)
                    for one in said
                ),
                "systems_total": total,
                "attested_on": day and day.isoformat(),
            }
        )
    return listed


async def test_every_number_is_that_of_a_plain_count(history, database, pack):
    said, attested = history
    last = max(*(one.entry for one in said), *(entry for entry, *_ in attested))
    assert any(one.until_kind == "withdrawal" for one in said)
    assert any(one.restriction for one in said)
    chance = random.Random(5)
    later = (START + dt.timedelta(days=500)).date().isoformat()
    now = START + dt.timedelta(days=900)
    moments = [None, later, "entry:0", *(f"entry:{n}" for n in chance.sample(range(1, last), 12))]
    left_out = set()
    for as_of in moments:
        by = chance.sample(statistics.GROUPS, chance.randint(1, len(statistics.GROUPS)))
        if several := [name for name in by if name in statistics.SEVERAL]:
            by = [several[0], *(name for name in by if name != several[0])][:2]
        filters = {}
        if chance.random() < 0.7:
            filters["risk"] = chance.sample(["high", "limited", "not_stated"], 2)
        if chance.random() < 0.3:
            filters["agency"] = ["demo-sante", "demo-services", REAL, "us.hhs"]
        if chance.random() < 0.3:
            filters["status"] = ["in_use", "planned", "retired"]
        if chance.random() < 0.3:
            filters["sector"] = ["health", "governance", "not_stated"]
        async with database.snapshot() as connection:
            moment = await read_as_of(connection, as_of, now=now)
            found = await statistics.read(connection, moment, by=by, filters=filters)
        real = any(one.codes["agency"] == REAL and one.entry <= moment.entry for one in said)
        left_out.add(real)
        asked = {"by": by, "filters": filters, "fictitious": not real}
        assert msgspec.to_builtins(found) == {
            "entry": moment.entry,
            "entry_at": moment.at.isoformat().replace("+00:00", "Z"),
            "day": moment.day.isoformat(),
            "fictitious": not real,
            "by": by,
            "local": part(said, moment, **asked, local=True),
            "foreign": part(said, moment, **asked, local=False),
            "agencies": coverage(
                said, attested, moment, pack, filters.get("agency"), fictitious=not real
            ),
        }, (as_of, by, filters)
    assert left_out == {True, False}


async def test_overdue_is_counted_by_the_day(publish, record, database):
    record["lifecycle"]["next_review_on"] = "2027-03-01"
    await publish(record)

    async def overdue(now):
        async with database.snapshot() as connection:
            moment = await read_as_of(connection, None, now=dt.datetime.fromisoformat(now))
            found = await statistics.read(connection, moment, by=["risk"], filters={})
        return found.local.overdue.records, found.local.overdue.longest_days

    assert await overdue("2027-03-01T23:59:59Z") == (0, 0)
    assert await overdue("2027-03-02T00:00:00Z") == (1, 1)
    assert await overdue("2027-03-02T00:30:00+01:00") == (0, 0)
    assert await overdue("2027-03-31T00:00:00Z") == (1, 30)
    assert await overdue("2027-03-31T00:00:00Z") == (1, 30)


async def test_an_empty_register_counts_nothing(database, pack):
    async with database.snapshot() as connection:
        moment = await read_as_of(connection, "entry:0", now=START)
        found = await statistics.read(connection, moment, by=["risk"], filters={})
    assert (found.local, found.foreign) == (found.foreign, found.local)
    assert (found.local.records, found.local.completeness, found.local.months) == (0, None, [])
    assert {one.agency for one in found.agencies} == set(pack.agencies)
    assert {(one.records, one.systems_total) for one in found.agencies} == {(0, None)}
