"""Search and reading: the shapes that others rely on, and questions taken literally."""

import base64
import copy
import datetime as dt
import json
from urllib.parse import urlsplit

import pytest

from registry.record.facts import facts
from registry.record.observations import OBSERVATIONS
from registry.record.origin import Origin
from registry.record.pack import Agency
from registry.record.validate import validate
from registry.services.importing.matching import ForeignFiling
from tests.conftest import NOW
from tests.imported import import_filings

ITEM = {
    "id", "name", "summary", "agency", "risk", "sector", "status", "origin", "fictitious",
    "version", "published_at", "completeness", "match", "highlights",
}  # fmt: skip
REGISTER = {
    "version", "state", "published_at", "superseded_at", "hash", "entry", "origin", "fictitious",
    "code", "completeness", "accountability", "missing", "findings", "redacted",
}  # fmt: skip
RECORDS = "/api/v1/records"


def copies(record, count):
    made = [copy.deepcopy(record) for _ in range(count)]
    for number, document in enumerate(made):
        document["id"] = f"demo-sante/copy-{number}"
        if number % 3 == 0:
            document["risk"]["level"] = "high"
    return made


async def test_a_list_is_of_the_shape_that_the_contract_says(client, publish, record):
    await publish(record, {"id": "demo-education/bare", "schema_version": "1.0"})
    answer = (await client.get(RECORDS)).json()
    assert set(answer) == {
        "items", "facets", "total", "next", "named", "mended", "partial", "suggestion",
        "whole_country", "kinds", "cells", "transitions",
    }  # fmt: skip
    assert (answer["total"], answer["facets"], answer["next"]) == (2, {}, None)
    bare, full = answer["items"]
    assert set(bare) == set(full) == ITEM
    assert full["name"] == record["name"]
    assert full["summary"] == record["summary"]
    assert (full["id"], full["agency"]) == (record["id"], "demo-sante")
    assert full["risk"] == record["risk"]["level"]
    assert full["published_at"] == "2026-11-24T12:00:00Z"
    assert full["fictitious"] is True
    assert full["version"] == 1
    assert type(full["completeness"]) is int
    assert full["match"] is None
    assert full["highlights"] == []
    assert (bare["name"], bare["summary"], bare["origin"]) == (None, None, None)
    assert bare["risk"] == bare["sector"] == bare["status"] == "not_stated"


async def test_words_find_and_say_where_they_stood(client, publish, record):
    await publish(*copies(record, 2))
    answer = (await client.get(RECORDS, params={"q": "prévision lits"})).json()
    assert answer["total"] == 2
    assert {item["match"] for item in answer["items"]} == {"name"}
    assert (await client.get(RECORDS, params={"q": "zzz"})).json()["items"] == []
    assert (await client.get(RECORDS, params={"q": "  "})).json()["total"] == 2
    found = await client.get(RECORDS, params={"q": "أَسِرّة", "lang": "ar"})
    assert found.json()["total"] == 2


async def test_passages_and_mended_words_come_with_the_hits(client, publish, record):
    await publish(record)
    answer = (await client.get(f"{RECORDS}?q=previsoin+grippe")).json()
    assert answer["mended"] == "prévision grippe"
    large = (await client.get(f"{RECORDS}?q=Previsoin+GRIPPE")).json()
    assert large["mended"] == "Prévision GRIPPE"
    [item] = answer["items"]
    assert item["match"] == "text"
    marked = {
        (one["field"], one["lang"]): [one["text"][start:end] for start, end in one["marks"]]
        for one in item["highlights"]
    }
    assert marked["/name", "fr"] == ["Prévision"]
    assert marked["/data/description", "fr"] == ["grippe"]
    assert (await client.get(f"{RECORDS}?q=prevision+grippe")).json()["mended"] is None


async def test_what_has_most_of_the_words_is_a_group_of_its_own(client, publish, record):
    await publish(record)
    query = "q=prévision+des+lits+maternité&facets=risk"
    answer = (await client.get(f"{RECORDS}?{query}")).json()
    # Nothing has all words, and nothing that is counted, exported or turned over says otherwise.
    assert (answer["total"], answer["items"], answer["facets"]) == (0, [], {"risk": []})
    assert (answer["mended"], answer["suggestion"], answer["next"]) == (None, None, None)
    partial = answer["partial"]
    assert (partial["words"], partial["missing"], partial["total"]) == (
        "prévision lits",
        ["maternité"],
        1,
    )
    [item] = partial["items"]
    assert (item["id"], item["match"], bool(item["highlights"])) == (record["id"], "name", True)
    again = (await client.get(RECORDS, params={"q": partial["words"]})).json()
    assert (again["total"], again["partial"]) == (1, None)
    exported = await client.get(f"/api/v1/exports/records.csv?{query.removesuffix('&facets=risk')}")
    assert len(exported.text.splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    [
        '"',
        "-",
        "- OR -",
        "!!!",
        "%",
        "_",
        "'",
        "\\",
        "😀",
        "\u202e\u2066",
        "le la",
        '"le',
        "*",
        "a*" * 200,
    ],
)
async def test_no_words_are_a_fault(reader, text):
    answer = await reader.get(RECORDS, params={"q": text, "facets": "risk,agency"})
    assert answer.status_code == 200
    assert answer.json()["total"] in {0, 1}
    assert len(answer.json()["items"]) == answer.json()["total"]


