"""How the files of a release came to be: an in-toto statement with SLSA's provenance, version 1."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import msgspec

_BUILT_BY = "tools/release"


def make_statement(files: Iterable[Path], *, tree: Path, revision: str, at: dt.datetime) -> bytes:
    """Return the statement about the files, JSON.

    Nobody but the builder vouches for it (SLSA's first level): whoever doubts it builds the wheel
    of the same commit again and compares.
    """
    locks = [tree / "requirements.lock", tree / "requirements-dev.lock"]
    materials = [{"uri": "git+.", "digest": {"gitCommit": revision}}]
    materials += [{"uri": path.name, "digest": {"sha256": _digest(path)}} for path in locks]
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            {"name": path.name, "digest": {"sha256": _digest(path)}} for path in sorted(files)
        ],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": f"{_BUILT_BY}/v1",
                "externalParameters": {"revision": revision},
                "resolvedDependencies": materials,
            },
            "runDetails": {
                "builder": {"id": _BUILT_BY},
                "metadata": {"startedOn": at.strftime("%Y-%m-%dT%H:%M:%SZ")},
            },
        },
    }
    return msgspec.json.format(msgspec.json.encode(statement), indent=2) + b"\n"


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
