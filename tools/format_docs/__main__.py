"""Run the generator: `python -m tools.format_docs`, `--check` to compare only."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.format_docs.pages import HAND_WRITTEN, format_pages

FOLDER = Path("docs/record-format")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the pages, or compare them; return the exit code.

    Pages that the schema no longer has are removed; those written by hand stay.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.format_docs", description=__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER, help=f"default: {FOLDER}")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if a page would change"
    )
    given = parser.parse_args(arguments)
    out: Path = given.out
    wanted = format_pages()
    present = {
        path.relative_to(out).as_posix(): path.read_text(encoding="utf-8")
        for path in out.glob("*/*.md")
        if path.stem not in HAND_WRITTEN
    }
    stale = sorted(name for name in {*wanted, *present} if wanted.get(name) != present.get(name))
    for name in stale:
        if given.check:
            sys.stderr.write(f"{out / name} is stale; run: python -m tools.format_docs\n")
        elif name in wanted:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_text(wanted[name], encoding="utf-8")
        else:
            (out / name).unlink()
    sys.stderr.write(f"{len(wanted)} pages, {len(stale)} of them changed\n")
    return 1 if given.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
