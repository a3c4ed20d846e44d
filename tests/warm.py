"""A process that has imported the register, and runs each command in a fork of itself.

A command of its own process imports for half a second, and reads the country's pack and the format
for as long again; hundreds of tests run some. Whoever asks connects to a socket, passes the three
streams, and sends an order as JSON; the answer is the exit code.
"""

import atexit
import datetime as dt
import gc
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]
_SECONDS = 600
_RECORD = ROOT / "records/demo-sante/prevision-lits.json"
_COMMAND = """#!{python} -IS
import json, os, socket, sys
line = socket.socket(socket.AF_UNIX)
line.connect({address!r})
socket.send_fds(line, [b"."], [0, 1, 2])
order = {{"arguments": sys.argv[1:], "cwd": os.getcwd(), "environment": dict(os.environ)}}
line.sendall(json.dumps(order).encode())
line.shutdown(socket.SHUT_WR)
sys.exit(int(line.recv(8) or 1))
"""


class WarmCommands:
    """The end of it that asks.

    `folder` holds the command `registry`, for shells that have it first in their PATH.
    """

    def __init__(self) -> None:
        self._made = tempfile.TemporaryDirectory()  # its path is short: the socket lies in it
        self.folder = Path(self._made.name)
        self._address = str(self.folder / "socket")
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(self._address)
        self._listening.listen()
        number = self._listening.fileno()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm", str(number)],
            cwd=ROOT,
            stdin=subprocess.PIPE,  # it ends with this process
            pass_fds=[number],
        )
        command = self.folder / "registry"
        command.write_text(_COMMAND.format(python=sys.executable, address=self._address))
        command.chmod(0o755)

    def run(
        self, arguments: list[str], *, cwd: Path, environment: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run `registry` to its end; one that takes ten minutes is ended by a signal."""
        order = {"arguments": arguments, "cwd": str(cwd), "environment": environment}
        with (
            Path(os.devnull).open("rb") as nothing,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            socket.socket(socket.AF_UNIX) as line,
        ):
            line.connect(self._address)
            socket.send_fds(line, [b"."], [one.fileno() for one in (nothing, out, err)])
            line.sendall(json.dumps(order).encode())
            line.shutdown(socket.SHUT_WR)
            code = int(line.recv(8) or 1)
            told = []
            for stream in (out, err):
                stream.seek(0)
                told.append(stream.read().decode())
        return subprocess.CompletedProcess(["registry", *arguments], code, *told)

    def close(self) -> None:
        self._process.communicate()
        self._listening.close()
        self._made.cleanup()


def _serve(number: int) -> None:
    import registry  # noqa: PLC0415

    for module in pkgutil.walk_packages(registry.__path__, "registry."):
        if module.name != "registry.store.guardian":
            import_module(module.name)
    _read_format()
    gc.freeze()  # what is there is never garbage: no collection of a fork looks at it
    listening = socket.socket(fileno=number)
    while sys.stdin not in select.select([listening, sys.stdin], [], [])[0]:
        line, _ = listening.accept()
        if os.fork() == 0:
            _run(line)
        line.close()
        # Whoever asked waits for the code; those that have ended are let go here.
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _read_format() -> None:
    """Make what a process makes of pack and format when it validates its first record."""
    validate = import_module("registry.record.validate").validate
    fast = import_module("registry.record.fast_validator").FastValidator()
    pack = import_module("registry.record.pack").load_pack("ma", None)
    document = json.loads(_RECORD.read_bytes())
    for profile in ("draft", "publication", "foreign"):
        validate(document, profile=profile, pack=pack, today=dt.date.today(), fast=fast)  # noqa: DTZ011


def _run(line: socket.socket) -> None:
    signal.alarm(_SECONDS)
    _, streams, _, _ = socket.recv_fds(line, 1, 3)
    with line.makefile("rb") as file:
        order = json.load(file)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["cwd"])
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
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
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        line.sendall(str(code).encode())
        os._exit(code)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