async def test_repeating_means_or_and_different_means_and(client, publish, record):
    await publish(*copies(record, 6))

    async def total(query):
        return (await client.get(f"{RECORDS}?{query}")).json()["total"]

    assert await total("risk=high") == 2
    assert await total("risk=high&risk=limited&risk=minimal") == 6
    assert await total("risk=high&agency=demo-education") == 0
    assert await total("risk=high&agency=demo-sante&agency=demo-education") == 2
    assert await total("origin=local") == 6
    assert await total("area=not_stated&risk=high") + await total("area=none&risk=high") == 2


async def test_records_are_found_by_the_country_of_their_register(
    client, context, publish, record, pack
):
    def copied(code, number):
        agency = Agency(id=f"{code}.dsi", name={"en": code}, kind="ministry", origin=code)
        document = {
            "id": f"{code}.dsi/{number}",
            "schema_version": "1.0",
            "name": {"en": f"System {number}"},
        }
        verdict = validate(document, profile="foreign", pack=pack, today=NOW.date())
        return ForeignFiling(document=document, agency=agency, verdict=verdict, source_row={})

    await publish(record)
    for code, country, number in (("sn-one", "SN", 1), ("sn-two", "SN", 2), ("nowhere", "", 1)):
        origin = Origin(code=code, title=code, country=country)
        filings = [copied(code, one) for one in range(number)]
        await import_filings(context, filings, origin=origin)

    async def ask(query):
        answer = await client.get(f"/api/v1/records?{query}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    counts = [{"code": "SN", "count": 3}, {"code": "MA", "count": 1}]
    assert (await ask("facets=country"))["facets"]["country"] == counts
    found = await ask("country=SN&facets=country,origin")
    assert found["total"] == 3
    # A facet counts what all filters but its own let pass.
    assert found["facets"]["country"] == counts
    assert [(one["code"], one["count"]) for one in found["facets"]["origin"]] == [
        ("sn-two", 2), ("sn-one", 1),
    ]  # fmt: skip
    assert (await ask("country=SN&country=MA"))["total"] == 4
    assert (await ask("country=MA&origin=sn-one"))["total"] == 0
    refused = await client.get("/api/v1/records?country=FR")
    assert refused.status_code == 400
    assert "MA, SN" in refused.json()["detail"]


async def test_facets_are_those_asked_for_by_count(client, publish, record):
    await publish(*copies(record, 5))
    answer = (await client.get(f"{RECORDS}?risk=high&facets=risk,agency")).json()
    assert answer["total"] == 2
    level = record["risk"]["level"]
    assert answer["facets"] == {
        "risk": [{"code": level, "count": 3}, {"code": "high", "count": 2}],
        "agency": [{"code": "demo-sante", "count": 2}],
    }


async def test_pages_follow_by_cursor_and_by_link(client, publish, record):
    for document in copies(record, 7):
        await publish(document)
    query, seen = "risk=high&risk=limited&risk=minimal&limit=3&facets=risk", []
    address = f"{RECORDS}?{query}"
    while address:
        response = await client.get(address)
        answer = response.json()
        assert answer["total"] == 7
        assert len(answer["facets"]["risk"]) == 2
        seen += [item["id"] for item in answer["items"]]
        assert ("link" in response.headers) is (answer["next"] is not None)
        address = None
        if answer["next"] is not None:
            link = response.headers["link"]
            assert link.endswith('>; rel="next"')
            address = link[1:].split(">")[0]
            assert urlsplit(address).path == RECORDS
    assert seen == [f"demo-sante/copy-{number}" for number in reversed(range(7))]


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("rsik=high", "did you mean 'risk'?"),
        ("as_of=2026-01-01", "as_of"),
        ("risk=hihg", "did you mean 'high'?"),
        ("risk=", "risk"),
        ("risk=high,limited", "risk"),
        ("agency=demo-sant", "did you mean 'demo-sante'?"),
        ("origin=us-omb-2025", "origin"),
        ("facets=risk,colour", "colour"),
        ("facets=", "facets"),
        ("sort=oldest", "sort"),
        ("sort=relevance", "relevance needs words"),
        ("lang=xx", "lang"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("limit=1&limit=2", "give it once"),
        ("q=a&q=b", "give it once"),
        ("sort=name&sort=newest", "give it once"),
        ("facets=risk&facets=agency", "give it once"),
        ("q=" + "x" * 501, "at most 500"),
        ("q=a%00b", "NUL"),
        ("cursor=x", "cursor"),
        ("cursor=%00", "NUL"),
        ("cursor=!!!", "cursor"),
        ("&".join(["risk=high"] * 101), "at most 100"),
    ],
)  # fmt: skip
async def test_a_question_that_cannot_be_taken_literally_is_refused(reader, problem, query, word):
    found = problem(await reader.get(f"{RECORDS}?{query}"), 400, "invalid-parameter")
    assert word in found["detail"]


