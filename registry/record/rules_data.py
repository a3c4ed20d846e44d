"""Rules on data, suppliers and models: sensitive and personal data, transfers, language models."""

from __future__ import annotations

from collections.abc import Iterator

from registry.record.case import Case, asked_by, told
from registry.record.codelists import codelists
from registry.record.forms import titled
from registry.record.sayings import Remark, Value, say
from registry.record.schema import field_at
from registry.record.wording import add

_ASKED_OF_PERSONAL_DATA = (
    ("data", "categories"),
    ("data", "retention"),
    ("data", "legal_basis"),
    ("data", "authorisation"),
    ("rights", "data_rights_contact"),
)


def sensitive_data_authorised(case: Case) -> Iterator[Remark]:
    """R10: Statutory sensitive data means limited risk at least, and an authorisation that applies.

    An error. Which categories the law calls sensitive is in the pack (`ma`: law 09-08, article
    1.3).
    """
    if not case.statutory:
        return
    law = asked_by(case.pack, "sensitive_data")
    if case.level == "minimal":
        yield told(
            "R10",
            "/risk/level",
            say(
                "A system that uses what the law calls sensitive data ({categories}) is of limited "
                "risk at least. Raise the level.",
                categories=_sensitive(case),
            ),
            *law,
        )
    if case.dig("data", "authorisation", "regime") == "not_applicable":
        yield told(
            "R10",
            "/data/authorisation/regime",
            say(
                "What the law calls sensitive data ({categories}) is not used without a regime: "
                "authorisation, declaration, exempt or pending. State which applies.",
                categories=_sensitive(case),
            ),
            *law,
        )


def personal_data_answered_for(case: Case) -> Iterator[Remark]:
    """R11: Where personal data is processed: categories, retention, basis, authorisation, contact.

    An error. People have these rights under the law on personal data (`ma`: law 09-08).
    """
    if "P" not in case.held:
        return
    for path in _ASKED_OF_PERSONAL_DATA:
        field = field_at(path)
        if field is not None and case.lacks(*path):
            yield told(
                "R11",
                "/" + "/".join(path),
                say(
                    "{title}: missing, and mandatory when personal data is processed.",
                    title=titled(field),
                ),
                add(field),
                *asked_by(case.pack, "personal_data"),
            )


def transfers_named(case: Case) -> Iterator[Remark]:
    """R12: Where data goes abroad, the countries are named, and the own country is not one.

    An error (`ma`: law 09-08, articles 43 and 44).
    """
    if case.dig("data", "transfers_abroad", "answer") != "yes":
        return
    law = asked_by(case.pack, "transfers_abroad")
    place = "/data/transfers_abroad/countries"
    if case.lacks("data", "transfers_abroad", "countries"):
        yield told(
            "R12",
            place,
            say("Data goes abroad and no country is named. Add {place}.", place=place),
            *law,
        )
    for index, code in enumerate(case.dig("data", "transfers_abroad", "countries") or ()):
        if code == case.pack.country:
            yield told(
                "R12",
                f"{place}/{index}",
                say("{code} is this country itself, not abroad. Remove it.", code=code),
                *law,
            )


def sensitive_data_hosted_at_home(case: Case) -> Iterator[Remark]:
    """R13: Statutory sensitive data that is hosted abroad is pointed out.

    A warning that cites the law on transfers (`ma`: law 09-08, articles 43 and 44).
    """
    country = case.dig("data", "hosting", "country") if case.statutory else None
    if country not in {None, case.pack.country}:
        yield told(
            "R13",
            "/data/hosting/country",
            say(
                "What the law calls sensitive data ({categories}) is hosted in {code}. Make sure "
                "that the law allows it, and state it under {place}.",
                categories=_sensitive(case),
                code=country,
                place="/data/transfers_abroad",
            ),
            *asked_by(case.pack, "transfers_abroad"),
            severity="warning",
        )


def supplier_named(case: Case) -> Iterator[Remark]:
    """R14: A system that is purchased or made jointly names at least one supplier.

    An error: the public knows who made what decides about it.
    """
    if "supplied" in case.held and case.lacks("procurement", "suppliers"):
        yield told(
            "R14",
            "/procurement/suppliers",
            say(
                "The system is purchased or made jointly ({origin}) and no supplier is named. Add "
                "{place}: at least one, with its name.",
                origin="/procurement/origin",
                place="/procurement/suppliers",
            ),
        )


def language_model_named(case: Case) -> Iterator[Remark]:
    """R16: A generative language model is named, and people are told that they meet one.

    An error: `technical.models` is not empty and `rights.notice` is answered (EU AI Act, article
    50, asks for the notice).
    """
    if "generative_llm" not in (case.dig("technical", "techniques") or ()):
        return
    if case.lacks("technical", "models"):
        yield told(
            "R16",
            "/technical/models",
            say(
                "A system that uses a generative language model names it. Add {place}: at least "
                "one model, with its name.",
                place="/technical/models",
            ),
        )
    if case.lacks("rights", "notice"):
        yield told(
            "R16",
            "/rights/notice",
            say(
                "People are told when a text comes from a generative language model. Add {place}: "
                "whether, and how (EU AI Act, article 50).",
                place="/rights/notice",
            ),
        )


def _sensitive(case: Case) -> Value:
    labels = codelists()["sensitive_category"]
    return tuple(labels[code].label for code in case.statutory)
