"""The application as it is served: the API, the site's files, and pages rendered when asked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from litestar.types import ASGIApp

from registry.api import app as api
from registry.api.request_context import AccessLogEntry
from registry.settings import Settings
from registry.web.comparison import serve_comparisons


def create_app(settings: Settings, *, tell: Callable[[AccessLogEntry], None] | None) -> ASGIApp:
    """Return the ASGI application of one worker; `tell` writes the access log."""
    return api.create_app(settings, tell=tell, render=partial(serve_comparisons, settings))
