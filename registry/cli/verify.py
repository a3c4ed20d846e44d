"""`registry verify`: verify a record that was kept, by its proof."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from registry.cli.evidence import keeping_evidence, memory_option, open_memory
from registry.cli.keys import policy_options, verifier_option
from registry.cli.runtime import print_message
from registry.errors import NotFound

if TYPE_CHECKING:
    from registry.ledger.verify_record import VerifiedRecord
    from registry.tlog.keys import Verifier
    from registry.tlog.policy import Policy


@click.command()
@click.argument("place", metavar="PAGE|DIR", type=click.Path(exists=True, path_type=Path))
@verifier_option
@policy_options
@memory_option
def verify(place: Path, key: Verifier | None, policy: Policy, *, no_memory: bool) -> None:
    """Check a record that was kept, by its proof, with no trust in the register.

    PAGE is the answer of /api/v1/records/{agency}/{slug}/proof, or a page that holds it; in DIR
    every such file is checked, and every answer of /api/v1/records/{agency}/{slug} against them.
    All signed notes there, and those that this user has seen of the same logs before, are compared:
    where two cannot both be true, these are two histories, and both are copied into a folder.

    Example: registry verify proof.json --key log.example+1234abcd+AQ…
    """
    from registry.ledger.kept_notes import read_kept
    from registry.ledger.known_log import check_notes
    from registry.ledger.verify_record import verify_record

    files = sorted(place.iterdir()) if place.is_dir() else [place]
    read = [(path, *read_kept(path.read_bytes())) for path in files if path.is_file()]
    with keeping_evidence():
        notes = [(str(path), note) for path, found, _ in read for note in found]
        check_notes(notes, key, open_memory(no_memory=no_memory))
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
        raise NotFound(
            f"{place}: there is no proof of a record here. The proof is a file of its own, to be "
            "kept with the page, which links it: /api/v1/records/{agency}/{slug}/proof"
        )
    for path, value in kept:
        _compare(path, value, proofs)
    if key is None and not policy.logs:
        print_message(
            "The key is the one that the proof names itself; give the log's own with --key, from "
            "a source that is not this register."
        )


def _compare(path: Path, value: dict[str, Any], proofs: list[VerifiedRecord]) -> None:
    from registry.ledger.verify_record import check_same

    document, version = value["record"], value["register"].get("version")
    for proof in proofs:
        if (proof.id, proof.version) == (document.get("id"), version):
            check_same(proof, document)
            print_message(f"{path}: it is what the log has of {proof.id}, version {proof.version}")
            return
    print_message(f"{path}: there is no proof of it here, so it was not checked")


def _print_verified(path: Path, found: VerifiedRecord) -> None:
    print_message(
        f"{path}: {found.id}, version {found.version}, was published on {found.at} as entry "
        f"{found.index} of {found.origin}, which had {found.size} entries when it signed this"
    )
    for pointer, redaction, basis in found.erased:
        print_message(
            f"  {pointer} was erased (entry {redaction}, basis {basis}); the rest is as it was"
        )
    if found.witnesses:
        print_message(f"  cosigned by {found.witnesses} of the witnesses named")
