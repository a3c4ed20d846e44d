"""Statistics over HTTP: one shape, questions taken literally, and never an old answer."""

import asyncio
import copy

import pytest

from registry.store import statistics

STATISTICS = "/api/v1/statistics"
PART = {
    "records", "completeness", "accountability", "completeness_ranges", "overdue", "approvals",
    "personal_data", "findings", "facts", "observations", "withheld", "restricted", "months",
    "groups",
}  # fmt: skip
SPREAD = {"records", "mean", "lowest", "lower_quartile", "median", "upper_quartile", "highest"}


def at(record, slug, level):
    document = copy.deepcopy(record)
    document["id"] = f"demo-sante/{slug}"
    document["risk"]["level"] = level
    return document


async def test_the_shape_is_the_one_that_is_documented(client, publish, record):
    await publish(at(record, "a", "high"), at(record, "b", "high"), at(record, "c", "limited"))
    answer = (await client.get(STATISTICS)).json()
    assert set(answer) == {
        "entry", "entry_at", "day", "fictitious", "by", "local", "foreign", "agencies",
    }  # fmt: skip
    assert (answer["entry"], answer["entry_at"]) == (3, "2026-11-24T12:00:00Z")
    assert answer["by"] == ["risk", "sector", "agency", "status"]
    local, foreign = answer["local"], answer["foreign"]
    assert set(local) == set(foreign) == PART
    assert (local["records"], foreign["records"], foreign["groups"]) == (3, 0, [])
    assert foreign["completeness"] is None
    assert set(local["completeness"]) == set(local["accountability"]) == SPREAD
    assert [(group["risk"], group["agency"], group["records"]) for group in local["groups"]] == [
        ("high", "demo-sante", 2),
        ("limited", "demo-sante", 1),
    ]
    assert set(local["groups"][0]) == {
        "risk", "sector", "agency", "status", "records", "completeness", "accountability",
        "overdue", "longest_days", "findings", "withheld",
    }  # fmt: skip
    assert local["months"][0] == {
        "month": "2026-11",
        "published": 3,
        "withdrawn": 0,
        "records": 3,
    }
    sante, silent = (
        next(one for one in answer["agencies"] if one["agency"] == code)
        for code in ("demo-sante", "dgi")
    )
    assert sante == {
        "agency": "demo-sante",
        "fictitious": True,
        "records": 3,
        "systems_total": None,
        "attested_on": None,
    }
    assert (silent["fictitious"], silent["records"]) == (False, 0)


async def test_groups_and_filters_are_those_asked_for(client, publish, record):
    await publish(at(record, "a", "high"), at(record, "b", "high"), at(record, "c", "limited"))

    async def groups(query):
        answer = (await client.get(f"{STATISTICS}?{query}")).json()
        local = answer["local"]
        listed = [
            {name: group[name] for name in (*answer["by"], "records")} for group in local["groups"]
        ]
        return local["records"], listed

    assert await groups("by=agency") == (3, [{"agency": "demo-sante", "records": 3}])
    assert await groups("by=risk&risk=high") == (2, [{"risk": "high", "records": 2}])
    assert await groups("by=risk&risk=high&risk=limited") == (
        3,
        [{"risk": "high", "records": 2}, {"risk": "limited", "records": 1}],
    )
    assert await groups("by=risk&risk=high&agency=demo-education") == (0, [])
    both = {"personal_data": record["data"]["personal_data"], "risk": "limited", "records": 1}
    assert await groups("by=personal_data,risk&risk=limited") == (1, [both])
    answer = (await client.get(f"{STATISTICS}?agency=dgi")).json()
    assert [one["agency"] for one in answer["agencies"]] == ["dgi"]


