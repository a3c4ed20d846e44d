"""`registry validate`: what would be noticed if these files were filed."""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec
import rich_click as click
from rich.console import Console
from rich.text import Text

from registry.errors import Finding, PayloadTooLarge, UnreadableDocument
from registry.record.fast_validator import FastValidator
from registry.record.model import Profile
from registry.record.pack import load_pack
from registry.record.parse import MAX_BYTES, parse
from registry.record.validate import Verdict
from registry.record.validate import validate as verdict_on
from registry.settings import from_environment
from registry.text.catalogues import SOURCE
from registry.text.text_safety import visible

UNREADABLE = "json"
"""The rule of the finding that stands for a file that cannot be read at all."""

_STYLES = {"error": "bold red", "warning": "yellow"}


class FileReport(msgspec.Struct, frozen=True, kw_only=True):
    """What validation says about one file."""

    file: str
    publishable: bool
    completeness: int
    findings: tuple[Finding, ...]
    findings_total: int

    @property
    def errors(self) -> int:
        """How many findings stand in the way."""
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
def validate(
    files: tuple[Path, ...],
    profile: Profile,
    style: Literal["text", "json"],
    lang: str,
    pack_code: str | None,
) -> None:
    """Check records against the format and the publication rules.

    A folder stands for every .json file below it. Exit status: 0 when nothing stands in the way
    of the profile, 1 when some finding is an error or a file cannot be read, 2 for wrong use.
    """
    settings = from_environment(os.environ)
    fast = FastValidator(enabled=settings.accept_path == "on")
    pack = load_pack(pack_code or settings.pack)
    if lang not in (*pack.languages, SOURCE):
        raise click.UsageError(
            f"--lang {lang}: the register speaks {', '.join(pack.languages)} and {SOURCE}"
        )
    today = dt.datetime.now(dt.UTC).date()

    def check(document: object) -> Verdict:
        return verdict_on(
            document, profile=profile, pack=pack, today=today, language=lang, fast=fast
        )

    reports = (_report(path, check) for path in _expanded(files))
    failed = _print_json(reports) if style == "json" else _print_text(reports)
    if failed:
        sys.exit(1)


def _expanded(files: Iterable[Path]) -> Iterator[Path]:
    for path in files:
        if not path.is_dir():
            yield path
            continue
        found = sorted(path.rglob("*.json"))
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
    return FileReport(
        file=str(path),
        publishable=verdict.publishable,
        completeness=verdict.completeness,
        findings=verdict.findings,
        findings_total=verdict.findings_total,
    )


def _unreadable(path: Path, sentence: str) -> FileReport:
    finding = Finding(pointer="", rule=UNREADABLE, severity="error", message=sentence)
    return FileReport(
        file=str(path), publishable=False, completeness=0, findings=(finding,), findings_total=1
    )


def _print_json(reports: Iterable[FileReport]) -> bool:
    done = list(reports)
    text = msgspec.json.format(msgspec.json.encode(done), indent=2)
    click.echo(text.decode())
    for report in done:
        for finding in report.findings:
            if finding.rule == UNREADABLE:
                click.echo(f"{report.file}: {finding.message}", err=True)
    return any(report.errors for report in done)


def _print_text(reports: Iterable[FileReport]) -> bool:
    told = Console(stderr=True, highlight=False, soft_wrap=True)
    failed = False
    for report in reports:
        failed = failed or report.errors > 0
        for finding in report.findings:
            told.print(_line(report.file, finding))
        click.echo(_summary(report))
    return failed


def _line(file: str, finding: Finding) -> Text:
    return Text.assemble(
        (f"{file}: ", "dim"),
        (visible(finding.pointer or "/"), "bold"),
        f" [{finding.rule}] ",
        (finding.severity, _STYLES[finding.severity]),
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
