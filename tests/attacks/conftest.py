"""A running register under attack: what it must answer, and what must not have changed after."""

import json
import re

import pytest

from tests.served import UNLIMITED, records, served

MEMBERS = {
    "type",
    "title",
    "status",
    "detail",
    "request",
    "findings",
    "nearest",
    "parameter",
    "value",
    "findings_total",
    "tombstone",
}

# What an answer must never hold: a stack, an SQL statement, a place on this machine, a token.
LEAKS = re.compile(
    r'Traceback|File "|line \d+, in |syntax error at|relation "|PostgresError|asyncpg|litestar'
    r"|/registry/[\w/]+\.py|site-packages|/tmp/|regt_[\w-]{20}",
    re.IGNORECASE,
)


@pytest.fixture(scope="session")
def register():
    """One register, two workers, no limits: what it keeps, each test puts back by its own ids."""
    with served(workers=2, **UNLIMITED) as running:
        yield running


@pytest.fixture(scope="session")
def agency(register):
    """The headers of demo-sante."""
    return register.bearer("demo-sante")


@pytest.fixture(scope="session")
def other(register):
    """The headers of another agency."""
    return register.bearer("demo-services")


@pytest.fixture
def document(request):
    """A record that can be published, with an id of the test's own."""
    slug = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:60].strip("-")
    [first, *_] = records("demo-sante")
    first["id"] = f"demo-sante/{slug}"
    first["source_id"] = slug[:50]
    first["publication"]["change_note"] = {
        "ar": "تصحيح معلومات البطاقة",
        "fr": "Correction de la fiche",
    }
    return first


@pytest.fixture
def draft(document):
    """The address of the test's own draft."""
    return f"/api/v1/filings/{document['id']}"


@pytest.fixture
def untouched(register):
    """Nothing is written: every table is after the test as it was before."""
    before = register.rows()
    yield
    assert register.rows() == before


@pytest.fixture(scope="session")
def refused():
    """Check that an answer is a problem of a status and slug that gives nothing away; return it."""

    def check(answer, status, slug):
        if isinstance(answer, tuple):
            found, headers, body = answer
        else:
            found, headers, body = answer.status_code, answer.headers, answer.content
        assert found == status, body
        assert headers["content-type"] == "application/problem+json"
        assert headers["cache-control"] == "no-store"
        problem = json.loads(body)
        assert problem["type"] == f"/problems/{slug}"
        assert problem["status"] == status
        assert problem["title"]
        assert problem["detail"]
        assert set(problem) <= MEMBERS
        assert headers["x-request-id"] == problem["request"]
        assert LEAKS.search(body.decode()) is None
        return problem

    return check