async def test_a_cursor_belongs_to_its_question(client, publish, problem, record):
    await publish(*copies(record, 3))
    answer = await client.get(f"{RECORDS}?&limit=1&")
    cursor = answer.json()["next"]
    assert answer.headers["link"].startswith(f"<{RECORDS}?limit=1&cursor={cursor}>")
    for query in ("risk=high", "sort=name", "q=lits"):
        response = await client.get(f"{RECORDS}?{query}&cursor={cursor}")
        assert "another question" in problem(response, 400, "invalid-parameter")["detail"]
    assert (await client.get(f"{RECORDS}?limit=2&cursor={cursor}")).status_code == 200


FORGED = [
    [2**31, 1, 3],
    [0, 2**32, 3],
    [0, "1", 3],
    [0.5, 1, 3],
    [0, 1, -1],
    [0, 1],
]


async def test_a_forged_cursor_is_refused(client, publish, problem, record, subtests):
    await publish(*copies(record, 2))
    cursor = (await client.get(f"{RECORDS}?limit=1")).json()["next"]
    question, _, day = json.loads(base64.urlsafe_b64decode(cursor + "==="))
    for place in FORGED:
        with subtests.test(place=place):
            for forged in ([question, place, day], [question, place]):
                text = base64.urlsafe_b64encode(json.dumps(forged).encode()).decode().rstrip("=")
                problem(
                    await client.get(RECORDS, params={"cursor": text}), 400, "invalid-parameter"
                )


async def test_a_record_is_the_document_as_filed_and_the_registers_word(client, publish, record):
    [published] = await publish(record)
    response = await client.get(f"{RECORDS}/{record['id']}")
    answer = response.json()
    assert set(answer) == {"record", "register"}
    assert answer["record"] == record
    assert set(answer["register"]) == REGISTER
    assert answer["register"]["hash"] == published.hash
    assert answer["register"]["superseded_at"] is None
    assert response.headers["etag"] == f'"{published.hash[:16]}"'


async def test_versions_stay_and_say_when_they_were_superseded(client, publish, record):
    [first] = await publish(record)
    changed = copy.deepcopy(record)
    changed["publication"]["change_note"] = {"fr": "Correction"}
    tag = (await client.get(f"{RECORDS}/{record['id']}/versions/1")).headers["etag"]
    [second] = await publish(changed)
    versions = (await client.get(f"{RECORDS}/{record['id']}/versions")).json()["items"]
    assert [one["version"] for one in versions] == [1, 2]
    assert set(versions[0]) == {"version", "published_at", "hash", "entry", "change_note"}
    assert [one["hash"] for one in versions] == [first.hash, second.hash]
    assert versions[1]["change_note"] == {"fr": "Correction"}
    # Who kept version 1 must not be told that nothing has changed: it was superseded.
    response = await client.get(
        f"{RECORDS}/{record['id']}/versions/1", headers={"if-none-match": tag}
    )
    assert response.status_code == 200
    assert response.json()["record"] == record
    assert response.json()["register"]["superseded_at"] == "2026-11-24T12:00:00Z"
    latest = await client.get(f"{RECORDS}/{record['id']}/versions/2")
    assert latest.headers["etag"] == f'"{second.hash[:16]}"'


async def test_findings_are_those_kept_with_the_version(client, publish, record):
    del record["purpose"]["goal"]
    await publish(record)
    answer = (await client.get(f"{RECORDS}/{record['id']}/findings")).json()
    register = (await client.get(f"{RECORDS}/{record['id']}")).json()["register"]
    assert answer == {"items": register["findings"]}
    assert set(answer["items"][0]) >= {"pointer", "rule", "severity", "message"}


