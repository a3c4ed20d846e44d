"""Run every comparison and write `results.md`."""

import os
import platform
import sys
from pathlib import Path

from tests.bench import filing, http, ingest, known_items, log, search, site, validation
from tests.bench.measure import Comparison

BENCHES = (validation, ingest, filing, http, log, search, known_items, site)
SHARES = (0.5, 0.95, 0.99)
RESULTS = Path(__file__).with_name("results.md")


def main() -> None:
    """Run all, or those that are named; only a whole run is written down."""
    asked = sys.argv[1:]
    notes = [""]
    lines = [
        "# Results of `make bench`",
        "",
        (
            f"Python {platform.python_version()}, {os.cpu_count()} cores. Absolute figures drift "
            "with the machine; the ratios of one run are what counts."
        ),
        "",
        "| comparison | ours | beside | ratio | ours: median | p95 | p99 |",
        "|---|---|---|---|---|---|---|",
    ]
    for bench in BENCHES:
        if asked and bench.__name__.rpartition(".")[2] not in asked:
            continue
        for told in bench.run():
            line = row(told) if isinstance(told, Comparison) else told
            sys.stdout.write(line + "\n")
            if isinstance(told, Comparison):
                lines.append(line)
            else:
                notes.append(f"- {line}")
    if not asked:
        RESULTS.write_text("\n".join([*lines, *notes]) + "\n", encoding="utf-8")


def row(one: Comparison) -> str:
    ratio = one.ours.per_second / one.beside.per_second
    return (
        f"| {one.name} | {one.ours.per_second:,.0f} {one.unit}/s "
        f"| {one.beside_name}: {one.beside.per_second:,.0f} {one.unit}/s | {ratio:.2f} "
        f"| {' | '.join(f'{one.ours.quantile(share) * 1e3:.2f} ms' for share in SHARES)} |"
    )


if __name__ == "__main__":
    main()
