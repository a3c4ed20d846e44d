"""Every error as `application/problem+json`, RFC 9457."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from litestar import Response

from registry import errors

if TYPE_CHECKING:
    from litestar import Request
    from litestar.exceptions import HTTPException

PROBLEM_JSON = "application/problem+json"

STATUS: dict[str, int] = {
    errors.UnreadableDocument.slug: 400,
    errors.InvalidParameter.slug: 400,
    errors.Unauthorized.slug: 401,
    errors.Forbidden.slug: 403,
    errors.NotFound.slug: 404,
    errors.MethodNotAllowed.slug: 405,
    errors.Conflict.slug: 409,
    errors.PreconditionFailed.slug: 412,
    errors.PayloadTooLarge.slug: 413,
    errors.UnsupportedMediaType.slug: 415,
    errors.InvalidRecord.slug: 422,
    errors.PreconditionRequired.slug: 428,
    errors.RegistryError.slug: 500,
    errors.ConfigurationError.slug: 500,
    errors.Unavailable.slug: 503,
}
"""HTTP status by slug; the errors that only commands meet are not here."""

_log = structlog.get_logger()


def problem(error: errors.RegistryError) -> tuple[int, dict[str, str], bytes]:
    """Make the answer to an error: status, headers, body."""
    status = STATUS.get(error.slug, 500)
    body: dict[str, Any] = {
        "type": f"/problems/{error.slug}",
        "title": error.title,
        "status": status,
        "detail": error.detail,
    }
    headers = {"cache-control": "no-store"}
    if isinstance(error, errors.InvalidRecord):
        body["findings"] = error.findings
    if isinstance(error, errors.Unauthorized):
        headers["www-authenticate"] = 'Bearer realm="registry"'
    if isinstance(error, errors.Unavailable):
        headers["retry-after"] = "5"
    return status, headers, msgspec.json.encode(body)


def handle_registry_error(
    _: Request[Any, Any, Any], error: errors.RegistryError
) -> Response[bytes]:
    """Answer an error of ours."""
    return _response(error)


def handle_http_exception(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """Answer what the framework refuses, in our words."""
    if error.status_code == STATUS[errors.NotFound.slug]:
        return _response(errors.NotFound(f"there is nothing at {request.url.path}"))
    if error.status_code == STATUS[errors.MethodNotAllowed.slug]:
        methods = (error.headers or {}).get("allow", "").split(", ")
        allowed = ", ".join(sorted({*methods, *(["HEAD"] if "GET" in methods else [])}))
        response = _response(
            errors.MethodNotAllowed(f"{request.method} is not possible here; use {allowed}")
        )
        response.headers["allow"] = allowed
        return response
    if error.status_code < 500:  # noqa: PLR2004  what the caller can mend
        return _response(errors.InvalidParameter(_named(error)))
    return handle_any(request, error)


def handle_any(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Answer a fault of ours: the log has the story, the caller a plain sentence."""
    _log.error("fault", path=request.url.path, method=request.method, exc_info=error)
    return _response(
        errors.RegistryError("the register made a mistake and has noted it; try again in a moment")
    )


def _response(error: errors.RegistryError) -> Response[bytes]:
    status, headers, body = problem(error)
    return Response(content=body, status_code=status, media_type=PROBLEM_JSON, headers=headers)


def _named(error: HTTPException) -> str:
    extra = error.extra if isinstance(error.extra, list) else []
    named = [f"{one.get('key')}: {one.get('message')}" for one in extra if isinstance(one, dict)]
    return "; ".join(named) or error.detail
