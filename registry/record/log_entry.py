"""Entries about the log itself: its first one, and those of its keys and witnesses."""

from __future__ import annotations

import datetime as dt

from registry.record.canonical import canonical
from registry.record.entry import FORMAT, timestamp


def genesis_entry(*, at: dt.datetime, origin: str, key: str, schema_sha256: str) -> bytes:
    """Return the first entry: the name of the log, its verifier key and the format in force."""
    return canonical(
        {
            "v": FORMAT,
            "kind": "genesis",
            "at": timestamp(at),
            "origin": origin,
            "key": key,
            "schema": schema_sha256,
        }
    )


def key_entry(*, actor: str, at: dt.datetime, key: str, follows: str) -> bytes:
    """Return the entry of the log's next verifier key, and the one that it follows."""
    return canonical(
        {
            "v": FORMAT,
            "kind": "key",
            "actor": actor,
            "at": timestamp(at),
            "key": key,
            "follows": follows,
        }
    )


def policy_entry(*, actor: str, at: dt.datetime, policy: str) -> bytes:
    """Return the entry that a policy of witnesses is in force from here on: its text, as served."""
    return canonical(
        {"v": FORMAT, "kind": "policy", "actor": actor, "at": timestamp(at), "policy": policy}
    )
