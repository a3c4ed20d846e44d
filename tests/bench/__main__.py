"""Run every bench, or those that are named, and write `results.md`."""

import os
import platform
import sys
from importlib import import_module
from pathlib import Path

BENCHES = (
    "http",
    "validation",
    "filing",
    "importing",
    "site",
    "console",
    "firstpage",
    "commands",
    "log",
    "harvest",
    "search",
)
RESULTS = Path(__file__).with_name("results.md")


def main() -> None:
    """Print each row as soon as it is there; only a whole run is written down."""
    asked = sys.argv[1:] or BENCHES
    lines = [
        "# Results of `make bench`",
        "",
        (
            f"Python {platform.python_version()}, {os.cpu_count()} cores. Absolute figures drift "
            "with the machine; a ratio is of what was measured in turn in one run."
        ),
        "",
        "| what | figure | target | holds | measured beside |",
        "|---|---|---|---|---|",
    ]
    for name in asked:
        for row in import_module(f"tests.bench.{name}").run():
            lines.append(row.line())
            sys.stdout.write(row.line() + "\n")
            sys.stdout.flush()
    if asked is BENCHES:
        RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
