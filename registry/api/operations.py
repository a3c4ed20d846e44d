"""What handlers say of their operations for `/openapi.json`, beside their signatures."""

from __future__ import annotations

import inspect
from typing import Any, Literal, TypeAlias

import msgspec
from litestar import MediaType
from litestar.openapi import ResponseSpec

from registry.errors import RegistryError
from registry.services.policy import PERMISSIONS, Permission

NDJSON = "application/x-ndjson"
FORM = "application/x-www-form-urlencoded"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WORKBOOKS = {
    XLSX: "XLSX",
    "application/vnd.oasis.opendocument.spreadsheet": "ODS",
    "text/csv": "CSV",
}
"""The media types of workbooks that are read, with what they are called."""

Body: TypeAlias = Literal[
    "any",
    "attestation",
    "lines",
    "patch",
    "queries",
    "record",
    "workbook",
    "Redacting",
    "Withdrawing",
]
"""A body that is not written as a struct: any JSON, or something with a released format."""

Condition: TypeAlias = Literal["new or changed", "changed"]


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """A JSON Schema, draft 2020-12."""


class OperationFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What neither the signature of a handler nor its responses say.

    `problems` are those that no rule gives. `condition` says which tags a request may state; a
    `tagged` success brings one, as every reading does. A `keyed` request may have an idempotency
    key. `pages` link to the next one, a `named` answer is a file with a name, and a `download` one
    that can be asked for again. `follows` names the
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
    named: bool = False
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


def token(permission: Permission) -> list[dict[str, list[str]]]:
    """Return the `security` of a handler: the token must have a scope that allows this."""
    return [{"token": [scope]} for scope in PERMISSIONS[permission]]


def json_of(name: str) -> msgspec.Meta:
    """Return the annotation of a member that is JSON already, of the schema with this name."""
    return msgspec.Meta(extra_json_schema=ref(name))


def limits(**schema: Any) -> msgspec.Meta:
    """Return the annotation of a member with what its type does not say of it."""
    return msgspec.Meta(extra_json_schema=schema)


def ref(name: str) -> dict[str, Any]:
    """Refer to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}
