"""Short codes: which record it is that a letter names by seven characters."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.params import PathParameter

from registry.api.operations import answers
from registry.api.request_context import ApiState
from registry.errors import InvalidParameter, NotFound
from registry.record.short_code import ALPHABET, LENGTH, read_code
from registry.store import codes
from registry.store.codes import CodedRecord


@get(
    "/api/v1/codes/{code:str}",
    summary="Find the record of a short code",
    tags=["records"],
    responses=answers(CodedRecord),
)
async def get_code(
    *,
    code: Annotated[
        str, PathParameter(description="As it was typed: case, spaces and dashes do not matter")
    ],
    state: ApiState,
) -> CodedRecord:
    """Find the record that has a short code, in force or withdrawn.

    Raises `InvalidParameter` for what is no code, `NotFound` for a code that no record has.
    """
    typed = read_code(code)
    if typed.code is None:
        raise InvalidParameter(
            f"{typed.text!r} is no short code: it has {LENGTH} of the characters {ALPHABET}, of "
            "which the last one checks the others; one of them was misread or changed places"
        )
    async with state.reads.connection() as connection:
        found = await codes.read(connection, typed.code)
    if found is None:
        raise NotFound(f"no record of this register has the short code {typed.code}")
    return found
