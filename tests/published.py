"""Publishing documents all the way through the services, beside drafts, if there are any."""

from functools import partial

from registry.services.access import Actor
from registry.services.commands import Filing, checked_version
from registry.services.drafts import local_agency
from registry.services.publication import file_batch


def filing_of(context, document, *, now, purpose="load"):
    agency = local_agency(context, document["id"])
    made = checked_version(
        document,
        profile="publication",
        pack=context.pack,
        today=now.date(),
        fast=context.fast,
    )
    actor = Actor(name=agency.id, agency=agency.id, scopes=frozenset({"file"}), token=None)
    return Filing(record=document["id"], agency=agency, actor=actor, purpose=purpose, steps=[made])


async def publish_together(context, documents, *, now):
    """Publish documents of different records, or raise why the first was refused that was."""
    filings = [filing_of(context, document, now=now) for document in documents]
    results = await file_batch(context, filings, now=now)
    for result in results:
        if isinstance(result, Exception):
            raise result
    return [receipts[0] for receipts in results]


async def publish_alone(context, document, *, now):
    [receipt] = await publish_together(context, [document], now=now)
    return receipt


async def publish_at_desk(context, document, *, now):
    """Publish a document together with those that are published at the same time."""
    filing = filing_of(context, document, now=now, purpose="submit")
    names = frozenset({filing.record})
    [receipt] = await context.desk.do(filing, names, partial(file_batch, context, now=now))
    return receipt
