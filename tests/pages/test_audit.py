"""What a difference must be to count: found twice, the second time by the log as it is then."""

import pytest

from registry.pages import audit
from registry.pages.audit import MOST_NAMED, AuditReport, audit_register
from registry.verify.audit import AnswerDifference, WholeObject, unlike


@pytest.fixture
def audited(monkeypatch):
    """Audit a register of which each round finds differences at given addresses."""

    def run(*rounds):
        left = list(rounds)

        def once(remote, *_):
            found = [AnswerDifference(at=one, why="it differs") for one in left.pop(0)]
            return AuditReport(verdict="in order", address=remote.url), found

        monkeypatch.setattr(audit, "_audit", once)
        report = audit_register(
            "https://register.example/",
            verify=None,
            progress=lambda *_: None,
            sleep=lambda _: None,
        )
        assert left == []
        return report

    return run


def test_what_is_in_order_is_asked_once(audited):
    report = audited([])
    assert (report.verdict, report.address) == ("in order", "https://register.example")


def test_what_changes_meanwhile_is_no_difference(audited):
    assert audited(["/a", "/b"], ["/c"]).verdict == "in order"


def test_what_is_found_twice_is_named_and_counted(audited):
    many = [f"/{number}" for number in range(MOST_NAMED + 5)]
    report = audited(["/a", *many], [*many, "/b"])
    assert (report.verdict, report.differences_total) == ("differs", MOST_NAMED + 5)
    assert [one.at for one in report.differences] == many[:MOST_NAMED]


@pytest.mark.parametrize(
    ("log", "answered", "why"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, None),
        (WholeObject({"a": 1}), {"a": 1, "b": 2}, "b is 2, and null follows from the log"),
        (WholeObject({"a": {"c": 1}}), {"a": {"c": 1, "d": 1}}, "a, d is 1, and null follows"),
        ({"a": [1, 2]}, {"a": [1]}, "the number of a is 1, and 2 follows from the log"),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, "a, 0, b is 2, and 1 follows from the log"),
        ({"a": 1}, {}, "a is null, and 1 follows from the log"),
        ({"a": 1}, None, ' is null, and {"a":1} follows from the log'),
    ],
)
def test_the_first_member_that_differs_is_named(log, answered, why):
    found = unlike(log, answered)
    assert found is None if why is None else found.startswith(why)
