"""What an operation answers: its successes, and every problem, most of them by rule."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import msgspec

from registry import errors
from registry.api.description.operations import Operation
from registry.api.description.schemas import Json, reference
from registry.api.problems import PROBLEM_JSON, STATUS
from registry.errors import RegistryError

HEADERS: Json = {
    "ETag": {
        "description": "The tag of this state, for If-Match where it is strong",
        "required": True,
        "schema": {"type": "string", "pattern": '^(W/)?"[^"]+"$'},
    },
    "Canonical": {
        "description": 'The address that gives the same file at any later time, rel="canonical"',
        "required": True,
        "schema": {"type": "string", "pattern": '^<[^>]+>; rel="canonical"$'},
    },
    "Content-Disposition": {
        "description": "The name of the file",
        "required": True,
        "schema": {
            "type": "string",
            "pattern": '^attachment; filename="[a-z0-9-]+[.][a-z]+"'
            "(; filename[*]=UTF-8''[A-Za-z0-9%._-]+)?$",
        },
    },
    "Link": {
        "description": 'The next page, rel="next"; absent on the last one',
        "required": False,
        "schema": {"type": "string", "pattern": '^<[^>]+>; rel="next"$'},
    },
    "Retry-After": {
        "description": "Seconds after which it is worth trying again",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {
        "description": "How to show who you are",
        "required": True,
        "schema": {"type": "string"},
    },
    "X-Register-Mended": {
        "description": "The words that were looked for where nothing has those of `q`, in UTF-8, "
        "percent-encoded",
        "required": False,
        "schema": {"type": "string", "pattern": "^[!-~]+$"},
    },
    "X-Register-Size": {
        "description": "How many entries the log had that this answer speaks of",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "X-Request-Id": {
        "description": "This request's id: problems, the register's log and audit trail name it",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    },
}
"""The headers that mean something to a program."""

_OF_DOWNLOADS = ("Content-Disposition", "X-Register-Mended", "X-Register-Size")
_NOT_MODIFIED = "304"


def answers(method: str, path: str, told: Operation, shared: Json) -> Json:
    """Give an operation's responses by status; what others answer too goes into `shared`."""
    found = {
        str(status): _success(kind, method, path, told) for status, kind in told.answers.items()
    }
    if method == "get":
        shared["not-modified"] = {
            "description": "Nothing changed since the tag that If-None-Match names",
            "headers": _named("ETag"),
        }
        found[_NOT_MODIFIED] = {"$ref": "#/components/responses/not-modified"}
    by_status: dict[int, list[type[RegistryError]]] = {}
    for error in _problems(path, told):
        by_status.setdefault(STATUS[error.slug], []).append(error)
    for status, those in by_status.items():
        name = "-or-".join(error.slug for error in those)
        shared[name] = _problem(status, those)
        found[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return dict(sorted(found.items()))


def _success(kind: type | None, method: str, path: str, told: Operation) -> Json:
    if kind is None:
        return {"description": "Done, and nothing more to say", "headers": _named()}
    names = ["ETag"] if method == "get" or told.tagged else []
    answer: Json = {
        "description": inspect.cleandoc(kind.__doc__ or "").splitlines()[0],
        "headers": _named(
            *names,
            *(["Link"] if told.pages else []),
            *(_OF_DOWNLOADS if told.download else []),
        )
        | ({"Link": {"$ref": "#/components/headers/Canonical"}} if told.download else {}),
        "content": {
            told.media_type: {"schema": reference(kind.__name__)}
            if issubclass(kind, msgspec.Struct)
            else {}
        },
    }
    if told.follows:
        answer["links"] = {name: _link(name, path) for name in told.follows}
    return answer


def _problems(path: str, told: Operation) -> Iterator[type[RegistryError]]:
    """Give every problem that an operation can answer."""
    yield from (errors.InvalidParameter, errors.AddressTooLong)
    if told.body is not None:
        yield errors.UnsupportedMediaType
    if told.body not in {None, "lines"}:
        yield from (errors.UnreadableDocument, errors.RequestTimeout, errors.PayloadTooLarge)
    if told.scope:
        yield from (errors.Unauthorized, errors.Forbidden)
    if told.scope or told.body is not None:
        yield errors.TooManyRequests
    if "{" in path:
        yield errors.NotFound
    if told.condition is not None:
        yield errors.PreconditionFailed
    if told.keyed:
        yield errors.IdempotencyKeyReused
    if not path.startswith("/health/"):
        yield errors.MisdirectedRequest
    yield from told.problems
    yield from (errors.RegistryError, errors.Unavailable)


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
        "content": {PROBLEM_JSON: {"schema": {**reference("Problem"), **exact}}},
    }


_OF_BODY: dict[str, Json] = {
    "list_records": {"cursor": "$response.body#/next"},
    "confirm_redaction": {"redaction": "$response.body#/redaction"},
}


def _link(name: str, path: str) -> Json:
    """Lead from an answer to what can be asked next: the next page, or of the same record."""
    told = _OF_BODY.get(name, {})
    if "{agency}/{slug}" in path:
        told = {part: f"$request.path.{part}" for part in ("agency", "slug")}
        if any(
            verb in name for verb in ("save", "submit", "delete", "approve", "return", "withdraw")
        ):
            told["If-Match"] = "$response.header.ETag"
    return {"operationId": name, "parameters": told}


def _named(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*names, "X-Request-Id")}
