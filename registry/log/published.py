"""What is published of a log beside its tiles and blobs: proofs to keep, description, incidents."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal, TypeAlias

import msgspec

from registry.log.key_chain import KeyChain
from registry.tlog import base64_text
from registry.tlog.checkpoint import Checkpoint
from registry.tlog.policy import ANYBODY, readable_policy

SPECIFICATIONS = {
    "tlog-tiles": "https://c2sp.org/tlog-tiles@v1.1.0",
    "tlog-checkpoint": "https://c2sp.org/tlog-checkpoint@v1.0.0",
    "signed-note": "https://c2sp.org/signed-note@v1.0.0",
    "tlog-cosignature": "https://c2sp.org/tlog-cosignature@v1.0.0",
    "tlog-policy": "https://c2sp.org/tlog-policy",
    "tlog-proof": "https://c2sp.org/tlog-proof@v1",
    "merkle tree": "https://www.rfc-editor.org/rfc/rfc6962#section-2.1",
    "canonical json": "https://www.rfc-editor.org/rfc/rfc8785",
}


INCIDENTS = "incidents.json"
"""What was decided about the log that its entries do not say; not signed."""


IncidentKind: TypeAlias = Literal["discarded", "dated_ahead"]


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """A decision about the log that no entry states: what of it was given up, or accepted."""

    kind: IncidentKind
    at: dt.datetime
    said: msgspec.Raw


class LogHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The file of incidents."""

    incidents: list[Incident]


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """All that shows what an entry says and that it is in the log, to be kept and checked offline.

    `entry` is the entry's bytes and `content` the file of what it commits to, both canonical JSON
    as text; `leaf` is the entry's leaf hash in hex; `proof` is a c2sp.org/tlog-proof@v1.
    """

    index: int
    leaf: str
    entry: str
    content: str
    proof: str


class RecordProof(msgspec.Struct, frozen=True, kw_only=True):
    """A version's evidence, and that of redactions that erased parts of it, or of these.

    `origin` and `key`, the one that signs now, are the log's own; whoever checks had better know
    them from elsewhere. `keys` are the proofs of the entries that name later keys, in order, each
    to a checkpoint that the key before has signed too: they lead from the first key to the last.
    """

    id: str
    version: int
    origin: str
    key: str
    version_entry: Evidence
    redactions: list[Evidence]
    keys: list[str] = []


def proof_path(index: int) -> str:
    """Return the path of an entry's proof, relative to the log's prefix."""
    return f"proof/{index}.tlog-proof"


def describe(chain: KeyChain, at: str, policy: str | None) -> dict[str, Any]:
    """Return the description of a log whose last entry has a time: keys, policy, specifications.

    `keys` are those that sign it as it is, the newest first; `key_history` are all that ever did,
    each with the entry that names it and the time from which entries are no longer signed by it.
    The policy's quorum is the least number of witnesses that satisfy it.
    """
    parsed = readable_policy(policy) or ANYBODY
    return {
        "origin": chain.origin,
        "keys": [one.to_text() for one in reversed(chain.at(at))],
        "key_history": [
            {
                "key": one.verifier.to_text(),
                "entry": one.index,
                "from": one.since,
                "until": one.until,
            }
            for one in chain.keys
        ],
        **_continued(chain.continues),
        "policy": {
            "witnesses": [one.to_text() for one in parsed.verifiers],
            "quorum": parsed.least,
            **({} if policy is None else {"text": policy}),
        },
        "specifications": SPECIFICATIONS,
    }


def _continued(before: Checkpoint | None) -> dict[str, Any]:
    if before is None:
        return {}
    root = base64_text.encode(before.root)
    return {"continues": {"origin": before.origin, "size": before.size, "root": root}}
