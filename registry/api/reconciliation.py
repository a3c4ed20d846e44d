"""Reconciliation: which agency, supplier or system a name in somebody's list is.

The protocol is the Reconciliation Service API 0.2 of W3C's Entity Reconciliation Community Group,
which OpenRefine speaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, TypeAlias
from urllib.parse import parse_qs, quote, urlencode

import msgspec
from litestar import Request, Response, get, post
from litestar.params import QueryParameter
from rapidfuzz.fuzz import token_sort_ratio

from registry.api import parameters
from registry.api.operations import FORM, answers, describes
from registry.api.request import ApiRequest, ApiState, read_body, require_type
from registry.errors import InvalidParameter, NotFound
from registry.search.query import SearchQuery
from registry.store import agencies
from registry.text.company_names import company_names, folded_name
from registry.work import in_thread

PATH = "/api/v1/reconcile"
VERSION = "0.2"
BATCH = 50
"""Queries in one request."""

_MOST = 25
_LONGEST = parameters.LONGEST_TEXT
_LARGEST = BATCH * 4 * _LONGEST

EntityType: TypeAlias = Literal["agency", "supplier", "system"]
TYPES: Mapping[EntityType, str] = {
    "agency": "Agency",
    "supplier": "Supplier",
    "system": "System",
}
_EXACT = 100
_LEAST = 60
"""A candidate that is less alike is none."""

_SUPPLIERS = "procurement.suppliers.name"
_WORDS = re.compile(r"\w+")


class ReconciliationType(msgspec.Struct, frozen=True, kw_only=True):
    """What an entity is."""

    id: EntityType
    name: str


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """An entity that a name may be; `match` where it is that one, and no other."""

    id: str
    name: str
    description: str
    score: float
    match: bool
    type: list[ReconciliationType]


class Candidates(msgspec.Struct, frozen=True, kw_only=True):
    """What one query finds, the most alike first."""

    result: list[Candidate]


class SuggestedEntity(msgspec.Struct, frozen=True, kw_only=True):
    """An entity whose name begins as what was typed."""

    id: str
    name: str
    description: str
    notable: list[ReconciliationType]


class SuggestedEntities(msgspec.Struct, frozen=True, kw_only=True):
    """What may be meant by what was typed."""

    result: list[SuggestedEntity]


class ReconciliationAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The manifest of the service, or for each query by its name what it finds."""

    versions: list[str] = []
    name: str = ""
    identifier_space: str = msgspec.field(default="", name="identifierSpace")
    schema_space: str = msgspec.field(default="", name="schemaSpace")
    documentation: str = ""
    default_types: list[ReconciliationType] = msgspec.field(
        default_factory=list, name="defaultTypes"
    )
    view: dict[str, str] = {}
    suggest: dict[str, dict[str, str]] = {}
    batch_size: int = msgspec.field(default=0, name="batchSize")

    others: ClassVar[type[msgspec.Struct]] = Candidates


class _Query(msgspec.Struct, kw_only=True):
    query: str = ""
    type: str | list[str] = []
    limit: Annotated[int, msgspec.Meta(ge=1)] | None = None
    properties: list[Any] = []
    type_strict: str | None = None


class _Entity(msgspec.Struct, frozen=True, kw_only=True):
    """An entity with its names, each beside its folded form."""

    type: EntityType
    key: str
    description: str
    names: Sequence[tuple[str, str]]


@get(
    PATH,
    summary="Describe the reconciliation, or reconcile names",
    tags=["reconciliation"],
    responses=answers(ReconciliationAnswer),
    opt=describes(schemas=(Candidates,)),
)
async def reconcile(
    request: ApiRequest,
    state: ApiState,
    queries: Annotated[
        str | None,
        QueryParameter(description="Queries by name, a JSON object; without it, the manifest"),
    ] = None,
) -> Response[bytes]:
    """Answer with the manifest of the service, or with candidates for each query."""
    if queries is None:
        return _json(_manifest(request))
    return _json(await _reconciled(state, queries))


@post(
    PATH,
    summary="Reconcile names",
    tags=["reconciliation"],
    responses=answers(ReconciliationAnswer),
    opt=describes(body="queries", schemas=(Candidates,)),
    status_code=200,
)
async def reconcile_many(request: ApiRequest, state: ApiState) -> Response[bytes]:
    """Answer with candidates for each query of a form, at most 50."""
    require_type(request, FORM, "a form")
    form = parse_qs((await read_body(request, _LARGEST)).decode("utf-8", "replace"))
    if "queries" not in form:
        raise InvalidParameter("queries: the form lacks it; it is a JSON object of queries by name")
    return _json(await _reconciled(state, form["queries"][0]))


