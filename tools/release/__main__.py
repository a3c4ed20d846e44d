"""`python -m tools.release`: make what a release is made of, from the commit at hand."""

from __future__ import annotations

import argparse
import datetime as dt
import shutil
import sys
from pathlib import Path

from tools.release.components import make_bom, make_licence_rows
from tools.release.provenance import make_statement
from tools.release.wheels import (
    ROOT,
    build_wheel,
    build_wheelhouse,
    committed,
    read_commit_time,
    run,
    write_sums,
)

LICENCES = Path("docs/security/licences.md")


def main() -> None:
    """Run the tool."""
    parser = argparse.ArgumentParser(prog="python -m tools.release", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="where to write")
    parser.add_argument(
        "--python", action="append", help="wheelhouse: an interpreter like the target's"
    )
    verbs = ("wheel", "wheelhouse", "sbom", "licences", "all")
    parser.add_argument("verb", choices=verbs, help="what to make; all: a release, in a folder")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    if given.verb == "licences":
        write_licences()
        return
    with committed() as tree:
        at = dt.datetime.fromtimestamp(read_commit_time(tree), dt.UTC)
        if given.verb == "wheel":
            made = build_wheel(tree, given.out)
        elif given.verb == "wheelhouse":
            made = build_wheelhouse(tree, given.out, given.python or [sys.executable])
        elif given.verb == "sbom":
            made = given.out / "sbom.cdx.json"
            made.write_text(make_bom(tree, at=at), encoding="utf-8")
        else:
            made = make_release(tree, given.out / "release", at=at)
    sys.stdout.write(f"{made}\n")


def make_release(tree: Path, folder: Path, *, at: dt.datetime) -> Path:
    """Write wheel, source, components, provenance and sums into a new folder; return it."""
    shutil.rmtree(folder, ignore_errors=True)
    wheel = build_wheel(tree, folder)
    stem = wheel.name.split("-py3")[0]
    source = folder / f"{stem}.tar"
    source.write_bytes(run("git", "-C", tree, "archive", f"--prefix={stem}/", "HEAD"))
    bom = folder / f"{stem}.cdx.json"
    bom.write_text(make_bom(tree, at=at), encoding="utf-8")
    revision = run("git", "-C", tree, "rev-parse", "HEAD").decode().strip()
    statement = make_statement([wheel, source, bom], tree=tree, revision=revision, at=at)
    (folder / f"{stem}.provenance.json").write_bytes(statement)
    write_sums(folder)
    return folder


def write_licences() -> None:
    """Write the table of the licences page anew."""
    page = ROOT / LICENCES
    text = page.read_text(encoding="utf-8")
    head, rule, _ = text.partition("|---|---|\n")
    page.write_text(head + rule + make_licence_rows(ROOT), encoding="utf-8")


if __name__ == "__main__":
    main()
