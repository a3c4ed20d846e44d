"""Asking a register at its address: its log's files, and many questions at its pace."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import islice
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx
import msgspec

from registry import __version__
from registry.errors import ConfigurationError, Unavailable
from registry.http_client import BoundedClient, HttpAnswer
from registry.record.origin import Origin
from registry.record.pack import Agency, Operator, Pack, load_pack, pack_codes
from registry.settings import is_loopback

LONGEST = 64 << 20
"""Bytes of an answer, or of one of its lines."""

LONGEST_SECONDS = 120.0
"""The time limit of a whole exchange: connecting, head and content."""

_STATUS_OK, _NOT_FOUND = 200, 404


@contextmanager
def reader(
    url: str,
    *,
    only_public: bool = False,
    seconds: float = math.inf,
    most: float = math.inf,
) -> Iterator[Callable[[str], bytes]]:
    """Yield a function that reads files below an address, for some seconds and `most` bytes in all.

    That raises `FileNotFoundError` for one that is not there, and `Unavailable` for any other
    failure. One connection serves many files. Redirects are errors, and so is what is compressed.
    With `only_public` the host must have public addresses, and is asked over https at one of these.
    """
    left = most

    def read(path: str) -> bytes:
        nonlocal left
        address = f"{url.rstrip('/')}/{path}"
        answer = fetch(client, address)
        left -= len(answer.content)
        if left < 0:
            raise Unavailable(f"{url} answers with more than may be read of it at a time")
        if answer.headers.get("content-encoding", "identity").lower() != "identity":
            raise Unavailable(f"{address} answers what is compressed, and was not asked to")
        if answer.status == _NOT_FOUND:
            raise FileNotFoundError(address)
        if answer.status != _STATUS_OK:
            raise Unavailable(f"{address} answers {answer.status}")
        return answer.content

    with open_client(url, only_public=only_public) as client:
        client.end_within(seconds)
        yield read


def open_client(
    url: str, *, only_public: bool = False, most: float | None = None, agent: str = "registry"
) -> BoundedClient:
    """Return a client for the host of an address, for `most` bytes of an answer.

    With `only_public` it connects to public addresses alone. Raises `ConfigurationError` for an
    address without https, unless it is this machine's and may be.
    """
    try:
        parts = urlsplit(url)
        is_here = is_loopback(parts.hostname or "") and not only_public
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_here)
        # A port that is no number raises.
        is_whole = bool(parts.hostname and (parts.port or httpx.URL(url).is_absolute_url))
    except (ValueError, httpx.InvalidURL) as error:
        raise ConfigurationError(f"{url}: {error}") from error
    if not is_safe or not is_whole or parts.query or parts.fragment or parts.username:
        raise ConfigurationError(f"{url}: give an address that begins with https://")
    return BoundedClient(
        seconds=LONGEST_SECONDS,
        most=LONGEST if most is None else most,
        only_public=only_public,
        headers={"accept-encoding": "identity", "user-agent": agent},
    )


def fetch(client: BoundedClient, address: str) -> HttpAnswer:
    """Return the answer at an address. Raises `Unavailable`, with the address."""
    try:
        return client.read(address)
    except httpx.HTTPError as error:
        raise Unavailable(f"{address} cannot be read: {error}") from error


CONNECTIONS = 4
"""How many questions are asked at once."""

T = TypeVar("T")

_AHEAD = 16
_MOST_WAIT = 120.0
_TRIES = 6
_OK = 200
_BUSY = {429, 503}
_AGENT = "registry-audit"


class RemoteAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is answered at a path: the status and the body."""

    path: str
    status: int
    content: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; None if it is none."""
        with suppress(msgspec.DecodeError, RecursionError):
            return msgspec.json.decode(self.content)
        return None

    def read(self, kind: type[T]) -> T | None:
        """Return the body as a value of a type; None of another body, and of what is no answer."""
        if self.status == _OK:
            with suppress(msgspec.DecodeError, RecursionError):
                return msgspec.json.decode(self.content, type=kind)
        return None


class RemoteRegister:
    """A register at an address; a context manager, which closes its connections."""

    def __init__(
        self,
        url: str,
        *,
        connections: int = CONNECTIONS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the address that its paths begin after."""
        self.url = url.rstrip("/")
        self._clients: list[BoundedClient] = []
        self._own = threading.local()
        self._sleep = sleep
        self._pool = ThreadPoolExecutor(connections, thread_name_prefix="asking")
        open_client(self.url).close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ask nothing more."""
        self._pool.shutdown(cancel_futures=True)
        for client in self._clients:
            client.close()

    def get(self, path: str) -> RemoteAnswer:
        """Ask at a path, which begins with a slash. Raises `Unavailable`."""
        for attempt in range(_TRIES):
            answer = fetch(self._client(), f"{self.url}{path}")
            if answer.status not in _BUSY:
                return RemoteAnswer(path=path, status=answer.status, content=answer.content)
            self._sleep(_pause(answer.headers, attempt))
        raise Unavailable(f"{self.url}{path} answers {answer.status}, {_TRIES} times in turn")

    @contextmanager
    def stream(self, path: str) -> Iterator[tuple[int, Iterator[bytes]]]:
        """Yield the status at a path, and the lines of what is answered there, as they come.

        It may be of any length; each line is of one record's, at most. Raises `Unavailable`.
        """
        address = f"{self.url}{path}"
        with open_client(self.url, most=math.inf, agent=_AGENT) as client:
            for attempt in range(_TRIES):
                with _told(address), client.stream("GET", address) as answer:
                    if answer.status_code not in _BUSY:
                        yield answer.status_code, _lines(client, answer, address)
                        return
                self._sleep(_pause(answer.headers, attempt))
            raise Unavailable(f"{address} answers {answer.status_code}, {_TRIES} times in turn")

    def each(self, items: Iterable[T], ask: Callable[[T], Any]) -> Iterator[tuple[T, Any]]:
        """Yield what `ask` returns for each item, in order; some are asked ahead, in threads."""
        left = iter(items)
        waiting: list[tuple[T, Future[Any]]] = []
        try:
            while True:
                waiting.extend(
                    (item, self._pool.submit(ask, item))
                    for item in islice(left, _AHEAD - len(waiting))
                )
                if not waiting:
                    return
                item, answer = waiting.pop(0)
                yield item, answer.result()
        finally:
            for _, answer in waiting:
                answer.cancel()

    def _client(self) -> BoundedClient:
        known: BoundedClient | None = getattr(self._own, "client", None)
        if known is None:
            known = self._own.client = open_client(self.url, agent=_AGENT)
            self._clients.append(known)
        return known


@contextmanager
def _told(address: str) -> Iterator[None]:
    """Raise `Unavailable` for what fails in the block."""
    try:
        yield
    except httpx.RemoteProtocolError as error:
        raise Unavailable(f"{address} ended before its end: {error}") from error
    except httpx.HTTPError as error:
        raise Unavailable(f"{address} cannot be read: {error}") from error


def _lines(client: BoundedClient, answer: httpx.Response, address: str) -> Iterator[bytes]:
    """Yield the lines of an answer; the time limit is of each."""
    line = bytearray()
    with _told(address):
        for part in answer.iter_raw():
            for piece in part.splitlines(keepends=True):
                line += piece
                if len(line) > LONGEST:
                    raise Unavailable(f"{address} has a line that is longer than any can be")
                if line.endswith(b"\n"):
                    yield bytes(line)
                    line.clear()
                    client.begin()
    if line:
        yield bytes(line)


def _pause(headers: httpx.Headers, attempt: int) -> float:
    """Return how many seconds to wait before asking again."""
    later = headers.get("retry-after", "")
    return min(float(later) if later.isdecimal() else 2.0**attempt, _MOST_WAIT)


class AnsweredAgency(Agency, frozen=True, kw_only=True):
    """An agency of a list, with the number of its records in force."""

    records: int


class RemoteAgencies(msgspec.Struct, frozen=True, kw_only=True):
    """The list of agencies."""

    items: list[AnsweredAgency]


class RemoteChanges(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the list of changes, and the size of the log."""

    items: list[dict[str, Any]]
    size: int


class CodeCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many records have a code."""

    code: str
    count: int


class RemoteRecords(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the list of records: cards, the cursor of the next, counts by filter."""

    items: list[dict[str, Any]]
    next: str | None = None
    facets: dict[str, list[CodeCount]] = {}


class CoveredAgency(msgspec.Struct, frozen=True, kw_only=True):
    """An agency whose coverage the statistics have."""

    agency: str


class RemoteStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """The statistics."""

    agencies: list[CoveredAgency]


class UnboundSource(msgspec.Struct, frozen=True, kw_only=True):
    """The members of `SourceFacts` that no entry states."""

    id: str = ""
    register: Origin | None = None
    origin: str | msgspec.UnsetType = msgspec.UNSET
    proof: str | msgspec.UnsetType = msgspec.UNSET


class DocumentId(msgspec.Struct, frozen=True, kw_only=True):
    """The identifier in a document."""

    id: str


class CopiedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version, and where it was copied from."""

    version: int
    source: UnboundSource


class CopiedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record that was copied from another register."""

    record: DocumentId
    register: CopiedVersion


class RemotePlace(msgspec.Struct, frozen=True, kw_only=True):
    """The country of a data set."""

    identifier: str


class RemoteDataset(msgspec.Struct, frozen=True, kw_only=True):
    """A data set of a catalogue."""

    spatial: RemotePlace | None = None