@pytest.mark.parametrize(
    "path",
    [
        "demo-sante/nothing",
        "nobody/nothing",
        "demo-sante/prevision-lits/versions/2",
        "demo-sante/prevision-lits/versions/0",
        "demo-sante/prevision-lits/versions/-1",
        "demo-sante/prevision-lits/versions/2147483648",
        "demo-sante/prevision-lits/versions/%2B1",
        "demo-sante/prevision-lits/versions/01",
        "demo-sante/prevision-lits/versions/0_1",
        "demo-sante/prevision-lits/versions/%D9%A1",
        "demo-sante/prevision-lits/versions/%201",
        "demo-sante/prevision-lits/versions/99999999999999999999999",
        "demo-sante/nothing/versions",
        "demo-sante/nothing/findings",
        "demo-sante",
        "demo-sante/prevision-lits/other",
        "demo-sante/a%00b",
        "%00/x",
        "demo-sante/" + "x" * 3000,
        "demo-sante/%F0%9F%98%80",
    ],
)
async def test_what_is_not_there_is_a_problem(reader, problem, path):
    problem(await reader.get(f"{RECORDS}/{path}"), 404, "not-found")


# --- what is wrong, missing, late or changed


def varied(record, slug, **more):
    """A copy of a record under another id, with members at paths changed, or removed by None."""
    document = copy.deepcopy(record)
    document["id"] = f"demo-sante/{slug}"
    for path, value in more.items():
        *above, name = path.split("__")
        here = document
        for part in above:
            here = here.setdefault(part, {})
        here.pop(name, None)
        if value is not None:
            here[name] = value
    return document


@pytest.fixture
def found(client):
    """The slugs that a question finds, in their order."""

    async def ask(query):
        answer = (await client.get(f"{RECORDS}?{query}&limit=100")).json()
        assert answer["total"] == len(answer["items"])
        return [item["id"].split("/")[1] for item in answer["items"]]

    return ask


async def test_what_is_missing_wrong_or_withheld_can_be_asked_for(found, publish, record):
    withheld = [{"pointer": "/technical/description", "ground": "state_security"}]
    restricted = {
        "id": "demo-securite/hidden",
        "schema_version": "1.0",
        "publication": {
            "visibility": "restricted",
            "restriction": {
                "ground": "national_defence",
                "authority": "A",
                "review_on": "2030-01-01",
            },
        },
    }
    await publish(
        varied(record, "whole"),
        varied(record, "silent", risk__level="high", rights__contestation=None),
        varied(
            record,
            "secret",
            publication__withheld_fields=withheld,
            technical__description=None,
        ),
        varied(record, "unreviewed", lifecycle__next_review_on=None),
        restricted,
    )
    asked = "kind.rights.contestation=asked_not_stated"
    assert await found(asked) == ["silent"]
    unasked = "kind.rights.contestation=not_asked"
    both = ["unreviewed", "secret", "silent", "whole"]
    assert await found(unasked) == [slug for slug in both if slug != "silent"]
    assert await found("lacks=rights.contestation") == await found(f"{asked}&{unasked}") == both
    assert await found("lacks=lifecycle.next_review_on") == ["unreviewed"]
    assert await found("kind.technical.description=withheld") == ["secret"]
    assert await found("kind.technical.description=restricted") == ["hidden"]
    assert "hidden" not in await found("lacks=technical.description&has=technical.description")
    assert await found("finding=R15") == ["silent"]
    assert await found("finding=R15&finding=R04&lacks=lifecycle.next_review_on") == []
    assert await found("withheld=state_security") == ["secret"]
    assert await found("withheld=national_defence") == []
    assert await found("restricted=national_defence") == ["hidden"]


async def test_what_happened_to_people_finds_the_systems_behind_it(client, found, publish, record):
    def of(slug, sector, function, *affected):
        system = {"sector": {"primary": sector, "function": function}}
        return varied(record, slug, **system, purpose__affected_groups=[*affected])

    await publish(
        of("grants", "education", "eligibility", "pupils_students", "benefit_applicants"),
        of("classes", "education", "forecasting", "pupils_students"),
        of("beds", "health", "forecasting", "patients"),
        {"id": "demo-sante/bare", "schema_version": "1.0"},
    )
    assert await found("life_event=grant") == ["grants"]
    assert sorted(await found("life_event=school")) == ["classes", "grants"]
    assert sorted(await found("life_event=health&life_event=grant")) == ["beds", "grants"]
    counted = (await client.get(f"{RECORDS}?facets=life_event")).json()["facets"]["life_event"]
    assert {one["code"]: one["count"] for one in counted} == {
        "benefit": 1, "grant": 1, "health": 1, "school": 2,
    }  # fmt: skip
    refused = await client.get(f"{RECORDS}?life_event=grnt")
    assert refused.status_code == 400
    assert "did you mean 'grant'?" in refused.json()["detail"]


