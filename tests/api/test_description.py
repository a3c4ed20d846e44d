"""`/openapi.json`: complete, valid, and true of what the application does."""

import datetime as dt
import json
import re

import jsonschema
import msgspec
import pytest
from litestar.routes import HTTPRoute

from registry.api import app as application
from registry.api.openapi_reading import READING_PATH
from registry.api.problems import STATUS
from registry.record.facts import facts
from registry.record.pack import load_pack
from registry.record.validate import validate
from registry.settings import Settings
from tests.described import Described

RELEASED = """
ActAnswer ActList AgencyItem AgencyList Attestation AttestationFormat AttestationList
AttestationReceipt Change ChangeList Code CodeListItems CodeListNames Compared Comparison Coverage
Difference DraftAnswer DraftItem DraftList Entry Evidence FacetCount Finding FindingList Format
Group Health Highlight LineAnswer LineReceipt Mark Month NumberedAct Overdue Part PendingActItem
PendingActList Problem ReceiptAnswer Record RecordAnswer RecordItem RecordList RecordProof Redacted
Redacting Redaction RedactionAnswer RedactionList Register Returning RiskMove Spread Statistics
Tally Tombstone ValidationAnswer VersionLine VersionList Withdrawal Withdrawing
"""
METHODS = {"GET", "PUT", "POST", "DELETE", "PATCH", "TRACE", "PROPFIND"}


def operations():
    """Every operation that the application has, whether it is described or not."""
    for route in application._litestar(Settings()).routes:
        if isinstance(route, HTTPRoute) and route.path_format.startswith(("/api/", "/health/")):
            for method in route.methods - {"OPTIONS", "HEAD"} if route.path != READING_PATH else ():
                yield f"{method} {route.path_format}"


@pytest.fixture
def settings(settings):
    """Everything is asked of every export, which is more than one may ask for in a minute."""
    return msgspec.structs.replace(settings, limit_exports=0)


@pytest.fixture
async def document(reader):
    answer = await reader.get("/openapi.json")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


async def test_what_reads_is_described_in_sixty_kilobytes_with_every_fact(reader, document):
    answer = await reader.get(READING_PATH)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert len(answer.content) <= 60_000
    short = answer.json()
    components = short["components"]
    for reference in references(short):
        _, _, kind, name = reference.split("/")
        assert name in components[kind], reference
    assert components["schemas"]["Fact"]["enum"] == [*facts()]
    for path, methods in short["paths"].items():
        [(method, operation)] = methods.items()
        whole = document["paths"][path]["get"]
        assert (method, "security" in whole) == ("get", False)
        assert [*operation["responses"]] == ["200"]
        named = [
            components["parameters"][one["$ref"].split("/")[-1]] if "$ref" in one else one
            for one in operation["parameters"]
        ]
        assert [(one["name"], one["in"]) for one in named] == [
            (one["name"], one["in"]) for one in whole["parameters"] if one["in"] != "header"
        ]
    assert {"/api/v1/records", "/api/v1/statistics", "/api/v1/changes"} < short["paths"].keys()


async def test_every_operation_is_described_in_the_order_of_the_handlers(document):
    # In every worker, and after every start: the site's page of the API is made of it too.
    described = [
        (f"{method.upper()} {path}", one["operationId"])
        for path, of in document["paths"].items()
        for method, one in of.items()
    ]
    assert {operation for operation, _ in described} == set(operations())
    names = [name for _, name in described]
    assert len(names) == len(set(names))
    handlers = [handler.handler_name for handler in application._HANDLERS]
    places = [
        min(handlers.index(one["operationId"].replace("_pack_", "_")) for one in of.values())
        for of in document["paths"].values()
    ]
    assert places == sorted(places)


async def test_it_is_openapi(document):
    from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR  # noqa: PLC0415  slow

    assert document["openapi"].startswith("3.1")
    OPENAPI_31_VALIDATOR.validate(document)
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def references(node):
    if isinstance(node, list):
        for part in node:
            yield from references(part)
    elif isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for part in node.values():
            yield from references(part)


async def test_every_reference_leads_somewhere_and_every_component_is_needed(document):
    described = Described(document)
    found = set(references(document))
    for reference in found:
        # Generators of clients follow references to components, and to nothing inside of them.
        assert re.fullmatch(r"#/components/[a-z]+/[A-Za-z-]+", reference)
        assert described.resolved({"$ref": reference})
    for kind, named in document["components"].items():
        if kind != "securitySchemes":
            needed = {one.split("/")[3] for one in found if one.startswith(f"#/components/{kind}/")}
            assert needed == set(named), kind


def booleans(node, place=""):
    """Find the schemas that are true or false, but for the one that every generator knows."""
    if isinstance(node, list):
        for part in node:
            yield from booleans(part, place)
    elif isinstance(node, dict):
        for name, part in node.items():
            is_schema = place == "properties" or name in {"items", "not", "if", "then", "else"}
            if isinstance(part, bool) and is_schema:
                yield name
            yield from booleans(part, name)


async def test_no_schema_is_a_boolean_and_none_has_definitions_of_its_own(document):
    schemas = {"paths": document["paths"], "schemas": document["components"]["schemas"]}
    assert not list(booleans(schemas))
    text = json.dumps(schemas)
    assert "$defs" not in text
    assert "prefixItems" not in text


async def test_components_keep_the_names_that_clients_were_generated_from(document):
    kept = set(RELEASED.split())
    assert kept <= set(document["components"]["schemas"])


