"""What a record does not tell: missing, withheld, or restricted."""

from registry.record.facets import undisclosed
from registry.record.requirements import requirement_status
from registry.record.validate import score
from tests.served import records

AGENCIES = ("demo-sante", "demo-securite", "demo-services", "demo-agriculture")


def test_it_is_what_is_missing_and_what_is_withheld():
    for document in records(*AGENCIES):
        if document["publication"]["visibility"] == "restricted":
            continue
        status = requirement_status(document)
        missing = set(score(status).missing)
        silent = undisclosed(document)
        assert missing <= set(silent), document["id"]
        assert set(silent) - missing == status.withheld & status.requirements.counted


def test_a_restricted_record_is_silent_on_all_that_it_may_not_state():
    everything = records(*AGENCIES)
    restricted = [one for one in everything if one["publication"]["visibility"] == "restricted"]
    assert restricted
    for document in restricted:
        silent = undisclosed(document)
        assert {"/name", "/rights/contestation", "/risk/rationale"} <= set(silent)
        assert "/sector/primary" not in silent
