"""Errors as pages: what happened and what to do, in the reader's language."""

from __future__ import annotations

from litestar import Response
from litestar.exceptions import HTTPException

from registry.api.problems import STATUS, allow, problem, report_fault
from registry.api.request_context import ApiRequest, request_context
from registry.errors import Forbidden, InvalidParameter, NotFound, RegistryError
from registry.pages.labels import message
from registry.web.console.page import page_headers, render_page

_CLASSES = {
    "not-found": (
        message("There is no such page"),
        message("It does not exist, or it is not one that you may see."),
    ),
    "unauthorized": (
        message("You are not signed in"),
        message("This way to sign in does not work any more. Begin again."),
    ),
    "forbidden": (
        message("You may not do this"),
        message("Your roles do not allow it. The admin of your agency can say who may."),
    ),
    "old-form": (
        message("This form is too old to be sent"),
        message(
            "Go back, copy what you have typed, load the page again, and send it once more. "
            "Nothing was changed."
        ),
    ),
    "conflict": (
        message("This cannot be done as things stand"),
        message("Go back, load the page again, and look at what has changed."),
    ),
    "too-many-requests": (
        message("Too many attempts"),
        message("Wait a minute, then try again."),
    ),
    "unavailable": (
        message("The register cannot be reached at the moment"),
        message("Nothing is lost: go back and try again in a moment."),
    ),
    "internal-error": (
        message("Something went wrong on our side"),
        message("It was noted. Try again in a moment."),
    ),
    "": (
        message("This could not be taken"),
        message("Go back, mend it, and send it again."),
    ),
}
"""The heading of an error and what to do, by slug; the last is for all others."""

_EXPLAINED = {
    "conflict",
    "precondition-failed",
    "forbidden",
    "invalid-parameter",
    "payload-too-large",
}
"""Errors whose own sentence, which is English, says more than the page."""

_CHANGED = {
    "precondition-failed": "conflict",
    "precondition-required": "conflict",
    "register-behind": "unavailable",
    "clock-differs": "unavailable",
}


def refuse(request: ApiRequest, error: Exception) -> Response[bytes]:
    """Answer an error by a page in the reader's language, with the error's status."""
    headers: dict[str, str] = {}
    slug, known = "", error
    if isinstance(error, HTTPException):
        slug, known = _of_framework(request, error)
        if error.status_code == STATUS["method-not-allowed"]:
            headers["allow"] = allow((error.headers or {}).get("allow", "").split(", "))
    if not isinstance(known, RegistryError):
        known = report_fault(error, request.scope)
    status, given, _ = problem(known, request_context(request.scope).id)
    headers |= {name: value for name, value in given.items() if name == "retry-after"}
    slug = slug or _CHANGED.get(known.slug, known.slug)
    heading, to_do = _CLASSES.get(slug, _CLASSES[""])
    detail = known.detail if known.slug in _EXPLAINED and slug != "old-form" else None
    view = {
        "heading": heading,
        "to_do": to_do,
        "detail": detail,
        "request_id": request_context(request.scope).id,
    }
    content = render_page(request, "error.html", lambda _: view)
    headers = {**page_headers(), **headers}
    return Response(content, status_code=status, media_type="text/html", headers=headers)


def _of_framework(request: ApiRequest, error: HTTPException) -> tuple[str, Exception]:
    """Return the slug and the error of what the framework refuses; itself where that is a fault."""
    if error.status_code == STATUS["forbidden"]:
        return "old-form", Forbidden("the form has no valid token")
    if error.status_code in {STATUS["not-found"], STATUS["method-not-allowed"]}:
        return "not-found", NotFound(f"there is nothing at {request.scope['path']}")
    if error.status_code < 500:  # noqa: PLR2004  what the caller can mend
        return "", InvalidParameter(error.detail)
    return "", error
