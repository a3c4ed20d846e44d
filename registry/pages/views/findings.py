"""What validation noticed when a version was published, in the reader's language where it can be.

Findings are kept in English, as programs read them. Validating the document as of its day gives the
same ones in words for people; what only the register could notice, and what the rules of today no
longer find, stays as it was kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from registry.errors import Finding
from registry.log.register import StoredRecord
from registry.pages.reader import Reader, in_language
from registry.pages.site import Site


def findings_view(reader: Reader, record: StoredRecord, site: Site) -> list[dict[str, Any]]:
    """Return the findings kept with a version, errors first."""
    kept = record.register.noticed()
    told = _told(reader, record, site, kept) if kept else {}
    return [
        {
            "error": finding.severity == "error",
            "rule": finding.rule,
            "pointer": finding.pointer,
            "message": in_language(reader, said.message, said.lang),
        }
        for finding in sorted(kept, key=lambda finding: finding.severity != "error")
        for said in (told.get(finding, finding),)
    ]


def _told(
    reader: Reader, record: StoredRecord, site: Site, kept: Sequence[Finding]
) -> dict[Finding, Finding]:
    """Return the same finding in the reader's language for each that is found again."""
    found = site.findings(record.document, record.register.published_at.date())
    again = _by_place(found[reader.tag])
    return {
        finding: other
        for place, findings in _by_place(kept).items()
        if len(findings) == len(again.get(place, ()))
        for finding, other in zip(findings, again[place], strict=True)
    }


def _by_place(findings: Iterable[Finding]) -> dict[tuple[str, str], list[Finding]]:
    found: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        found.setdefault((finding.pointer, finding.rule), []).append(finding)
    return found
