"""Run every comparison and write `results.md`."""

import os
import platform
import sys
from pathlib import Path

from tests.bench import ingest, site_build, validation
from tests.bench.measure import Comparison

BENCHES = (validation, ingest, site_build)
RESULTS = Path(__file__).with_name("results.md")


def main() -> None:
    lines = [
        "# Results of `make bench`",
        "",
        (
            f"Python {platform.python_version()}, {os.cpu_count()} cores. Absolute figures drift "
            "with the machine; the ratios of one run are what counts."
        ),
        "",
        "| comparison | ours | beside | ratio | ours: median | p99 |",
        "|---|---|---|---|---|---|",
    ]
    for bench in BENCHES:
        for comparison in bench.run():
            line = row(comparison)
            sys.stdout.write(line + "\n")
            lines.append(line)
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def row(one: Comparison) -> str:
    ratio = one.ours.per_second / one.beside.per_second
    return (
        f"| {one.name} | {one.ours.per_second:,.0f} {one.unit}/s "
        f"| {one.beside_name}: {one.beside.per_second:,.0f} {one.unit}/s | {ratio:.2f} "
        f"| {one.ours.quantile(0.5) * 1e3:.2f} ms | {one.ours.quantile(0.99) * 1e3:.2f} ms |"
    )


if __name__ == "__main__":
    main()