async def test_scores_from_one_to_another(client, found, publish, record):
    await publish(
        varied(record, "whole"),
        varied(record, "less", data=None, technical=None, rights=None),
        {"id": "demo-sante/bare", "schema_version": "1.0"},
    )
    scores = {
        item["id"].split("/")[1]: item["completeness"]
        for item in (await client.get(RECORDS)).json()["items"]
    }
    # Without a level of risk nobody can say how much is asked of it.
    assert scores.pop("bare") is None
    assert scores["less"] < scores["whole"]
    middle, _ = sorted(scores.values())
    assert await found(f"completeness_min={middle}&completeness_max={middle}") == ["less"]
    assert await found(f"completeness_min={middle + 1}") == ["whole"]
    assert await found("sort=completeness") == ["whole", "less", "bare"]
    assert await found("completeness_min=0&completeness_max=100") == ["less", "whole"]


async def test_overdue_reviews_say_since_how_many_days(asker, clock, publish, record):
    await publish(
        varied(record, "late", lifecycle__next_review_on="2027-01-10"),
        varied(record, "later", lifecycle__next_review_on="2027-01-20"),
        varied(record, "gone", lifecycle__status="retired", lifecycle__next_review_on="2027-01-01"),
    )

    async def late(query=""):
        address = f"{RECORDS}?overdue=true&sort=review_due&facets=overdue{query}"
        answer = (await asker.get(address)).json()
        counted = answer["facets"]["overdue"]
        assert counted == ([{"code": "true", "count": answer["total"]}] if counted else [])
        return [(item["id"].split("/")[1], item["overdue_days"]) for item in answer["items"]]

    clock.now = dt.datetime(2027, 1, 10, 23, tzinfo=dt.UTC)
    assert await late() == []
    clock.now = dt.datetime(2027, 1, 25, tzinfo=dt.UTC)
    assert await late() == [("late", 15), ("later", 5)]
    assert await late("&as_of=2027-01-11") == [("late", 1)]
    assert await late("&as_of=entry:3") == []
    assert await late("&q=lits") == [("late", 15), ("later", 5)]
    items = (await asker.get(RECORDS)).json()["items"]
    assert not any("overdue_days" in item for item in items)


async def test_what_a_record_shows_is_found_and_counted_by_the_day(asker, clock, publish, record):
    contract = {"reference": "12/2025", "procedure": "negotiated", "ends": "2027-01-10"}
    await publish(
        varied(record, "over", lifecycle__status="in_use", procurement__contract=contract),
        varied(record, "late", lifecycle__next_review_on="2027-01-10"),
    )

    async def found(query):
        answer = (await asker.get(f"{RECORDS}?facets=observation&{query}")).json()
        counted = {one["code"]: one["count"] for one in answer["facets"]["observation"]}
        return sorted(item["id"].split("/")[1] for item in answer["items"]), counted

    clock.now = dt.datetime(2027, 1, 10, 23, tzinfo=dt.UTC)
    assert await found("observation=contract_over") == ([], {"no_competition": 1})
    clock.now = dt.datetime(2027, 1, 11, tzinfo=dt.UTC)
    counted = {"contract_over": 1, "no_competition": 1, "review_overdue": 1}
    assert await found("observation=contract_over") == (["over"], counted)
    assert await found("observation=contract_over&observation=review_overdue") == (
        ["late", "over"],
        counted,
    )
    assert (await found("overdue=true"))[0] == (await found("observation=review_overdue"))[0]
    # As of a day, and as of an entry, whose day is its own.
    assert await found("observation=contract_over&as_of=2027-01-10") == ([], {"no_competition": 1})
    assert (await found("observation=contract_over&as_of=entry:2"))[0] == []
    statistics = (await asker.get("/api/v1/statistics")).json()["local"]["observations"]
    assert {one["observation"]: one["records"] for one in statistics if one["records"]} == counted
    assert [one["observation"] for one in statistics] == [*OBSERVATIONS]
    assert (await asker.get(f"{RECORDS}?observation=contract")).status_code == 400


async def test_a_page_goes_on_by_the_day_of_the_first(asker, clock, publish, record):
    await publish(
        *(
            varied(record, f"n{day}", lifecycle__next_review_on=f"2027-01-1{day}")
            for day in (1, 2, 3)
        )
    )
    clock.now = dt.datetime(2027, 1, 13, 23, tzinfo=dt.UTC)
    first = (await asker.get(f"{RECORDS}?overdue=true&sort=review_due&limit=1")).json()
    clock.now += dt.timedelta(days=1)
    assert (await asker.get(f"{RECORDS}?overdue=true")).json()["total"] == 3
    query = {"overdue": "true", "sort": "review_due", "limit": "1", "cursor": first["next"]}
    second = (await asker.get(RECORDS, params=query)).json()
    assert first["total"] == second["total"] == 2
    assert [item["overdue_days"] for item in first["items"] + second["items"]] == [2, 1]
    assert second["next"] is None


