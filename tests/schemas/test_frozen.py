"""A released version of the format is never edited."""

from __future__ import annotations

from hashlib import sha256

import pytest

from registry.record.schema import RECORD_FOLDER, SCHEMA_VERSION
from registry.resources import SCHEMAS

VERSIONS = sorted(path.parent for path in SCHEMAS.glob("*/*/checksums.txt"))
HEADINGS = {"record": "Record format", "attestation": "Attestation"}
CHANGES = (SCHEMAS / "CHANGELOG.md").read_text("utf-8")


@pytest.mark.parametrize("folder", VERSIONS, ids=lambda folder: "/".join(folder.parts[-2:]))
def test_a_released_version_is_what_it_was(folder):
    lines = (folder / "checksums.txt").read_text("utf-8").splitlines()
    released = {name: digest for digest, name in (line.split("  ") for line in lines)}
    frozen = [*folder.glob("*.schema.json"), *sorted((folder / "codelists").glob("*.csv"))]
    found = {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in frozen
    }
    assert released == found, "make a new version of the format: schemas/POLICY.md"


def test_every_version_is_in_the_list_of_changes():
    assert RECORD_FOLDER.name == SCHEMA_VERSION
    assert {folder.parent.name for folder in VERSIONS} == set(HEADINGS)
    for folder in VERSIONS:
        assert f"## {HEADINGS[folder.parent.name]} {folder.name}\n" in CHANGES
