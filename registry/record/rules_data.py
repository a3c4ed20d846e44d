"""Rules on data, suppliers and models: sensitive and personal data, transfers, language models."""

from __future__ import annotations

from collections.abc import Iterator

from registry.record.codelists import codelists
from registry.record.field_descriptions import titled
from registry.record.messages import MessageValue, PendingFinding, message
from registry.record.rule_context import (
    ASKED_BY_FORMAT,
    RuleContext,
    law_on,
    legal_citation,
    remark,
)
from registry.record.schema import field_at
from registry.record.shape_messages import add

_ASKED_OF_PERSONAL_DATA = (
    ("data", "categories"),
    ("data", "retention"),
    ("data", "legal_basis"),
    ("data", "authorisation"),
    ("rights", "data_rights_contact"),
)


def sensitive_data_authorised(context: RuleContext) -> Iterator[PendingFinding]:
    """R10: Statutory sensitive data means limited risk at least, and an authorisation that applies.

    An error. Which categories the law calls sensitive is in the pack.
    """
    if not context.statutory:
        return
    law = law_on(context.pack, "sensitive_data")
    if context.level == "minimal":
        yield remark(
            "R10",
            "/risk/level",
            message(
                "A system that uses what the law calls sensitive data ({categories}) is of limited "
                "risk at least. Raise the level.",
                categories=_sensitive(context),
            ),
            *law,
            ASKED_BY_FORMAT,
        )
    if context.dig("data", "authorisation", "regime") == "not_applicable":
        yield remark(
            "R10",
            "/data/authorisation/regime",
            message(
                "What the law calls sensitive data ({categories}) is not used without a regime. "
                "State which applies.",
                categories=_sensitive(context),
            ),
            *law,
            legal_citation(context.pack, "authorisation"),
        )


def personal_data_answered_for(context: RuleContext) -> Iterator[PendingFinding]:
    """R11: Where personal data is processed: categories, retention, basis, authorisation, contact.

    An error: people learn what of theirs is processed, on what basis, and whom to ask about it.
    """
    if "P" not in context.held:
        return
    for path in _ASKED_OF_PERSONAL_DATA:
        field = field_at(path)
        if field is not None and context.lacks(*path):
            yield remark(
                "R11",
                "/" + "/".join(path),
                message(
                    "{title}: missing, and mandatory when personal data is processed.",
                    title=titled(field),
                ),
                add(field),
                legal_citation(context.pack, path[-1]),
            )


def transfers_named(context: RuleContext) -> Iterator[PendingFinding]:
    """R12: Where data goes abroad, the countries are named, and the own country is not one.

    An error: whoever is concerned learns where the data goes.
    """
    if context.dig("data", "transfers_abroad", "answer") != "yes":
        return
    place = "/data/transfers_abroad/countries"
    if context.lacks("data", "transfers_abroad", "countries"):
        yield remark(
            "R12",
            place,
            message("Data goes abroad and no country is named. Add {place}.", place=place),
            ASKED_BY_FORMAT,
        )
    for index, code in enumerate(context.dig("data", "transfers_abroad", "countries") or ()):
        if code == context.pack.country:
            yield remark(
                "R12",
                f"{place}/{index}",
                message("{code} is this country itself, not abroad. Remove it.", code=code),
            )


def sensitive_data_hosted_at_home(context: RuleContext) -> Iterator[PendingFinding]:
    """R13: Statutory sensitive data that is hosted abroad is pointed out.

    A warning with the law on transfers, if the pack has one: it may forbid that.
    """
    country = context.dig("data", "hosting", "country") if context.statutory else None
    if country not in {None, context.pack.country}:
        yield remark(
            "R13",
            "/data/hosting/country",
            message(
                "What the law calls sensitive data ({categories}) is hosted in {code}. Make sure "
                "that the law allows it, and state it under {place}.",
                categories=_sensitive(context),
                code=country,
                place="/data/transfers_abroad",
            ),
            *law_on(context.pack, "transfers_abroad"),
            severity="warning",
        )


def supplier_named(context: RuleContext) -> Iterator[PendingFinding]:
    """R14: A system that is purchased or made jointly names at least one supplier.

    An error: the public knows who made what decides about it.
    """
    if "supplied" in context.held and context.lacks("procurement", "suppliers"):
        yield remark(
            "R14",
            "/procurement/suppliers",
            message(
                "The system is purchased or made jointly ({origin}) and no supplier is named. Add "
                "{place}: at least one, with its name.",
                origin="/procurement/origin",
                place="/procurement/suppliers",
            ),
        )


def language_model_named(context: RuleContext) -> Iterator[PendingFinding]:
    """R16: A generative language model is named, and people are told that they meet one.

    An error: `technical.models` is not empty and `rights.notice` is answered.
    """
    if "generative_llm" not in (context.dig("technical", "techniques") or ()):
        return
    if context.lacks("technical", "models"):
        yield remark(
            "R16",
            "/technical/models",
            message(
                "A system that uses a generative language model names it. Add {place}: at least "
                "one model, with its name.",
                place="/technical/models",
            ),
        )
    if context.lacks("rights", "notice"):
        yield remark(
            "R16",
            "/rights/notice",
            message(
                "People are told when a text comes from a generative language model. Add {place}: "
                "whether, and how.",
                place="/rights/notice",
            ),
            legal_citation(context.pack, "notice"),
        )


def _sensitive(context: RuleContext) -> MessageValue:
    labels = codelists()["sensitive_category"]
    return tuple(labels[code].label for code in context.statutory)
