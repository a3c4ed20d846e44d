"""The answer is lost, at the client's end or at PostgreSQL's: what was done is done once."""

import asyncio
from itertools import product

from tests.conftest import amended
from tests.crash.campaign import answering
from tests.crash.register import Register

DAY = "2026-01-01"
SPOKEN = {"day": DAY, "systems_total": 3, "contact": {"email": "registre@demo.example"}}
WITHDRAWN = {"reason": "filed_in_error", "note": {"fr": "Retrait", "ar": "سحب"}}
ACTS = ("save", "submit", "amend", "withdraw", "attest")
FACTS = ("id", "agency", "version", "entry", "hash", "published_at", "withdrawn_at", "filed_at")


class Act:
    """Something to do at the edge of the register that must happen once: how to do it anew."""

    def __init__(self, agency):
        self.agency = agency
        self.turn = 0

    async def prepare(self):
        """Bring a record of its own to where the act begins; give the request that does it."""
        self.turn += 1
        document = self.agency.document(f"step-{self.turn}")
        return await getattr(self, self.name)(document)

    async def save(self, document):
        return "PUT", f"filings/{document['id']}", document, {"if_none_match": "*"}

    async def submit(self, document):
        await self.agency.save(document)
        return "POST", f"filings/{document['id']}/submit", None, {}

    async def amend(self, document):
        receipt = await self.agency.publish(document)
        await self.agency.save(amended(document, system_version="2"), receipt["hash"][:16])
        return "POST", f"filings/{document['id']}/submit", None, {}

    async def withdraw(self, document):
        receipt = await self.agency.publish(document)
        tag = f'"{receipt["hash"][:16]}"'
        return "POST", f"records/{document['id']}/withdraw", WITHDRAWN, {"if_match": tag}

    async def attest(self, _):
        return "PUT", "attestations/demo-sante", SPOKEN | {"systems_total": self.turn}, {}


def facts(answer):
    """What a receipt says that must be the same however often it is asked for."""
    said = answer.json()
    return {name: said[name] for name in FACTS if name in said}


async def test_a_wire_that_breaks_at_any_message(agency_at, wire, intruder, is_whole, subtests):
    """However far it came, it is answered or not available; asked again, it was done once."""
    async with agency_at(wire.url) as agency:
        act = Act(agency)
        for act.name, delivered in product(ACTS, (False, True)):
            with subtests.test(act=act.name, lost="answer" if delivered else "message"):
                await break_at_each_message(act, wire, intruder, delivered=delivered)
    await is_whole()


async def break_at_each_message(act, wire, intruder, *, delivered):
    cut_at, broke = 0, True
    while broke:
        cut_at += 1
        method, path, body, headers = await act.prepare()
        if cut_at % 2:
            headers = headers | {"idempotency_key": f"key-{act.turn}"}
        before = await intruder.fetchval("select count(*) from log_entry")
        wire.arm(cut_at, delivered=delivered)
        first = await act.agency.ask(method, path, body, **headers)
        broke = wire.broke
        wire.arm(None, delivered=True)
        again = await act.agency.ask(method, path, body, **headers)
        assert again.status_code in {200, 201}, again.text
        if first.is_success:
            assert facts(again) == facts(first)
        made = await intruder.fetchval("select count(*) from log_entry") - before
        assert made == (0 if act.name == "save" else 1)
    assert cut_at > 5


async def test_a_backend_ended_while_it_publishes(agency, intruder, waiting, is_whole):
    document = agency.document("ended")
    await agency.save(document)
    blocking = intruder.transaction()
    await blocking.start()
    await intruder.execute("select from log_state for update")
    submitting = asyncio.create_task(agency.submit(document))
    pid = await waiting()
    await intruder.execute("select pg_terminate_backend($1)", pid)
    assert (await submitting).status_code == 503
    await blocking.rollback()
    assert (await agency.submit(document)).json()["version"] == 1
    await is_whole()


async def test_a_client_that_hangs_up_before_its_answer(
    database_url, database, folder, agency_at, is_whole
):
    """The server may finish, or not; whoever asks again learns what became of it."""
    register = Register(folder, database_url=database_url, workers=1, limit_writes=0)
    register.start()
    try:
        await answering(register)
        async with agency_at(database_url) as agency:
            for number in range(12):
                document = agency.document(f"hung-up-{number}")
                await agency.save(document)
                await hang_up(
                    register.port,
                    f"POST /api/v1/filings/{document['id']}/submit HTTP/1.1\r\n"
                    f"host: 127.0.0.1\r\nauthorization: {agency.http.headers['authorization']}\r\n"
                    "content-length: 0\r\n\r\n",
                    after=number / 400,
                )
                receipt = (await agency.submit(document)).json()
                assert receipt["version"] == 1
                assert facts(await agency.submit(document)) == {
                    name: receipt[name] for name in FACTS if name in receipt
                }
    finally:
        register.end()
    await is_whole()


async def hang_up(port, request, *, after):
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request.encode())
    await writer.drain()
    await asyncio.sleep(after)
    writer.close()
    await writer.wait_closed()
