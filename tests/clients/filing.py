"""Files, amends, searches and withdraws a record with the client that openapi-python-client made.

`python filing.py URL TOKEN` reads the record from its input; the package `made` is the client.
"""

import json
import sys

from made import AuthenticatedClient
from made.api.filings import save_draft, submit_draft
from made.api.records import get_record, list_records, list_versions, withdraw_record
from made.models import (
    ListRecordsLang,
    Problem,
    Record,
    RecordLangText,
    SaveDraftIfNoneMatch,
    Withdrawing,
    WithdrawingReason,
)

url, token = sys.argv[1:]
document = json.load(sys.stdin)
agency, slug = document["id"].split("/")
client = AuthenticatedClient(base_url=url, token=token)


def file(record, **condition):
    saved = save_draft.sync_detailed(agency, slug, client=client, body=record, **condition)
    assert saved.parsed.publishable, saved.content
    assert saved.parsed.findings_total == len(saved.parsed.findings)
    tag = saved.headers["ETag"]
    return submit_draft.sync_detailed(agency, slug, client=client, if_match=tag)


record = Record.from_dict(document)
assert record.to_dict() == document
first = file(record, if_none_match=SaveDraftIfNoneMatch.VALUE_0)
assert (first.parsed.outcome, first.parsed.version) == ("published", 1)

record.name["fr"] = "Zanzibar, tri des demandes"
record.publication.change_note = RecordLangText.from_dict(
    {"fr": "Correction du nom.", "ar": "تصحيح اسم النظام."}
)
second = file(record, if_match=first.headers["ETag"])
assert (second.parsed.outcome, second.parsed.version) == ("published", 2)

found = list_records.sync(client=client, q="zanzibar", lang=ListRecordsLang.FR)
assert [(item.id, item.version) for item in found.items] == [(document["id"], 2)]
assert "Zanzibar" in found.items[0].highlights[0].text
assert isinstance(list_records.sync(client=client, cursor="x"), Problem)

gone = withdraw_record.sync(
    agency,
    slug,
    client=client,
    if_match=second.headers["ETag"],
    body=Withdrawing(
        reason=WithdrawingReason.OTHER,
        note=RecordLangText.from_dict({"fr": "Essai d’un client.", "ar": "تجربة."}),
    ),
)
assert gone.outcome == "withdrawn", gone
assert get_record.sync(agency, slug, client=client).tombstone.reason == "other"
assert len(list_versions.sync(agency, slug, client=client).items) == 2
assert list_records.sync(client=client, q="zanzibar").total == 0
