"""The language of sentences: as `lang` says, else as the client prefers, else English."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from litestar import Request
from litestar.params import QueryParameter

from registry.api import parameters
from registry.record.pack import Pack
from registry.text.catalogues import SOURCE
from registry.text.locales import negotiate

Lang: TypeAlias = Annotated[
    str | None,
    QueryParameter(description="The language of sentences; else Accept-Language, else English"),
]


def language_of(request: Request[Any, Any, Any], lang: str | None, pack: Pack) -> str:
    """Settle the language; raises `InvalidParameter` for one that the register does not speak."""
    parameters.once(request, "lang")
    spoken = list(dict.fromkeys((*pack.languages, SOURCE)))
    if lang is not None:
        parameters.codes("lang", [lang], spoken)
        return lang
    return negotiate(request.headers.get("accept-language", ""), spoken) or SOURCE
