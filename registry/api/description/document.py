"""The whole document, and the address that serves it."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import MediaType, Request
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Server

from registry import __version__
from registry.api.description.answers import HEADERS, answers
from registry.api.description.operations import OPERATIONS
from registry.api.description.requests import EXAMPLES, body, headers, parameters, read_limits
from registry.api.description.schemas import Json, schemas
from registry.record.pack import Pack
from registry.resources import SCHEMAS
from registry.settings import Settings

PATH = "/openapi.json"

_PLACES = {name: place for place, name in enumerate(OPERATIONS)}

_ABOUT = """\
Every error is `application/problem+json` (RFC 9457); `type` is the address of a page that explains
it. GET implies HEAD, with the same status and headers. An address that is here answers any other
method by 405 with `Allow`, an address that is not here by 404. Whatever `Accept` says, an answer
is of the one type that is described. Reading needs no token.
"""


class _Description(JsonRenderPlugin):
    """Serves the document; it is made once a process, for the first who asks."""

    def __init__(self, pack: Pack) -> None:
        super().__init__(path=PATH, media_type=MediaType.JSON)
        self._pack = pack
        self._document: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: Json) -> bytes:
        if self._document is None:
            derived = msgspec.json.decode(self.render_json(request, openapi_schema))
            self._document = msgspec.json.encode(describe(derived, self._pack))
        return self._document


def configuration(settings: Settings, pack: Pack) -> OpenAPIConfig:
    """Make what the framework needs to serve the description."""
    return OpenAPIConfig(
        title="Register of public algorithms",
        version=__version__,
        description=_ABOUT,
        use_handler_docstrings=True,
        path="/",
        operation_id_creator=_operation_id,
        servers=[Server(url=settings.base_url)],
        components=Components(
            security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}
        ),
        render_plugins=[_Description(pack)],
    )


def describe(derived: Json, pack: Pack) -> Json:
    """Make the description of what the framework derived; `KeyError` for an unknown operation."""
    limits = read_limits(pack)
    shared: Json = {}
    paths: Json = {}
    # The framework has a handler's addresses in an order that differs from process to process.
    for path, methods in sorted(derived["paths"].items(), key=_place):
        for method, operation in methods.items():
            name = f"{method.upper()} {path}"
            told = OPERATIONS[name]
            described = {
                **{key: operation[key] for key in ("tags", "summary", "description")},
                "operationId": operation["operationId"],
                "parameters": [
                    *parameters(operation.get("parameters", ()), limits.get(name, {})),
                    *headers(method, told),
                ],
                "responses": answers(method, path, told, shared),
            }
            if told.scope:
                described["security"] = [{"token": [scope]} for scope in told.scope]
            if told.body is not None:
                described["requestBody"] = body(told.body)
            paths.setdefault(path, {})[method] = described
    return {
        **derived,
        "paths": paths,
        "components": {
            "securitySchemes": derived["components"]["securitySchemes"],
            "schemas": schemas(),
            "responses": dict(sorted(shared.items())),
            "headers": HEADERS,
            "examples": {name: {"value": _example(name)} for name in EXAMPLES},
        },
    }


def _place(described: tuple[str, Json]) -> int:
    """Give the place of an address in the order of the table."""
    path, methods = described
    return min(_PLACES[f"{method.upper()} {path}"] for method in methods)


def _example(name: str) -> Any:
    return msgspec.json.decode((SCHEMAS / "examples" / f"{name}.json").read_bytes())


def _operation_id(handler: HTTPRouteHandler, _: object, components: list[Any]) -> str:
    name: str = handler.handler_name
    return name.replace("_", "_pack_", 1) if "pack" in components else name