@get(
    f"{PATH}/suggest",
    summary="Suggest entities",
    tags=["reconciliation"],
    responses=answers(SuggestedEntities),
)
async def suggest_entities(
    *,
    state: ApiState,
    prefix: Annotated[
        str,
        QueryParameter(
            description="The beginning of a name", schema_extra={"max_length": _LONGEST}
        ),
    ],
    kind: Annotated[
        str | None, QueryParameter(description="agency, supplier or system", name="type")
    ] = None,
    type_strict: Annotated[  # noqa: ARG001  clients send it; an entity has one type
        str | None, QueryParameter(description="Taken as any, whatever it says")
    ] = None,
    cursor: Annotated[
        int, QueryParameter(description="How many to leave out", ge=0, le=10_000)
    ] = 0,
) -> Response[bytes]:
    """Suggest agencies, suppliers and systems while somebody types a name."""
    _require_short("prefix", prefix)
    begins, types = folded_name(prefix), _types("type", kind or [])
    entities = [
        *await _listed(state, types),
        *await _systems(state, prefix, types, begun=True),
    ]
    found = [
        SuggestedEntity(
            id=_id(one), name=name, description=one.description, notable=[_type(one.type)]
        )
        for one in entities
        if (name := _begun(one, begins))
    ]
    found.sort(key=lambda one: (len(one.name), one.name))
    return _json(SuggestedEntities(result=found[cursor : cursor + _MOST]))


@get(
    f"{PATH}/view",
    summary="Go to the page of an entity",
    tags=["reconciliation"],
    responses=answers(None, 303, description="The address of the page"),
    opt=describes(problems=(NotFound,)),
    status_code=303,
)
async def view_entity(
    request: ApiRequest,
    state: ApiState,
    entity: Annotated[str, QueryParameter(description="An id that was answered", name="id")],
) -> Response[bytes]:
    """Lead to the page of an agency, of a system, or of what a supplier supplies."""
    kind, _, key = entity.partition("/")
    if kind not in TYPES or not key:
        raise NotFound(f"there is no entity {parameters.shown(entity)}")
    lang = parameters.language_of(request, None, state.context.pack)
    if kind == "supplier":
        place = f"search?{urlencode({'supplier': key})}"
    else:
        place = f"{'agencies' if kind == 'agency' else 'records'}/{quote(key)}"
    return Response(
        content=b"",
        status_code=303,
        headers={"location": f"{state.settings.base_url}/{lang}/{place}"},
    )


def _manifest(request: Request[Any, Any, Any]) -> ReconciliationAnswer:
    state = request.app.state
    base, names = state.settings.base_url, state.context.pack.site_name
    lang = parameters.language_of(request, None, state.context.pack)
    service = f"{base}{PATH}"
    return ReconciliationAnswer(
        versions=[VERSION],
        name=names.get(lang) or next(iter(names.values())),
        identifier_space=f"{service}#",
        schema_space=f"{service}#type-",
        documentation=f"{base}/{lang}/api",
        default_types=[_type(one) for one in TYPES],
        view={"url": f"{service}/view?id={{{{id}}}}"},
        suggest={"entity": {"service_url": base, "service_path": f"{PATH}/suggest"}},
        batch_size=BATCH,
    )


async def _reconciled(state: ApiState, given: str) -> dict[str, Candidates]:
    queries = _read(given)
    wanted = {name: _types(f"queries/{name}/type", one.type) for name, one in queries.items()}
    listed = await _listed(state, {kind for kinds in wanted.values() for kind in kinds})
    found = {}
    for name, one in queries.items():
        entities = [entity for entity in listed if entity.type in wanted[name]]
        entities += await _systems(state, one.query, wanted[name])
        most = min(one.limit or _MOST, _MOST)
        # A name is compared with thousands: other requests go on meanwhile.
        ranked = await in_thread(_ranked, one.query, entities, most)
        found[name] = Candidates(result=ranked)
    return found


