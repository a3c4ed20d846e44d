"""Receipts of answers: each is computed again by a register that is rebuilt from a copy of its log.

The register itself is not asked, and may be off. What a receipt states is compared with the log
first, then with what the rebuilt register answers to the same question.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

import msgspec
import uvloop

from registry import __version__
from registry.api.receipts import KEPT, MEDIA_TYPE, PARAMETER, AnswerReceipt, canonical_answer
from registry.audit.audit import AuditReplay, VerifyLog
from registry.audit.comparison import ABSENT, REWRITTEN, member_difference, text_difference
from registry.audit.rebuild import RebuiltRegister, StatedFacts, rebuilding
from registry.audit.remote import Mirror
from registry.errors import RegistryError, Unavailable, UnreadableDocument
from registry.imports.text_files import STRICT_JSON
from registry.record.canonical import canonical
from registry.tlog import base64_text
from registry.tlog.note import NoteRefused
from registry.verify.consistency import check_goes_on
from registry.verify.log import ReadFile, VerifiedLog

MOST_NAMED = 5
"""How many members of an answer that differ are named."""

_OK = 200


_ByState: TypeAlias = dict[tuple[str, int], list[tuple[str, AnswerReceipt]]]
"""Receipts, with where each lies, by the register's address and the size of its log."""


