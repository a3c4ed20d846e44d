"""Verifying a record that was kept, and its page, by its proof."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from registry.log.blob import Content, replaced_items, shown
from registry.log.entry import LogEntry, RedactionEntry, VersionEntry, timestamp
from registry.log.erasure import REPLACED
from registry.log.files import Evidence, RecordProof
from registry.log.key_chain import KeyChain, follow_all
from registry.log.replay import LogInconsistent, LogReplay, entry_at
from registry.record.canonical import canonical
from registry.record.codelists import codelists
from registry.record.model import NOT_STATED, Document
from registry.record.page_words import ShownPage, unshown_texts, unspaced
from registry.tlog.checkpoint import OpenedCheckpoint
from registry.tlog.hashing import leaf_hash
from registry.tlog.keys import Verifier
from registry.tlog.policy import Policy
from registry.tlog.tlog_proof import check_tlog_proof, parse_tlog_proof


class VerifiedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A version that was found as the log has it, and how far that is vouched for.

    `document` is what readers are shown of it; `erased` are pointers, each with the redaction that
    says on which basis. `at` is the time that the entry states. `witnesses` are how many of the
    policy's have cosigned, and `seen_at` is when the first of them saw the entry in the log.
    """

    id: str
    version: int
    index: int
    leaf: str
    at: str
    document: dict[str, Any]
    erased: list[tuple[str, int, str]]
    origin: str
    size: int
    witnesses: int
    seen_at: str | None


def verify_record(content: bytes, *, verifier: Verifier | None, policy: Policy) -> VerifiedRecord:
    """Verify a kept proof (what `…/proof` answers).

    Raises `LogInconsistent` with the first fault.

    The verifier is any key that the log ever had: the proof leads from it to the one that signed.
    Without one it is checked by the key that it names itself, which proves less,
    unless the policy has it. Each checkpoint in the proof must satisfy the policy.
    """
    try:
        proof = msgspec.json.decode(content, type=RecordProof)
        keys = follow_all(proof.key, proof.keys)
    except (ValueError, RecursionError) as error:
        raise LogInconsistent("the proof", None, str(error)) from error
    if verifier is not None and verifier not in keys.verifiers:
        keys = KeyChain.known(verifier)
    walk = LogReplay()
    found = proof.version_entry
    entry, checked, opened = _verified(walk, found, keys, policy)
    if not isinstance(entry, VersionEntry) or entry.id != proof.id:
        raise LogInconsistent("the proof", found.index, f"it is not of a version of {proof.id}")
    if entry.version != proof.version:
        raise LogInconsistent("the proof", found.index, f"it is not of version {proof.version}")
    times = [one.time for one in opened.verified if one.time is not None]
    counted = [policy.count([one.verifier for one in opened.verified])]
    replaced: dict[int, list[Any] | None] = {}
    for evidence in proof.redactions:
        said, content_of, opened_for = _verified(walk, evidence, keys, policy)
        if not isinstance(said, RedactionEntry):
            raise LogInconsistent("the proof", evidence.index, "it is no redaction")
        walk.redactions[evidence.index] = said
        replaced[evidence.index] = replaced_items(content_of.sections.get(REPLACED))
        counted.append(policy.count([one.verifier for one in opened_for.verified]))
    walk.check_erased()
    erased = [(one.pointer, one.redaction) for one in checked.erased]
    document = shown(checked.values, erased, replaced.get, version=proof.version)
    return VerifiedRecord(
        id=proof.id,
        version=proof.version,
        index=found.index,
        leaf=found.leaf,
        at=entry.at,
        document=document,
        erased=[
            (one.pointer, one.redaction, walk.redactions[one.redaction].basis)
            for one in checked.erased
        ],
        origin=keys.origin,
        size=opened.checkpoint.size,
        witnesses=min(counted),
        seen_at=timestamp(dt.datetime.fromtimestamp(min(times), dt.UTC)) if times else None,
    )


