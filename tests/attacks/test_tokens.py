"""Tokens that do not suffice: wrong, expired, revoked, of another agency, without the scope."""

import datetime as dt
import secrets
import zlib
from base64 import urlsafe_b64encode

import pytest

from registry.services.people import access_tokens

pytestmark = pytest.mark.usefixtures("untouched")

PLACE = "/api/v1/filings/demo-sante/prevision-lits"
NOW = dt.datetime.now(dt.UTC)

# Every way to act; each is refused before anything is looked at.
ACTS = {
    "list": ("GET", "/api/v1/filings"),
    "read": ("GET", PLACE),
    "save": ("PUT", PLACE),
    "delete": ("DELETE", PLACE),
    "submit": ("POST", f"{PLACE}/submit"),
}
each_act = pytest.mark.parametrize("act", ACTS)


def well_formed():
    """Make a token as the register would, which it has never seen."""
    body = urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()
    return f"regt_{body}{zlib.crc32(body.encode()):08x}"


def send(register, act, headers):
    method, path = ACTS[act]
    body = {"json": {"id": "demo-sante/prevision-lits"}} if method == "PUT" else {}
    return register.client.request(
        method, path, headers={"if-none-match": "*"} | headers if body else headers, **body
    )


@each_act
@pytest.mark.parametrize(
    "change",
    {
        "unknown": lambda _: f"Bearer {well_formed()}",
        "mistyped": lambda token: (
            f"Bearer {token[:20]}{'x' if token[20] != 'x' else 'y'}{token[21:]}"
        ),
        "incomplete": lambda token: f"Bearer {token[:-1]}",
        "twice": lambda token: f"Bearer {token}{token}",
        "of another scheme": lambda token: f"Basic {token}",
        "bare": lambda token: token,
        "empty": lambda _: "Bearer",
        "long": lambda token: f"Bearer {token * 80}",
        "of another alphabet": lambda _: "Bearer régt_é",
        "quoted": lambda token: f'Bearer "{token}"',
        "sql": lambda _: "Bearer ' or '1'='1",
    }.items(),
    ids=lambda pair: pair[0] if isinstance(pair, tuple) else None,
)
def test_a_wrong_token(register, agency, refused, act, change):
    _, wrong = change
    header = wrong(agency["authorization"].removeprefix("Bearer "))
    answer = send(register, act, {"authorization": header.encode()})
    refused(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@each_act
def test_no_token(register, refused, act):
    refused(send(register, act, {}), 401, "unauthorized")


@each_act
def test_an_expired_token(register, refused, act):
    old = register.bearer(days=1, now=NOW - dt.timedelta(days=2))
    refused(send(register, act, old), 401, "unauthorized")


@each_act
def test_a_revoked_token(register, refused, act):
    token = register.token()
    stored = register.work(access_tokens.list_tokens)
    number = max(one.id for one in stored)
    register.work(lambda database: access_tokens.revoke_token(database, number, now=NOW))
    refused(send(register, act, {"authorization": f"Bearer {token}"}), 401, "unauthorized")


@pytest.mark.parametrize("scope", ["review", "admin"])
@each_act
def test_a_token_without_the_scope(register, refused, act, scope):
    """Nobody files without `file`; a reviewer may look for what waits, and here is nothing."""
    answer = send(register, act, register.bearer("demo-sante", scope))
    if scope == "review" and act == "list":
        assert answer.json() == {"items": []}
    elif scope == "review" and act == "read":
        refused(answer, 404, "not-found")
    else:
        refused(answer, 403, "forbidden")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", f"{PLACE}/approve", None),
        ("POST", f"{PLACE}/return", {"comment": "no"}),
        ("GET", "/api/v1/audit", None),
    ],
)
def test_what_agencies_cannot_do(register, agency, refused, method, path, body):
    refused(register.client.request(method, path, json=body, headers=agency), 403, "forbidden")


@pytest.mark.parametrize("act", ["save", "submit"])
def test_a_token_of_another_agency_cannot_write(register, other, refused, act):
    assert "demo-services" in refused(send(register, act, other), 403, "forbidden")["detail"]


@pytest.mark.parametrize("act", ["read", "delete", "save", "submit"])
def test_anothers_draft_and_none_at_all_are_refused_alike(
    register, agency, other, refused, document, draft, act
):
    saved = register.client.put(draft, json=document, headers=agency | {"if-none-match": "*"})
    assert saved.status_code == 201
    method, status = {
        "read": ("GET", 404), "delete": ("DELETE", 404), "save": ("PUT", 403),
        "submit": ("POST", 403),
    }[act]  # fmt: skip
    slug = {404: "not-found", 403: "forbidden"}[status]
    ending = "/submit" if act == "submit" else ""
    body = {"json": document} if act == "save" else {}
    headers = other | {"if-none-match": "*"} if body else other
    told = []
    for place in (draft, f"{draft}-which-is-not"):
        answer = register.client.request(method, place + ending, headers=headers, **body)
        problem = refused(answer, status, slug)
        problem.pop("request")
        named = place.removeprefix("/api/v1/filings/")
        told.append({key: str(value).replace(named, "…") for key, value in problem.items()})
    assert told[0] == told[1]
    assert register.client.get(draft, headers=agency).json() == saved.json()
    assert register.client.delete(draft, headers=agency).status_code == 204


@pytest.mark.parametrize("name", ["token", "access_token", "authorization"])
def test_a_token_in_the_address_is_no_token(register, agency, refused, name):
    token = agency["authorization"].removeprefix("Bearer ")
    answer = register.client.get("/api/v1/filings", params={name: token})
    assert answer.status_code in {400, 401}
    refused(
        answer,
        answer.status_code,
        {400: "invalid-parameter", 401: "unauthorized"}[answer.status_code],
    )


def test_two_tokens_at_once(register, agency, other, refused):
    pairs = [("authorization", one["authorization"]) for one in (agency, other)]
    answer = register.client.get("/api/v1/filings", headers=pairs)
    refused(answer, 401, "unauthorized")


def test_a_cookie_is_nobody(register, agency, refused):
    token = agency["authorization"].removeprefix("Bearer ")
    answer = register.client.get("/api/v1/filings", headers={"cookie": f"token={token}"})
    refused(answer, 401, "unauthorized")
    assert "set-cookie" not in answer.headers


def test_no_secret_is_in_the_servers_own_log(register, agency):
    token = agency["authorization"].removeprefix("Bearer ")
    register.client.get("/api/v1/filings", headers=agency)
    register.client.get(f"/api/v1/records/{token}/{token}", params={"q": token})
    log = register.register.log.read_text(encoding="utf-8")
    assert token not in log
    assert token[5:25] not in log
