"""Rules on data, suppliers and models: transfers, suppliers, language models."""

from __future__ import annotations

from collections.abc import Iterator

from registry.record.messages import PendingFinding, message
from registry.record.rule_context import ASKED_BY_FORMAT, RuleContext, remark


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
            ASKED_BY_FORMAT,
        )
