"""`registry verify`: verify a record that was kept, by its proof."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from registry.cli.evidence import (
    keeping_evidence,
    memory_option,
    open_memory,
    policy_options,
    verifier_option,
)
from registry.cli.output import print_message
from registry.errors import NotFound
from registry.log.erasure import named_members
from registry.record.model import NOT_STATED
from registry.record.page_words import read_page
from registry.tlog.keys import Verifier
from registry.tlog.policy import Policy
from registry.verify.consistency import read_kept
from registry.verify.record import VerifiedRecord, check_page, check_same, verify_record
from registry.verify.trusted_checkpoint import check_notes


@click.command()
@click.argument("place", metavar="PAGE|DIR", type=click.Path(exists=True, path_type=Path))
@verifier_option
@policy_options
@memory_option
def verify(place: Path, key: Verifier | None, policy: Policy, *, no_memory: bool) -> None:
    """Check a record that was kept, by its proof, with no trust in the register.

    PAGE is the answer of /api/v1/records/{agency}/{slug}/proof, or a record's page that was saved
    after its check, which holds it; in DIR every such file is checked, and against them every other
    page of a record and every answer of /api/v1/records/{agency}/{slug}. Pages must say what the
    log has; their scripts are not run.
    All signed notes there, and those that this user has seen of the same logs before, are compared:
    where two cannot both be true, these are two histories, and both are copied into a folder.

    Example: registry verify proof.json --key log.example+1234abcd+AQ…
    """
    files = sorted(place.iterdir()) if place.is_dir() else [place]
    contents = {path: path.read_bytes() for path in files if path.is_file()}
    pages = {
        path: page
        for path, content in contents.items()
        if (page := read_page(content.decode("utf-8", "replace"))).stated is not None
    }
    contents |= {
        beside: beside.read_bytes()
        for path, page in pages.items()
        if (beside := _beside(path, page.stated or {})) is not None
    }
    read = [(path, *read_kept(content)) for path, content in contents.items()]
    with keeping_evidence():
        notes = [(str(path), note) for path, found, _ in read for note in found]
        without_key = check_notes(notes, key, open_memory(no_memory=no_memory))
    proofs: list[VerifiedRecord] = []
    kept: list[tuple[Path, dict[str, Any]]] = []
    for path, _, objects in read:
        for content, value in objects:
            if "version_entry" in value:
                found = verify_record(content, verifier=key, policy=policy)
                proofs.append(found)
                _print_verified(path, found)
            elif "record" in value and "register" in value:
                kept.append((path, value))
    if not proofs:
        of = ", ".join(without_key)
        uncompared = f", and no key of {of} to compare its notes: give it with --key" if of else ""
        raise NotFound(
            f"{place}: there is no proof of a record here{uncompared}. A page holds it if it was "
            "saved after its check; else it is a file of its own, to be kept with the page, which "
            "links it: /api/v1/records/{agency}/{slug}/proof"
        )
    for path, page in pages.items():
        stated = page.stated or {}
        proof = _proof_of(proofs, stated.get("id"), stated.get("version"))
        if proof is None:
            print_message(f"{path}: there is no proof of it here, so it was not checked")
            continue
        check_page(str(path), page, proof)
        print_message(f"{path}: it says what the log has of {proof.id}, version {proof.version}")
    for path, value in kept:
        _compare(path, value, proofs)
    if key is None and not policy.logs:
        print_message(
            "The key is the one that the proof names itself; give the log's own with --key, from "
            "a source that is not this register."
        )


def _compare(path: Path, value: dict[str, Any], proofs: list[VerifiedRecord]) -> None:
    document, version = value["record"], value["register"].get("version")
    proof = _proof_of(proofs, document.get("id"), str(version))
    if proof is None:
        print_message(f"{path}: there is no proof of it here, so it was not checked")
        return
    check_same(proof, document)
    print_message(f"{path}: it is what the log has of {proof.id}, version {proof.version}")


def _proof_of(
    proofs: list[VerifiedRecord], record: str | None, version: str | None
) -> VerifiedRecord | None:
    return next((one for one in proofs if (one.id, str(one.version)) == (record, version)), None)


def _beside(page: Path, stated: dict[str, str]) -> Path | None:
    """Return the proof that lies in the same copy of the site as a page, if there is one."""
    name = f"proofs/{stated.get('id')}/{stated.get('version')}.json"
    places = (folder / name for folder in page.resolve().parents)
    return next((one for one in places if one.is_file()), None)


def _print_verified(path: Path, found: VerifiedRecord) -> None:

    print_message(
        f"{path}: {found.id}, version {found.version}, dated {found.at}, is entry {found.index} of "
        f"{found.origin}, which had {found.size} entries when it signed this"
    )
    name = " / ".join((found.document.get("name") or {}).values())
    level = (found.document.get("risk") or {}).get("level", NOT_STATED)
    status = (found.document.get("lifecycle") or {}).get("status", NOT_STATED)
    print_message(f"  {name or 'without a name'}; risk {level}, status {status}")
    for pointer, redaction, basis in found.erased:
        what = f"{pointer} was erased"
        if named_members(found.document, [pointer]):
            what = f"words of {pointer} were erased, a mark stands in their place"
        print_message(f"  {what} (entry {redaction}, basis {basis}); the rest is as it was")
    if found.witnesses:
        print_message(
            f"  cosigned by {found.witnesses} of the witnesses named, the first of whom saw it in "
            f"this log on {found.seen_at}"
        )
    else:
        print_message("  its date is the register's own word: no witness that was named cosigned")
