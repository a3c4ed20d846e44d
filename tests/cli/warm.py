"""A process that has imported the register, and runs each command in a fork of itself.

A command of its own process imports for half a second, and reads the country's pack and the format
for as long again; hundreds of tests run some. Each order is a line of JSON; its answer is the exit
code, its output is in files.
"""

import atexit
import datetime as dt
import gc
import json
import os
import pkgutil
import signal
import subprocess
import sys
import traceback
from importlib import import_module
from pathlib import Path

_SECONDS = 120
_RECORD = Path(__file__).parents[2] / "records/demo-sante/prevision-lits.json"


class WarmCommands:
    """The end of it that asks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(
        self, arguments: list[str], *, cwd: Path, environment: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run `registry` to its end; one that takes two minutes is ended by a signal."""
        out, err = self._folder / "out", self._folder / "err"
        order = {"arguments": arguments, "cwd": str(cwd), "environment": environment}
        files = {"out": str(out), "err": str(err)}
        self._process.stdin.write(json.dumps(order | files) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        said = [path.read_text(encoding="utf-8") for path in (out, err)]
        return subprocess.CompletedProcess(["registry", *arguments], code, *said)

    def close(self) -> None:
        self._process.communicate()


def _serve() -> None:
    import registry  # noqa: PLC0415

    for module in pkgutil.walk_packages(registry.__path__, "registry."):
        if module.name != "registry.store.guardian":
            import_module(module.name)
    _read_format()
    gc.freeze()  # what is there is never garbage: no collection of a fork looks at it
    for line in sys.stdin.buffer:
        if (child := os.fork()) == 0:
            _run(json.loads(line))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _read_format() -> None:
    """Make what a process makes of pack and format when it validates its first record."""
    validate = import_module("registry.record.validate").validate
    fast = import_module("registry.record.fast_validator").FastValidator()
    pack = import_module("registry.record.pack").load_pack("ma", None)
    document = json.loads(_RECORD.read_bytes())
    for profile in ("draft", "publication", "foreign"):
        validate(document, profile=profile, pack=pack, today=dt.date.today(), fast=fast)  # noqa: DTZ011


def _run(order: dict) -> None:
    signal.alarm(_SECONDS)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["cwd"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, path in ((1, order["out"]), (2, order["err"])):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115
        for number, mode in enumerate("rww")
    )
    sys.argv = ["registry", *order["arguments"]]
    code = 1
    try:
        import_module("registry.cli.main").main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  as the interpreter does
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
