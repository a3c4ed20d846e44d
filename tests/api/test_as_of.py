"""What was answered when an entry was the last is what is answered as of it, byte for byte."""

import copy
import datetime as dt
import itertools
import json
import random

import pytest

from registry.services.filing.pipeline import execute
from registry.services.people.access import Actor
from registry.services.statements import attestation, withdrawal

EVENTS = 105
REAL = "dgi"
OF_RECORD = ("", "/versions", "/versions/1", "/findings")
OF_REGISTER = (
    "/api/v1/attestations",
    "/api/v1/attestations?agency=demo-sante",
    "/api/v1/statistics",
    "/api/v1/statistics?by=agency,risk&risk=high&risk=limited",
    "/api/v1/changes?since={before}&limit=2",
    "/api/v1/changes?risk_change=raised&risk_change=lowered",
    "/api/v1/records?q=lits&facets=risk,agency,status&limit=100&status=in_use&risk=high",
    "/api/v1/records?sort=review_due&facets=risk&limit=3",
    "/api/v1/records?overdue=true&facets=overdue,lacks,finding,risk_change&sort=review_due&limit=5",
    "/api/v1/records?risk_change=lowered&changed_since=2027-02-01&facets=risk_change,agency&limit=9",
    "/api/v1/records?changed_since=2027-01-10&changed_until=2027-03-01T00:00:00Z&facets=risk",
    "/api/v1/records?by=risk,published_at:month&facets=lifecycle.next_review_on:year&limit=1",
    "/api/v1/records?transitions=status&changed_since=2027-01-10&limit=1&risk.level=high",
    "/api/v1/records?lifecycle.next_review_on.from=2027-02&data.personal_data=yes&limit=3",
    "/api/v1/statistics?by=sector,completeness_range",
    "/api/v1/statistics?by=agency,finding",
    "/api/v1/exports/records.jsonl?risk=high",
    "/api/v1/exports/records.csv?overdue=true",
    "/api/v1/records?observation=high_risk_unassessed&facets=observation&limit=5",
    "/api/v1/exports/records.csv?observation=review_overdue&columns=full",
)


def actor(agency):
    scopes = frozenset(("admin", "file"))
    return Actor(name=agency, agency=agency, scopes=scopes, token=1, request="r")


class Events:
    """Lets one entry after the other be written."""

    def __init__(self, context, publish, record, clock):
        self.context, self.publish, self.record, self.clock = context, publish, record, clock
        self.chance = random.Random(3)
        self.standing, self.gone = set(), set()

    async def happen(self):
        """Give of each entry its index and the record that it, or something, is about."""
        for step in range(EVENTS):
            self.clock.now += dt.timedelta(minutes=self.chance.randint(1, 2000))
            kind = self.chance.random() if step > 5 and self.standing else 1
            if kind < 0.18:
                yield await self._withdraw()
            elif kind < 0.25:
                yield await self._attest()
            else:
                yield await self._publish(step)

    async def _publish(self, step):
        kind = self.chance.random()
        if self.gone and kind < 0.2:
            slug = self.chance.choice(sorted(self.gone))
        elif self.standing and kind < 0.7:
            slug = self.chance.choice(sorted(self.standing))
        else:
            home = REAL if step > EVENTS * 0.7 and kind < 0.8 else "demo-sante"
            slug = f"{home}/{step}"
        self.standing.add(slug)
        self.gone.discard(slug)
        [done] = await self.publish(self._varied(slug), now=self.clock.now)
        return done.entry, slug

    def _varied(self, slug):
        document = copy.deepcopy(self.record)
        document["id"] = slug
        document["risk"]["level"] = self.chance.choice(["minimal", "limited", "high"])
        due = self.clock.now.date() + dt.timedelta(days=self.chance.randint(-20, 90))
        document["lifecycle"]["next_review_on"] = due.isoformat()
        document["summary"]["fr"] += f" {self.chance.randrange(10**6)}"
        return document

    async def _withdraw(self):
        slug = self.chance.choice(sorted(self.standing))
        self.standing.remove(slug)
        self.gone.add(slug)
        statement = {"reason": "other", "note": {"fr": "Fin", "ar": "نهاية"}}
        command = withdrawal.Withdraw(actor=actor("a"), subject=slug, statement=statement)
        done = await execute(self.context, command, now=self.clock.now)
        return done.entry, slug

    async def _attest(self):
        agency = self.chance.choice(["demo-sante", "demo-education", REAL])
        statement = {
            "day": self.clock.now.date().isoformat(),
            "systems_total": 100 + self.chance.randint(0, 400),
            "contact": {"email": "registre@a.example"},
        }
        done = await attestation.attest(
            self.context, actor(agency), agency, statement, now=self.clock.now
        )
        return done.entry, self.chance.choice(sorted(self.standing))


