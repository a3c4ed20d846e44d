"""Publishing documents all the way through the office, beside drafts, if there are any."""

from functools import partial

from registry.office.access import Actor
from registry.office.bulk import file_group
from registry.office.filing import local_agency
from registry.office.steps import Filing, version


def filing_of(office, document, *, now, purpose="load"):
    agency = local_agency(office, document["id"])
    made = version(document, profile="publication", pack=office.pack, today=now.date())
    actor = Actor(name=agency.id, agency=agency.id, scopes=frozenset({"file"}), token=None)
    return Filing(record=document["id"], agency=agency, actor=actor, purpose=purpose, steps=[made])


async def publish_together(office, documents, *, now):
    """Publish documents of different records, or raise why the first was refused that was."""
    filings = [filing_of(office, document, now=now) for document in documents]
    results = await file_group(office, filings, now=now)
    for result in results:
        if isinstance(result, Exception):
            raise result
    return [receipts[0] for receipts in results]


async def publish_alone(office, document, *, now):
    [receipt] = await publish_together(office, [document], now=now)
    return receipt


async def publish_at_desk(office, document, *, now):
    """Publish a document together with those that are published at the same time."""
    filing = filing_of(office, document, now=now, purpose="submit")
    names = frozenset({filing.record})
    [receipt] = await office.desk.do(filing, names, partial(file_group, office, now=now))
    return receipt
