"""The records of `schemas/examples` as an agency of any country would file them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec

from registry.record.codelists import codelists
from registry.record.ids import agency_of
from registry.record.model import Document
from registry.record.pack import Pack
from registry.record.pointers import put, values_at
from registry.record.schema import fields
from registry.record.validate import validate
from registry.resources import SCHEMAS
from registry.text.catalogues import SOURCE
from registry.text.locales import own_currency

_NAMES = ("minimal", "complete")


def examples(pack: Pack) -> dict[str, Document]:
    """Return the examples by name, without one that the country's law or languages would refuse."""
    found = {}
    for name in _NAMES:
        document = example(name, pack)
        day = dt.date.fromisoformat(document["lifecycle"]["last_reviewed_on"])
        if validate(document, profile="publication", pack=pack, today=day).publishable:
            found[name] = document
    return found


def example(name: str, pack: Pack) -> Document:
    """Return an example with the agency, codes, currency and languages of a country.

    In a language that no example is in, texts are the English ones: they show where to write.
    """
    text = (SCHEMAS / "examples" / f"{name}.json").read_text(encoding="utf-8")
    theirs = agency_of(msgspec.json.decode(text)["id"])
    fictitious = [one.id for one in pack.agencies.values() if one.fictitious]
    agency = next(iter((*fictitious, *pack.agencies)))
    document: Document = msgspec.json.decode(text.replace(theirs, agency))
    here = document["territory"][0].partition("-")[0]
    for field in fields():
        lists = [pack.lists[one[5:]] for one in field.lists if one.startswith("pack/")]
        shared = {code for one in field.lists for code in codelists().get(one, ())}
        own = [code for each in lists for code in each]
        for number, (place, value) in enumerate(list(values_at(document, field.path))):
            if field.is_text and isinstance(value, dict):
                put(document, place, _in_languages(value, pack))
            elif own and value not in shared:
                put(document, place, own[min(number, len(own) - 1)])
            elif field.holds == "country" and value == here:
                put(document, place, pack.country)
            elif field.holds == "currency":
                put(document, place, own_currency(pack.country))
    said = _in_languages(document["name"], pack)
    languages = document["languages"]
    known = languages["translation_status"]
    languages["translation_status"] = {tag: known.get(tag, "authored") for tag in said}
    if languages["source"] not in said:
        languages["source"] = next(iter(said))
    return document


def _in_languages(text: Mapping[str, Any], pack: Pack) -> dict[str, Any]:
    spoken = {tag: text[tag] for tag in pack.languages if tag in text}
    return spoken or {(*pack.required_any, *pack.languages)[0]: text.get(SOURCE)}