async def test_a_page_goes_on_in_the_log_of_the_first_whatever_as_of_says(
    client, publish, record, problem
):
    await publish(*copies(record, 3))
    first = (await client.get(f"{RECORDS}?limit=1&as_of=entry:3")).json()
    await publish(varied(record, "new"))
    assert first["next"] == (await client.get(f"{RECORDS}?limit=1&as_of=entry:3")).json()["next"]
    for as_of in ("", "&as_of=entry:3", "&as_of=entry:4"):
        second = await client.get(f"{RECORDS}?limit=2&cursor={first['next']}{as_of}")
        assert [item["id"] for item in second.json()["items"]] == [
            "demo-sante/copy-1",
            "demo-sante/copy-0",
        ]
    earlier = await client.get(f"{RECORDS}?limit=2&cursor={first['next']}&as_of=entry:2")
    assert "later than as_of" in problem(earlier, 400, "invalid-parameter")["detail"]


async def test_what_was_not_touched_since_a_day_is_found(client, found, publish, record, problem):
    """Of `changed_until` a record that was changed since is found too."""

    def on(day):
        return dt.datetime(2026, 11, day, 12, tzinfo=dt.UTC)

    await publish(varied(record, "old"), varied(record, "changed"), now=on(20))
    await publish(varied(record, "changed"), varied(record, "new"), now=on(25))
    assert await found("changed_until=2026-11-24") == ["changed", "old"]
    assert await found("unchanged_since=2026-11-25") == ["old"]
    assert await found("unchanged_since=2026-11-25T12:00:00Z") == ["old"]
    assert await found("unchanged_since=2026-11-25T12:00:01Z") == ["new", "changed", "old"]
    assert await found("unchanged_since=2026-11-20") == []
    assert await found("unchanged_since=2020-01-01") == []
    # As it was then, it had not been touched either.
    assert await found("unchanged_since=2026-11-25&as_of=entry:2") == ["changed", "old"]
    assert await found("unchanged_since=2026-11-25&changed_since=2026-11-25") == []
    wrong = await client.get(f"{RECORDS}?unchanged_since=2026-02-30")
    assert (
        "unchanged_since: '2026-02-30' is not" in problem(wrong, 400, "invalid-parameter")["detail"]
    )
    described = (await client.get("/openapi.json")).json()["paths"][RECORDS]["get"]["parameters"]
    words = {one["name"]: one["description"] for one in described}
    assert "maybe others later" in words["changed_until"]
    assert "No version came" in words["unchanged_since"]


async def test_from_what_to_what_a_fact_went_in_a_window(client, publish, record):
    def on(day):
        return dt.datetime(2026, 11, day, 12, tzinfo=dt.UTC)

    def made(slug, status, *techniques):
        lifecycle = {**record["lifecycle"], "status": status}
        technical = {**record["technical"], "techniques": [*techniques]}
        return varied(record, slug, lifecycle=lifecycle, technical=technical)

    await publish(made("a", "pilot", "rules"), made("b", "pilot", "rules"), now=on(25))
    await publish(made("a", "in_use", "rules"), made("c", "in_use", "rules"), now=on(27))
    await publish(made("a", "suspended", "rules", "nlp"), made("b", "pilot", "nlp"), now=on(29))

    async def went(query):
        answer = (await client.get(f"{RECORDS}?{query}")).json()["transitions"]
        return {
            (one["from"] and one["from"]["value"], one["to"]["value"]): one["ids"] for one in answer
        }

    new, a, b = ["demo-sante/c"], ["demo-sante/a"], ["demo-sante/b"]
    since = "transitions=status&changed_since=2026-11-26"
    assert await went(since) == {("pilot", "suspended"): a, (None, "in_use"): new}
    until = f"{since}&changed_until=2026-11-28"
    assert await went(until) == {("pilot", "in_use"): a, (None, "in_use"): new}
    assert await went(f"{since}&status=suspended") == {("pilot", "suspended"): a}
    of = "transitions=technique&changed_since=2026-11-28"
    assert await went(of) == {("rules", "nlp; rules"): a, ("rules", "nlp"): b}


