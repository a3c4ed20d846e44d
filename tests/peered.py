"""Registers that harvest each other: each with a database of its own, its log served over HTTP."""

import secrets
import shutil
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import msgspec

from registry.hub.peers import add_peer
from registry.hub.rounds import harvest
from registry.hub.standing import read_standings
from registry.ledger import key
from registry.ledger.export import export_log
from registry.ledger.targets import Folder
from registry.record.pack import load_pack
from registry.services.context import ServiceContext
from registry.services.filing.drafts import Precondition
from registry.services.operations.startup import open_register
from registry.services.people.access import Actor
from registry.services.people.agencies import name_agencies
from registry.services.statements import redaction, withdrawal
from registry.settings import Settings
from registry.store import agencies, peers, records
from registry.store.database import connect
from registry.worker.runner import publish as publish_log
from tests.conftest import NOW, accept_dates
from tests.published import given_times, publish_together


class PeerRegister:
    """A register of a country: what is done in it, and its log as a folder that is served."""

    def __init__(self, code, context, settings, folder, address):
        self.context = context
        self.settings = settings
        self.folder = folder
        self.address = address
        self.code = code

    @property
    def verifier(self):
        return key.read(self.settings.key_file).verifier

    async def put(self, *documents, now):
        """Publish documents, each of another record."""
        await publish_together(self.context, documents, now=now)

    async def publish(self, *documents, now):
        """Publish documents, each of another record, and the log."""
        await self.put(*documents, now=now)
        await self.serve_log()

    async def withdraw(self, *ids, now, reason="other", note="2"):
        statement = {"reason": reason, "note": dict.fromkeys(self.context.pack.languages, note)}
        actor = Actor(name="authority", agency=None, scopes=frozenset({"admin"}), token=1)
        for one in ids:
            async with self.context.database.connection() as connection:
                latest = (await records.read_latest(connection, [one]))[one]
            await withdrawal.withdraw(
                self.context,
                actor,
                one,
                statement,
                precondition=Precondition(tag=latest.leaf.hex()[:16]),
                now=now,
            )

    async def redact(self, record, *pointers, now, basis="data_protection", **more):
        statement = {
            "record": record, "pointers": list(pointers), "basis": basis, "authority": "CNDP",
        } | more  # fmt: skip
        if "entry" in more:
            del statement["record"]
        asked = await redaction.request(self.context, _acting("one"), statement, now=now)
        await redaction.confirm(self.context, _acting("another"), asked.redaction, now=now)

    async def serve_log(self):
        """Publish the log, carry out redactions, and put all of it where it is served."""
        await name_agencies(self.context, now=NOW)
        await publish_log(self.settings, self.context)
        await export_log(
            self.context.database,
            Folder(self.folder / "log", strip="log/"),
            site=None,
            progress=lambda _, __: None,
        )

    async def agency(self, name):
        async with self.context.database.connection() as connection:
            return (await agencies.read(connection, name)).agency

    async def watch(self, other, *, now, code=None, verifier=None, policy=None):
        return await add_peer(
            self.context,
            code or other.code,
            other.address,
            verifier or other.verifier,
            now=now,
            policy=policy,
            said={},
            only_public=False,
        )

    async def harvest(self, other, *, now, code=None):
        report = await harvest(self.context, code or other.code, now=lambda: now, only_public=False)
        await name_agencies(self.context, now=NOW)
        await publish_log(self.settings, self.context)
        return report

    async def begin_again(self, *documents, now):
        """Tell another history with the same key; return its checkpoint."""
        await self.fetch(
            "do $$ declare t text; begin set local session_replication_role = replica;"
            " for t in select relname from pg_class where relkind = 'r'"
            " and relname not in ('migration', 'search_state')"
            " and relnamespace = 'public'::regnamespace loop"
            " execute format('delete from %I', t); end loop; end $$"
        )
        shutil.rmtree(self.settings.log_dir)
        shutil.rmtree(self.folder / "log")
        self.settings.signed_sizes_file.unlink()
        self.settings.seen_file.unlink(missing_ok=True)
        self.context = msgspec.structs.replace(self.context, guard=given_times())
        await open_register(self.context.database, self.context.pack, self.settings, now=now)
        await accept_dates(self.context.database)
        await self.publish(*documents, now=now)
        return (self.folder / "log/checkpoint").read_bytes()

    async def standings(self, *, now):
        async with self.context.database.connection() as connection:
            return await read_standings(connection, now=now)

    async def peer(self, code):
        async with self.context.database.connection() as connection:
            [found] = await peers.read_all(connection, code)
        return found

    async def read(self, record, version=None):
        async with self.context.database.connection() as connection:
            return await records.read(connection, record, version)

    async def count_rows_with(self, text):
        """Return how many rows of the whole database hold a text."""
        select = "select count(*) from {} as t where position($1 in t::text) > 0"
        tables = await self.fetch(
            "select relname from pg_class where relkind = 'r'"
            " and relnamespace = 'public'::regnamespace"
        )
        found = [await self.fetch(select.format(one["relname"]), text) for one in tables]
        return sum(rows[0][0] for rows in found)

    async def fetch(self, query, *arguments):
        async with self.context.database.connection() as connection:
            return await connection.fetch(query, *arguments)


def _acting(name):
    return Actor(name=name, agency=None, scopes=frozenset({"redact"}), token=1, request="r")


async def is_anywhere(register, text):
    """Return whether a register's database or one of its files holds a text."""
    files = [path.read_bytes() for path in register.settings.data_dir.rglob("*") if path.is_file()]
    return await register.count_rows_with(text) or any(text.encode() in one for one in files)


@contextmanager
def served_folder(folder):
    """Serve a folder on loopback for the time of the block; yield its address."""

    class Handler(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

    with serving(partial(Handler, directory=str(folder))) as address:
        yield address


@contextmanager
def serving(handler):
    """Serve on loopback for the time of the block, by a handler; yield the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def open_peer(code, url, folder, address, *, now, pack=None):
    """Begin a register of a country, or with another's pack, in an empty database."""
    pack = load_pack(pack or code)
    settings = Settings(
        data_dir=folder.parent / "data", base_url=f"https://{code}.example", pack=pack.code
    )
    database = await connect(url)
    await open_register(database, pack, settings, now=now)
    await accept_dates(database)
    context = ServiceContext(
        database=database, pack=pack, random=secrets.token_bytes, guard=given_times()
    )
    items = [msgspec.to_builtins(one) | {"records": 0} for one in pack.agencies.values()]
    path = folder / "api/v1/agencies"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.encode({"items": items}))
    return PeerRegister(code, context, settings, folder, address)
