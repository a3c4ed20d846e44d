"""What the audits of a module share: the register that follows from a log is made once."""

import datetime as dt
import re
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from registry.audit import audit
from registry.audit.audit import audit_register
from registry.audit.rebuild import rebuilding
from registry.verify.log import verify_log


class KnownRegister:
    """A rebuilt register whose answers are known of earlier audits in the same state of its log.

    The register itself is made for the first question that is not known.
    """

    def __init__(self, known, stack, folder, facts):
        self.size = 0
        self._known = known
        self._stack = stack
        self._made = folder, facts
        self._steps = []
        self._at = self._built = None
        self._real = None
        self._lock = audit.asyncio.Lock()

    async def _open(self):
        async with self._lock:
            if self._real is None:
                self._real = await self._stack.enter_async_context(rebuilding(*self._made))
                for step in self._steps:
                    await step(self._real)
        return self._real

    async def _take(self, step):
        self._steps.append(step)
        if self._real is not None:
            await step(self._real)

    async def fold(self, size, found, progress):
        await self._take(lambda real: real.fold(size, found, progress))
        self.size = size
        self._at = size, found.root_at(size)

    async def take_rows(self, read):
        await self._take(lambda real: real.take_rows(read))

    async def build(self, as_of, progress):
        self._built = as_of, self._at
        if self._built not in self._known:
            self._known[self._built] = await (await self._open()).build(as_of, progress)
        else:
            await self._take(lambda real: real.build(as_of, progress))
        return self._known[self._built]

    @asynccontextmanager
    async def serving(self):
        async with AsyncExitStack() as self._served:
            self._is_served = False
            yield

    async def ask(self, path, headers=None, body=None):
        said = {name: (headers or {}).get(name) for name in ("accept", "accept-language")}
        key = self._built, self._at, path, tuple(said.values()), body
        if key not in self._known:
            real = await self._open()
            async with self._lock:
                if not self._is_served:
                    await self._served.enter_async_context(real.serving())
                    self._is_served = True
            self._known[key] = await real.ask(path, headers or {}, body)
        return self._known[key]


@pytest.fixture(scope="module")
def known():
    return {}


@pytest.fixture(autouse=True)
def every_difference(known, monkeypatch):
    @asynccontextmanager
    async def knowing(folder, facts):
        async with AsyncExitStack() as stack:
            yield KnownRegister(known, stack, folder, facts)

    monkeypatch.setattr(audit, "MOST_NAMED", 100_000)
    monkeypatch.setattr(audit, "rebuilding", knowing)


@pytest.fixture
def audited(monkeypatch):
    """Audit the register at an address; of some names alone what is asked about them."""
    is_asked = audit._Audit._is_asked

    def verify(read, replay):
        return verify_log(read, verifier=None, progress=lambda *_: None, replay=replay)

    def work(url, about=None, **options):
        if about is not None:
            named = re.compile(rf"\b({'|'.join(about)})\b")
            monkeypatch.setattr(
                audit._Audit,
                "_is_asked",
                lambda *one: named.search(one[1].path) is not None and is_asked(*one),
            )
        # Registers of tests are of days of their own.
        options = {"seed": 1, "max_age": dt.timedelta(days=99_999), **options}
        return audit_register(
            url, verify=verify, progress=lambda *_: None, sleep=lambda _: None, **options
        )

    return work
