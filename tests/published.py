"""Publishing documents all the way through the services, beside drafts, if there are any."""

from functools import partial

from registry.ledger.guard import LogGuard, LogMemory
from registry.services.filing.drafts import local_agency
from registry.services.filing.pipeline import execute_group, execute_in
from registry.services.filing.publication import Publish
from registry.services.filing.register_context import check_document
from registry.services.people.access import Actor


def given_times():
    """Return a guard with which entries get the times that a test passes."""
    return LogGuard(LogMemory(), clock=None)


def command_of(context, document, *, now):
    agency = local_agency(context, document["id"])
    given = check_document(
        document,
        profile="publication",
        pack=context.pack,
        today=now.date(),
        fast=context.fast,
    )
    actor = Actor(name=agency.id, agency=agency.id, scopes=frozenset({"file"}), token=1)
    return Publish(actor=actor, subject=document["id"], agency=agency, purpose="load", given=given)


async def publish_together(context, documents, *, now):
    """Publish documents of different records, or raise why the first was refused that was."""
    works = [
        partial(execute_in, context=context, command=command_of(context, one, now=now), now=now)
        for one in documents
    ]
    results = await execute_group(context, [one["id"] for one in documents], works)
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


async def publish_alone(context, document, *, now):
    [receipt] = await publish_together(context, [document], now=now)
    return receipt
