"""What is kept of records in force: for as long as it is right, and there is room."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from registry.errors import Unavailable
from registry.store import kept
from registry.store.database import connect
from registry.store.generation import LOOK_SECONDS, Generation
from registry.store.kept import Kept, read_in_force

ROOM = 100_000


class Clock:
    """Seconds that a test sets."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 1e-6
        return self.now


class Worker:
    """One process of a host: it reads records, and keeps what it has read."""

    def __init__(self, database, generation, room=ROOM, weight=10_000):
        self.clock = Clock()
        self.made = []
        self.database = database
        self._weight = weight
        self._kept = Kept(self._borrow, generation, self._make, room=room, clock=self.clock)

    async def read(self, record):
        """Give a record's version, from memory or else from the database."""
        found = self._kept.at_hand(record)
        again = found or await self._kept.read(record)
        assert found in (None, again)
        return again

    @asynccontextmanager
    async def _borrow(self):
        if self.database is None:
            raise Unavailable("no database")
        async with self.database.connection() as connection:
            yield connection

    def _make(self, stored):
        self.made.append(stored.register.version)
        return stored.register.version, self._weight


@pytest.fixture
async def host(database_url, tmp_path):
    """Make processes of one host, or of another one."""
    opened = []

    async def make(name="one", **more):
        generation = Generation(tmp_path / name)
        opened.append(await connect(database_url, generation=generation))
        return opened[-1], Worker(opened[-1], generation, **more)

    yield make
    for database in opened:
        await database.close()


@pytest.fixture
def amended(record):
    """Give the record with another name each time."""

    def make():
        record["name"]["fr"] += " bis"
        return record

    return make


@pytest.fixture
async def database(host):
    """The publishing process is of the same host as the workers."""
    opened, _ = await host()
    return opened


def copies(record, count):
    return [
        {**record, "id": f"demo-sante/copy-{number}", "source_id": f"copy-{number}"}
        for number in range(count)
    ]


async def test_another_process_of_the_host_knows_at_once(host, publish, record, amended):
    _, one = await host()
    _, two = await host()
    assert await one.read(record["id"]) is None
    for version in range(1, 5):
        await publish(amended())
        for worker in (one, two):
            assert await worker.read(record["id"]) == version
            assert await worker.read(record["id"]) == version
    assert one.made == two.made == [1, 2, 3, 4]


async def test_another_host_knows_after_a_while(host, publish, record, amended):
    _, far = await host("another")
    await publish(amended())
    assert await far.read(record["id"]) == 1
    await publish(amended())
    assert await far.read(record["id"]) == 1
    far.clock.now += LOOK_SECONDS
    assert await far.read(record["id"]) == 2


async def test_what_is_published_beside_it_changes_nothing(host, publish, record):
    _, worker = await host()
    first, second, *_ = documents = copies(record, 2)
    await publish(*documents)
    assert [await worker.read(one["id"]) for one in (first, second)] == [1, 1]
    second["name"] = {**second["name"], "fr": "Autre"}
    await publish(second)
    assert [await worker.read(one["id"]) for one in (first, second)] == [1, 2]
    assert worker.made == [1, 1, 2]


@pytest.fixture
def questions(monkeypatch):
    """What the database was asked for: each time the records, and what was done while it answered.

    `meanwhile` takes the records, and is awaited after the answer and before anybody has it.
    """

    class Questions(list):
        async def meanwhile(self, records):
            pass

    asked = Questions()

    async def read(connection, records):
        found = await read_in_force(connection, records)
        asked.append(records)
        await asked.meanwhile(records)
        return found

    monkeypatch.setattr(kept, "read_in_force", read)
    return asked


def once(work):
    """Do something at the first question only."""
    left = [work]

    async def meanwhile(_records):
        if left:
            await left.pop()()

    return meanwhile


async def test_what_was_read_before_a_publication_is_not_kept_after_it(
    host, publish, record, amended, questions
):
    _, worker = await host()
    beside, *_ = copies(record, 1)
    await publish(amended(), beside)
    assert await worker.read(beside["id"]) == 1

    async def publish_and_look():
        await publish(amended())
        # Somebody else's question makes this process look at the log.
        assert await worker.read(beside["id"]) == 1

    questions.meanwhile = once(publish_and_look)
    assert await worker.read(record["id"]) == 1
    assert await worker.read(record["id"]) == 2
    assert await worker.read(record["id"]) == 2
    assert len(questions) == 3


