"""The responses of `/openapi.json`: successes, and every problem, most of them by rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from litestar.handlers import HTTPRouteHandler
from litestar.openapi import ResponseSpec

from registry import errors
from registry.api.operations import OperationFacts, ref
from registry.api.problems import PROBLEM_JSON, STATUS
from registry.api.schemas import Json
from registry.errors import RegistryError


def _header(description: str, *, required: bool = True, **schema: Any) -> Json:
    return {"description": description, "required": required, "schema": schema}


_text = partial(_header, type="string")
_number = partial(_header, type="integer", minimum=1)

HEADERS: Json = {
    "ETag": _text(
        "The tag of this state, for If-Match where it is strong", pattern='^(W/)?"[^"]+"$'
    ),
    "Canonical": _text(
        'The address that gives the same file at any later time, rel="canonical"',
        pattern='^<[^>]+>; rel="canonical"$',
    ),
    "Content-Disposition": _text(
        "The name of the file",
        pattern='^attachment; filename="[a-z0-9-]+[.][a-z]+"'
        "(; filename[*]=UTF-8''[A-Za-z0-9%._-]+)?$",
    ),
    "Link": _text(
        'The next page, rel="next"; absent on the last one',
        pattern='^<[^>]+>; rel="next"$',
        required=False,
    ),
    "Retry-After": _number("Seconds after which it is worth trying again"),
    "WWW-Authenticate": _text("How to show who you are"),
    "X-Register-Mended": _text(
        "The words that were looked for where nothing has those of `q`, in UTF-8, percent-encoded",
        pattern="^[!-~]+$",
        required=False,
    ),
    "X-Register-Size": _number("How many entries the log had that this answer speaks of"),
    "X-Request-Id": _text(
        "This request's id: problems, the register's log and audit trail name it",
        pattern="^[A-Za-z0-9._-]{1,64}$",
    ),
}
"""The headers that mean something to a program."""

_OF_DOWNLOADS = ("Content-Disposition", "X-Register-Mended", "X-Register-Size")
_OF_BODY: Mapping[str, Json] = {
    "list_records": {"cursor": "$response.body#/next"},
    "confirm_redaction": {"redaction": "$response.body#/redaction"},
    "delete_redaction": {"redaction": "$response.body#/redaction"},
    "get_pending_act": {"act": "$response.body#/act"},
    "delete_pending_act": {"act": "$response.body#/act"},
    "approve_pending_act": {"act": "$response.body#/act"},
    "return_pending_act": {"act": "$response.body#/act"},
}
_CHANGES = ("save", "submit", "delete", "approve", "return", "withdraw")


def write_responses(
    *,
    method: str,
    path: str,
    operation: Json,
    handler: HTTPRouteHandler,
    facts: OperationFacts,
    shared: Json,
) -> Json:
    """Return an operation's responses; those that others have too go into `shared`."""
    found: Json = {}
    for status, spec in (handler.responses or {}).items():
        derived = operation["responses"][str(status)]
        found[str(status)] = _success(method, path, derived, spec, facts)
    if method == "get":
        shared["not-modified"] = {
            "description": "Nothing changed since the tag that If-None-Match names",
            "headers": _named("ETag"),
        }
        found["304"] = {"$ref": "#/components/responses/not-modified"}
    by_status: dict[int, list[type[RegistryError]]] = {}
    for error in _problems(path, facts, is_secure="security" in operation):
        by_status.setdefault(STATUS[error.slug], []).append(error)
    for status, those in by_status.items():
        name = "-or-".join(error.slug for error in those)
        shared[name] = _problem(status, those)
        found[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return dict(sorted(found.items()))


def _success(
    method: str, path: str, derived: Json, spec: ResponseSpec, facts: OperationFacts
) -> Json:
    if spec.data_container is None:
        return {**derived, "headers": _named()}
    headers = _named(
        *(["ETag"] if method == "get" or facts.tagged else []),
        *(["Link"] if facts.pages else []),
        *(_OF_DOWNLOADS if facts.download else []),
        *(["Content-Disposition"] if facts.named else []),
    )
    if facts.download:
        headers["Link"] = {"$ref": "#/components/headers/Canonical"}
    answer = {**derived, "headers": headers}
    if spec.data_container is bytes:
        answer["content"] = {spec.media_type: {}}
    if facts.follows:
        answer["links"] = {name: _link(name, path) for name in facts.follows}
    return answer


def _link(name: str, path: str) -> Json:
    """Lead from an answer to what can be asked next: the next page, or of the same record."""
    given = _OF_BODY.get(name, {})
    if "{agency}/{slug}" in path:
        given = {part: f"$request.path.{part}" for part in ("agency", "slug")}
        if name.startswith(_CHANGES):
            given["If-Match"] = "$response.header.ETag"
    return {"operationId": name, "parameters": given}


def _problems(
    path: str, facts: OperationFacts, *, is_secure: bool
) -> Iterator[type[RegistryError]]:
    """Return every problem that an operation can answer."""
    yield from (errors.InvalidParameter, errors.AddressTooLong, errors.HeadersTooLarge)
    if facts.body is not None:
        yield errors.UnsupportedMediaType
    if facts.body not in {None, "lines"}:
        yield from (errors.UnreadableDocument, errors.RequestTimeout, errors.PayloadTooLarge)
    if is_secure:
        yield from (errors.Unauthorized, errors.Forbidden)
    if "{" in path:
        yield errors.NotFound
    if facts.condition is not None:
        yield errors.PreconditionFailed
    if facts.keyed:
        yield errors.IdempotencyKeyReused
    if not path.startswith("/health/"):
        yield from (errors.MisdirectedRequest, errors.TooManyRequests)
    yield from facts.problems
    yield from (errors.RegistryError, errors.Unavailable)
    if facts.keyed:
        # What may be repeated by a key publishes, or may do so where no review is required.
        yield from (errors.RegisterBehind, errors.ClockDiffers)


def _problem(status: int, those: list[type[RegistryError]]) -> Json:
    headers = []
    if issubclass(those[0], errors.Unavailable | errors.TooManyRequests):
        headers.append("Retry-After")
    if issubclass(those[0], errors.Unauthorized):
        headers.append("WWW-Authenticate")
    exact: Json = {
        "properties": {
            "type": {"enum": [f"/problems/{error.slug}" for error in those]},
            "status": {"const": status},
        }
    }
    if all(issubclass(error, errors.InvalidRecord) for error in those):
        exact["required"] = ["findings", "findings_total"]
    if those == [errors.Withdrawn]:
        exact["required"] = ["tombstone"]
    return {
        "description": "; ".join(dict.fromkeys(error.title for error in those)),
        "headers": _named(*headers),
        "content": {PROBLEM_JSON: {"schema": {**ref("Problem"), **exact}}},
    }


def _named(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*names, "X-Request-Id")}