async def test_a_region_finds_what_applies_in_its_whole_country_and_says_how_many(
    client, found, publish, record
):
    def applying(slug, *territory):
        return varied(record, slug, territory=list(territory))

    await publish(
        applying("a", "MA-06"),
        applying("b", "MA-06", "MA-04"),
        applying("c", "MA"),
        applying("d", "MA", "MA-06"),
        applying("e", "MA-04"),
        applying("f", "FR"),
    )

    async def asked(query):
        answer = (await client.get(f"{RECORDS}?{query}&facets=territory,risk")).json()
        counts = {one["code"]: one["count"] for one in answer["facets"]["territory"]}
        return answer["total"], answer["whole_country"], counts

    assert sorted(await found("territory=MA-06")) == ["a", "b", "c", "d"]
    total, whole, counts = await asked("territory=MA-06")
    assert (total, whole) == (4, 2)
    assert (await asked("territory=MA-06&territory=MA-04"))[:2] == (5, 2)
    assert (await asked("territory=MA"))[:2] == (2, None)
    assert (await asked("territory=FR-75"))[:2] == (1, 1)
    assert (await asked("q=nothing"))[1] is None
    # What a facet counts is what its filter finds.
    assert counts == {"MA-06": 4, "MA-04": 4, "MA": 2, "FR": 1}
    for code, count in counts.items():
        assert (await asked(f"territory={code}"))[0] == count
    assert (await asked("territory=MA-06&as_of=entry:2"))[:2] == (2, 0)


async def test_what_changed_in_a_time_and_whose_risk_moved_then(client, found, publish, record):
    def on(day):
        return dt.datetime(2026, 11, day, 12, tzinfo=dt.UTC)

    await publish(varied(record, "a"), varied(record, "b", risk__level="high"), now=on(25))
    await publish(varied(record, "b"), now=on(26))
    await publish(varied(record, "b", summary={"fr": "Autre", "ar": "آخر"}), now=on(27))
    await publish(varied(record, "c", risk__level="high"), now=on(28))
    assert await found("changed_since=2026-11-26") == ["c", "b"]
    assert await found("changed_until=2026-11-25") == ["b", "a"]
    assert await found("changed_since=2026-11-27&changed_until=2026-11-27") == ["b"]
    assert await found("changed_since=2026-11-25T12:00:01Z&changed_until=2026-11-26") == ["b"]
    assert await found("changed_since=2026-11-29") == []
    assert await found("changed_until=2020-01-01") == []
    assert await found("risk_change=lowered") == ["b"]
    assert await found("risk_change=raised") == []
    assert await found("risk_change=lowered&changed_since=2026-11-26&changed_until=2026-11-26") == [
        "b"
    ]
    assert await found("risk_change=lowered&changed_since=2026-11-27") == []
    assert await found("risk_change=lowered&as_of=entry:2") == []
    assert await found("changed_until=2026-11-25&as_of=entry:2") == ["b", "a"]
    query = "risk_change=raised&facets=risk_change&changed_since="
    for since, counted in (("2026-11-26", [{"code": "lowered", "count": 1}]), ("2026-11-27", [])):
        answer = (await client.get(f"{RECORDS}?{query}{since}")).json()
        assert (answer["total"], answer["facets"]["risk_change"]) == (0, counted)


async def test_an_agency_is_found_with_the_bodies_under_it(client, publish, record):
    of = [{**copy.deepcopy(record), "id": f"{agency}/a"} for agency in ("finances", "dgi", "adii")]
    await publish(*of, {**copy.deepcopy(record), "id": "demo-sante/a"})
    for query, total in (
        ("agency=finances", 1),
        ("agency.tree=finances", 3),
        ("agency.tree=dgi&agency.tree=demo-sante", 2),
        ("agency.tree=finances&agency=dgi", 1),
    ):
        assert (await client.get(f"{RECORDS}?{query}")).json()["total"] == total, query
    refused = (await client.get(f"{RECORDS}?agency.tree=finance")).json()
    assert "did you mean 'finances'?" in refused["detail"]


