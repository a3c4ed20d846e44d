"""An address that names several servers: each is asked, none is waited for in vain."""

import socket
from contextlib import contextmanager

import pytest

from registry.errors import Unavailable
from registry.store import database as hosts
from registry.store.database import connect


@contextmanager
def silent():
    """Yield the port of a server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.fixture
def impatient(monkeypatch):
    # As shortly as a busy machine can still begin a connection in.
    monkeypatch.setattr(hosts, "_HOST_SECONDS", 3)


def several(wire, *ports, more=""):
    """Return the address of servers at these ports and of the one behind the wire."""
    head, tail = wire.url.split("127.0.0.1:")
    port, name = tail.split("/")
    hosts = ",".join(f"127.0.0.1:{one}" for one in [*ports, port])
    return f"{head}{hosts}/{name}{more}"


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("postgresql://u:p@one,two:6432/r", [("one", 5432), ("two", 6432)]),
        ("postgresql://u:p%40@[::1]:5433,[::2]/r", [("::1", 5433), ("::2", 5432)]),
        ("postgresql://u@/r?host=one,two&port=1,2", [("one", 1), ("two", 2)]),
        ("postgresql://u@/r?host=one,two&port=7", [("one", 7), ("two", 7)]),
        ("postgresql://u@/r?host=/run/postgresql", [("/run/postgresql", 5432)]),
        ("postgresql:///r", []),
    ],
)
def test_an_address_names_its_hosts(url, named):
    assert hosts._listed_hosts(url) == named


async def test_a_silent_host_is_passed_over_and_the_good_one_is_first_from_then_on(wire, impatient):
    with silent() as one, silent() as two:
        database = await connect(several(wire, one, two), size=4)
        for _ in range(2):
            await database._pool.expire_connections()
            async with database.connection() as connection:
                assert await connection.fetchval("select 1") == 1
        await database.close()
        listed = hosts.Hosts(several(wire, one, two))
        await (await listed.connect(several(wire, one, two))).close()
        assert listed._first == 2


async def test_after_a_loss_another_host_is_asked_first(monkeypatch):
    """Once: what is lost late, when another is good already, changes nothing."""
    listed = hosts.Hosts("postgresql://u@one,two/r")
    for expected in (1, 1):
        listed.pass_over()
        assert listed._first == expected
    monkeypatch.setattr(hosts, "_LATE_SECONDS", -1)
    listed.pass_over()
    assert listed._first == 0


async def test_the_error_names_each_host_and_what_it_answered(wire, impatient):
    wire.silence()
    with silent() as one:
        with pytest.raises(Unavailable) as told:
            await connect(several(wire, one))
        assert f"127.0.0.1:{one}: no answer within 3 s; 127.0.0.1:" in told.value.detail


async def test_a_host_that_is_no_standby_is_not_taken_for_one(wire, impatient):
    with silent() as one:
        with pytest.raises(Unavailable, match="not what target_session_attrs wants"):
            await connect(several(wire, one, more="?target_session_attrs=standby"))
        for wanted in ("primary", "prefer-standby"):
            database = await connect(several(wire, one, more=f"?target_session_attrs={wanted}"))
            await database.close()
