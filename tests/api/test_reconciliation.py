"""Names in a list are matched as OpenRefine 3.8 asks: manifest, form, suggestions, view."""

import json

import pytest

from tests.conftest import make_record

PATH = "/api/v1/reconcile"
FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
SUPPLIERS = {
    "demo-sante/tri": ["Zellige Logiciels S.A.R.L.", "Microsoft Corporation"],
    "demo-sante/lits": ["Zellige Logiciels"],
    "demo-sante/file": ["Zellige Systèmes", "Microsoft"],
}


@pytest.fixture
async def filled(publish, client):
    documents = []
    for record, names in SUPPLIERS.items():
        document = make_record()
        document["id"] = record
        document["name"] = {"fr": f"Prévision {record}", "ar": "توقع الأسرة", "en": "Forecast"}
        suppliers = [{"name": name} for name in names]
        document["procurement"] = {"origin": "purchased", "suppliers": suppliers}
        documents.append(document)
    documents[0]["name"]["fr"] = "Tri des radiographies thoraciques"
    await publish(*documents)
    return client


async def asked(client, queries):
    """Ask as OpenRefine's server does: a form, its batches by the names q0, q1, …"""
    answer = await client.post(PATH, data={"queries": json.dumps(queries)}, headers=FORM)
    assert answer.status_code == 200, answer.text
    assert answer.json().keys() == queries.keys()
    by_get = await client.get(PATH, params={"queries": json.dumps(queries)})
    assert by_get.json() == answer.json()
    return {name: one["result"] for name, one in answer.json().items()}


async def test_the_manifest_says_what_there_is_and_how_many_at_once(client):
    answer = await client.get(PATH, headers={"origin": "http://127.0.0.1:3333"})
    manifest = answer.json()
    assert answer.headers["access-control-allow-origin"] == "*"
    assert manifest["versions"] == ["0.2"]
    assert {"name", "identifierSpace", "schemaSpace"} < manifest.keys()
    assert [one["id"] for one in manifest["defaultTypes"]] == ["agency", "supplier", "system"]
    assert manifest["batchSize"] == 50
    assert "{{id}}" in manifest["view"]["url"]
    assert manifest["suggest"]["entity"]["service_path"] == f"{PATH}/suggest"


async def test_a_supplier_is_matched_whatever_its_spelling_and_no_other_is(filled):
    found = await asked(
        filled,
        {
            "q0": {"query": "ZELLIGE LOGICIELS SARL", "type": "supplier", "type_strict": "should"},
            "q1": {"query": "microsoft, inc. (hosting)", "type": "supplier", "limit": 1},
            "q2": {"query": "Zelige Logiciel", "type": ["supplier"], "properties": []},
            "q3": {"query": "Grues et Levage du Nord", "type": "supplier"},
        },
    )
    first = found["q0"][0]
    assert first["id"] == "supplier/zellige logiciels"
    assert (first["score"], first["match"]) == (100, True)
    assert first["type"] == [{"id": "supplier", "name": "Supplier"}]
    assert [one["id"] for one in found["q1"]] == ["supplier/microsoft"]
    # A name that is only like it is proposed, best first, and matched by nobody but a person.
    assert found["q2"][0]["id"] == "supplier/zellige logiciels"
    assert not any(one["match"] for one in found["q2"])
    assert found["q3"] == []


async def test_agencies_and_systems_are_found_in_any_language(filled):
    found = await asked(
        filled,
        {
            "q0": {"query": "Ministère de l'interieur", "type": "agency"},
            "q1": {"query": "وزارة الداخلية"},
            "q2": {"query": "Tri des radiographies thoraciques", "type": "system"},
            "q3": {"query": '"-() *', "type": "system"},
        },
    )
    assert [one["match"] for one in found["q0"][:2]] == [True, False]
    assert found["q0"][0]["id"] == found["q1"][0]["id"] == "agency/interieur"
    assert (found["q2"][0]["id"], found["q2"][0]["match"]) == ("system/demo-sante/tri", True)
    assert found["q3"] == []
    for entity, page in (
        ("agency/interieur", "/agencies/interieur"),
        ("system/demo-sante/tri", "/records/demo-sante/tri"),
        ("supplier/zellige logiciels", "/search?supplier=zellige+logiciels"),
    ):
        answer = await filled.get(f"{PATH}/view", params={"id": entity})
        assert answer.status_code == 303
        assert answer.headers["location"] == f"https://algorithms.example/en{page}"


async def test_entities_are_suggested_while_somebody_types(filled):
    answer = await filled.get(f"{PATH}/suggest", params={"prefix": "zell", "type": "supplier"})
    names = [one["name"] for one in answer.json()["result"]]
    assert len(names) == 2
    assert all(name.startswith("Zellige") for name in names)
    answer = await filled.get(f"{PATH}/suggest", params={"prefix": "radiogr"})
    assert [one["id"] for one in answer.json()["result"]] == ["system/demo-sante/tri"]
    answer = await filled.get(f"{PATH}/suggest", params={"prefix": ""})
    assert answer.json() == {"result": []}


async def test_what_cannot_be_read_is_named(client, problem):
    many = {f"q{number}": {"query": "x"} for number in range(51)}
    for queries, says in (
        ("[]", "JSON object"),
        ('{"q0": {"query": 7}}', "q"),
        (json.dumps(many), "at most 50"),
        (json.dumps({"q0": {"query": "x" * 501}}), "queries/q0/query"),
        (json.dumps({"q7": {"query": "x", "type": "firm"}}), "queries/q7/type"),
        (json.dumps({"q0": {"query": "x", "limit": -1}}), ">= 1"),
    ):
        answer = await client.post(PATH, data={"queries": queries}, headers=FORM)
        assert says in problem(answer, 400, "invalid-parameter")["detail"]
    problem(await client.post(PATH, data={"other": "1"}, headers=FORM), 400, "invalid-parameter")
    answer = await client.get(f"{PATH}/suggest", params={"prefix": "x" * 501})
    assert "prefix: at most 500" in problem(answer, 400, "invalid-parameter")["detail"]
    problem(await client.post(PATH, json={}), 415, "unsupported-media-type")
    problem(await client.get(f"{PATH}/view", params={"id": "firm/x"}), 404, "not-found")
    answer = await client.post(PATH, data={"queries": "{}"}, headers=FORM)
    assert answer.headers["access-control-allow-origin"] == "*"
