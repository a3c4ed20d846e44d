"""Restriction over HTTP: what is kept from the public lowers no level and is decided by others."""

import copy

import msgspec
import pytest

from tests.served import records

RECORD = "/api/v1/records/demo-sante/triage-radiographies"
NEW = {"if-none-match": "*"}
NOTE = {"fr": "Restreint par décision de la commission", "ar": "مقيد بقرار من اللجنة"}


@pytest.fixture
def settings(settings):
    return msgspec.structs.replace(settings, review="none")


@pytest.fixture
def record():
    [found] = [one for one in records("demo-sante") if one["id"].endswith("/triage-radiographies")]
    found["sector"]["primary"] = "public_safety"
    return found


@pytest.fixture
def restricted(record):
    """What a lawful restriction of the record says: it was of a sector that the ground serves."""
    return {
        "id": record["id"],
        "schema_version": record["schema_version"],
        "sector": {"primary": "public_safety"},
        "risk": {"level": record["risk"]["level"]},
        "lifecycle": {"status": record["lifecycle"]["status"]},
        "publication": {
            "visibility": "restricted",
            "restriction": {
                "ground": "state_security",
                "authority": {"fr": "Commission nationale du secret", "ar": "لجنة السر"},
                "reference": "2026/31",
                "review_on": "2027-06-30",
            },
            "change_note": NOTE,
        },
    }


def changed(document, place, value):
    copied = copy.deepcopy(document)
    *path, name = place.strip("/").split("/")
    node = copied
    for step in path:
        node = node[step]
    if value is ...:
        del node[name]
    else:
        node[name] = value
    return copied


OWN = "/publication/restriction/authority"
REFUSED = [
    ({"/risk/level": "minimal"}, "/risk/level", "R29"),
    ({OWN: {"fr": "Agence de démonstration – Santé"}}, f"{OWN}/fr", "R28"),
    ({OWN: {"fr": "DEMO SANTE"}}, f"{OWN}/fr", "R28"),
    ({OWN: {"fr": "La directrice de l’agence de DEMONSTRATION (Sante)"}}, f"{OWN}/fr", "R28"),
    ({OWN: {"fr": "Le directeur général"}}, f"{OWN}/fr", "R28"),
    ({OWN: {"ar": "المدير العام للوكالة التجريبية للعرض – الصحة"}}, f"{OWN}/ar", "R28"),
    (
        {OWN: {"fr": "Commission du secret", "en": "Demonstration agency – Health"}},
        f"{OWN}/en",
        "R28",
    ),
    ({"/publication/restriction/reference": ...}, "/publication/restriction/reference", "R28"),
    ({"/publication/restriction/reference": "N/A"}, "/publication/restriction/reference", "R28"),
    (
        {"/publication/restriction/ground": "economic_policy"},
        "/publication/restriction/ground",
        "R28",
    ),
]


async def test_a_restriction_hides_nothing_that_it_may_not(
    agency, problem, record, restricted, subtests
):
    published = await agency.post(f"{RECORD}?action=publish", json=record, headers=NEW)
    assert published.status_code == 201, published.text
    headers = {"if-match": published.headers["etag"]}
    for edits, place, rule in REFUSED:
        with subtests.test(edits=edits):
            document = restricted
            for at, value in edits.items():
                document = changed(document, at, value)
            answer = await agency.post(f"{RECORD}?action=publish", json=document, headers=headers)
            found = problem(answer, 422, "invalid-record")["findings"]
            assert (place, rule) in {(one["pointer"], one["rule"]) for one in found}
    # A social benefit becomes no matter of security by being restricted.
    benefit = changed(record, "/sector/primary", "social_protection")
    benefit["publication"]["change_note"] = {
        "fr": "Le secteur était faux",
        "ar": "كان القطاع خاطئا",
    }
    sent = await agency.post(f"{RECORD}?action=publish", json=benefit, headers=headers)
    headers = {"if-match": sent.headers["etag"]}
    answer = await agency.post(f"{RECORD}?action=publish", json=restricted, headers=headers)
    found = problem(answer, 422, "invalid-record")["findings"]
    assert [(one["pointer"], one["rule"]) for one in found] == [("/sector/primary", "R29")]
    assert "2" in found[0]["message"]


async def test_a_lawful_restriction_is_silent_and_its_score_says_so(
    client, agency, problem, record, restricted
):
    published = await agency.post(f"{RECORD}?action=publish", json=record, headers=NEW)
    headers = {"if-match": published.headers["etag"]}
    sent = await agency.post(f"{RECORD}?action=publish", json=restricted, headers=headers)
    assert (sent.status_code, sent.json()["version"]) == (201, 2)
    told = (await client.get(RECORD)).json()["register"]
    assert told["completeness"] < 15
    assert told["accountability"] == 0
    assert told["missing"] == []
    # Nor is the level lowered by withdrawing the record first, and restricting it anew.
    gone = await agency.post(
        f"{RECORD}/withdraw",
        json={"reason": "other", "note": NOTE},
        headers={"if-match": sent.headers["etag"]},
    )
    assert gone.status_code in (200, 201), gone.text
    lower = changed(restricted, "/risk/level", "minimal")
    lower["publication"]["change_note"] = {
        "fr": "De retour au registre",
        "ar": "عودة إلى السجل الآن",
    }
    answer = await agency.post(f"{RECORD}?action=publish", json=lower, headers=NEW)
    found = problem(answer, 422, "invalid-record")["findings"]
    assert ("/risk/level", "R29") in {(one["pointer"], one["rule"]) for one in found}


async def test_a_lowering_under_another_name_is_in_the_public_list(client, agency, record):
    """Filer W9: every text the same but the name, beside the record at the higher level."""
    [limited] = [one for one in records("demo-sante") if "/transcription" in one["id"]]
    sent = await agency.post(f"{RECORD}?action=publish", json=record, headers=NEW)
    assert sent.status_code == 201, sent.text
    name = {"fr": "Idem bis", "ar": "مثله مكرر"}
    texts = {key: record[key] for key in ("summary", "purpose")}
    same = limited | texts | {"id": "demo-sante/idem-bis", "source_id": "IB-1", "name": name}
    for document in (same, limited):
        path = f"/api/v1/records/{document['id']}?action=publish"
        sent = await agency.post(path, json=document, headers=NEW)
        assert sent.status_code == 201, sent.text
    told = (await client.get("/api/v1/changes?risk_change=lowered")).json()["items"]
    assert [one["risk"]["before"] for one in told] == ["high"]
    found = (await client.get("/api/v1/records?risk_change=lowered&finding=R25")).json()
    assert [one["id"] for one in found["items"]] == [same["id"]]