async def test_an_erasure_drops_everything(host, database, publish, record, amended, questions):
    _, worker = await host()
    await publish(amended())

    async def erase():
        async with database.transaction() as connection:
            await connection.execute("update search_state set epoch = epoch + 1")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await worker.read("demo-sante/other")

    questions.meanwhile = once(erase)
    # What was read before it is not kept, what was kept before it neither.
    assert [await worker.read(record["id"]) for _ in range(3)] == [1, 1, 1]
    assert len(worker.made) == 2
    async with database.transaction() as connection:
        await connection.execute("update search_state set epoch = epoch + 1")
    assert [await worker.read(record["id"]) for _ in range(2)] == [1, 1]
    assert len(worker.made) == 3


async def test_there_is_room_for_those_asked_for_last(host, publish, record):
    _, worker = await host(room=35_000)
    documents = copies(record, 4)
    await publish(*documents)
    first, *_, last = ids = [document["id"] for document in documents]
    for one in [*ids[:3], first, last]:
        await worker.read(one)
    assert len(worker.made) == 4
    await worker.read(first)
    assert len(worker.made) == 4
    await worker.read(ids[1])
    assert len(worker.made) == 5


async def test_what_never_fits_is_answered_and_not_kept(host, publish, record):
    _, worker = await host(room=35_000, weight=40_000)
    await publish(record)
    assert [await worker.read(record["id"]) for _ in range(2)] == [1, 1]
    assert len(worker.made) == 2


async def test_what_is_asked_for_at_once_is_read_at_once(host, publish, record, questions):
    _, worker = await host()
    documents = copies(record, 60)
    await publish(*documents)
    ids = [document["id"] for document in documents]
    assert await worker.read("demo-sante/none") is None
    questions.clear()
    asked = [*ids, *ids[:20], "demo-sante/none"]
    found = await asyncio.gather(*(worker.read(one) for one in asked))
    assert found == [1] * 80 + [None]
    assert len(worker.made) == 60
    assert [len(one) for one in questions] == [50, 11]


async def test_who_asks_while_another_waits_is_not_answered_from_before_a_receipt(
    host, publish, record, amended, questions
):
    _, worker = await host()
    await publish(amended())
    later = []

    async def publish_and_ask():
        await publish(amended())
        later.append(asyncio.create_task(worker.read(record["id"])))

    questions.meanwhile = once(publish_and_ask)
    assert await worker.read(record["id"]) == 1
    assert await later[0] == 2
    assert len(questions) == 2


async def test_who_goes_away_and_a_database_that_does_leave_the_others_right(
    host, publish, record, questions
):
    database, worker = await host()
    first, second = documents = copies(record, 2)
    await publish(*documents)
    assert await worker.read("demo-sante/none") is None
    questions.clear()
    going = asyncio.create_task(worker.read(first["id"]))
    staying = [asyncio.create_task(worker.read(one["id"])) for one in (first, second)]

    async def leave():
        going.cancel()

    questions.meanwhile = once(leave)
    assert await asyncio.gather(*staying) == [1, 1]
    assert going.cancelled()
    assert len(questions) == 1

    worker.clock.now += LOOK_SECONDS
    worker.database = None
    asked = [worker.read(one) for one in (first["id"], "demo-sante/none")]
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(one) for one in found] == [Unavailable, Unavailable]
    worker.database = database
    assert await worker.read(first["id"]) == 1

    async def break_off():
        raise Unavailable("the connection is lost")

    questions.meanwhile = once(break_off)
    asked = [worker.read(one) for one in ("demo-sante/none", "demo-sante/other")]
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(one) for one in found] == [Unavailable, Unavailable]
    assert await worker.read("demo-sante/none") is None


async def test_many_new_entries_are_not_told_apart(host, publish, record, monkeypatch):
    monkeypatch.setattr("registry.store.kept._MOST_NEW", 2)
    _, worker = await host()
    await publish(record)
    assert await worker.read(record["id"]) == 1
    await publish(*copies(record, 2))
    assert await worker.read(record["id"]) == 1
    assert worker.made == [1]
    await publish(*[{**one, "id": one["id"] + "x"} for one in copies(record, 3)])
    assert await worker.read(record["id"]) == 1
    assert worker.made == [1, 1]
