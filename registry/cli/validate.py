"""`registry validate`: the findings of files, as if they were filed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import rich_click as click
from rich.console import Console
from rich.text import Text

from registry.cli.command_options import Style
from registry.cli.output import print_message, progress_bar, write_json
from registry.cli.runtime import pass_settings
from registry.clock import utc_now
from registry.errors import Finding, PayloadTooLarge, UnreadableDocument
from registry.record.fast_validator import FastValidator
from registry.record.model import Profile
from registry.record.pack import load_pack
from registry.record.parse import MAX_BYTES, parse
from registry.record.validate import Verdict
from registry.record.validate import validate as validate_document
from registry.settings import Settings
from registry.structs import copy_as
from registry.text.catalogues import SOURCE
from registry.text.text_safety import visible

UNREADABLE = "json"
"""The rule of the finding for a file that cannot be read."""

_LATER = "upcoming"
_STYLES = {"error": "bold red", "warning": "yellow", _LATER: "cyan"}


class FileReport(msgspec.Struct, frozen=True, kw_only=True):
    """The findings of one file."""

    file: str
    publishable: bool
    completeness: int
    findings: tuple[Finding, ...]
    findings_total: int
    upcoming: tuple[Finding, ...] = ()

    @property
    def errors(self) -> int:
        """The number of findings that are errors."""
        return sum(finding.severity == "error" for finding in self.findings)


@click.command(
    epilog="Example: registry validate records/ --profile publication --format json",
)
@click.argument(
    "files",
    metavar="FILE…",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
)
@click.option(
    "--profile",
    type=click.Choice(["draft", "publication", "foreign"]),
    default="publication",
    show_default=True,
    help="How strictly to read: a draft, for publication, or a record of another register.",
)
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Sentences for people (findings on stderr), or one JSON array on stdout.",
)
@click.option(
    "--lang",
    default="en",
    show_default=True,
    metavar="LANG",
    help="The language of the findings, one of the country pack's or en.",
)
@click.option("--pack", "pack_code", metavar="PACK", help="The country pack [REGISTRY_PACK].")
@pass_settings
def validate(
    settings: Settings,
    /,
    *,
    files: tuple[Path, ...],
    profile: Profile,
    style: Style,
    lang: str,
    pack_code: str | None,
) -> None:
    """Check records against the format and the publication rules.

    A folder stands for every .json file below it. Exit status: 0 when nothing stands in the way
    of the profile, 1 when some finding is an error or a file cannot be read, 2 for wrong use.
    """
    fast = FastValidator(enabled=settings.accept_path == "on")
    pack = load_pack(pack_code or settings.pack, settings.packs)
    if lang not in (*pack.languages, SOURCE):
        raise click.UsageError(
            f"--lang {lang}: the register speaks {', '.join(pack.languages)} and {SOURCE}"
        )
    today = pack.day(utc_now())

    def check(document: object) -> Verdict:
        return validate_document(
            document, profile=profile, pack=pack, today=today, language=lang, fast=fast
        )

    reports: list[FileReport] = []
    with progress_bar("Validating") as progress:
        paths = list(_expanded(files, progress))
        for path in paths:
            reports.append(_report(path, check))
            progress(len(reports), len(paths))
    if style == "json":
        write_json(reports)
        for report in reports:
            for finding in report.findings:
                if finding.rule == UNREADABLE:
                    print_message(f"{report.file}: {finding.message}")
    else:
        _print_text(reports)
    if any(report.errors for report in reports):
        sys.exit(1)


def _expanded(files: Iterable[Path], progress: Callable[[int, int | None], None]) -> Iterator[Path]:
    """Yield files, and those in folders; `progress` is told how many were found in one."""
    for path in files:
        if not path.is_dir():
            yield path
            continue
        found = []
        for file in path.rglob("*.json"):
            found.append(file)
            progress(0, len(found))
        found.sort()
        if not found:
            raise click.UsageError(f"the folder {path} holds no .json file")
        yield from found


def _report(path: Path, check: Callable[[object], Verdict]) -> FileReport:
    try:
        with path.open("rb") as file:
            document = parse(file.read(MAX_BYTES + 1))
    except (UnreadableDocument, PayloadTooLarge) as error:
        return _unreadable(path, error.detail)
    except OSError as error:
        return _unreadable(path, f"the file cannot be opened: {error.strerror}")
    verdict = check(document)
    return copy_as(FileReport, verdict, file=str(path))


def _unreadable(path: Path, sentence: str) -> FileReport:
    finding = Finding(pointer="", rule=UNREADABLE, severity="error", message=sentence)
    return FileReport(
        file=str(path), publishable=False, completeness=0, findings=(finding,), findings_total=1
    )


def _print_text(reports: Sequence[FileReport]) -> None:
    stderr = Console(stderr=True, highlight=False, soft_wrap=True)
    for report in reports:
        for finding in report.findings:
            stderr.print(_line(report.file, finding))
        for finding in report.upcoming:
            stderr.print(_line(report.file, finding, severity=_LATER))
        click.echo(_summary(report))


def _line(file: str, finding: Finding, severity: str = "") -> Text:
    severity = severity or finding.severity
    return Text.assemble(
        (f"{file}: ", "dim"),
        (visible(finding.pointer or "/"), "bold"),
        f" [{finding.rule}] ",
        (severity, _STYLES[severity]),
        f": {visible(finding.message)}",
    )


def _summary(report: FileReport) -> str:
    warnings = len(report.findings) - report.errors
    verdict = "publishable" if report.publishable else "not publishable"
    shown = len(report.findings)
    cut = f"; these are {shown} of {report.findings_total}" if shown < report.findings_total else ""
    return (
        f"{report.file}: {verdict}, completeness {report.completeness}, "
        f"{_count(report.errors, 'error')}, {_count(warnings, 'warning')}{cut}"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