@pytest.fixture
def events(context, publish, record, clock):
    return Events(context, publish, record, clock)


def told(answer):
    """An answer's status, bytes and tag: all of it, but for a problem's `request`."""
    if answer.status_code == 200:
        return answer.status_code, answer.content, answer.headers.get("etag")
    body = json.loads(answer.content)
    return answer.status_code, json.dumps(body | {"request": ""}).encode(), None


async def test_every_answer_of_a_long_history_can_be_had_again(asker, events, clock):
    kept, last_of_day, kinds = [], {}, set()
    async for entry, slug in events.happen():
        last_of_day[clock.now.date()] = entry
        if entry % 7 and entry != EVENTS:
            continue
        addresses = [
            *(f"/api/v1/records/{slug}{part}" for part in OF_RECORD),
            # A third of these in turn, and at the end all of them.
            *(
                address.format(before=max(-1, entry - 4))
                for turn, address in enumerate(OF_REGISTER)
                if turn % 3 == entry // 7 % 3 or entry == EVENTS
            ),
        ]
        for address in addresses:
            answer = told(await asker.get(address))
            kinds.add((address.split("/")[3].split("?")[0], answer[0]))
            kept.append((entry, clock.now, address, answer))
    clock.now += dt.timedelta(days=200)
    assert entry == EVENTS
    assert {("records", 200), ("records", 410), ("statistics", 200), ("changes", 200)} <= kinds
    assert len({answer for *_, answer in kept}) > len(kept) / 3
    now_different = 0
    for entry, at, address, answer in kept:
        moments = [f"entry:{entry}" if entry % 2 else at.strftime("%Y-%m-%dT%H:%M:%SZ")]
        if last_of_day[at.date()] == entry:
            moments.append(at.date().isoformat())
        for as_of in moments:
            joint = "&" if "?" in address else "?"
            again = told(await asker.get(f"{address}{joint}as_of={as_of}"))
            assert again == answer, (address, as_of)
        if entry % 5 == 0:
            now_different += told(await asker.get(address)) != answer
    assert now_different > 20


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/records/demo-sante/prevision-lits",
        *(f"/api/v1/records/demo-sante/prevision-lits{part}" for part in OF_RECORD[1:]),
        *(address.format(before=-1) for address in OF_REGISTER),
    ],
)
async def test_a_moment_that_there_is_not_is_refused(reader, problem, address):
    joint = "&" if "?" in address else "?"
    for as_of, said in {
        "entry:2": "as_of: there is no entry:2 yet; the last one is entry:1",
        "9999-01-01": "is still to come; the last entry is entry:1, of 2026-11-24T12:00:00Z",
        "2020-01-01": "is before the register began; its first entry is entry:0",
        "tomorrow": "is not a time such as",
        "2026-11-24T12:00:00 01:00": "write + as %2B",
        "": "is not a time such as",
    }.items():
        answer = await reader.get(f"{address}{joint}as_of={as_of}")
        assert said in problem(answer, 400, "invalid-parameter")["detail"], as_of
    twice = await reader.get(f"{address}{joint}as_of=entry:1&as_of=entry:0")
    assert "give it once" in problem(twice, 400, "invalid-parameter")["detail"]


async def test_before_its_first_version_a_record_was_not_there(client, publish, record, problem):
    await publish(record)
    for part in OF_RECORD:
        answer = await client.get(f"/api/v1/records/{record['id']}{part}?as_of=entry:0")
        detail = problem(answer, 404, "not-found")["detail"]
        assert detail.endswith("as of entry 0")
    assert (await client.get(f"/api/v1/records/{record['id']}?as_of=entry:1")).status_code == 200


async def test_a_version_is_in_force_as_of_its_own_entry_alone(client, publish, record):
    for _ in range(3):
        await publish(record)
    address = f"/api/v1/records/{record['id']}"
    for version, as_of in itertools.product((1, 2, 3), (1, 2, 3)):
        answer = await client.get(f"{address}/versions/{version}?as_of=entry:{as_of}")
        if version > as_of:
            assert answer.status_code == 404
            continue
        register = answer.json()["register"]
        assert (register["superseded_at"] is None) is (version == as_of)
        assert (answer.headers["etag"][0] == '"') is (version == as_of)
