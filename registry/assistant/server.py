"""The tools of `registry mcp`: search, read, compare, count and prove."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ToolError
from mcp_types import ToolAnnotations

from registry import __version__
from registry.assistant.cited import Cited, CitedRegister
from registry.errors import RegistryError

T = TypeVar("T")

_INSTRUCTIONS = """\
You ask a public register of the algorithms that public bodies use, at {url}.
Every answer has `address` (it gives the same answer at any later time), `entry` (of the log as of
which it holds) and `proof`. State no number or fact of this register without its address. What is
refused or not stated has no address: say that the register does not state it, never that it is so.
`question` is a query string of the API, such as risk=high&status=in_use&facets=sector. Every fact
of a record is a parameter by its path (procurement.suppliers.country=MA); lacks= finds what is not
stated, has= what is, by= crosses, facets= counts. The resource {url}/api/v1/openapi-read.json
describes all of them. A mistyped parameter is refused, with the nearest that there is."""
_MOST = 20


def make_server(register: CitedRegister) -> MCPServer[Any]:
    """Return the server of a register; it only reads."""
    server: MCPServer[Any] = MCPServer(
        "registry",
        title="Register of the algorithms that public bodies use",
        instructions=_INSTRUCTIONS.format(url=register.url),
        website_url=register.url,
        version=__version__,
        log_level="WARNING",
    )
    tool = partial(
        server.tool,
        annotations=ToolAnnotations(
            read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        ),
    )

    @tool()
    def search(question: str, as_of: str = "", limit: int = 10) -> dict[str, Any]:
        """Find records: each with its address and its proof, and the total of all that are found.

        `question` is a query string such as q=santé&risk=high&sort=name; `as_of` a day, a time or
        entry:<n>, without it the last entry that is signed.
        """
        shown = f"&limit={max(1, min(limit, _MOST))}"
        found = _said(lambda: register.ask("records", question + shown, as_of=as_of))
        for item in found["answer"]["items"]:
            place = f"{register.url}/api/v1/records/{quote(item['id'])}"
            item["address"] = f"{place}/versions/{item['version']}"
            item["proof"] = f"{place}/proof?version={item['version']}"
        return found

    @tool()
    def count(question: str, as_of: str = "") -> dict[str, Any]:
        """Count records: their total, facets= by code, by= crossed, and how many do not state it.

        `kinds` tells apart what is stated, asked and not stated, not asked, withheld, restricted.
        """
        found = _said(lambda: register.ask("records", f"{question}&limit=1", as_of=as_of))
        found["answer"] = {
            name: found["answer"][name]
            for name in ("total", "facets", "kinds", "cells", "transitions", "mended")
            if found["answer"].get(name) not in (None, {}, [])
        }
        return found

    @tool()
    def read(record: str, version: int = 0) -> dict[str, Any]:
        """Read a record, <agency>/<slug>, in the version named or the latest; its proof is checked.

        What the log does not have is not answered.
        """
        return _said(lambda: register.read(record, version or None))

    @tool()
    def compare(record: str, before: int, after: int) -> dict[str, Any]:
        """Compare two versions of a record, by field; the proofs of both are checked."""
        return _said(lambda: register.compare(record, before, after))

    @tool()
    def prove(record: str, version: int) -> dict[str, Any]:
        """Prove that the log has a version of a record, and say where its proof can be kept."""
        found = _said(lambda: register.prove(record, version))
        verified = found.pop("verified")
        told = {"at": verified.at, "witnesses": verified.witnesses, "erased": verified.erased}
        return found | {"answer": {"id": record, "version": version, **told}}

    @server.resource(f"{register.url}/api/v1/openapi-read.json", mime_type="application/json")
    def describe() -> str:
        """Return the description of every question (OpenAPI)."""
        try:
            return register.description()
        except RegistryError as error:
            raise ResourceError(error.detail) from error

    return server


def _said(ask: Callable[[], Cited]) -> Cited:
    """Return an answer, or refuse with the sentence of the register."""
    try:
        return ask()
    except RegistryError as error:
        raise ToolError(error.detail) from error
