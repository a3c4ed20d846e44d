"""Every error as `application/problem+json`, RFC 9457."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, cast

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException

from registry import errors
from registry.api.request import path_for_logs, request_context
from registry.services.statements.withdrawal import Tombstone

PROBLEM_JSON = "application/problem+json"

STATUS: dict[str, int] = {
    errors.UnreadableDocument.slug: 400,
    errors.InvalidParameter.slug: 400,
    errors.Unauthorized.slug: 401,
    errors.Forbidden.slug: 403,
    errors.NotFound.slug: 404,
    errors.MethodNotAllowed.slug: 405,
    errors.RequestTimeout.slug: 408,
    errors.Conflict.slug: 409,
    errors.Withdrawn.slug: 410,
    errors.PreconditionFailed.slug: 412,
    errors.PayloadTooLarge.slug: 413,
    errors.AddressTooLong.slug: 414,
    errors.UnsupportedMediaType.slug: 415,
    errors.MisdirectedRequest.slug: 421,
    errors.InvalidRecord.slug: 422,
    errors.InvalidStatement.slug: 422,
    errors.IdempotencyKeyReused.slug: 422,
    errors.PreconditionRequired.slug: 428,
    errors.TooManyRequests.slug: 429,
    errors.HeadersTooLarge.slug: 431,
    errors.RegistryError.slug: 500,
    errors.ConfigurationError.slug: 500,
    errors.Unavailable.slug: 503,
    errors.RegisterBehind.slug: 503,
    errors.ClockDiffers.slug: 503,
}
"""HTTP status by slug; the errors that only commands meet are not here."""

_NAME = re.compile(r"[\w.-]{1,100}")

_log = structlog.get_logger()


class ProblemDetails(msgspec.Struct, kw_only=True):
    """An error, RFC 9457: `detail` says what was wrong and how to mend it.

    `request` is the id of the request; whoever runs the register finds its story by it. `parameter`
    is the wrong one of a query, `value` its unknown code, `nearest` the code or name that may be
    meant. `findings` are at most 50 of `findings_total`.
    """

    type: str
    title: str
    status: int
    detail: str
    request: str
    parameter: str | msgspec.UnsetType = msgspec.UNSET
    value: str | msgspec.UnsetType = msgspec.UNSET
    nearest: str | msgspec.UnsetType = msgspec.UNSET
    findings: tuple[errors.Finding, ...] | msgspec.UnsetType = msgspec.UNSET
    findings_total: int | msgspec.UnsetType = msgspec.UNSET
    tombstone: Tombstone | msgspec.UnsetType = msgspec.UNSET


def problem(error: errors.RegistryError, request: str) -> tuple[int, dict[str, str], bytes]:
    """Make the answer to an error in the request with this id: status, headers, body."""
    status = STATUS.get(error.slug, 500)
    body = ProblemDetails(
        type=f"/problems/{error.slug}",
        title=error.title,
        status=status,
        detail=error.detail,
        request=request,
    )
    if isinstance(error, errors.InvalidParameter):
        if _NAME.fullmatch(error.parameter):
            body.parameter = error.parameter
        body.value = msgspec.UNSET if error.value is None else error.value
        body.nearest = msgspec.UNSET if error.nearest is None else error.nearest
    if isinstance(error, errors.InvalidRecord):
        body.findings, body.findings_total = error.findings, error.findings_total
    if isinstance(error, errors.Withdrawn):
        body.tombstone = cast("Tombstone", error.tombstone)
    headers = {"cache-control": "no-store"}
    if isinstance(error, errors.Unauthorized):
        headers["www-authenticate"] = 'Bearer realm="registry"'
    if isinstance(error, errors.Unavailable | errors.TooManyRequests):
        headers["retry-after"] = str(error.retry_after)
    if isinstance(error, errors.RequestTimeout):
        # What is left of the body is not waited for.
        headers["connection"] = "close"
    return status, headers, msgspec.json.encode(body)


def problem_messages(
    error: errors.RegistryError, request: str, more: Mapping[str, str] = MappingProxyType({})
) -> tuple[Any, Any]:
    """Make the ASGI messages that answer an error, with `more` headers."""
    status, headers, body = problem(error, request)
    headers |= {"content-type": PROBLEM_JSON, "content-length": str(len(body)), **more}
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    return (
        {"type": "http.response.start", "status": status, "headers": pairs},
        {"type": "http.response.body", "body": body, "more_body": False},
    )


def report_fault(error: Exception, scope: Any) -> errors.RegistryError:
    """Note a fault of ours: the log has the story, the caller gets a plain sentence."""
    _log.error("fault", path=path_for_logs(scope), method=scope["method"], exc_info=error)
    return errors.RegistryError(
        "the register made a mistake and has noted it; try again in a moment. "
        "Whoever runs it finds the mistake by the number of this request"
    )


def handle_registry_error(
    request: Request[Any, Any, Any], error: errors.RegistryError
) -> Response[bytes]:
    """Answer an error of ours."""
    return _response(request, error)


def allow(methods: Iterable[str]) -> str:
    """Write the header `Allow`; whatever may be read may be asked for its headers alone."""
    given = set(methods)
    return ", ".join(sorted(given | ({"HEAD"} if "GET" in given else set())))


def handle_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Answer what the framework refuses, in our words."""
    if error.status_code == STATUS[errors.NotFound.slug]:
        return _response(request, errors.NotFound(f"there is nothing at {request.scope['path']}"))
    if error.status_code == STATUS[errors.MethodNotAllowed.slug]:
        allowed = allow((error.headers or {}).get("allow", "").split(", "))
        response = _response(
            request,
            errors.MethodNotAllowed(f"{request.method} is not possible here; use {allowed}"),
        )
        response.headers["allow"] = allowed
        return response
    if error.status_code == STATUS[errors.PayloadTooLarge.slug]:
        return _response(
            request, errors.PayloadTooLarge("the body is too large; send less at once")
        )
    extra = error.extra if isinstance(error.extra, list) else []
    named = [f"{one.get('key')}: {one.get('message')}" for one in extra if isinstance(one, dict)]
    if error.status_code < 500:  # noqa: PLR2004  what the caller can mend
        return _response(request, errors.InvalidParameter("; ".join(named) or error.detail))
    return handle_any(request, error)


def handle_any(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer a fault of ours."""
    return _response(request, report_fault(error, request.scope))


def _response(request: Request[Any, Any, Any], error: errors.RegistryError) -> Response[bytes]:
    status, headers, body = problem(error, request_context(request.scope).id)
    return Response(content=body, status_code=status, media_type=PROBLEM_JSON, headers=headers)
