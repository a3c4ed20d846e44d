"""`python -m tools.pin`: record a checkout, open an old register with it, compare recordings."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tools.pin.asking import Asker
from tools.pin.commands import run_all
from tools.pin.compare import compare, read_wanted
from tools.pin.files import record_log, record_site
from tools.pin.reads import ask_all
from tools.pin.recording import Part
from tools.pin.register import Register
from tools.pin.writes import ROOT, make_register

_READ = ("answers", "log", "site", "commands")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool; return its exit code."""
    given = _parser().parse_args(arguments)
    if given.verb == "compare":
        wanted = read_wanted(given.wanted) if given.wanted else []
        return 1 if compare(given.one, given.other, wanted, sys.stdout) else 0
    if given.verb == "record" and not given.data.is_dir():
        sys.exit(f"{given.data}: no such folder; say with --data where the two inventories are")
    checkout = given.checkout.resolve()
    command = (given.registry or checkout / ".venv/bin/registry").absolute()
    given.out.mkdir(parents=True, exist_ok=True)
    with _folder() as folder:
        if given.verb == "record":
            register = Register(folder, command=command, checkout=checkout)
            with Part(given.out, "writes") as part:
                make_register(register, part, given.data, rows=given.rows)
                _run(register, part, "site", "build")
            if given.keep:
                _tar("-cf", given.keep, "-C", folder, ".")
        else:
            _tar("-xf", given.kept, "-C", folder)
            register = Register(folder, command=command, checkout=checkout)
            with Part(given.out, "upgrade") as part:
                _run(register, part, "log", "verify")
                _run(register, part, "site", "build")
        _read(register, given.out, given.only or _READ)
    return 0


def _run(register: Register, part: Part, *arguments: str) -> None:
    """Run a command that must not fail, and write down its answer."""
    result = register.run(*arguments)
    part.add(f"registry {' '.join(arguments)}", register.tell(result))
    if result.returncode:
        sys.exit(f"registry {' '.join(arguments)}: {result.stderr}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.pin", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    record = verbs.add_parser("record", help="record everything that a checkout shows")
    upgrade = verbs.add_parser("upgrade", help="record what it shows of a register that was kept")
    upgrade.add_argument("kept", type=Path, metavar="KEPT.tar.zst")
    for verb in (record, upgrade):
        verb.add_argument("out", type=Path, metavar="OUT")
        verb.add_argument("--checkout", type=Path, default=ROOT, metavar="DIR")
        verb.add_argument("--only", action="append", choices=_READ, help="repeat it for more")
        verb.add_argument("--registry", type=Path, help="default: DIR/.venv/bin/registry")
    record.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    record.add_argument("--rows", type=int, help="import only so many rows of each inventory")
    record.add_argument("--keep", type=Path, metavar="KEPT.tar.zst", help="keep the register too")
    comparing = verbs.add_parser("compare", help="say how two recordings differ")
    comparing.add_argument("one", type=Path, metavar="A")
    comparing.add_argument("other", type=Path, metavar="B")
    comparing.add_argument("--wanted", type=Path, metavar="FILE", help="differences to leave out")
    return parser


@contextmanager
def _folder() -> Iterator[Path]:
    """Make a folder with a short path that PostgreSQL's user may enter."""
    with tempfile.TemporaryDirectory(prefix="pin") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def _tar(*arguments: object) -> None:
    subprocess.run(["tar", "--zstd", *map(str, arguments)], check=True)


def _read(register: Register, out: Path, only: Sequence[str]) -> None:
    """Record what a register shows that is filled, with its site built."""
    if "answers" in only:
        with Part(out, "answers") as part:
            with register.serve() as client:
                ask_all(Asker(client, part, register.tokens()), client)
            part.add("the server's log", register.server_log())
    if "log" in only:
        with Part(out, "log") as part:
            record_log(register.data, part)
    if "site" in only:
        with (
            Part(out, "site-digests") as digests,
            Part(out, "site-texts") as texts,
            Part(out, "site-sources") as sources,
        ):
            record_site(register.data, digests, texts, sources)
    if "commands" in only:
        with Part(out, "commands") as part:
            run_all(register, part)


if __name__ == "__main__":
    sys.exit(main())
