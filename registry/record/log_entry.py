"""Entries about the log itself: its first one, and those of its keys and witnesses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from registry.record.canonical import canonical
from registry.record.entry import FORMAT, header, timestamp
from registry.tlog import base64_text
from registry.tlog.checkpoint import Checkpoint, parse_checkpoint


def genesis_entry(
    *,
    at: dt.datetime,
    origin: str,
    key: str,
    schema_sha256: str,
    continues: Checkpoint | None = None,
    demonstration: dt.datetime | None = None,
) -> bytes:
    """Return the first entry: the name of the log, its verifier key and the format in force.

    `continues` is the last word of the log that it continues under another name. `demonstration`
    is when the log of a demonstration truly began: entries with a time before that have an
    invented one.
    """
    entry: dict[str, Any] = {
        "v": FORMAT,
        "kind": "genesis",
        "at": timestamp(at),
        "origin": origin,
        "key": key,
        "schema": schema_sha256,
    }
    if continues is not None:
        entry["continues"] = {
            "origin": continues.origin,
            "size": continues.size,
            "root": base64_text.encode(continues.root),
        }
    if demonstration is not None:
        entry["demonstration"] = timestamp(demonstration)
    return canonical(entry)


def continued_by(genesis: Mapping[str, Any]) -> Checkpoint | None:
    """Return the last word of the log that a first entry continues; raises `ValueError`."""
    said = genesis.get("continues")
    if said is None:
        return None
    try:
        text = f"{said['origin']}\n{said['size']}\n{said['root']}\n"
        if set(said) != {"origin", "size", "root"} or type(said["size"]) is not int:
            raise ValueError("it continues something else than a size and root of a log")
    except (TypeError, KeyError) as error:
        raise ValueError("it does not say what it continues") from error
    found = parse_checkpoint(text)
    if found.origin == genesis.get("origin") or found.size == 0:
        raise ValueError("it continues itself, or an empty log")
    return found


def key_entry(*, actor: str, at: dt.datetime, key: str, follows: str) -> bytes:
    """Return the entry of the log's next verifier key, and the one that it follows."""
    return canonical(header("key", actor, at) | {"key": key, "follows": follows})


def policy_entry(*, actor: str, at: dt.datetime, policy: str) -> bytes:
    """Return the entry that a policy of witnesses is in force from here on: its text, as served."""
    return canonical(header("policy", actor, at) | {"policy": policy})
