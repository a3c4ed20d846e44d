"""`registry audit`: compare what a register answers with what follows from its log."""

from __future__ import annotations

import sys
from pathlib import Path

import rich_click as click

from registry.audit.audit import AuditReport, audit_register
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
@click.option("--json", "as_json", is_flag=True, help="Write the verdict to stdout as JSON.")
def audit(
    address: str,
    key: Verifier | None,
    policy: Policy,
    kept: tuple[Path, ...],
    *,
    no_memory: bool,
    share: float | None,
    as_json: bool,
) -> None:
    """Compare what a register answers with what its log says; anybody can, from anywhere.

    ADDRESS is that of the register, or of its log. The whole log is verified, and a register is
    rebuilt from it here, in a temporary folder, with a database and a site; then both are asked the
    same, and must answer the same. The log must also go on from every note that was kept of it, and
    from what this user has seen of it before. Exits with 1 where anything differs, and names the
    first that does.

    Example: registry audit https://algorithms.example.org/ --key log.example+1234abcd+AQ…
    """
    notes, memory = read_kept_files(kept), open_memory(no_memory=no_memory)
    with progress_bar("Auditing") as progress:
        verify = log_verifier(key, policy, notes, memory, progress)
        report = audit_register(address, verify=verify, progress=progress, share=share)
    if as_json:
        write_json(report)
    else:
        print_audit(report, given=key is not None or bool(policy.logs))
    if report.verdict != "in order":
        sys.exit(1)


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
        print_message(f"in order: {report.address} answers what follows from {log}")
    print_message(f"signed by {report.signed_by}")
    if not given:
        print_message(
            "This key is the one that the log names itself; compare it with one from elsewhere."
        )
