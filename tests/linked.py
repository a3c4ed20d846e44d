"""Linked data as others read it: a graph, with nothing looked up elsewhere, held to our shapes."""

from __future__ import annotations

import copy
import json
import warnings
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any
from unittest import mock

from pyshacl import validate
from rdflib import RDF, Graph, Namespace, URIRef

from registry.resources import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Callable

PAR = Namespace("urn:public-algorithm-register:term:")
CODE = Namespace("urn:public-algorithm-register:code:")
SCHEMA = Namespace("https://schema.org/")
SH = Namespace("http://www.w3.org/ns/shacl#")

_SHAPES = SCHEMAS / "context/1.0/shapes.ttl"
_UNKNOWN = "urn:unknown:"
_ELSEWHERE = AssertionError("a document is looked up elsewhere")


def graph(document: bytes | dict[str, Any]) -> Graph:
    """Read a document of JSON-LD; fails if it needs another one."""
    text = document if isinstance(document, bytes) else json.dumps(document)
    lookup = mock.patch("urllib.request.OpenerDirector.open", side_effect=_ELSEWHERE)
    with lookup, warnings.catch_warnings():
        # rdflib's own reader uses what rdflib advises against.
        warnings.filterwarnings("ignore", "ConjunctiveGraph is deprecated")
        return Graph().parse(data=text, format="json-ld")


def broken(found: Graph) -> Counter[str]:
    """Count what does not hold, by path, or by kind of constraint where there is no plain path."""
    holds, report, told = validate(found, shacl_graph=_shapes())
    results = list(report.subjects(RDF.type, SH.ValidationResult))
    assert holds == (not results), told
    return Counter(str(_place(report, result)) for result in results)


def unknown(document: dict[str, Any]) -> set[str]:
    """Give members and types that the context does not know: they would be left out unsaid."""
    named = document | {"@context": document["@context"] | {"@vocab": _UNKNOWN}}
    found = graph(named)
    said = {str(one) for triple in found for one in triple}
    return {one for one in said if one.startswith(_UNKNOWN)}


def damaged(document: dict[str, Any], edit: Callable[[Any, Any], object]) -> dict[str, Any]:
    """Change a copy of a document; `edit` is given its root and its first record or data set."""
    changed = copy.deepcopy(document)
    edit(changed, (changed.get("records") or changed["datasets"])[0])
    return changed


def without(member: str) -> Callable[[Any, Any], object]:
    """Leave a member of the node out."""
    return lambda _, node: node.pop(member)


def saying(member: str, value: object) -> Callable[[Any, Any], object]:
    """Put another value into a member of the node."""
    return lambda _, node: node.update({member: value})


@cache
def _shapes() -> Graph:
    return Graph().parse(_SHAPES)


def _place(report: Graph, result: Any) -> Any:
    path = report.value(result, SH.resultPath)
    plain = isinstance(path, URIRef)
    return path if plain else report.value(result, SH.sourceConstraintComponent)
