"""Run a campaign: `python -m tests.crash --rounds 100 --seed 7`."""

import argparse
import asyncio
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from tests.crash.asking import Violation
from tests.crash.campaign import BrokenWord, campaign
from tests.crash.publishing import log_campaign

PUBLISHER_ROUNDS = 10
FLIPS = 100
"""For each round."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, help="repeats the choices of a campaign")
    asked = parser.parse_args()
    seed = secrets.randbelow(10**6) if asked.seed is None else asked.seed
    # A short path: the embedded server's socket lies in it.
    data = Path(tempfile.mkdtemp(prefix="crash"))
    data.chmod(0o755)
    _told(f"{asked.rounds} rounds in {data}, SEED={seed}")
    try:
        summary = asyncio.run(campaign(data, rounds=asked.rounds, seed=seed, told=_told))
        flips, faults = FLIPS * asked.rounds, PUBLISHER_ROUNDS * asked.rounds
        _told(f"{flips} flipped bits, {faults} faults of the log's publisher")
        of_log = data / "log-campaign"
        of_log.mkdir(mode=0o755)
        ended = asyncio.run(log_campaign(of_log, rounds=faults, flips=flips, seed=seed))
    except (BrokenWord, Violation) as broken:
        _told(
            f"\nThe register broke its word. {broken}\n"
            f"Its folder is kept: {data}. To repeat: make crash ROUNDS={asked.rounds} SEED={seed}"
        )
        return 1
    shutil.rmtree(data)
    answers = ", ".join(f"{count} {what}" for what, count in sorted(summary.answers.items()))
    _told(
        "\nNothing that was acknowledged is lost, doubled or half-written.\n"
        f"{sum(summary.deaths.values())} deaths and {summary.restarts} restarts in "
        f"{summary.seconds:.0f} seconds; answers: {answers}\n"
        f"{summary.acknowledged} receipts for {summary.entries} log entries, of which "
        f"{summary.versions} versions; {summary.drafts} drafts\n"
        f"{summary.rotations} changes of the log's key begun, {len(summary.keys)} acknowledged\n"
        f"Every flipped bit was named; the publisher's ends: {dict(sorted(ended.items()))}"
    )
    return 0


def _told(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
