"""Run the campaign: `python -m tests.outage [--only NAME]… [--rounds N] [--from REF]`."""

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from tests.outage.net import lacking
from tests.outage.scenarios import SCENARIOS, Campaign, Row


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _show(row: Row) -> None:
    cells = (_seconds(row.writes), _seconds(row.log), _seconds(row.leader), row.acknowledged)
    sys.stdout.write(f"{row.scenario:<28}" + "".join(f"{cell!s:>9}" for cell in cells))
    sys.stdout.write(f"  {row.note}\n" + "".join(f"  FAULT {fault}\n" for fault in row.faults))
    sys.stdout.flush()


def main() -> None:
    """Run the scenarios and print a line for each; exit 1 where one has a fault."""
    parser = argparse.ArgumentParser(prog="make outage")
    parser.add_argument("--only", action="append", choices=list(SCENARIOS))
    parser.add_argument("--rounds", type=int, default=10, help="failovers")
    parser.add_argument(
        "--from",
        dest="ref",
        default="HEAD",
        help="a commit to update from, with the same 0001_register.sql",
    )
    given = parser.parse_args()
    missing = lacking()
    if missing:
        sys.exit(f"make outage needs {', '.join(missing)}")
    folder = Path(tempfile.mkdtemp(prefix="outage-"))
    folder.chmod(0o755)
    campaign = Campaign(folder, rounds=given.rounds, ref=given.ref)
    campaign.tell = _show
    head = f"{'scenario':<28}{'writes':>9}{'log':>9}{'leader':>9}{'stored':>9}"
    sys.stdout.write(f"seconds until each is back, filings acknowledged\n{head}\n")
    for name in given.only or SCENARIOS:
        asyncio.run(campaign.run(name))
    is_whole = not any(row.faults for row in campaign.rows)
    if is_whole:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        sys.stdout.write(f"what the processes printed is in {folder}\n")
    sys.exit(not is_whole)


if __name__ == "__main__":
    main()
