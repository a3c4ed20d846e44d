"""A file that is imported twice: whatever the order of its rows, that changes nothing."""

import itertools
import json
import random
from functools import partial

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.errors import ImportRefused
from registry.imports.convert import convert_file
from registry.imports.crosswalk import load_crosswalk
from registry.imports.identity import record_key
from registry.imports.report import ForeignRecord
from registry.ledger.verify_database import check_database, check_slice
from registry.record.fast_validator import FastValidator
from registry.services.people.access import Actor
from registry.services.statements import redaction
from registry.store import imports, log_checks
from registry.worker.runner import publish
from tests.conftest import NOW, ROOT
from tests.imported import import_filings
from tests.services.conftest import Filer

COLUMNS = ["no", "office", "name", "goal", "since", "note"]
FAST = FastValidator()
NUMBERS = itertools.count()


TO_SUMMARY = {"column": "note", "to": "/summary", "transform": "text"}


def crosswalk_of(origin, *, own=None, summary=False, numbered=True):
    to = {"name": "/name", "goal": "/purpose/goal", "since": "/lifecycle/deployed_on"}
    transforms = {"since": "date", "goal": "text"}
    return {
        "origin": origin,
        "title": "Tools of a city",
        "publisher": "City",
        "homepage": "https://c.example/",
        "licence": "CC0-1.0",
        "country": "XC",
        "read": "csv",
        "language": "en",
        "over_long": "refuse",
        "agency": {"prefix": origin.split("-")[0], "name": "office"},
        "id": {"of": ["agency", "/name"], "telling_apart": ["/purpose/goal"]}
        | ({"own": own} if own else {}),
        "mappings": [
            *([{"column": "no", "to": "/source_id", "transform": "line"}] if numbered else []),
            *(
                {"column": column, "to": to[column], "transform": transforms.get(column, "line")}
                for column in to
            ),
            *([TO_SUMMARY] if summary else []),
        ],
        "unmapped": [
            {"column": column, "reason": "Only of the source."}
            for column, is_mapped in (("no", numbered), ("note", summary))
            if not is_mapped
        ],
    }


class City:
    """A register with a file that can be imported again and again, as its rows are now."""

    def __init__(self, context, pack, folder, **crosswalk):
        self.context, self.pack, self.folder = context, pack, folder
        self.origin = f"c{next(NUMBERS)}-city"
        self.told = crosswalk

    async def bring(self, rows, **options):
        file, path = self.folder / "file.csv", self.folder / "crosswalk.json"
        lines = [COLUMNS, *rows]
        file.write_text("".join(f"{','.join(line)}\n" for line in lines), encoding="utf-8")
        path.write_text(json.dumps(crosswalk_of(self.origin, **self.told)), encoding="utf-8")
        crosswalk = load_crosswalk(path)
        filings = convert_file(crosswalk, file, pack=self.pack, today=NOW.date(), fast=FAST)
        report = await import_filings(
            self.context,
            list(filings),
            origin=self.origin,
            key_of=lambda *said: record_key(crosswalk, *said),
            **options,
        )
        counts = report.counts
        done = counts.added, counts.changed, counts.moved, counts.gone, counts.returned
        return (*done, counts.unchanged + counts.withdrawn)

    async def size(self):
        async with self.context.database.snapshot() as connection:
            return await log_checks.read_size(connection)

    async def state(self):
        """The documents and kept rows of its records, and how long the log is."""
        async with self.context.database.snapshot() as connection:
            known = await imports.read_known(connection, self.origin)
            size = await connection.fetchval(
                "select count(*) from log_entry where record is not null"
            )
        return {one.id: (one.content, one.row_sha256, one.source_state) for one in known}, size


@pytest.fixture
def make_city(context, pack, tmp_path):
    return lambda **crosswalk: City(context, pack, tmp_path, **crosswalk)


ROWS = st.tuples(
    st.sampled_from(["", "", "1", "2"]),
    st.sampled_from(["Parks", "Roads"]),
    st.sampled_from(["Tool", "Sieve"]),
    st.sampled_from(["Same goal", "Other goal"]),
    st.sampled_from(["2015-03-31", "2016-09-30", ""]),
    st.sampled_from(["", "a", "b"]),
)
FILES = st.lists(ROWS, min_size=1, max_size=10)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    files=st.lists(FILES, min_size=1, max_size=3),
    own=st.sampled_from([None, "no", "name", "note"]),
    complete=st.booleans(),
    seed=st.integers(),
)
async def test_any_file_in_any_order_twice_changes_nothing(make_city, files, own, complete, seed):
    city = make_city(own=own)
    start = await city.size()
    for rows in files:
        await city.bring(rows, complete=complete, gone_anyway=True, renamed_anyway=True)
        before = await city.state()
        again = [*rows]
        random.Random(seed).shuffle(again)
        assert await city.bring(again, complete=complete) == (0, 0, 0, 0, 0, len(rows))
        assert await city.state() == before
    async with city.context.database.snapshot() as connection:
        await check_slice(connection, start, await city.size())


# The workbook is made from its cells elsewhere.
EXAMPLES = sorted(
    path
    for path in (ROOT / "docs/crosswalks").glob("*/source.*")
    if path.suffixes != [".xlsx", ".csv"]
)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.parent.name)
async def test_an_example_imported_twice_is_in_order_and_others_are_published(
    logged, context, pack, settings, record, file
):
    context = msgspec.structs.replace(context, database=logged)
    crosswalk = load_crosswalk(file.parent / "crosswalk.json")
    for again in (False, True):
        filings = [
            one
            for one in convert_file(crosswalk, file, pack=pack, today=NOW.date(), fast=FAST)
            if isinstance(one, ForeignRecord)
        ]
        key_of = partial(record_key, crosswalk)
        counts = (await import_filings(context, filings, key_of=key_of)).counts
        assert (counts.unchanged, counts.added)[not again] == len(filings)
        await publish(settings, context)
        await check_database(context.database, settings, progress=lambda *_: None)
    await Filer(context).publish(record)
    await publish(settings, context)
    await check_database(context.database, settings, progress=lambda *_: None)


