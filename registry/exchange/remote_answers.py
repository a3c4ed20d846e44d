"""What a register answers, as far as an audit reads it; other members count nothing."""

from __future__ import annotations

from typing import Any

import msgspec

from registry.record.origin import Origin
from registry.record.pack import Agency


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
