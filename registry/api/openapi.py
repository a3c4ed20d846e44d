"""The description for programs, OpenAPI 3.1: what litestar derives, and what it cannot say.

Handlers declare their parameters, answers (`answers`), scopes (`token`) and whatever else is theirs
alone (`describes`). What is so for every operation of a kind is said here by rule: headers,
problems and links; and the schemas, which msgspec writes with their docstrings and formats release.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import msgspec
from litestar import Litestar, MediaType, Request
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Server
from litestar.routes import HTTPRoute

from registry import __version__
from registry.api.operations import NDJSON, WORKBOOKS, XLSX, Body, OperationFacts, ref
from registry.api.parameters import (
    MOST_VALUES,
    CodeParameter,
    PathCode,
    declared_fields,
    query_fields,
)
from registry.api.responses import HEADERS, write_responses
from registry.api.schemas import STATEMENTS, Json, write_schemas
from registry.exchange.workbooks.file import MAX_BYTES as MAX_WORKBOOK
from registry.record.facets import FACETS
from registry.record.pack import Pack
from registry.record.parse import MAX_BYTES
from registry.resources import SCHEMAS
from registry.services.bulk import MOST_LINES
from registry.settings import Settings

PATH = "/openapi.json"

_ABOUT = """\
Every error is `application/problem+json` (RFC 9457); `type` is the address of a page that explains
it. GET implies HEAD, with the same status and headers. An address that is here answers any other
method by 405 with `Allow`, an address that is not here by 404. Whatever `Accept` says, an answer
is of the one type that is described. Reading needs no token.
"""

_EXAMPLES = ("minimal", "complete")
"""The records of `schemas/examples` that show what a body looks like."""


def configuration(settings: Settings, pack: Pack) -> OpenAPIConfig:
    """Return what litestar needs to serve the description."""
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


class _Description(JsonRenderPlugin):
    """Serves the document, which is made at the first request, and again of another pack."""

    def __init__(self, pack: Pack) -> None:
        super().__init__(path=PATH, media_type=MediaType.JSON)
        self._pack = pack
        self._made: tuple[Pack, bytes] | None = None

    def render(self, request: Request[Any, Any, Any], _: Json) -> bytes:
        context = request.app.state.get("context")
        pack = self._pack if context is None else context.pack
        if self._made is None or self._made[0] is not pack:
            self._made = pack, msgspec.json.encode(describe(request.app, pack))
        return self._made[1]


def describe(app: Litestar, pack: Pack) -> Json:
    """Return the whole document, its addresses in the order in which handlers are registered."""
    derived = msgspec.json.decode(msgspec.json.encode(app.openapi_schema.to_schema()))
    found = []
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        for method, operation in derived["paths"].get(route.path_format, {}).items():
            handler, _ = route.route_handler_map[method.upper()]
            found.append((handler, method, route.path_format, operation))
    places = {name: place for place, name in enumerate(app.state.operations)}
    # Litestar has a handler's addresses in an order that differs from process to process.
    found.sort(key=lambda one: (places[one[0].handler_name], len(one[2])))
    paths: Json = {}
    shared: Json = {}
    for handler, method, path, operation in found:
        facts: OperationFacts = handler.opt.get("facts", OperationFacts())
        described = {
            **{key: operation[key] for key in ("tags", "summary", "description", "operationId")},
            "parameters": [
                *(_parameter(one, handler, pack) for one in operation.get("parameters", ())),
                *_headers(method, facts),
            ],
            "responses": write_responses(
                method=method,
                path=path,
                operation=operation,
                handler=handler,
                facts=facts,
                shared=shared,
            ),
        }
        if "security" in operation:
            described["security"] = operation["security"]
        if facts.body is not None:
            described["requestBody"] = _body(facts.body)
        paths.setdefault(path, {})[method] = described
    return {
        **derived,
        "paths": paths,
        "components": {
            "securitySchemes": derived["components"]["securitySchemes"],
            "schemas": write_schemas([handler for handler, *_ in found]),
            "responses": dict(sorted(shared.items())),
            "headers": HEADERS,
            "examples": {
                name: {
                    "value": msgspec.json.decode(
                        (SCHEMAS / "examples" / f"{name}.json").read_bytes()
                    )
                }
                for name in _EXAMPLES
            },
        },
    }


def _operation_id(handler: HTTPRouteHandler, _: object, components: list[Any]) -> str:
    name: str = handler.handler_name
    return name.replace("_", "_pack_", 1) if "pack" in components else name


# Requests: parameters, headers, bodies.


def _parameter(derived: Json, handler: HTTPRouteHandler, pack: Pack) -> Json:
    """Return a parameter as litestar derived it, with its codes, and without what none can send."""
    name, place = derived["name"], derived["in"]
    schema = derived["schema"]
    [plain] = [one for one in schema.get("oneOf", [schema]) if one != {"type": "null"}]
    holds = {**plain, **{key: part for key, part in schema.items() if key != "oneOf"}}
    for key in ("description", *(["default"] if place == "path" else [])):
        holds.pop(key, None)
    fields = declared_fields(handler) if place == "path" else query_fields(handler)
    declared = fields[name].kwarg_definition
    required = derived["required"]
    # Litestar leaves a limit of 0 out, and writes large ones as floats.
    stated = {"minimum": getattr(declared, "ge", None), "maximum": getattr(declared, "le", None)}
    stated = {key: limit for key, limit in stated.items() if limit is not None}
    holds = {key: part for key, part in holds.items() if key not in stated} | stated
    if isinstance(declared, CodeParameter | PathCode):
        required = required or declared.required is True
        codes = {"type": "string", "enum": list(declared.codes(pack))}
        several = holds["type"] == "array" or getattr(declared, "separated", False)
        default = {"default": holds["default"]} if "default" in holds else {}
        holds = {**default, **(_several(codes) if several else codes)}
    elif name in FACETS and holds["type"] == "array":
        facet = FACETS[name]
        listed = list(facet.listed(pack)) if facet.further is None else []
        holds = _several({"type": "string", **({"enum": listed} if listed else facet.schema)})
    described = {"name": name, "in": place, "required": required, "schema": holds}
    if "description" in derived:
        described["description"] = derived["description"]
    if holds["type"] == "array":
        # A list that the handler takes as one text is written with commas.
        described |= {"style": "form", "explode": plain["type"] == "array"}
    return described


def _several(items: Json) -> Json:
    return {"type": "array", "items": items, "maxItems": MOST_VALUES}


def _headers(method: str, facts: OperationFacts) -> Iterator[Json]:
    """Return the headers by which a request names the state that it means, and itself."""
    if method == "get":
        yield _header("If-None-Match", "Tags that are known; 304 if one of them is current", {})
    if facts.condition is not None:
        tag = {"pattern": '^"[0-9a-f]{16}(-[a-z]+[0-9]*)*"$', "examples": ['"0123456789abcdef"']}
        yield _header("If-Match", "The tag of what is changed", tag)
    if facts.condition == "new or changed":
        yield _header("If-None-Match", "`*` to begin a new record", {"enum": ["*"]})
    if facts.keyed:
        what = "One of your own for each request; the same again gives the same answer for 24 hours"
        yield _header("Idempotency-Key", what, {"minLength": 1, "maxLength": 255})


def _header(name: str, description: str, schema: Json) -> Json:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string", **schema},
    }


def _body(kind: Body | type[msgspec.Struct]) -> Json:
    """Return what a body is, and how large it may be."""
    largest = f"At most {MAX_BYTES:,} bytes."
    media_type: str = MediaType.JSON.value
    content: Json = {"schema": {}}
    if kind == "lines":
        what = f"Records, one a line, at most {MOST_LINES:,}; each at most {MAX_BYTES:,} bytes."
        media_type, content = NDJSON, {"schema": {"type": "string"}}
    elif kind == "workbook":
        others = " or ".join(one for one in WORKBOOKS if one != XLSX)
        what = f"A workbook, or a table in the columns of the full export; also as {others}."
        what += f" At most {MAX_WORKBOOK:,} bytes."
        media_type, content = XLSX, {"schema": {"type": "string", "format": "binary"}}
    elif kind == "patch":
        what = f"A JSON Merge Patch (RFC 7396) of a record: the members that change. {largest}"
        media_type, content = "application/merge-patch+json", {"schema": {"type": "object"}}
    elif kind == "attestation":
        what, content = f"An attestation. {largest}", {"schema": ref("AttestationFormat")}
    elif isinstance(kind, type):
        what = f"{inspect.cleandoc(kind.__doc__ or '')} {largest}"
        content = {"schema": ref(kind.__name__)}
    elif (name := str(kind)) in STATEMENTS:
        what, content = f"{STATEMENTS[name]()['description']} {largest}", {"schema": ref(name)}
    else:
        is_record = kind == "record"
        what = f"{'A record, complete or not.' if is_record else 'Any JSON.'} {largest}"
        examples = {name: {"$ref": f"#/components/examples/{name}"} for name in _EXAMPLES}
        content = {"examples": examples, "schema": ref("Record") if is_record else {}}
    return {"description": what, "required": True, "content": {media_type: content}}
