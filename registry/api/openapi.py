"""The description for programs, OpenAPI 3.1: what litestar derives, and what it cannot say.

Handlers declare their parameters, answers (`answers`), scopes (`token`) and whatever else is theirs
alone (`describes`). What is so for every operation of a kind is said here by rule: headers,
problems and links; and the schemas, which msgspec writes with their docstrings and formats release.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, TypeAlias

import msgspec
from litestar import Litestar, MediaType, Request
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Server
from litestar.routes import HTTPRoute

from registry import __version__, errors
from registry.api.parameters import MOST_VALUES, CodeParameter, PathCode, query_fields
from registry.api.problems import PROBLEM_JSON, STATUS, Problem
from registry.errors import RegistryError
from registry.record.attestation import attestation_schema_bytes
from registry.record.facets import FACETS
from registry.record.pack import Pack
from registry.record.parse import MAX_BYTES
from registry.record.schema import record_schema
from registry.resources import SCHEMAS
from registry.services.access import Scope
from registry.services.bulk import MOST_LINES
from registry.settings import Settings

PATH = "/openapi.json"
NDJSON = "application/x-ndjson"

Json: TypeAlias = dict[str, Any]

Body: TypeAlias = Literal["any", "attestation", "lines", "record"]
"""A body that is not written as a struct: any JSON, or something with a released format."""

Condition: TypeAlias = Literal["new or changed", "changed"]

_ABOUT = """\
Every error is `application/problem+json` (RFC 9457); `type` is the address of a page that explains
it. GET implies HEAD, with the same status and headers. An address that is here answers any other
method by 405 with `Allow`, an address that is not here by 404. Whatever `Accept` says, an answer
is of the one type that is described. Reading needs no token.
"""

_COMPONENTS = {"LoggedChange": "Change", "StatisticsGroup": "Group", "DiffSpan": "Mark"}
"""Names of components that are not those of their classes: clients are generated from them."""

_EXAMPLES = ("minimal", "complete")
"""The records of `schemas/examples` that show what a body looks like."""


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """A JSON Schema, draft 2020-12."""


class OperationFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What neither the signature of a handler nor its responses say.

    `problems` are those that no rule gives. `condition` says which tags a request may state; a
    `tagged` success brings one, as every reading does. A `keyed` request may have an idempotency
    key. `pages` link to the next one, a `download` is a file with a name. `follows` names the
    operations that make sense after a success. `schemas` are structs that stand inside JSON that
    is passed on as it is.
    """

    problems: tuple[type[RegistryError], ...] = ()
    body: Body | type[msgspec.Struct] | None = None
    condition: Condition | None = None
    tagged: bool = False
    keyed: bool = False
    pages: bool = False
    download: bool = False
    follows: tuple[str, ...] = ()
    schemas: tuple[type[msgspec.Struct], ...] = ()


def describes(**facts: Any) -> dict[str, OperationFacts]:
    """Return the `opt` of a handler with the facts about its operation."""
    return {"facts": OperationFacts(**facts)}


def answers(
    kind: type[msgspec.Struct | bytes] | None,
    *statuses: int,
    media_type: str = MediaType.JSON.value,
    description: str = "Done, and nothing more to say",
) -> dict[int, ResponseSpec]:
    """Return the `responses` of a handler: what a success is, 200 if not said otherwise.

    A struct is described by the first line of its docstring.
    """
    if kind is not None and issubclass(kind, msgspec.Struct):
        description = inspect.cleandoc(kind.__doc__ or "").splitlines()[0]
    spec = ResponseSpec(kind, False, description, media_type)
    return dict.fromkeys(statuses or (200,), spec)


def token(*scopes: Scope) -> list[dict[str, list[str]]]:
    """Return the `security` of a handler: the token must have one of these scopes."""
    return [{"token": [scope]} for scope in scopes]


def json_of(name: str) -> msgspec.Meta:
    """Return the annotation of a member that is JSON already, of the schema with this name."""
    return msgspec.Meta(extra_json_schema=ref(name))


