"""Linked data: the addresses of things, and the JSON-LD context."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeAlias

import msgspec

from registry.record.model import LangText
from registry.record.pack import Agency
from registry.resources import SCHEMAS

JsonLdNode: TypeAlias = dict[str, Any]
"""A node of JSON-LD in the members of our context; a member without a value is left out."""

CONTEXT_VERSION = "1.0"
CODES = "urn:public-algorithm-register:code:"
"""The namespace of codes, the same in every register: `…:risk_level:high`."""

_FOLDER = SCHEMAS / "context"


class CatalogueTexts(msgspec.Struct, frozen=True, kw_only=True):
    """The texts of a catalogue of any register, by language; `forms` are those of exports."""

    description: LangText
    service: LangText
    forms: dict[str, LangText]


@cache
def context_bytes() -> bytes:
    """Return the released context, byte for byte."""
    return (_FOLDER / CONTEXT_VERSION / "context.jsonld").read_bytes()


@cache
def context() -> JsonLdNode:
    """Return the context, which must not be modified.

    Documents contain it: they can be read in many years, when no register answers any more.
    """
    found: JsonLdNode = msgspec.json.decode(context_bytes())["@context"]
    return found


@cache
def words() -> CatalogueTexts:
    """Return the texts of every catalogue."""
    return msgspec.json.decode((_FOLDER / "register.json").read_bytes(), type=CatalogueTexts)


def catalogue_address(site: str) -> str:
    """Return the address of the catalogue."""
    return f"{site}/api/v1/catalogue"


def register_address(site: str) -> str:
    """Return the address of the register as a data set."""
    return f"{catalogue_address(site)}#register"


def agency_node(site: str, agency: Agency) -> JsonLdNode:
    """Return the node of an agency."""
    return {
        "id": f"{site}/api/v1/agencies/{agency.id}",
        "type": ["Agent", "GovernmentOrganization"],
        "name": agency.name,
    }


def make_node(**members: Any) -> JsonLdNode:
    """Return a node of the members that have a value."""
    return {name: value for name, value in members.items() if value not in (None, [], {})}
