"""The audit of a register by its address: its log verified, then everything else compared with it.

It runs on a stranger's machine, with no database, and gives one verdict. A difference counts once
it is found twice, the second time by the log as it is then: a register that is used meanwhile
answers from one moment to the next by another state.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, TypeAlias

import msgspec

from registry.log.files import CHECKPOINT, LogRefused
from registry.log.register import RegisterReplay
from registry.log.replay import LogReplay
from registry.pages.audit_exports import ExportAudit
from registry.pages.audit_pages import PageAudit
from registry.tlog import base64_text
from registry.verify.audit import AnswerDifference, ApiAudit
from registry.verify.log import ReadFile, VerifiedLog
from registry.verify.remote_register import RemoteRegister, read_facts, reader

VerifyLog: TypeAlias = Callable[[ReadFile, LogReplay], VerifiedLog]
"""Verifies a log by its files, and has a replay take its entries. Raises `LogRefused`."""

AuditVerdict: TypeAlias = Literal["in order", "differs", "log refused"]

MOST_NAMED = 20
"""How many differences a report names; all are counted."""

_NOT_COVERED = {
    "names": "names of {} agencies, of which the log does not say anything yet",
}
_LOG = "/log"
_OK = 200
_PAUSE = 2.0


class AuditReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit found: of which log, what was compared, the first differences, and how many.

    `not_covered` are sentences on what the log does not bind. Where the log itself is refused,
    nothing else was compared, and `refused` says why.
    """

    verdict: AuditVerdict
    address: str
    origin: str | None = None
    size: int | None = None
    root: str | None = None
    signed_by: str | None = None
    checked: dict[str, int] = {}
    differences: Sequence[AnswerDifference] = ()
    differences_total: int = 0
    not_covered: Sequence[str] = ()
    refused: str | None = None


def audit_register(
    address: str,
    *,
    verify: VerifyLog,
    progress: Callable[[int, int | None], None],
    sleep: Callable[[float], None] = time.sleep,
) -> AuditReport:
    """Audit a register at the address of its pages, or of its log, which `verify` verifies.

    Raises `Unavailable` where it cannot be reached, and `ConfigurationError` for what is no
    address.
    """
    with RemoteRegister(_base(address), sleep=sleep) as remote:
        report, differences = _audit(remote, verify, progress)
        if differences:
            sleep(_PAUSE)
            seen = {one.at for one in differences}
            report, differences = _audit(remote, verify, progress)
            differences = [one for one in differences if one.at in seen]
    return msgspec.structs.replace(
        report,
        verdict="differs" if differences else report.verdict,
        differences=differences[:MOST_NAMED],
        differences_total=len(differences),
    )


def _base(address: str) -> str:
    """Return the address of a register, of which that of its log may have been given."""
    plain = address.rstrip("/")
    if not plain.endswith(_LOG):
        return plain
    with RemoteRegister(plain) as remote:
        is_log = remote.get(f"/{CHECKPOINT}").status == _OK
    return plain.removesuffix(_LOG) if is_log else plain


def _audit(
    remote: RemoteRegister,
    verify: VerifyLog,
    progress: Callable[[int, int | None], None],
) -> tuple[AuditReport, list[AnswerDifference]]:
    replay = RegisterReplay()
    try:
        with reader(remote.url + _LOG) as read:
            found = verify(read, replay)
    except LogRefused as error:
        return AuditReport(verdict="log refused", address=remote.url, refused=error.detail), []
    api = ApiAudit(remote, replay)
    facts = read_facts(remote)
    pages = PageAudit(remote, replay, api, facts)
    exports = ExportAudit(remote, replay, api, facts)
    differences = []

    def found_in() -> Iterator[AnswerDifference]:
        yield from api.differences()
        yield from pages.differences()
        yield from exports.differences([*pages.site.editions.values()] if pages.site else [])

    for one in found_in():
        progress(api.checked.total() + pages.checked.total() + exports.checked.total(), None)
        differences.append(one)
    return _report(remote, found, api, pages, exports), differences


def _report(
    remote: RemoteRegister,
    found: VerifiedLog,
    api: ApiAudit,
    pages: PageAudit,
    exports: ExportAudit,
) -> AuditReport:
    checkpoint = found.checkpoint
    return AuditReport(
        verdict="in order",
        address=remote.url,
        origin=checkpoint.origin,
        size=checkpoint.size,
        root=base64_text.encode(checkpoint.root),
        signed_by=found.keys.last.to_text(),
        checked=dict(sorted((api.checked + pages.checked + exports.checked).items())),
        not_covered=[
            sentence.format(api.unbound[what])
            for what, sentence in _NOT_COVERED.items()
            if api.unbound[what]
        ]
        + pages.not_covered
        + exports.not_covered,
    )