class ReceiptReport(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt, in what it differs from the register of its entry, and what may explain that.

    Without `differences` the register of that day answers so. What is not judged has a `refusal`.
    """

    where: str
    receipt: AnswerReceipt | None = None
    refusal: RegistryError | None = None
    differences: Sequence[str] = ()
    remarks: Sequence[str] = ()


def verify_receipts(
    given: Sequence[tuple[str, bytes]],
    read: ReadFile,
    *,
    verify: VerifyLog,
    progress: Callable[[int, int | None], None],
) -> list[ReceiptReport]:
    """Verify receipts of one register, by where each lies, from a copy of its log.

    `read` gives the files of the copy, which `verify` verifies. Raises as that does, and
    `TwoHistories` for a checkpoint that the log signed and does not go on from. Refused are
    what is no whole receipt (`UnreadableDocument`) and what is later than the copy (`Unavailable`).
    """
    reports: list[ReceiptReport] = []
    receipts = []
    for where, content in given:
        try:
            receipts.append((where, _read(where, content)))
        except UnreadableDocument as error:
            reports.append(ReceiptReport(where=where, refusal=error))
    if not receipts:
        return reports
    with tempfile.TemporaryDirectory(prefix="receipts") as name:
        folder = Path(name)
        # As root the embedded server is another user, who has to enter it.
        folder.chmod(0o755)
        replay = AuditReplay()
        log = verify(Mirror(read, folder / "log"), replay)
        by_state: _ByState = defaultdict(list)
        for where, one in receipts:
            try:
                faults = _check_log(where, one, log, read)
            except Unavailable as error:
                reports.append(ReceiptReport(where=where, receipt=one, refusal=error))
                continue
            if faults:
                # Which state of the register is meant is not known: there is none to ask.
                reports.append(ReceiptReport(where=where, receipt=one, differences=faults))
                continue
            # What a later redaction erased is in no copy: then the whole log answers as of then.
            later = any(index >= one.size for index in replay.redactions)
            size = log.checkpoint.size if later else min(one.size, log.checkpoint.size)
            by_state[one.register, size].append((where, one))
        reports += uvloop.run(_ask_all(folder, log, replay, by_state, progress))
        places = [where for where, _ in given]
        return sorted(reports, key=lambda one: places.index(one.where))


async def _ask_all(
    folder: Path,
    log: VerifiedLog,
    replay: AuditReplay,
    by_state: _ByState,
    progress: Callable[[int, int | None], None],
) -> list[ReceiptReport]:
    reports = []
    for number, ((register, size), receipts) in enumerate(by_state.items()):
        own = folder / str(number)
        own.mkdir()
        (own / "log").symlink_to(folder / "log")
        facts = StatedFacts(base_url=register, pack=replay.read_configuration(size)[0])
        async with rebuilding(own, facts) as here:
            await here.fold(size, log, progress)
            async with here.serving():
                for where, receipt in receipts:
                    found = _release_differences(receipt, replay) + await _compare(here, receipt)
                    reports.append(
                        ReceiptReport(
                            where=where,
                            receipt=receipt,
                            differences=found,
                            remarks=_remarks(receipt, size, replay) if found else (),
                        )
                    )
    return reports


def _read(where: str, content: bytes) -> AnswerReceipt:
    """Return a receipt; a member that is unknown, or stands twice, could tell a reader another."""
    try:
        text = content.decode("utf-8-sig")
        receipt = msgspec.convert(STRICT_JSON.decode(text), AnswerReceipt)
        canonical_answer(receipt.media_type, receipt.answer)
        canonical(receipt.members())
        address = urlsplit(receipt.register)
        if address.scheme not in {"http", "https"} or not address.hostname:
            raise ValueError("register: it is no address of a register")  # noqa: TRY301  as below
    except json.JSONDecodeError as error:
        at = len(text[: error.pos].encode())
        raise UnreadableDocument(
            f"{where}: this is no whole receipt of an answer: not readable JSON from byte {at}; "
            "get it again"
        ) from error
    except (msgspec.ValidationError, ValueError, RecursionError) as error:
        raise UnreadableDocument(
            f"{where}: this is no whole receipt of an answer: {error}; keep the file as it "
            "came, or get it again"
        ) from error
    return receipt


def _check_log(where: str, receipt: AnswerReceipt, log: VerifiedLog, read: ReadFile) -> list[str]:
    """Return in what a receipt's statements about the log are wrong."""
    ours = log.checkpoint
    if receipt.origin != ours.origin:
        return [f"origin: the answer is of the log {receipt.origin}, and the copy of {ours.origin}"]
    try:
        note = receipt.checkpoint.encode()
        signed = log.keys.open(note).checkpoint
    except NoteRefused as error:
        return [f"checkpoint: it is not as the log signed it: {error}"]
    if signed.size > ours.size:
        raise Unavailable(
            f"{where}: the copy of the log ends after {ours.size:,} entries, and the answer is of "
            f"{signed.size:,}: take a later copy"
        )
    check_goes_on(log.note, log.keys.verifiers, read, [(where, note)])
    if receipt.size != signed.size:
        stated, own = f"{receipt.size:,}", f"{signed.size:,}"
        return [f"size: the file says {stated}, and its checkpoint, of another day, {own} entries"]
    if not 0 <= receipt.entry < signed.size:
        return [f"entry: the checkpoint is of a log that had no entry {receipt.entry} yet"]
    if receipt.root != base64_text.encode(log.root_at(receipt.entry + 1)):
        return [f"root: the log has another one with entry {receipt.entry} as its last"]
    return []


def _release_differences(receipt: AnswerReceipt, replay: AuditReplay) -> list[str]:
    # A release may answer shortly before the log has it, and after a later one is in it.
    known = replay.releases()
    if receipt.release in known:
        return []
    stated = f"the log states no release {receipt.release}, but {', '.join(known)}"
    return [f"release: {stated}: if it is a later one, take a later copy"]


async def _compare(here: RebuiltRegister, receipt: AnswerReceipt) -> list[str]:
    """Return in what a receipt differs from the one that the rebuilt register gives."""
    path, _, query = receipt.question.partition("?")
    if not KEPT.fullmatch(path):
        return [f"question: {path} is no address whose answers are kept"]
    answer = await here.ask(f"{path}?{query}&{PARAMETER}=1")
    if answer.status != _OK or answer.media_type != MEDIA_TYPE:
        detail = msgspec.json.decode(answer.content).get("detail")
        return [f"question: the register of that day does not take it: {detail}"]
    ours = msgspec.json.decode(answer.content, type=AnswerReceipt)
    members, computed = receipt.members(), ours.members()
    found = [
        f"{name}: the file says {stated}, and {own} follows from the log"
        for name in ("question", "entry", "at", "media_type", "mended")
        if (stated := members.get(name, "nothing")) != (own := computed.get(name, "nothing"))
    ]
    if receipt.media_type == ours.media_type:
        found += _answer_differences(receipt, ours)
    if not found and receipt.code != receipt.own_code():
        found.append(
            f"code: of this answer it is {receipt.own_code()}: the code was changed, or the file "
            "is of another register, release or question than the one that was kept"
        )
    return found


def _answer_differences(receipt: AnswerReceipt, ours: AnswerReceipt) -> list[str]:
    kept, computed = (canonical_answer(one.media_type, one.answer) for one in (receipt, ours))
    found: list[str] = []
    if kept != computed and isinstance(receipt.answer, dict) and isinstance(ours.answer, dict):
        names = sorted(receipt.answer.keys() | ours.answer.keys(), key=lambda name: name != "total")
        differing = (
            member_difference(receipt.answer.get(name, ABSENT), ours.answer.get(name, ABSENT), name)
            for name in names
        )
        said = [one for one in differing if one is not None][:MOST_NAMED]
        found = [f"answer: {one}" for one in said or [REWRITTEN]]
    elif kept != computed:
        found = [f"answer: {text_difference(kept, computed)}"]
    if receipt.digest != sha256(kept).hexdigest():
        found.append("digest: it is not that of the answer: one of both was changed afterwards")
    elif found:
        found.append(
            "digest: it is that of the answer: the question was changed, or both answer and "
            "digest, or the register answered what does not follow from its log"
        )
    return found


def _remarks(receipt: AnswerReceipt, size: int, replay: AuditReplay) -> list[str]:
    """Return what may explain a difference where nobody has changed anything."""
    found = []
    if receipt.release != __version__:
        found.append(
            f"release {receipt.release} answered, and this is {__version__}, which may answer "
            "otherwise: verify it with that release"
        )
    if size > receipt.size:
        found.append("parts of records were erased since, on a legal ground: no copy has them")
    if replay.imported:
        found.append(
            "of records of other registers the log has texts in part: a search for words of the "
            "rest cannot be repeated from it"
        )
    return found
