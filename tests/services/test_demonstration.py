"""Histories with invented times: of fictitious records, in the log of a demonstration alone."""

import datetime as dt

import msgspec
import pytest

from registry import resources
from registry.demo import demonstration
from registry.demo.demonstration import load_demonstration, read_histories
from registry.errors import ConfigurationError
from registry.log.entry import GenesisEntry, entry_bytes, named_agency, timestamp
from registry.log.replay import LogInconsistent, LogReplay
from registry.record.canonical import canonical
from registry.tlog.keys import Signer
from tests.conftest import NOW

HEAD = "id,version,published_on,withdrawn_on\n"


def test_the_demonstration_has_years_of_history(pack):
    events = read_histories(resources.RECORDS, pack)
    assert events == sorted(events)
    assert events[-1].at - events[0].at > dt.timedelta(days=900)
    versions = {}
    for event in events:
        versions[event.record] = max(versions.get(event.record, 0), event.version)
    assert sum(number > 1 for number in versions.values()) >= 12
    assert sum(event.withdraws for event in events) == 2
    files = {path.stem for path in resources.RECORDS.glob("*/*.json")}
    assert len([event for event in events if not event.withdraws]) == len(files)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ("dgi/x,1,2024-05-06,", "row 2: dgi/x is not fictitious"),
        ("demo-sante/x,1,2024-05,", "row 2: "),
        ("demo-sante/x,one,2024-05-06,", "row 2: "),
        ("demo-sante/x,1,2024-05-06,2024-05-06", "the days of demo-sante/x do not rise"),
        ("demo-sante/x,2,2024-05-06,\ndemo-sante/x,1,2024-06-06,", "do not rise"),
    ],
)
def test_days_that_nobody_may_invent(tmp_path, pack, rows, why):
    (tmp_path / demonstration.HISTORIES).write_text(f"{HEAD}{rows}\n", "utf-8")
    with pytest.raises(ConfigurationError, match=why):
        read_histories(tmp_path, pack)


async def test_no_other_log_takes_invented_times(context, pack):
    events = read_histories(resources.RECORDS, pack)
    with pytest.raises(ConfigurationError, match="only a log that begins as a demonstration's"):
        await load_demonstration(context, resources.RECORDS, events, now=lambda: NOW)


def begun():
    """A walk over the first entry of a demonstration's log, which truly began in November."""
    walk = LogReplay()
    signer = Signer(name="log.example", seed=b"1" * 32)
    genesis = GenesisEntry(
        at=timestamp(NOW - dt.timedelta(days=900)),
        origin=signer.name,
        key=signer.verifier_key,
        schema="0" * 64,
        demonstration=timestamp(NOW),
    )
    walk.step("log", 0, entry_bytes(genesis))
    return walk


def agency(pack, name, at):
    entry = named_agency("ma", pack.agencies[name], None)
    return entry_bytes(msgspec.structs.replace(entry, at=timestamp(at)))


def version_of(record, at):
    return {
        "v": 1,
        "kind": "version",
        "at": at,
        "actor": "demo-sante",
        "id": record,
        "version": 1,
        "prev": None,
        "schema": "1.0",
        "risk": "limited",
        "sector": "health",
        "status": "in_use",
        "sections": {},
        "verdict": {
            "rules": "1.0.0",
            "completeness": 80,
            "accountability": 80,
            "digest": "A" * 43,
        },
    }


def test_only_records_of_fictitious_agencies_have_invented_times(pack):
    with pytest.raises(LogInconsistent, match="its time is invented"):
        begun().step("log", 1, agency(pack, "demo-sante", NOW - dt.timedelta(days=3)))
    for name, why in (("demo-sante", None), ("dgi", "and it is not fictitious")):
        walk = begun()
        walk.step("log", 1, canonical(version_of(f"{name}/x", "2025-05-06T09:00:00Z")))
        if why is None:
            walk.step("log", 2, agency(pack, name, NOW))
        else:
            with pytest.raises(LogInconsistent, match=why):
                walk.step("log", 2, agency(pack, name, NOW))
    # Of an agency that files from then on, nothing is invented.
    walk = begun()
    walk.step("log", 1, canonical(version_of("dgi/x", "2026-12-01T09:00:00Z")))
    walk.step("log", 2, agency(pack, "dgi", NOW + dt.timedelta(days=30)))
