"""What schemathesis is told of this register: tokens, and what gets further than chance.

It runs in a process of its own, which reads from `FUZZ_REGISTER`, JSON: the address, and the tokens
of two agencies and of those with the scopes `review` and `admin`.
"""

from __future__ import annotations

import json
import os
import random
from typing import Any

import httpx
import schemathesis
from hypothesis import strategies as st
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import CaseMetadata, CoveragePhaseData

from registry.api.operations import XLSX
from registry.record.pack import load_pack
from registry.workbooks.cells import WorkbookWords
from registry.workbooks.writing import FormSource, make_workbook
from tests.served import records

REGISTER: dict[str, Any] = json.loads(os.environ["FUZZ_REGISTER"])
TOKENS: dict[str, str] = REGISTER["tokens"]
LINES = "application/x-ndjson"
AIMED = 0.8
STATEFUL = "stateful"

RECORDS = records("demo-sante", "demo-services")
# What there is, what there was, and what the campaign begins itself: few, so that they change.
PLACES = [
    "demo-sante/prevision-lits",
    "demo-sante/stocks-medicaments",
    "demo-services/assistant-demarches",
    "demo-services/affluence-musees",
    "demo-sante/fuzz-1",
    "demo-sante/fuzz-2",
    "demo-services/fuzz-3",
]

_client = httpx.Client(base_url=REGISTER["url"], timeout=60)
_documents = st.sampled_from(RECORDS) | st.fixed_dictionaries({"id": st.text(max_size=20)})


def line_of(document: Any) -> str:
    return json.dumps(document, ensure_ascii=False)


schemathesis.openapi.media_type(
    LINES,
    st.lists(_documents.map(line_of) | st.text(max_size=50), max_size=5)
    .map("\n".join)
    .map(lambda text: text.encode("utf-8", "surrogatepass")),
)


def workbook_of(document: Any) -> bytes:
    words = WorkbookWords(load_pack("ma"), "fr")
    return make_workbook([FormSource(document=document)], words, layout="form")


_workbooks = [workbook_of(document) for document in RECORDS[:3]]

schemathesis.openapi.media_type(
    XLSX,
    st.sampled_from(_workbooks)
    | st.binary(max_size=50)
    | st.tuples(st.sampled_from(_workbooks), st.integers(0, 10_000), st.binary(max_size=9)).map(
        lambda one: one[0][: one[1]] + one[2] + one[0][one[1] + len(one[2]) :]
    ),
)


@schemathesis.serializer(XLSX)
def write_workbook(_: schemathesis.SerializationContext, value: Any) -> bytes:
    """Send a workbook as it is; what is none is text."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@schemathesis.serializer(LINES)
def write_lines(_: schemathesis.SerializationContext, value: Any) -> bytes:
    """Send lines as they are; what is no text is one line of JSON."""
    if isinstance(value, bytes):
        return value
    text = value if isinstance(value, str) else line_of(value)
    return text.encode("utf-8", "surrogatepass")


@schemathesis.deserializer(LINES)
def read_lines(_: schemathesis.DeserializationContext, response: schemathesis.Response) -> Any:
    """Read the first line of an answer: its schema is that of one."""
    for line in response.content.splitlines():
        return json.loads(line)
    # What schemathesis takes for an answer that has no shape.
    raise NotImplementedError


@schemathesis.auth(refresh_interval=None)
class Tokens:
    """Acts as the agency that the address names, or as the authority where only it may act."""

    def get(self, case: schemathesis.Case, _: schemathesis.AuthContext) -> str:
        return token_for(case)

    def set(self, case: schemathesis.Case, data: str, _: schemathesis.AuthContext) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


def token_for(case: schemathesis.Case) -> str:
    [scope, *_] = case.operation.definition.raw.get("security") or [{"token": ["file"]}]
    [needed] = scope["token"]
    agency = str((case.path_parameters or {}).get("agency"))
    return TOKENS.get(needed) or TOKENS.get(agency) or TOKENS["demo-sante"]


@schemathesis.hook
def before_call(
    _: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]
) -> None:
    """Aim most requests at what is there, with the tag it has: what is right stays right."""
    if case.meta is None:
        return
    # Of the request alone, so that a campaign with the same seed asks the same.
    asked = (case.method, case.path, case.path_parameters, case.query, case.body)
    headers = {name: value for name, value in case.headers.items() if name != "Authorization"}
    chance = random.Random(repr((*asked, sorted(headers.items()))))
    told = {parameter["name"] for parameter in case.operation.definition.raw["parameters"]}
    linked = case.meta.phase.name.value == STATEFUL
    in_path, in_header, in_query = (
        not _is_wrong(case.meta, place)
        for place in (ParameterLocation.PATH, ParameterLocation.HEADER, ParameterLocation.QUERY)
    )
    if in_path and "agency" in case.path_parameters and not linked and chance.random() < AIMED:
        agency, slug = chance.choice(PLACES).split("/")
        aim = {"agency": agency, "slug": slug, "version": chance.randint(1, 3)}
        case.path_parameters = {
            name: aim.get(name, given) for name, given in case.path_parameters.items()
        }
        if case.headers.get("Authorization", "").removeprefix("Bearer ") in TOKENS.values():
            case.headers["Authorization"] = f"Bearer {token_for(case)}"
    if in_query and "cursor" in told and chance.random() < AIMED:
        random_ones = {"cursor", "agency", "origin"}
        case.query = {name: one for name, one in case.query.items() if name not in random_ones}
    if case.method == "PUT" and "slug" in told and isinstance(case.body, dict):
        _file(case, chance)
    if in_header and "If-Match" in told and chance.random() < AIMED:
        _know(case)


def _is_wrong(meta: CaseMetadata, place: ParameterLocation) -> bool:
    """Tell whether a part of a request is wrong on purpose."""
    if isinstance(meta.phase.data, CoveragePhaseData):
        return meta.generation.mode.is_negative and meta.phase.data.parameter_location == place
    return meta.is_negative_at(place)


def _file(case: schemathesis.Case, chance: random.Random) -> None:
    """Give a document the id of its address, and often all that publication asks for."""
    if case.meta is None or _is_wrong(case.meta, ParameterLocation.BODY):
        return
    record = f"{case.path_parameters['agency']}/{case.path_parameters['slug']}"
    if chance.random() < AIMED / 2:
        case.body = chance.choice(RECORDS) | {"source_id": record[-50:]}
    case.body = case.body | {"id": record}


def _know(case: schemathesis.Case) -> None:
    """Name the state that there is: a draft, a version in force, or nothing yet."""
    record = "{agency}/{slug}".format(**case.path_parameters)
    places = [f"/api/v1/records/{record}"]
    if "filings" in case.path:
        places.insert(0, f"/api/v1/filings/{record}")
    agency = TOKENS.get(case.path_parameters["agency"], TOKENS["demo-sante"])
    for place in places:
        answer = _client.get(place, headers={"authorization": f"Bearer {agency}"})
        if answer.is_success:
            case.headers["If-Match"] = answer.headers["etag"]
            case.headers.pop("If-None-Match", None)
            return
    case.headers.pop("If-Match", None)
    if case.method == "PUT":
        case.headers["If-None-Match"] = "*"
