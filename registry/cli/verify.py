"""`registry verify`: verify a record by its proof, or an answer by a register of its log."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import rich_click as click

from registry.cli.evidence import (
    keeping_evidence,
    log_verifier,
    memory_option,
    open_log,
    open_memory,
    policy_options,
    verifier_option,
)
from registry.cli.output import print_message, progress_bar
from registry.errors import NotFound
from registry.log.erasure import named_members
from registry.record.model import NOT_STATED
from registry.record.page_words import read_page
from registry.settings import log_origin
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
@click.option(
    "--mirror",
    metavar="DIR|URL",
    help="A copy of the register's log, or its address, from which kept answers are computed.",
)
def verify(
    place: Path,
    key: Verifier | None,
    policy: Policy,
    *,
    no_memory: bool,
    mirror: str | None,
) -> None:
    """Check a record or an answer that was kept, with no trust in the register.

    PAGE is the answer of /api/v1/records/{agency}/{slug}/proof, or a record's page that was saved
    after its check, which holds it; in DIR every such file is checked, and against them every other
    page of a record and every answer of /api/v1/records/{agency}/{slug}. Pages must say what the
    log has; their scripts are not run.
    All signed notes there, and those that this user has seen of the same logs before, are compared:
    where two cannot both be true, these are two histories, and both are copied into a folder.

    An answer is what was downloaded by "Keep this answer". With --mirror the register of its day is
    rebuilt from the log, and asked the same; the register itself may be off. Exits with 1 where it
    answers otherwise, and names what differs.

    Example: registry verify proof.json --key log.example+1234abcd+AQ…
    """
    files = sorted(place.iterdir()) if place.is_dir() else [place]
    contents = {path: path.read_bytes() for path in files if path.is_file()}
    answers = _kept_answers(contents, is_answer_awaited=mirror is not None)
    if answers or mirror is not None:
        _verify_answers(place, answers, mirror, key, policy, no_memory=no_memory)
    others = {path: one for path, one in contents.items() if path not in answers}
    if others or not answers:
        _verify_records(place, others, key, policy, no_memory=no_memory, is_needed=not answers)
    if key is None and not policy.logs:
        print_message(
            "The key is the one that the proof or the log names itself; give the log's own with "
            "--key, from a source that is not this register."
        )


def _verify_records(
    place: Path,
    contents: dict[Path, bytes],
    key: Verifier | None,
    policy: Policy,
    *,
    no_memory: bool,
    is_needed: bool,
) -> None:
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
    if not proofs and not pages and not kept and not is_needed:
        return
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


def _kept_answers(contents: dict[Path, bytes], *, is_answer_awaited: bool) -> dict[Path, bytes]:
    """Return the receipts of answers among files.

    Where answers are awaited, with what was got in their place: a part of one, or a problem.
    """
    answers = {}
    for path, content in contents.items():
        notes, objects = read_kept(content)
        is_kept = any({"question", "answer"} <= value.keys() for _, value in objects)
        is_problem = any({"type", "status", "detail"} <= value.keys() for _, value in objects)
        is_broken = not notes and not objects and (path.suffix == ".json" or len(contents) == 1)
        is_page = content.lstrip().startswith(b"<")
        if is_kept or (is_answer_awaited and (is_problem or (is_broken and not is_page))):
            answers[path] = content
    return answers


def _verify_answers(
    place: Path,
    answers: dict[Path, bytes],
    mirror: str | None,
    key: Verifier | None,
    policy: Policy,
    *,
    no_memory: bool,
) -> None:
    """Verify kept answers, print what was found, and exit with 1 unless all are in order."""
    if not answers:
        raise click.UsageError(f"{place}: there is no kept answer here, so leave out --mirror")
    if mirror is None:
        raise click.UsageError(
            f"{next(iter(answers))} is a kept answer: say with --mirror where the log of its "
            "register lies, a folder with a copy or an address such as https://example.org/log"
        )
    # It rebuilds a register, with a database; whoever checks a record needs none.
    from registry.audit.receipts import verify_receipts  # noqa: PLC0415

    with (
        progress_bar("Rebuilding the register") as progress,
        open_log(mirror) as read,
        keeping_evidence(),
    ):
        given = [(str(path), content) for path, content in answers.items()]
        verify_files = log_verifier(key, policy, (), open_memory(no_memory=no_memory), progress)
        reports = verify_receipts(given, read, verify=verify_files, progress=progress)
    for one in reports:
        receipt = one.receipt
        if one.refusal is not None or receipt is None:
            print_message(f"registry: {one.refusal}")
            continue
        for sentence in (*one.differences, *(one.remarks if one.differences else ())):
            print_message(f"{one.where}: {sentence}")
        if one.differences:
            print_message(f"{one.where}: the register of that day does not answer this")
            continue
        print_message(
            f"{one.where}: the register of that day answers this: code {receipt.code}, SHA-256 "
            f"{receipt.digest}"
        )
        asked = f"{receipt.register}{receipt.question}"
        print_message(f"  asked (address as the file says): {asked}")
        if log_origin(receipt.register) != receipt.origin:
            print_message(
                f"  nothing proves that the register was at {receipt.register}: its log is named "
                f"{receipt.origin}"
            )
        print_message(f"  after entry {receipt.entry} of the log of {receipt.origin}")
    if any(one.differences for one in reports):
        sys.exit(1)
    if refusals := [one.refusal.exit_code for one in reports if one.refusal is not None]:
        sys.exit(refusals[0])


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
