"""What a request may say: parameters with their limits, tags, bodies."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping

from registry.api import audit, bulk, changes, exports, filings, search, search_filters
from registry.api import parameters as limits
from registry.api.description.operations import OPERATIONS, Body, Operation
from registry.api.description.schemas import Json, reference
from registry.exchange.export import MEDIA_TYPES
from registry.exchange.export_columns import COLUMN_SETS
from registry.exchange.linked_data import CONTEXT_VERSION
from registry.record import attestation, schema
from registry.record.codelists import codelists
from registry.record.facets import FACETS
from registry.record.model import RISK_CHANGES
from registry.record.pack import Pack
from registry.record.parse import MAX_BYTES
from registry.services.bulk import MOST_LINES
from registry.store.as_of import AS_OF, TIME
from registry.store.statistics import FILTERS, GROUPS
from registry.text.catalogues import SOURCE

EXAMPLES = ("minimal", "complete")
"""The records of `schemas/examples` that show what a body looks like."""

_IN_PATH: dict[str, Json] = {
    "agency": {"type": "string", "pattern": r"^[a-z0-9]+([.-][a-z0-9]+)*$", "maxLength": 118},
    "slug": {"type": "string", "pattern": r"^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 118},
    "version": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
    "redaction": {"type": "integer", "minimum": 1, "maximum": 2**63 - 1},
}

_ANYWHERE: dict[str, Json] = {"as_of": {"pattern": AS_OF}}


def parameters(derived: Iterable[Json], told: Mapping[str, Json]) -> Iterator[Json]:
    """Give what the framework derived, with limits, and without what cannot be sent."""
    for parameter in derived:
        name, place = parameter["name"], parameter["in"]
        alternatives = parameter["schema"].get("oneOf", [parameter["schema"]])
        [plain] = [one for one in alternatives if one != {"type": "null"}]
        holds = {key: plain[key] for key in ("type", "items", "default") if key in plain}
        if place == "path":
            holds = told.get(name) or _IN_PATH[name]
        else:
            holds |= told.get(name) or _ANYWHERE.get(name, {})
        required = holds.pop("required", parameter["required"])
        kept = {"name": name, "in": place, "required": required, "schema": holds}
        if "description" in parameter:
            kept["description"] = parameter["description"]
        if holds["type"] == "array":
            # A list that the handler takes as one text is written with commas.
            kept |= {"style": "form", "explode": plain["type"] == "array"}
        yield kept


def read_limits(pack: Pack) -> dict[str, dict[str, Json]]:
    """Say what parameters may hold, by operation and name."""
    spoken = {"lang": _one_of(dict.fromkeys((*pack.languages, SOURCE)))}
    by_code = {
        name: _several(_one_of(FACETS[name].listed(pack))) for name in FILTERS if FACETS[name].lists
    }
    found = {
        **{name: _several({"type": "string", **facet.schema}) for name, facet in FACETS.items()},
        **{name: _several(_one_of(codes)) for name, codes in search_filters.allowed(pack).items()},
        "completeness_min": {"minimum": 0, "maximum": 100},
        "completeness_max": {"minimum": 0, "maximum": 100},
        "changed_since": {"pattern": TIME},
        "changed_until": {"pattern": TIME},
        "q": {"maxLength": limits.LONGEST_TEXT},
        "lang": _one_of(pack.languages),
    }
    version = {"minimum": 1, "maximum": 2**31 - 1}
    return dict.fromkeys(OPERATIONS, spoken) | {
        "GET /api/v1/records": {
            **found,
            "sort": _one_of(search.SORTS),
            "limit": {"minimum": 1, "maximum": search.MOST_ITEMS},
            "facets": _several(_one_of(FACETS)),
        },
        **{
            f"GET /api/v1/exports/records.{form}": {
                **found,
                "columns": _one_of(COLUMN_SETS),
                "labels": _one_of(pack.languages),
                "safe": _one_of(exports.SAFE),
            }
            for form in MEDIA_TYPES
        },
        "GET /api/v1/changes": {
            "since": {"minimum": -1, "maximum": 2**63 - 1},
            "limit": {"minimum": 1, "maximum": changes.MOST_ENTRIES},
            "risk_change": _several(_one_of(RISK_CHANGES)),
            "kind": _several(_one_of(changes.KINDS)),
        },
        "GET /api/v1/records/{agency}/{slug}/changes": {"from": version, "to": version},
        "GET /api/v1/statistics": by_code
        | {"by": _several(_one_of(GROUPS)), "agency": _several({"type": "string"})},
        "GET /api/v1/codelists/{name}": {"name": _one_of(codelists())},
        "GET /api/v1/codelists/pack/{pack_name}": {"pack_name": _one_of(pack.lists)},
        "GET /api/v1/schemas/record/{version}": {"version": _one_of([schema.SCHEMA_VERSION])},
        "GET /api/v1/schemas/attestation/{version}": {
            "version": _one_of([attestation.SCHEMA_VERSION])
        },
        "GET /api/v1/contexts/{version}": {"version": _one_of([CONTEXT_VERSION])},
        "GET /api/v1/attestations": {"agency": _one_of(pack.agencies)},
        "POST /api/v1/validate": {"profile": _one_of(("draft", "publication"))} | spoken,
        "GET /api/v1/filings": {"state": _one_of(filings.STATES)},
        "POST /api/v1/filings": {"action": {"required": True, **_one_of(bulk.ACTIONS)}} | spoken,
        "GET /api/v1/audit": {
            "since": {"minimum": 0, "maximum": 2**63 - 1},
            "limit": {"minimum": 1, "maximum": audit.MOST_ACTS},
        },
    }


def headers(method: str, told: Operation) -> Iterator[Json]:
    """Give the headers by which a request names the state that it means, and itself."""
    if method == "get":
        yield _header("If-None-Match", "Tags that are known; 304 if one of them is current", {})
    if told.condition is not None:
        tag = {"pattern": '^"[0-9a-f]{16}(-[a-z]+[0-9]*)*"$', "examples": ['"0123456789abcdef"']}
        yield _header("If-Match", "The tag of what is changed", tag)
    if told.condition == "new or changed":
        yield _header("If-None-Match", "`*` to begin a new record", {"enum": ["*"]})
    if told.keyed:
        what = "One of your own for each request; the same again gives the same answer for 24 hours"
        yield _header("Idempotency-Key", what, {"minLength": 1, "maxLength": 255})


def body(kind: Body | type) -> Json:
    """Say what a body is, and how large it may be."""
    if kind == "lines":
        return {
            "description": f"Records, one a line, at most {MOST_LINES:,}; each at most "
            f"{MAX_BYTES:,} bytes.",
            "required": True,
            "content": {bulk.NDJSON: {"schema": {"type": "string"}}},
        }
    described, content = "Any JSON.", Json()
    if isinstance(kind, type):
        described, content["schema"] = (
            inspect.cleandoc(kind.__doc__ or ""),
            reference(kind.__name__),
        )
    elif kind == "attestation":
        described, content["schema"] = "An attestation.", reference("AttestationFormat")
    else:
        content["examples"] = {name: {"$ref": f"#/components/examples/{name}"} for name in EXAMPLES}
        content["schema"] = {}
        if kind == "record":
            described, content["schema"] = "A record, complete or not.", reference("Record")
    return {
        "description": f"{described} At most {MAX_BYTES:,} bytes.",
        "required": True,
        "content": {"application/json": content},
    }


def _several(items: Json) -> Json:
    return {"type": "array", "items": items, "maxItems": limits.MOST_VALUES}


def _one_of(codes: Iterable[str]) -> Json:
    return {"type": "string", "enum": list(codes)}


def _header(name: str, description: str, schema: Json) -> Json:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string", **schema},
    }