def _read(given: str) -> dict[str, _Query]:
    try:
        queries = msgspec.json.decode(given, type=dict[str, _Query])
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise InvalidParameter(
            f"queries: a JSON object of queries by name is needed: {error}"
        ) from error
    if len(queries) > BATCH:
        raise InvalidParameter(f"queries: {len(queries)} of them; at most {BATCH} at once")
    for name, one in queries.items():
        _require_short(f"queries/{name}/query", one.query)
    return queries


def _require_short(place: str, text: str) -> None:
    if len(text) > _LONGEST:
        raise InvalidParameter(f"{place}: at most {_LONGEST} characters")


def _types(place: str, given: str | Iterable[str]) -> list[EntityType]:
    """Return the types that are asked for, all where none is. Raises `InvalidParameter`."""
    named = [given] if isinstance(given, str) else list(given)
    wanted = parameters.codes(place, named, TYPES) or list(TYPES)
    return [kind for kind in TYPES if kind in wanted]


async def _listed(state: ApiState, types: Iterable[EntityType]) -> list[_Entity]:
    """Return every agency, and every supplier by its most frequent spelling."""
    entities = []
    if "agency" in types:
        async with state.context.database.connection() as connection:
            counted = await agencies.read_all(connection)
        entities += [
            _entity("agency", one.agency.id, one.agency.id, [*one.agency.name.values()])
            for one in counted
        ]
    if "supplier" in types:
        answer = await state.index.answer(SearchQuery(facets=[_SUPPLIERS], limit=1))
        entities += [
            _entity("supplier", folded_name(one.code), "", [one.code])
            for one in answer.facets[_SUPPLIERS]
        ]
    return entities


async def _systems(
    state: ApiState, text: str, types: Iterable[EntityType], *, begun: bool = False
) -> list[_Entity]:
    """Return the records that the words of a text find, by name."""
    words = " ".join(_WORDS.findall(text))
    if "system" not in types or not words:
        return []
    if begun:
        _, cards = await state.index.suggest(words, most=_MOST)
    else:
        answer = await state.index.answer(SearchQuery(text=words, sort="relevance", limit=_MOST))
        hits = [*answer.hits, *(answer.partial.hits if answer.partial else ())]
        cards = [hit.card for hit in hits]
    read = [msgspec.json.decode(card) for card in cards]
    return [
        _entity("system", card["id"], card["id"].partition("/")[0], [*card["name"].values()])
        for card in read
        if card.get("name")
    ]


def _entity(kind: EntityType, key: str, description: str, names: Sequence[str]) -> _Entity:
    folded = [(name, folded_name(name)) for name in names]
    return _Entity(type=kind, key=key, description=description, names=folded)


def _begun(entity: _Entity, begins: str) -> str | None:
    """Return a name of an entity with a word that begins so; of a system, found so, any."""
    named = (name for name, part in entity.names if begins and f" {begins}" in f" {part}")
    return next(named, entity.names[0][0] if entity.type == "system" else None)


def _ranked(text: str, entities: Iterable[_Entity], most: int) -> list[Candidate]:
    """Return the entities whose names are like a text, by the name that is most so."""
    whole = folded_name(text)
    # A remark in brackets, or an abbreviation, belongs to no name of a firm.
    firms = company_names(text)
    firm = folded_name(firms[0]) if len(firms) == 1 else whole
    scored = []
    for one in entities:
        asked = firm if one.type == "supplier" else whole
        score, name = max((_score(asked, part), name) for name, part in one.names)
        if score >= _LEAST:
            scored.append((score, name, one))
    scored.sort(key=lambda one: (-one[0], len(one[1]), one[1]))
    alone = sum(score == _EXACT for score, _, _ in scored) == 1
    return [
        Candidate(
            id=_id(one),
            name=name,
            description=one.description,
            score=score,
            match=alone and score == _EXACT,
            type=[_type(one.type)],
        )
        for score, name, one in scored[:most]
    ]


def _score(folded: str, other: str) -> float:
    """Return how alike two folded names are: 100 where they are one, whatever the order below."""
    if folded == other:
        return _EXACT
    return min(token_sort_ratio(folded, other, score_cutoff=_LEAST), _EXACT - 1)


def _id(entity: _Entity) -> str:
    return f"{entity.type}/{entity.key}"


def _type(kind: EntityType) -> ReconciliationType:
    return ReconciliationType(id=kind, name=TYPES[kind])


def _json(content: Any) -> Response[bytes]:
    return Response(
        content=msgspec.json.encode(content),
        media_type="application/json",
        headers={"cache-control": "no-cache"},
    )