def check_same(verified: VerifiedRecord, document: Document) -> None:
    """Raise `LogInconsistent` naming the first section in which a document differs."""
    for key in sorted({*verified.document, *document}):
        there, kept = verified.document.get(key, ...), document.get(key, ...)
        if there is ... or kept is ... or canonical(there) != canonical(kept):
            raise LogInconsistent(
                f"{verified.id}, version {verified.version}", None, f"/{key} is another"
            )


def _verified(
    walk: LogReplay, evidence: Evidence, keys: KeyChain, policy: Policy
) -> tuple[LogEntry, Content, OpenedCheckpoint]:
    """Return an entry, its content and the checkpoint that proves it, once its evidence holds."""
    where = "the proof"
    content = evidence.entry.encode()
    leaf = leaf_hash(content)
    try:
        proof = parse_tlog_proof(evidence.proof.encode())
        known = [*keys.verifiers, *policy.verifiers]
        opened = check_tlog_proof(proof, leaf=leaf, origin=keys.origin, verifiers=known)
        keys.check(opened)
    except (ValueError, RecursionError) as error:
        raise LogInconsistent(where, evidence.index, str(error)) from error
    entry = entry_at(where, evidence.index, content)
    if proof.index != evidence.index or leaf.hex() != evidence.leaf:
        raise LogInconsistent(where, evidence.index, "it says another index or hash than it proves")
    checked = walk.step_content(where, evidence.index, entry, evidence.content.encode())
    # Who knows one key of the log knows them all.
    fault = policy.fault([*keys.verifiers, *(one.verifier for one in opened.verified)])
    if fault is not None:
        raise LogInconsistent(where, evidence.index, fault)
    return entry, checked, opened


def check_page(where: str, page: ShownPage, verified: VerifiedRecord) -> None:
    """Raise `LogInconsistent` naming the first thing that a page says otherwise than the log."""
    facts = {
        "id": verified.id,
        "version": str(verified.version),
        "entry": str(verified.index),
        "hash": verified.leaf,
    }
    for fault in page_faults(page, facts, verified.document):
        raise LogInconsistent(where, None, f"it is not what the log has: {fault}")


def page_faults(page: ShownPage, facts: Mapping[str, str], document: Document) -> Iterator[str]:
    """Yield what a page says otherwise than a record's document and the facts of its version.

    `facts` are `id`, `version`, `entry` and `hash`, as its section `proof` states them.
    """
    stated = page.stated or {}
    for name, value in facts.items():
        if stated.get(name) != value:
            yield f"the page states {stated.get(name)} as its {name}, the log has {value}"
    # A page may be set in another language than its reader's, which it has texts in.
    lang = stated.get("order", "").partition(" ")[0] or page.lang
    known = document.get("name") or {}
    names = {unspaced(one) for one in page.names}
    if known and not any(names == {unspaced(one)} for one in known.values()):
        yield f"/name is {' / '.join(page.names)}"
    level = _code(document, "risk", "level")
    if not page.levels or any(not _is_label("risk_level", level, *one) for one in page.levels):
        yield f"/risk/level is shown as {', '.join(text for _, text in page.levels)}"
    status = _code(document, "lifecycle", "status")
    if not page.statuses or any(
        not _is_label("status", status, status, one) for one in page.statuses
    ):
        yield f"/lifecycle/status is shown as {', '.join(page.statuses)}"
    for pointer in unshown_texts(document, page, lang):
        yield f"{pointer} is not what stands there"
    if stated.get("words") != page.digest:
        yield "words of the page were altered, such as labels, numbers or dates"


def _code(document: Document, section: str, name: str) -> str:
    stated: Any = (document.get(section) or {}).get(name)
    return stated if isinstance(stated, str) else NOT_STATED


def _is_label(name: str, code: str, shown_code: str, text: str) -> bool:
    """Return whether what is shown can stand for a code: by its code, and by a label of it."""
    labels = {one.code: {*one.label.values()} for one in codelists()[name].values()}
    if code in labels:
        return shown_code == code and text in labels[code]
    return shown_code == code and not any(text in known for known in labels.values())