async def test_suppliers_are_found_whatever_their_letters(client, found, publish, record):
    bought = {"origin": "purchased", "suppliers": [{"name": "Société  Étoile"}]}
    await publish(varied(record, "a", procurement=bought), varied(record, "b"))
    for name in ("Société  Étoile", "societe etoile", " SOCIÉTÉ ÉTOILE "):
        answer = await client.get(RECORDS, params={"supplier": name, "facets": "supplier"})
        assert answer.json()["total"] == 1
        assert answer.json()["facets"] == {"supplier": [{"code": "Société  Étoile", "count": 1}]}
    shouted = {"origin": "purchased", "suppliers": [{"name": "SOCIÉTÉ ÉTOILE"}]}
    plain = {"origin": "purchased", "suppliers": [{"name": "Societe Etoile"}]}
    before = (await client.get(f"{RECORDS}?facets=supplier")).content
    size = (await client.get("/api/v1/changes")).json()["size"]
    await publish(
        varied(record, "c", procurement=shouted),
        varied(record, "d", procurement=plain),
        varied(record, "e", procurement=plain),
    )
    for query in ("", "supplier=société étoile", "supplier=nobody"):
        answer = await client.get(f"{RECORDS}?facets=supplier&{query}")
        # As most write it, and what the filter gives.
        assert answer.json()["facets"] == {"supplier": [{"code": "Societe Etoile", "count": 4}]}
    assert await found("supplier=Societe Etoile") == ["e", "d", "c", "a"]
    then = await client.get(f"{RECORDS}?facets=supplier&as_of=entry:{size - 1}")
    assert then.content == before
    assert await found("supplier=nobody") == []
    technique = record["technical"]["techniques"][0]
    assert await found(f"technique={technique}&territory={record['territory'][0]}") == [*"edcba"]
    assert await found("territory=FR-75&territory=US") == []


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("finding=R155", "did you mean 'R15'?"),
        ("lacks=rights.contestatoin", "did you mean 'rights.contestation'?"),
        ("has=rights", "has"),
        ("kind.rights.notice=yes", "kind.rights.notice: unknown code 'yes'"),
        ("kind.rights=stated", "kind.rights: no such parameter"),
        (
            "procedure=open",
            "procedure: no such parameter, did you mean 'procurement.contract.proce",
        ),
        ("contract=1", "'procurement.contract.reference' or 'procurement.contract.ocid' or"),
        ("overdew=true", "did you mean 'overdue'?"),
        ("risk=high,unacceptable", "repeat the parameter: risk=high&risk=unacceptable"),
        ("data.hosting.country=fr", "'fr' is not written as the format has it: ^[A-Z]{2}$"),
        ("procurement.contract.amount.value.from=1e", "'1e' is not a number, such as"),
        ("lifecycle.deployed_on.until=2026-13", "'2026-13' is not a day, a month or a year"),
        ("evaluation.incidents.severity=serius", "did you mean 'serious'?"),
        ("decision.legal_effect=yes", "the codes are false, true"),
        ("transitions=status", "say since when, by changed_since"),
        ("transitions=staus&changed_since=2026-01-01", "did you mean 'status'?"),
        ("by=risk,sector,status", "by: a table has at most 2 groupings"),
        (
            "&".join([f"lacks={fact}" for fact in [*facts()][:10]] + ["kind.risk.level=stated"]),
            "together take at most 10 facts",
        ),
        ("overdue=yes", "the codes are true"),
        ("overdue=false", "the codes are true"),
        ("risk_change=lower", "did you mean 'lowered'?"),
        ("territory=ma-04", "did you mean 'MA-04'?"),
        ("territory=MA-99", "territory: unknown code 'MA-99'"),
        ("territory=Rabat", "territory: unknown code 'Rabat'"),
        ("technique=machine_learnin", "did you mean"),
        ("withheld=state_secrity", "did you mean 'state_security'?"),
        ("restricted=state_secrity", "did you mean 'state_security'?"),
        ("supplier=", "supplier: unknown code ''"),
        ("supplier=+", "supplier: unknown code ' '"),
        (f"supplier={'a' * 501}", "supplier: unknown code 'aaa"),
        (f"data.hosting.provider={'a' * 501}", "data.hosting.provider: unknown code"),
        (f"lacks={'x.' * 2000}", "…'"),
        (f"agency={'us' * 2000}", "…'"),
        ("&".join(["supplier=a"] * 101), "at most 100"),
        ("completeness_min=101", "101 is not between 0 and 100"),
        ("completeness_max=-1", "-1 is not between 0 and 100"),
        ("completeness_min=60&completeness_max=50", "60 is above completeness_max"),
        ("completeness_min=x", "not a whole number"),
        ("completeness_min=1&completeness_min=2", "give it once"),
        ("changed_since=yesterday", "changed_since: 'yesterday' is not a time such as"),
        ("changed_since=entry:3", "changed_since: 'entry:3' is not"),
        ("changed_until=2026-02-30", "changed_until: '2026-02-30' is not"),
        ("changed_since=2026-12-02&changed_until=2026-12-01", "is after changed_until"),
        ("changed_since=2026-12-02&changed_since=2026-12-01", "give it once"),
        ("facets=completeness", "facets: unknown code"),
        ("RISK=high", "did you mean 'risk'?"),
        ("risk=High", "did you mean 'high'?"),
    ],
)
async def test_a_question_about_faults_that_cannot_be_taken_literally_is_refused(
    reader, problem, query, word
):
    found = problem(await reader.get(f"{RECORDS}?{query}"), 400, "invalid-parameter")
    assert word in found["detail"]