def limits(**schema: Any) -> msgspec.Meta:
    """Return the annotation of a member with what its type does not say of it."""
    return msgspec.Meta(extra_json_schema=schema)


def ref(name: str) -> Json:
    """Refer to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


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
    """Serves the document; it is made once a process, for the first who asks."""

    def __init__(self, pack: Pack) -> None:
        super().__init__(path=PATH, media_type=MediaType.JSON)
        self._pack = pack
        self._document: bytes | None = None

    def render(self, request: Request[Any, Any, Any], _: Json) -> bytes:
        if self._document is None:
            self._document = msgspec.json.encode(describe(request.app, self._pack))
        return self._document


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
            "responses": _responses(
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
            "schemas": _schemas([handler for handler, *_ in found]),
            "responses": dict(sorted(shared.items())),
            "headers": _HEADERS,
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
    fields = handler.parsed_fn_signature.parameters if place == "path" else query_fields(handler)
    declared = fields[name].kwarg_definition
    required = derived["required"]
    # Litestar leaves a limit of 0 out, and writes large ones as floats.
    stated = {"minimum": getattr(declared, "ge", None), "maximum": getattr(declared, "le", None)}
    holds |= {key: limit for key, limit in stated.items() if limit is not None}
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
    if kind == "lines":
        return {
            "description": f"Records, one a line, at most {MOST_LINES:,}; each at most "
            f"{MAX_BYTES:,} bytes.",
            "required": True,
            "content": {NDJSON: {"schema": {"type": "string"}}},
        }
    described, content = "Any JSON.", Json()
    if isinstance(kind, type):
        described = inspect.cleandoc(kind.__doc__ or "")
        content["schema"] = ref(kind.__name__)
    elif kind == "attestation":
        described, content["schema"] = "An attestation.", ref("AttestationFormat")
    else:
        content["examples"] = {
            name: {"$ref": f"#/components/examples/{name}"} for name in _EXAMPLES
        }
        content["schema"] = {}
        if kind == "record":
            described, content["schema"] = "A record, complete or not.", ref("Record")
    return {
        "description": f"{described} At most {MAX_BYTES:,} bytes.",
        "required": True,
        "content": {MediaType.JSON.value: content},
    }


# Responses: successes, and every problem, most of them by rule.

_HEADERS: Json = {
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
_OF_BODY: Mapping[str, Json] = {
    "list_records": {"cursor": "$response.body#/next"},
    "confirm_redaction": {"redaction": "$response.body#/redaction"},
}
_CHANGES = ("save", "submit", "delete", "approve", "return", "withdraw")


def _responses(
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
    yield from (errors.InvalidParameter, errors.AddressTooLong)
    if facts.body is not None:
        yield errors.UnsupportedMediaType
    if facts.body not in {None, "lines"}:
        yield from (errors.UnreadableDocument, errors.RequestTimeout, errors.PayloadTooLarge)
    if is_secure:
        yield from (errors.Unauthorized, errors.Forbidden)
    if is_secure or facts.body is not None:
        yield errors.TooManyRequests
    if "{" in path:
        yield errors.NotFound
    if facts.condition is not None:
        yield errors.PreconditionFailed
    if facts.keyed:
        yield errors.IdempotencyKeyReused
    if not path.startswith("/health/"):
        yield errors.MisdirectedRequest
    yield from facts.problems
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
        "content": {PROBLEM_JSON: {"schema": {**ref("Problem"), **exact}}},
    }


def _named(*names: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in (*names, "X-Request-Id")}


# Schemas: the structs, and the formats as they were released.

_ENTRY: Json = {
    "title": "Entry",
    "description": "An entry of the log: exactly the canonical JSON that was hashed.",
    "type": "object",
    "required": ["v", "kind", "at"],
    "properties": {
        "v": {"const": 1},
        "kind": {"enum": ["genesis", "version", "withdrawal", "redaction", "attestation", "key"]},
        "at": {"type": "string", "format": "date-time"},
        "actor": {"type": "string"},
        "id": ref("RecordId"),
        "agency": {"type": "string"},
        "version": {"type": "integer", "minimum": 1},
        "prev": {"type": ["object", "null"]},
        "sections": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}


def _schemas(handlers: Iterable[HTTPRouteHandler]) -> Json:
    """Return every schema by name: each stands by itself, without `$defs`."""
    kinds: dict[type[msgspec.Struct], None] = {Problem: None}
    for handler in handlers:
        facts: OperationFacts = handler.opt.get("facts", OperationFacts())
        answered = [spec.data_container for spec in (handler.responses or {}).values()]
        for kind in (*answered, facts.body, *facts.schemas):
            if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
                kinds[kind] = None
    _, found = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    leaving_out = {kind.__name__ for kind in kinds if kind.__struct_config__.omit_defaults}
    for name, schema in found.items():
        schema["description"] = inspect.cleandoc(schema.get("description", ""))
        schema["title"] = _COMPONENTS.get(name, name)
        schema["properties"] = {
            member: _answered(member, told, left_out=name in leaving_out)
            for member, told in schema["properties"].items()
        }
    named = {_COMPONENTS.get(name, name): schema for name, schema in found.items()}
    return {
        **{name: _portable(schema) for name, schema in sorted(named.items())},
        "Entry": _ENTRY,
        **_released("Record", "Record", record_schema()),
        **_released(
            "AttestationFormat", "Attestation", msgspec.json.decode(attestation_schema_bytes())
        ),
    }


def _answered(member: str, schema: Json, *, left_out: bool) -> Json:
    """Return a member's schema as it is answered: without a default, and not null if left out.

    Times have an offset always, of which msgspec knows nothing.
    """
    if "anyOf" in schema:
        each = [_answered(member, one, left_out=left_out) for one in schema["anyOf"]]
        some = [one for one in each if not (left_out and one == {"type": "null"})]
        return {"anyOf": some} if len(some) > 1 else some[0]
    exact = {key: part for key, part in schema.items() if key != "default"}
    if member.endswith("_at") and exact.get("type") == "string":
        exact["format"] = "date-time"
    return exact


def _released(name: str, prefix: str, released: Json) -> Json:
    """Return a released format and its definitions as components: RecordLangText and so on."""

    def lifted(part: str) -> str:
        return prefix + part.removeprefix(prefix)

    moved: Json = {}
    for part, of in released["$defs"].items():
        moved[f"#/$defs/{part}"] = ref(lifted(part))
        # What is a part of a definition is no component, and is said again where it is referred to.
        for member, schema in of.get("properties", {}).items():
            moved[f"#/$defs/{part}/properties/{member}"] = schema
    whole = {key: part for key, part in released.items() if key not in {"$schema", "$id", "$defs"}}
    return {
        # A generator that names classes by titles would have two of one name.
        component: _portable(schema, moved) | {"title": component}
        for component, schema in [
            (name, whole),
            *((lifted(part), of) for part, of in released["$defs"].items()),
        ]
    }


def _portable(node: Any, moved: Mapping[str, Json] = {}) -> Any:
    """Return a schema that generators of clients digest: components for references, no booleans.

    `moved` has what stands in the place of a reference.
    """
    if isinstance(node, list):
        return [_portable(part, moved) for part in node]
    if not isinstance(node, dict):
        return node
    schema = {key: _portable(part, moved) for key, part in node.items()}
    if isinstance(target := schema.get("$ref"), str):
        del schema["$ref"]
        name = target.rpartition("/")[2]
        schema = {**moved.get(target, ref(_COMPONENTS.get(name, name))), **schema}
    if schema.get("items") is False:
        each = schema.pop("prefixItems")
        schema["items"] = each[0] if all(one == each[0] for one in each) else {"anyOf": each}
    if isinstance(members := schema.get("properties"), dict):
        schema["properties"] = {
            name: {} if member is True else member for name, member in members.items()
        }
    return schema