async def test_every_link_leads_to_an_operation_and_its_parameters(document):
    by_id = {one["operationId"]: one for of in document["paths"].values() for one in of.values()}
    for operation in by_id.values():
        for response in operation["responses"].values():
            for link in response.get("links", {}).values():
                target = by_id[link["operationId"]]
                known = {one["name"] for one in target["parameters"]}
                assert set(link["parameters"]) <= known


async def test_the_examples_are_records_that_can_be_published(document):
    pack = load_pack("ma")
    schema = {"allOf": [{"$ref": "#/components/schemas/Record"}]}
    validator = Described(document).validator(json.dumps(schema))
    for example in document["components"]["examples"].values():
        assert list(validator.iter_errors(example["value"])) == []
        day = example["value"]["lifecycle"]["next_review_on"]
        verdict = validate(
            example["value"],
            profile="publication",
            pack=pack,
            today=dt.date.fromisoformat(day),
        )
        assert verdict.publishable


async def test_what_needs_a_token_says_so_and_what_does_not_takes_none(document, client, problem):
    for path, of in document["paths"].items():
        for method, operation in of.items():
            place = path.replace("{agency}", "demo-sante").replace("{slug}", "x")
            place = place.replace("{redaction}", "1").replace("{act}", "1")
            answer = await client.request(method.upper(), place)
            if "security" in operation:
                problem(answer, 401, "unauthorized")
            else:
                assert answer.status_code != 401, (method, path)


async def test_every_other_method_is_refused_with_those_there_are(document, reader, problem):
    for path, of in document["paths"].items():
        place = path.replace("{agency}", "demo-sante").replace("{slug}", "x")
        place = place.replace("{redaction}", "1").replace("{act}", "1")
        place = place.replace("{version}", "1").replace("{name}", "x").replace("{pack_name}", "x")
        known = {method.upper() for method in of}
        for method in METHODS - known:
            answer = await reader.request(method, place)
            problem(answer, 405, "method-not-allowed")
            also = {"HEAD"} if "GET" in known else set()
            assert set(answer.headers["allow"].split(", ")) - {"OPTIONS"} == known | also, path


async def test_head_is_get_without_its_body(document, reader, record):
    for path, of in document["paths"].items():
        if "get" not in of:
            continue
        place = path.replace("{agency}/{slug}", record["id"]).replace("{agency}", "demo-sante")
        place = place.replace("{version}", "1").replace("{name}", "sector")
        read = await reader.get(place)
        head = await reader.head(place)
        assert head.status_code == read.status_code
        assert head.content == b""
        changing = {"x-request-id", "content-length"}
        assert {name: value for name, value in head.headers.items() if name not in changing} == {
            name: value for name, value in read.headers.items() if name not in changing
        }


async def test_what_is_no_number_is_refused_by_name(document, reader, problem, record):
    for path, of in document["paths"].items():
        place = path.replace("{agency}/{slug}", record["id"])
        for one in of.get("get", {}).get("parameters", ()):
            numeric = one["in"] == "query" and one["schema"].get("type") == "integer"
            if numeric and "security" not in of["get"]:
                for text in ("null", "None", "", "1.5", "1e3", "one", "٣"):
                    answer = await reader.get(place, params={one["name"]: text})
                    assert one["name"] in problem(answer, 400, "invalid-parameter")["detail"]


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*;q=0", "nonsense"])
async def test_whatever_is_accepted_an_answer_is_of_the_one_type(reader, accept):
    for path in ("/api/v1/records", "/health/live", "/openapi.json"):
        answer = await reader.get(path, headers={"accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


async def test_every_problem_that_is_documented_is_a_problem_of_its_status(document):
    for name, response in document["components"]["responses"].items():
        if name == "not-modified":
            continue
        [(media_type, content)] = response["content"].items()
        assert media_type == "application/problem+json"
        status = content["schema"]["properties"]["status"]["const"]
        for address in content["schema"]["properties"]["type"]["enum"]:
            assert STATUS[address.removeprefix("/problems/")] == status


def test_a_description_that_is_not_true_is_noticed():
    """The check of this suite's answers does fail."""
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    tag = {"ETag": {"required": True, "schema": {"type": "string"}}}
    described = Described(
        {
            "paths": {
                "/x/{y}": {
                    "get": {
                        "responses": {
                            "200": {
                                "headers": tag,
                                "content": {
                                    "application/json": {
                                        "schema": {"$ref": "#/components/schemas/X"}
                                    }
                                },
                            }
                        }
                    }
                }
            },
            "components": {"schemas": {"X": schema}},
        }
    )
    good = {"etag": '"x"', "content-type": "application/json"}
    assert described.fault("GET", "/x/1", 200, good, b'{"a": 1}') is None
    assert "undocumented" in described.fault("GET", "/x/1", 201, good, b'{"a": 1}')
    assert "ETag" in described.fault("GET", "/x/1", 200, {"content-type": ""}, b'{"a": 1}')
    other = good | {"content-type": "text/html"}
    assert "text/html" in described.fault("GET", "/x/1", 200, other, b'{"a": 1}')
    for body in (b"{}", b'{"a": "1"}', b'{"a": 1, "b": 2}'):
        assert "200: /" in described.fault("GET", "/x/1", 200, good, body)
    assert "address" in described.fault("GET", "/z", 200, good, b"")
    assert "method" in described.fault("PUT", "/x/1", 200, good, b"")
