"""The description for programs, OpenAPI 3.1: what litestar derives, and what it cannot say."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import msgspec
from litestar import Litestar, MediaType, Request
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Server
from litestar.routes import HTTPRoute

from registry import __version__, errors
from registry.api.openapi_reading import READING_PATH, Json, for_reading
from registry.api.operations import FORM, NDJSON, WORKBOOKS, XLSX, Body, OperationFacts, ref
from registry.api.parameters import (
    MOST_VALUES,
    CodeParameter,
    PathCode,
    declared_fields,
    query_fields,
    takes_filters,
)
from registry.api.problems import PROBLEM_JSON, STATUS, ProblemDetails
from registry.api.receipts import KEPT, MEDIA_TYPE, PARAMETER, AnswerReceipt
from registry.api.search_filters import MOST_FACTS
from registry.errors import RegistryError
from registry.log.entry import entry_schema
from registry.log.redaction import redaction_schema
from registry.record.attestation import attestation_schema_bytes
from registry.record.examples import examples
from registry.record.facets import FACETS, KIND, value_filters
from registry.record.facts import KINDS
from registry.record.facts import facts as all_facts
from registry.record.pack import Pack
from registry.record.parse import MAX_BYTES
from registry.record.schema import record_schema
from registry.record.statements import withdrawal_schema
from registry.services.filing.bulk import MOST_LINES
from registry.settings import Settings
from registry.workbooks.file import MAX_BYTES as MAX_WORKBOOK

_COMPONENTS = {
    "DiffSpan": "Mark",
    "LoggedChange": "Change",
    "ProblemDetails": "Problem",
    "StatisticsGroup": "Group",
}
"""Names of components that are not those of their classes: clients are generated from them."""

_OF_STRINGS = ("minLength", "maxLength", "pattern", "format")


STATEMENTS: Mapping[str, Callable[[], Json]] = {
    "Redacting": redaction_schema,
    "Withdrawing": withdrawal_schema,
}
"""The schemas by which statements are checked, by the name of the component."""


def write_schemas(handlers: Iterable[HTTPRouteHandler]) -> Json:
    """Return every schema by name: each stands by itself, without `$defs`."""
    kinds: dict[type[msgspec.Struct], None] = {ProblemDetails: None, AnswerReceipt: None}
    for handler in handlers:
        facts: OperationFacts = handler.opt.get("facts", OperationFacts())
        answered = [spec.data_container for spec in (handler.responses or {}).values()]
        for kind in (*answered, facts.body, *facts.schemas):
            if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
                kinds[kind] = None
    _, found = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    entry, of_entries = entry_schema()
    found |= of_entries
    leaving_out = {kind.__name__ for kind in kinds if kind.__struct_config__.omit_defaults}
    others = {kind.__name__: kind.others for kind in kinds if hasattr(kind, "others")}
    for name, schema in found.items():
        schema["description"] = inspect.cleandoc(schema.get("description", ""))
        schema["title"] = _COMPONENTS.get(name, name)
        schema["properties"] = {
            member: _answered(member, of, left_out=name in leaving_out)
            for member, of in schema["properties"].items()
        }
        if name in others:
            schema["additionalProperties"] = ref(others[name].__name__)
    named = {_COMPONENTS.get(name, name): schema for name, schema in found.items()}
    return {
        **{name: _portable(schema) for name, schema in sorted(named.items())},
        "Entry": entry | {"title": "Entry"},
        "FactFilters": {
            "title": "FactFilters",
            "description": (
                "By fact what it states: a value, or a range of numbers or days from `.from` to "
                "`.until`; after `kind.` the kinds of an answer."
            ),
            "type": "object",
            "maxProperties": MOST_FACTS,
            "properties": {
                f"{KIND}{fact}": _several({"type": "string", "enum": [*KINDS]})
                for fact in all_facts()
            }
            | {name: _several({"type": "string"}) for name in value_filters()},
            "additionalProperties": False,
        },
        **{
            part: schema
            for name, statement in STATEMENTS.items()
            for part, schema in _released(name, "Record", statement()).items()
        },
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
    if isinstance(kinds := schema.get("type"), list) and {"string", "object"} == set(kinds):
        told = {key: schema.pop(key) for key in ("title", "description") if key in schema}
        # Generators make one type of a schema: a line is said apart from the texts.
        line = {key: schema.pop(key) for key in _OF_STRINGS if key in schema}
        return {**told, "anyOf": [{**line, "type": "string"}, {**schema, "type": "object"}]}
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


def _response_header(description: str, *, required: bool = True, **schema: Any) -> Json:
    return {"description": description, "required": required, "schema": schema}


_text = partial(_response_header, type="string")
_number = partial(_response_header, type="integer", minimum=1)

HEADERS: Json = {
    "ETag": _text(
        "The tag of this state, for If-Match where it is strong", pattern='^(W/)?"[^"]+"$'
    ),
    "Canonical": _text(
        'The address that gives the same file at any later time, rel="canonical"; '
        'the licence of what was filed here, rel="license"',
        pattern='^<[^>]+>; rel="canonical"(, <[^>]+>; rel="license")?$',
        required=False,
    ),
    "Content-Disposition": _text(
        "The name of the file",
        pattern='^attachment; filename="[A-Za-z0-9-]+[.][a-z]+"'
        "(; filename[*]=UTF-8''[A-Za-z0-9%._-]+)?$",
    ),
    "Link": _text(
        'The next page, rel="next"; absent on the last one',
        pattern='^<[^>]+>; rel="next"$',
        required=False,
    ),
    "Retry-After": _number("Seconds after which it is worth trying again"),
    "WWW-Authenticate": _text("How to show who you are"),
    "X-Register-Mended": _text(
        "The words that were looked for where nothing has those of `q`, in UTF-8, percent-encoded",
        pattern="^[!-~]+$",
        required=False,
    ),
    "X-Register-Size": _number(
        "How many entries the log had that this answer speaks of; a receipt says it itself",
        required=False,
    ),
    "X-Request-Id": _text(
        "This request's id: problems, the register's log and audit trail name it",
        pattern="^[A-Za-z0-9._-]{1,64}$",
    ),
}
"""The headers that mean something to a program."""

_OF_DOWNLOADS = ("Content-Disposition", "X-Register-Mended", "X-Register-Size")
_OF_BODY: Mapping[str, Json] = {
    "list_records": {"cursor": "$response.body#/next"},
    "confirm_redaction": {"redaction": "$response.body#/redaction"},
    "delete_redaction": {"redaction": "$response.body#/redaction"},
    "get_pending_act": {"act": "$response.body#/act"},
    "delete_pending_act": {"act": "$response.body#/act"},
    "approve_pending_act": {"act": "$response.body#/act"},
    "return_pending_act": {"act": "$response.body#/act"},
}
_CHANGES = ("save", "submit", "delete", "approve", "return", "withdraw")


def write_responses(
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
        *(["Content-Disposition"] if facts.named else []),
    )
    if facts.download:
        headers["Link"] = {"$ref": "#/components/headers/Canonical"}
    answer = {**derived, "headers": headers}
    if spec.data_container is bytes:
        answer["content"] = {spec.media_type: {}}
    if KEPT.fullmatch(path):
        answer["content"][MEDIA_TYPE] = {"schema": ref("AnswerReceipt")}
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
    yield from (errors.InvalidParameter, errors.AddressTooLong, errors.HeadersTooLarge)
    if facts.body is not None:
        yield errors.UnsupportedMediaType
    if facts.body not in {None, "lines"}:
        yield from (errors.UnreadableDocument, errors.RequestTimeout, errors.PayloadTooLarge)
    if is_secure:
        yield from (errors.Unauthorized, errors.Forbidden)
    if "{" in path:
        yield errors.NotFound
    if facts.condition is not None:
        yield errors.PreconditionFailed
    if facts.keyed:
        yield errors.IdempotencyKeyReused
    if KEPT.fullmatch(path):
        yield from (errors.PayloadTooLarge, errors.Unavailable)
    if not path.startswith("/health/"):
        yield from (errors.MisdirectedRequest, errors.TooManyRequests)
    yield from facts.problems
    yield from (errors.RegistryError, errors.Unavailable)
    if facts.keyed:
        # What may be repeated by a key publishes, or may do so where no review is required.
        yield from (errors.RegisterBehind, errors.ClockDiffers)


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


PATH = "/openapi.json"

_ABOUT = """\
Every error is `application/problem+json` (RFC 9457); `type` is the address of a page that explains
it. GET implies HEAD, with the same status and headers. An address that is here answers any other
method by 405 with `Allow`, an address that is not here by 404. Whatever `Accept` says, an answer
is of the one type that is described; but searches, changes, statistics and exports come as a
receipt where it names `application/vnd.registry.receipt+json`, or the query has `receipt=1`.
Reading needs no token.
"""


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
        render_plugins=[
            _Description(PATH, pack, lambda whole: whole),
            _Description(READING_PATH, pack, for_reading),
        ],
    )


class _Description(JsonRenderPlugin):
    """Serves a document, which is made at the first request, and again of another pack."""

    def __init__(self, path: str, pack: Pack, made: Callable[[Json], Json]) -> None:
        super().__init__(path=path, media_type=MediaType.JSON)
        self._pack, self._make = pack, made
        self._made: tuple[Pack, bytes] | None = None

    def render(self, request: Request[Any, Any, Any], _: Json) -> bytes:
        context = request.app.state.get("context")
        pack = self._pack if context is None else context.pack
        if self._made is None or self._made[0] is not pack:
            self._made = pack, msgspec.json.encode(self._make(describe(request.app, pack)))
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
    shown = examples(pack)
    for handler, method, path, operation in found:
        facts: OperationFacts = handler.opt.get("facts", OperationFacts())
        described = {
            **{key: operation[key] for key in ("tags", "summary", "description", "operationId")},
            "parameters": [
                *(_parameter(one, handler, pack) for one in operation.get("parameters", ())),
                *([_BY_FACTS] if takes_filters(handler) else []),
                *([_RECEIPT] if KEPT.fullmatch(path) else []),
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
            described["requestBody"] = _body(facts.body, shown)
        paths.setdefault(path, {})[method] = described
    return {
        **derived,
        "paths": paths,
        "components": {
            "securitySchemes": derived["components"]["securitySchemes"],
            "schemas": write_schemas([handler for handler, *_ in found]),
            "responses": dict(sorted(shared.items())),
            "headers": HEADERS,
            "examples": {name: {"value": record} for name, record in shown.items()},
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


_BY_FACTS: Json = {
    "name": "facts",
    "in": "query",
    "required": False,
    "description": (
        "What records state of facts, and how they answer on them, each by its name: "
        "`procurement.contract.amount.value.from=100000`, `kind.rights.notice=not_asked`. "
        "Conditions on members of one list hold of one item."
    ),
    "style": "form",
    "explode": True,
    "schema": ref("FactFilters"),
}
"""The filters by facts: each member of the object is a parameter of its own."""

_RECEIPT: Json = {
    "name": PARAMETER,
    "in": "query",
    "required": False,
    "description": "`1`: the answer as a receipt, for who cannot set `Accept`",
    "schema": {"type": "string", "enum": ["1"]},
}


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


def _body(kind: Body | type[msgspec.Struct], shown: Iterable[str]) -> Json:
    """Return what a body is, how large it may be, and which examples show one."""
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
    elif kind == "queries":
        what = "A form with queries by name, a JSON object."
        fields = {"queries": {"type": "string"}}
        form: Json = {"type": "object", "properties": fields, "required": ["queries"]}
        media_type, content = FORM, {"schema": form}
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
        named = {name: {"$ref": f"#/components/examples/{name}"} for name in shown}
        content = {"examples": named, "schema": ref("Record") if is_record else {}}
    return {"description": what, "required": True, "content": {media_type: content}}
