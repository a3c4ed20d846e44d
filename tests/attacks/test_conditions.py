"""Preconditions, keys and races: who may change what he has not seen, and who comes first."""

import asyncio
import copy

import httpx
import pytest

from tests.served import PATIENCE

NEW = {"if-none-match": "*"}


@pytest.fixture
def put(register, agency, draft):
    def save(document, **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return register.client.put(draft, json=document, headers=agency | named)

    return save


@pytest.fixture
def begun(put, document):
    """A draft that is there, and its tag."""
    saved = put(document, **{"if-none-match": "*"})
    assert saved.status_code == 201, saved.text
    return saved.headers["etag"]


@pytest.fixture
def submit(register, agency, draft):
    def send(**headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return register.client.post(f"{draft}/submit", headers=agency | named)

    return send


def changed(document):
    other = copy.deepcopy(document)
    other["system_version"] = "9.9"
    return other


BAD_TAGS = {
    "stale": '"0123456789abcdef"',
    "any": "*",
    "weak": "W/{tag}",
    "bare": "{bare}",
    "two": '{tag}, "0123456789abcdef"',
    "upper": "{upper}",
    "empty": "",
    "quote": '"',
    "sql": '"\' or 1=1--"',
    "long": '"' + "0" * 4000 + '"',
}
each_bad_tag = pytest.mark.parametrize("kind", BAD_TAGS)


def written(kind, tag):
    bare = tag.strip('"')
    return BAD_TAGS[kind].format(tag=tag, bare=bare, upper=f'"{bare.upper()}"')


def test_a_change_without_if_match(register, put, begun, document, refused):
    before = register.rows()
    refused(put(changed(document)), 428, "precondition-required")
    assert register.rows() == before


@each_bad_tag
def test_a_change_with_an_if_match_that_is(register, put, begun, document, refused, kind):
    before = register.rows()
    tag = written(kind, begun)
    if tag == begun:
        pytest.skip("a tag of digits only has no upper case")
    refused(put(changed(document), if_match=tag), 412, "precondition-failed")
    assert register.rows() == before


@pytest.mark.parametrize("act", ["submit", "delete"])
@each_bad_tag
def test_an_act_with_an_if_match_that_is(register, agency, draft, begun, refused, act, kind):
    before = register.rows()
    tag = written(kind, begun)
    if tag == begun:
        pytest.skip("a tag of digits only has no upper case")
    method, path = {"submit": ("POST", f"{draft}/submit"), "delete": ("DELETE", draft)}[act]
    answer = register.client.request(method, path, headers=agency | {"if-match": tag})
    refused(answer, 412, "precondition-failed")
    assert register.rows() == before


@pytest.mark.parametrize("given", ['"x"', "", "**", '*, "x"', "W/*"])
def test_a_beginning_with_another_if_none_match(register, put, document, refused, given):
    before = register.rows()
    refused(put(document, if_none_match=given), 412, "precondition-failed")
    assert register.rows() == before


@pytest.mark.parametrize(
    "lines",
    [
        [("if-none-match", "*"), ("if-none-match", '"0123456789abcdef"')],
        [("if-none-match", "*"), ("if-none-match", "*")],
        [("if-none-match", "*"), ("if-match", '"0123456789abcdef"')],
    ],
    ids=str,
)
def test_a_beginning_on_two_conditions(register, agency, draft, document, refused, lines):
    before = register.rows()
    headers = [*agency.items(), *lines]
    answer = register.client.put(draft, json=document, headers=headers)
    refused(answer, 412, "precondition-failed")
    assert register.rows() == before


def test_a_change_on_two_conditions(register, agency, draft, begun, document, refused):
    """Neither the first nor the last of two tags is taken for the one that is meant."""
    before = register.rows()
    other = '"0123456789abcdef"'
    for tags in ((begun, other), (other, begun)):
        headers = [*agency.items(), *(("if-match", tag) for tag in tags)]
        answer = register.client.put(draft, json=changed(document), headers=headers)
        refused(answer, 412, "precondition-failed")
    assert register.rows() == before


def test_beginning_what_is_there(register, put, begun, document, refused):
    before = register.rows()
    refused(put(changed(document), if_none_match="*"), 412, "precondition-failed")
    assert register.rows() == before


def test_the_same_key_with_another_body(register, put, submit, document, refused):
    key = f"key-{document['id']}"
    first = put(document, if_none_match="*", idempotency_key=key)
    assert first.status_code == 201
    before = register.rows()
    answer = put(changed(document), if_match=first.headers["etag"], idempotency_key=key)
    refused(answer, 422, "idempotency-key-reused")
    refused(submit(idempotency_key=key), 422, "idempotency-key-reused")
    assert register.rows() == before


@pytest.mark.parametrize("key", ["", "x" * 256, "clé", "a\tb"])
def test_a_key_that_is_none(register, put, document, refused, key):
    before = register.rows()
    answer = put(document, if_none_match="*", idempotency_key=key.encode())
    refused(answer, 400, "invalid-parameter")
    assert register.rows() == before


def test_a_submit_repeated_with_its_key_gives_the_same_receipt(put, submit, document):
    put(document, if_none_match="*")
    key = f"submit-{document['id']}"
    first = submit(idempotency_key=key)
    assert first.status_code == 201, first.text
    again = submit(idempotency_key=key)
    assert again.json()["hash"] == first.json()["hash"]
    assert again.json()["version"] == 1


async def at_once(register, requests):
    limits = httpx.Limits(max_connections=len(requests))
    async with httpx.AsyncClient(base_url=register.url, limits=limits, timeout=PATIENCE) as client:
        return await asyncio.gather(*(client.request(**request) for request in requests))


async def test_50_parallel_identical_submits_are_one_version(
    register, agency, put, document, draft
):
    saved = await asyncio.to_thread(put, document, **{"if-none-match": "*"})
    size = register_size(register)
    request = {
        "method": "POST",
        "url": f"{draft}/submit",
        "headers": agency | {"if-match": saved.headers["etag"]},
    }
    answers = await at_once(register, [request] * 50)
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    assert len({answer.json()["hash"] for answer in answers}) == 1
    versions = register.client.get(f"/api/v1/records/{document['id']}/versions").json()["items"]
    assert [one["version"] for one in versions] == [1]
    assert register_size(register) == size + 1


async def test_of_20_that_begin_the_same_record_exactly_one_does(register, agency, document, draft):
    requests = [
        {
            "method": "PUT",
            "url": draft,
            "json": document | {"system_version": str(number)},
            "headers": agency | NEW,
        }
        for number in range(20)
    ]
    answers = await at_once(register, requests)
    assert sorted(answer.status_code for answer in answers) == [201] + [412] * 19
    [won] = [answer for answer in answers if answer.status_code == 201]
    kept = register.client.get(draft, headers=agency)
    assert kept.json()["document"] == won.json()["document"]


async def test_of_20_that_change_the_same_state_exactly_one_does(
    register, agency, put, document, draft
):
    saved = await asyncio.to_thread(put, document, **{"if-none-match": "*"})
    requests = [
        {
            "method": "PUT",
            "url": draft,
            "json": document | {"system_version": str(number)},
            "headers": agency | {"if-match": saved.headers["etag"]},
        }
        for number in range(100, 120)
    ]
    answers = await at_once(register, requests)
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 19


async def test_records_that_are_filed_at_once_stand_in_one_row_of_entries(
    register, agency, document
):
    before = register_size(register)
    documents = [
        document | {"id": f"{document['id']}-{number}", "source_id": f"P-{number}"}
        for number in range(20)
    ]
    saved = await at_once(
        register,
        [
            {
                "method": "PUT",
                "url": f"/api/v1/filings/{one['id']}",
                "json": one,
                "headers": agency | NEW,
            }
            for one in documents
        ],
    )
    assert {answer.status_code for answer in saved} == {201}
    answers = await at_once(
        register,
        [
            {"method": "POST", "url": f"/api/v1/filings/{one['id']}/submit", "headers": agency}
            for one in documents
        ],
    )
    assert {answer.status_code for answer in answers} == {201}
    entries = sorted(answer.json()["entry"] for answer in answers)
    assert entries == list(range(before, before + 20))


def register_size(register):
    return register.client.get("/api/v1/changes?limit=1").json()["size"]