LIST = [
    ("", office, name, f"To {name.lower()}.", "", "")
    for office, name in [
        ("Parks", "Count trees"),
        ("Parks", "Find dry lawns"),
        ("Roads", "Predict ice"),
        ("Roads", "Read plates"),
        ("Water", "Bill by meter"),
        ("Water", "Answer letters"),
    ]
]


def numbered(rows):
    """The rows with their place in the list for an id, as a sheet that is printed has it."""
    return [(str(90001 + place), *row[1:]) for place, row in enumerate(rows)]


@pytest.mark.parametrize(
    "again", [[*LIST[3:], *LIST[:3]], [LIST[0], ("", "Roads", "New one", "", "", ""), *LIST[1:]]]
)
async def test_ids_that_are_places_are_refused_until_names_tell_rows_apart(make_city, again):
    city = make_city(own="no")
    await city.bring(numbered(LIST))
    before = await city.state()
    with pytest.raises(ImportRefused) as refused:
        await city.bring(numbered(again), complete=True)
    told = refused.value.detail
    assert "'Find dry lawns', which is" in told
    assert "90002 was" in told
    assert '"own"' in told
    assert "--renamed-anyway" in told
    assert await city.state() == before
    city.told = {"numbered": False}
    assert (await city.bring(numbered(LIST)))[:3] == (0, 6, 0)
    new = len(again) - len(LIST)
    assert await city.bring(numbered(again), complete=True) == (new, 0, 0, 0, 0, len(LIST))
    after, _ = await city.state()
    names = [
        {name: json.loads(kept[0])["name"] for name, kept in state.items()}
        for state in (before[0], after)
    ]
    assert names[0].items() <= names[1].items()


async def test_honest_new_names_are_taken_and_so_are_those_that_somebody_stands_for(make_city):
    city = make_city(own="no")
    rows = numbered(LIST)
    await city.bring(rows)
    renamed = [(*row[:2], f"{row[2]} better", *row[3:]) for row in rows]
    assert (await city.bring(renamed, complete=True))[:3] == (0, 6, 0)
    swapped = [(renamed[1][0], *renamed[0][1:]), (renamed[0][0], *renamed[1][1:]), *renamed[2:]]
    assert (await city.bring(swapped, complete=True))[:3] == (0, 2, 0)
    turned = numbered([*renamed[3:], *renamed[:3]])
    assert (await city.bring(turned, renamed_anyway=True))[1] == len(LIST)


PAIR = [
    ("", "Parks", "Tool", "Same goal", "2016-09-30", "first"),
    ("", "Parks", "Tool", "Same goal", "2015-03-31", "second"),
]


async def test_what_was_withdrawn_or_gone_stays_itself(make_city, database, filer):
    city = make_city()
    await city.bring(PAIR)
    first, second = await city.state(), PAIR[::-1]
    assert await city.bring(PAIR[:1], complete=True) == (0, 0, 0, 1, 0, 1)
    assert await city.bring(second, complete=True) == (0, 0, 0, 0, 1, 2)
    assert {name: kept[:2] for name, kept in (await city.state())[0].items()} == {
        name: kept[:2] for name, kept in first[0].items()
    }
    for name in first[0]:
        await filer.withdraw({"id": name}, await filer.tag({"id": name}), by=filer.authority)
        for rows in (PAIR, second):
            assert await city.bring(rows) == (0, 0, 0, 0, 0, 2)


async def test_another_reading_of_the_same_rows_crosses_none(make_city):
    """The crosswalk is mended, so that every document differs: the kept row tells them apart."""
    city = make_city()
    await city.bring(PAIR)
    before, _ = await city.state()
    city.told = {"summary": True}
    assert await city.bring(PAIR[::-1]) == (0, 2, 0, 0, 0, 0)
    after, _ = await city.state()
    assert {name: kept[1] for name, kept in after.items()} == {
        name: kept[1] for name, kept in before.items()
    }
    deployed = [
        [json.loads(kept[0])["lifecycle"]["deployed_on"] for kept in state.values()]
        for state in (before, after)
    ]
    assert deployed[0] == deployed[1]


async def test_one_that_lost_a_member_by_erasure_is_still_itself(
    logged, context, pack, settings, tmp_path
):
    city = City(msgspec.structs.replace(context, database=logged), pack, tmp_path, summary=True)
    rows = [*PAIR, (*PAIR[0][:4], "2014-01-01", "third")]
    await city.bring(rows)
    known, _ = await city.state()
    one, other = (
        Actor(name=name, agency=None, scopes=frozenset({"redact"}), token=number)
        for number, name in enumerate(("one", "another"), 1)
    )
    for record in sorted(known)[:2]:
        statement = {
            "record": record,
            "pointers": ["/summary"],
            "basis": "data_protection",
            "authority": "CNDP",
        }
        asked = await redaction.request(city.context, one, statement, now=NOW)
        await redaction.confirm(city.context, other, asked.redaction, now=NOW)
    await publish(settings, city.context)
    before, _ = await city.state()
    for again in itertools.permutations(rows):
        done = await city.bring(again)
        assert done == (0, 0, 0, 0, 0, 3), again
    assert (await city.state())[0] == before