class RemotePublisher(msgspec.Struct, frozen=True, kw_only=True):
    """Who publishes a catalogue, and the contact that it names, as it stands."""

    contact: Any = None


class RemoteCatalogue(msgspec.Struct, frozen=True, kw_only=True):
    """The catalogue."""

    landing_page: str | None = None
    publisher: RemotePublisher = RemotePublisher()
    datasets: list[RemoteDataset] = []


class RemoteRelease(msgspec.Struct, frozen=True, kw_only=True):
    """The release of the software."""

    version: str


class RemoteDescription(msgspec.Struct, frozen=True, kw_only=True):
    """The description of the API."""

    info: RemoteRelease


class RemoteFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit renders pages and tables with.

    `pack` is that of the `country`, None where it is not here. `base_url` is the address that the
    register gives its pages, without a slash at its end.
    """

    country: str | None
    pack: Pack | None
    base_url: str
    is_this_release: bool


def read_facts(remote: RemoteRegister) -> RemoteFacts:
    """Read the catalogue and the description of a register. Raises `Unavailable`."""
    catalogue = remote.get("/api/v1/catalogue").read(RemoteCatalogue) or RemoteCatalogue()
    described = remote.get("/openapi.json").read(RemoteDescription)
    places = (one.spatial.identifier for one in catalogue.datasets if one.spatial is not None)
    country = next(places, None)
    return RemoteFacts(
        country=country,
        pack=_pack(country, catalogue),
        base_url=(catalogue.landing_page or remote.url).rstrip("/"),
        is_this_release=described is not None and described.info.version == __version__,
    )


def _pack(country: str | None, catalogue: RemoteCatalogue) -> Pack | None:
    """Return the pack of a country, with the operator that the catalogue names, if it can be."""
    for code in pack_codes():
        with suppress(ConfigurationError):
            pack = load_pack(code)
            if pack.country == country:
                with suppress(msgspec.ValidationError):
                    # The packs here need not know who keeps the register.
                    operator = msgspec.convert(catalogue.publisher.contact, Operator)
                    return msgspec.structs.replace(pack, operator=operator)
                return pack
    return None
