"""`registry audit`: compare what a register answers with what follows from its log."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import rich_click as click

from registry.audit.audit import MAX_AGE, AuditReport, audit_register
from registry.cli.evidence import (
    kept_option,
    log_verifier,
    memory_option,
    open_memory,
    policy_options,
    read_kept_files,
    verifier_option,
)
from registry.cli.output import print_message, progress_bar, write_json
from registry.tlog.keys import Verifier
from registry.tlog.policy import Policy

_EXITS = {"in order": 0, "partly compared": 4}


@click.command()
@click.argument("address", metavar="ADDRESS")
@verifier_option
@policy_options
@kept_option
@memory_option
@click.option(
    "--share",
    type=click.FloatRange(0, 1),
    help="The part of its answers that is compared, 0 to 1. Default: all of a register of some "
    "hundred records, less of a larger one; what was not asked for is said.",
)
@click.option(
    "--seed", type=int, help="Draw the same questions as an audit that printed this number."
)
@click.option(
    "--without-pages",
    is_flag=True,
    help="Compare no pages, as of a register that runs another release; exits with 4 then.",
)
@click.option(
    "--max-age",
    type=click.FloatRange(min=0),
    default=MAX_AGE / dt.timedelta(days=1),
    show_default=True,
    help="The days ago that the site may be built, and a witness of --policy may have signed.",
)
@click.option("--json", "as_json", is_flag=True, help="Write the verdict to stdout as JSON.")
def audit(
    address: str,
    key: Verifier | None,
    policy: Policy,
    kept: tuple[Path, ...],
    *,
    no_memory: bool,
    share: float | None,
    seed: int | None,
    without_pages: bool,
    max_age: float,
    as_json: bool,
) -> None:
    """Compare what a register answers with what its log says; anybody can, from anywhere.

    ADDRESS is that of the register, or of its log. The whole log is verified, and a register is
    rebuilt from it here, in a temporary folder, with a database and a site; then both are asked the
    same, and must answer the same. The log must also go on from every note that was kept of it, and
    from what this user has seen of it before. Exits with 1 where anything differs, and names the
    first that does; with 4 where pages were left out.

    Example: registry audit https://algorithms.example.org/ --key log.example+1234abcd+AQ…
    """
    notes, memory = read_kept_files(kept), open_memory(no_memory=no_memory)
    with progress_bar("Auditing") as progress:
        verify = log_verifier(key, policy, notes, memory, progress)
        report = audit_register(
            address,
            verify=verify,
            progress=progress,
            share=share,
            seed=seed,
            without_pages=without_pages,
            max_age=dt.timedelta(days=max_age),
        )
    if as_json:
        write_json(report)
    else:
        print_audit(report, given=key is not None or bool(policy.logs))
    sys.exit(_EXITS.get(report.verdict, 1))


def print_audit(report: AuditReport, *, given: bool) -> None:
    """Print what an audit found; `given` is whether a key or a policy of the log was named."""
    if report.refused is not None:
        for line in f"{report.address}: its log is refused: {report.refused}".splitlines():
            print_message(line)
        return
    for one in report.differences:
        print_message(f"{one.at}: {one.why}")
    further = report.differences_total - len(report.differences)
    if further:
        print_message(f"and {further} further differences")
    counted = ", ".join(f"{count} {what}" for what, count in report.checked.items())
    print_message(f"compared: {counted}")
    for sentence in report.not_covered:
        print_message(f"not covered: {sentence}")
    log = f"the log of {report.origin}, {report.size} entries, root {report.root}"
    if report.differences_total:
        print_message(f"{report.differences_total} answers are not what follows from {log}")
    else:
        print_message(f"{report.verdict}: {report.address} answers what follows from {log}")
    site, cosigned = (
        "none" if day is None else f"{day:%Y-%m-%d %H:%M}"
        for day in (report.built_as_of, report.last_cosigned_at)
    )
    print_message(
        f"as of: site {site}, last entry {report.last_entry_at}, last signature of a witness of "
        f"--policy {cosigned}; --seed {report.seed} asks the same"
    )
    print_message(f"signed by {report.signed_by}")
    if not given:
        print_message(
            "This key is the one that the log names itself; compare it with one from elsewhere."
        )
