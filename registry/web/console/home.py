"""What a member sees first."""

from __future__ import annotations

from litestar import Response, get
from litestar.di import NamedDependency

from registry.api.request_context import ApiRequest
from registry.web.console.page import SignedIn, console_page


@get("/{lang:str}/")
async def home_page(request: ApiRequest, signed_in: NamedDependency[SignedIn]) -> Response[bytes]:
    """Show who is signed in."""
    return await console_page(request, "home.html", lambda _: {"roles": signed_in.member.roles})
