"""What is kept of records in force: for as long as it is right, and there is room."""

import pytest

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

    def __init__(self, database, generation, room=ROOM):
        self.clock = Clock()
        self.reads = 0
        self._database = database
        self._kept = Kept(database.connection, generation, room=room, clock=self.clock)

    async def read(self, record):
        """Give a record's version, from memory or else from the database."""
        found = await self._kept.get(record)
        if found is None:
            self.reads += 1
            stored = await self.stored(record)
            if stored is None:
                return None
            found = stored.register.version
            self.keep(record, found, stored)
        return found

    async def stored(self, record):
        async with self._database.connection() as connection:
            return await read_in_force(connection, record)

    def keep(self, record, answer, stored, weight=10_000):
        self._kept.keep(record, answer, weight=weight, as_of=stored.as_of)


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
    assert (one.reads, two.reads) == (5, 4)


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
    assert worker.reads == 3


async def test_what_was_read_before_a_publication_is_not_kept_after_it(
    host, publish, record, amended
):
    _, worker = await host()
    await publish(amended())
    stored = await worker.stored(record["id"])
    await publish(amended())
    # Somebody else's question has made this process look at the log meanwhile.
    assert await worker.read("demo-sante/other") is None
    worker.keep(record["id"], "stale", stored)
    assert await worker.read(record["id"]) == 2


async def test_an_erasure_drops_everything(host, database, publish, record, amended):
    _, worker = await host()
    await publish(amended())
    stored = await worker.stored(record["id"])
    assert await worker.read(record["id"]) == 1
    async with database.transaction() as connection:
        await connection.execute("update search_state set epoch = epoch + 1")
    worker.keep(record["id"], "erased", stored)
    assert await worker.read(record["id"]) == 1
    worker.keep(record["id"], "erased", stored)
    assert await worker.read(record["id"]) == 1
    assert worker.reads == 2


async def test_there_is_room_for_those_asked_for_last(host, publish, record):
    _, worker = await host(room=35_000)
    documents = copies(record, 4)
    await publish(*documents)
    first, *_, last = ids = [document["id"] for document in documents]
    for one in ids[:3]:
        await worker.read(one)
    await worker.read(first)
    await worker.read(last)
    assert worker.reads == 4
    await worker.read(first)
    assert worker.reads == 4
    await worker.read(ids[1])
    assert worker.reads == 5
    stored = await worker.stored(last)
    worker.keep("too large", "never", stored, weight=40_000)
    assert await worker.stored("too large") is None
    assert await worker.read("too large") is None


async def test_many_new_entries_are_not_told_apart(host, publish, record, monkeypatch):
    monkeypatch.setattr("registry.store.kept._MOST_NEW", 2)
    _, worker = await host()
    await publish(record)
    assert await worker.read(record["id"]) == 1
    await publish(*copies(record, 2))
    assert await worker.read(record["id"]) == 1
    assert worker.reads == 1
    await publish(*[{**one, "id": one["id"] + "x"} for one in copies(record, 3)])
    assert await worker.read(record["id"]) == 1
    assert worker.reads == 2