async def test_what_is_wrong_is_counted_by_agency_and_can_be_opened(client, publish, record):
    silent = at(record, "silent", "high")
    secret = at(record, "secret", "limited")
    secret["publication"]["withheld_fields"] = [
        {"pointer": "/technical/description", "ground": "state_security"},
        {"pointer": "/technical/models", "ground": "state_security"},
    ]
    await publish(silent, secret, at(record, "whole", "limited"))
    opened = 0
    for kind, name in (("finding", "finding"), ("ground", "withheld")):
        answer = (await client.get(f"{STATISTICS}?by=agency,{kind}")).json()
        for group in answer["local"]["groups"]:
            found = await client.get(
                "/api/v1/records", params={"agency": group["agency"], name: group[kind]}
            )
            assert found.json()["total"] == group["records"]
            opened += 1
    assert opened > 5
    [ground] = (await client.get(f"{STATISTICS}?by=ground")).json()["local"]["groups"]
    assert (ground["ground"], ground["records"], ground["withheld"]) == ("state_security", 1, 2)
    answer = (await client.get(f"{STATISTICS}?by=completeness_range")).json()["local"]
    assert sum(group["records"] for group in answer["groups"]) == 3
    for group, counted in zip(answer["groups"], answer["completeness_ranges"], strict=True):
        assert (group["completeness_range"], group["records"]) == (
            counted["code"],
            counted["records"],
        )
        lowest, highest = counted["code"].split("-")
        query = f"completeness_min={lowest}&completeness_max={highest}"
        found = (await client.get(f"/api/v1/records?{query}")).json()
        assert found["total"] == counted["records"]


async def test_an_answer_that_was_kept_is_not_given_for_another_state(client, publish, record):
    async def count():
        answer = await client.get(STATISTICS)
        return answer.json()["local"]["records"], answer.headers["etag"]

    seen = set()
    for number in range(4):
        records, tag = await count()
        assert records == number
        assert await count() == (records, tag)
        known = await client.get(STATISTICS, headers={"if-none-match": tag})
        assert known.status_code == 304
        seen.add(tag)
        await publish(at(record, f"r{number}", "high"))
    assert len(seen) == 4


async def test_a_question_that_many_ask_at_once_is_counted_once(
    client, publish, record, monkeypatch
):
    await publish(record)
    counted, read = [], statistics.read

    async def count(connection, moment, **asked):
        counted.append(asked)
        return await read(connection, moment, **asked)

    monkeypatch.setattr(statistics, "read", count)
    answers = await asyncio.gather(*(client.get(STATISTICS) for _ in range(20)))
    assert len({answer.content for answer in answers}) == len(counted) == 1
    for number in range(40):
        await client.get(f"{STATISTICS}?by={'risk' if number % 2 else 'sector'}")
    assert len(counted) == 3


async def test_once_a_real_agency_has_filed_the_fictitious_are_left_out(client, publish, record):
    await publish(record)
    real = copy.deepcopy(record)
    real["id"] = "dgi/scoring"
    await publish(real)
    answer = (await client.get(STATISTICS)).json()
    assert (answer["fictitious"], answer["local"]["records"]) == (False, 1)
    assert {one["fictitious"] for one in answer["agencies"]} == {False}
    before = (await client.get(f"{STATISTICS}?as_of=entry:1")).json()
    assert (before["fictitious"], before["local"]["records"]) == (True, 1)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("by=", "by: unknown code ''"),
        ("by=rsik", "did you mean 'risk'?"),
        ("by=risk,colour", "by: unknown code 'colour'"),
        ("by=risk&by=sector", "by: give it once"),
        ("by=origin", "by: unknown code 'origin'"),
        ("by=agency,ground,risk", "by: ground goes with one other at most"),
        ("by=finding,ground,risk", "by: finding goes with one other at most"),
        ("risk=hihg", "did you mean 'high'?"),
        ("sector=helth", "did you mean 'health'?"),
        ("status=", "status: unknown code ''"),
        ("agency=demo-sant", "did you mean 'demo-sante'?"),
        ("origin=us", "origin: unknown code 'us'"),
        ("limit=3", "limit: no such parameter"),
    ],
)
async def test_a_question_is_taken_literally(reader, problem, query, said):
    answer = problem(await reader.get(f"{STATISTICS}?{query}"), 400, "invalid-parameter")
    assert said in answer["detail"]
