"""Filing over HTTP, sustained: one client, eight, and many records in one request.

A filing is what an agency does: it saves a draft and submits it, and has a receipt.
"""

import asyncio
import datetime as dt
import http.client
import json
import secrets
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import local

import uvloop

from registry.record.canonical import canonical
from registry.services.access_tokens import create_token
from registry.store.database import connect
from tests.bench.documents import local_documents
from tests.bench.ingest import WRITERS, Bare, Document, compare, line
from tests.bench.measure import Comparison, Timing
from tests.crash.campaign import answering
from tests.crash.register import WORKERS, Register

SINGLE = 350
PARALLEL = 1_600
MANY = 3_000


def run() -> Iterator[Comparison]:
    with tempfile.TemporaryDirectory(prefix="rb", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        register = Register(Path(folder), limit_writes=0, limit_validations=0)
        register.start()
        try:
            yield from uvloop.run(_measure(register))
        finally:
            register.end()


async def _measure(register: Register) -> list[Comparison]:
    await answering(register)
    documents = local_documents(SINGLE + PARALLEL + MANY)
    tokens = await _tokens(register, {_agency(document) for document in documents})
    bare = await Bare.prepare(register.database_url)
    threads = ThreadPoolExecutor(WRITERS)
    clients = Clients(register.port, tokens)

    async def file(document: Document) -> None:
        await asyncio.get_running_loop().run_in_executor(threads, clients.file, document)

    single = await compare(documents[:SINGLE], file, bare, writers=1)
    parallel = await compare(documents[SINGLE:][:PARALLEL], file, bare, writers=WRITERS)
    many = await asyncio.to_thread(clients.file_many, documents[SINGLE + PARALLEL :])
    threads.shutdown()
    await bare.close()
    where = f"over HTTP, {WORKERS} workers"
    return [
        line(f"filings {where}, one after the other", *single),
        line(f"filings {where}, by {WRITERS} clients at once", *parallel),
        line(f"records in one NDJSON request an agency {where}", many, single[1]),
    ]


async def _tokens(register: Register, agencies: set[str]) -> dict[str, str]:
    database = await connect(register.database_url, size=1)
    tokens = {
        agency: await create_token(
            database,
            agency=agency,
            scopes=["file"],
            actor=None,
            days=1,
            now=dt.datetime.now(dt.UTC),
            random=secrets.token_bytes,
        )
        for agency in agencies
    }
    await database.close()
    return tokens


class Clients:
    """A connection a thread, kept open; anything but success is an error."""

    def __init__(self, port: int, tokens: dict[str, str]) -> None:
        self._port = port
        self._tokens = tokens
        self._own = local()

    def file(self, document: Document) -> None:
        path = f"/api/v1/filings/{document['id']}"
        agency = _agency(document)
        json_type = {"content-type": "application/json", "if-none-match": "*"}
        self._ask("PUT", path, agency, canonical(document), json_type)
        self._ask("POST", f"{path}/submit", agency, b"", {})

    def file_many(self, documents: Sequence[Document]) -> Timing:
        timing = Timing()
        for agency in self._tokens:
            own = [document for document in documents if _agency(document) == agency]
            body = b"".join(canonical(document) + b"\n" for document in own)
            ndjson = {"content-type": "application/x-ndjson"}
            start = time.perf_counter()
            answer = self._ask("POST", "/api/v1/filings?action=submit", agency, body, ndjson)
            seconds = time.perf_counter() - start
            outcomes = [json.loads(line)["outcome"] for line in answer.splitlines()]
            if outcomes != ["published"] * len(own):
                raise RuntimeError(f"{len(own)} lines were answered {set(outcomes)}")
            timing.seconds += [seconds / len(own)] * len(own)
        return timing

    def _ask(
        self, method: str, path: str, agency: str, body: bytes, headers: dict[str, str]
    ) -> bytes:
        if not hasattr(self._own, "connection"):
            self._own.connection = http.client.HTTPConnection("127.0.0.1", self._port)
        connection: http.client.HTTPConnection = self._own.connection
        authority = {"authorization": f"Bearer {self._tokens[agency]}"}
        connection.request(method, path, body, headers | authority)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status not in {200, 201}:
            raise RuntimeError(f"{method} {path} was answered {answer.status} {content!r}")
        return content


def _agency(document: Document) -> str:
    return str(document["id"]).split("/", maxsplit=1)[0]
