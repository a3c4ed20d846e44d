"""What `systemctl` does of `deploy/README.md` on a machine of `tests.deploy.walk`, without systemd.

Units run as `tests.deploy.unit` runs them, and say what they say in `/var/log/UNIT.log`. Nothing is
started again by itself; of a timer it is only seen that it is there.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

from tests.deploy.unit import read_unit

UNITS = Path("/etc/systemd/system")
RUN = Path("/run/units")
LOGS = Path("/var/log")
_STOP_SECONDS = 60


def main(verb: str, *words: str) -> None:
    """Do what the words say."""
    if verb == "daemon-reload":
        return
    for unit in (word for word in words if not word.startswith("-")):
        if unit == "nginx":
            with (LOGS / "nginx.out").open("w") as out:
                subprocess.run(["nginx"], check=True, stdout=out, stderr=out)
        elif unit.endswith(".timer"):
            read_unit(UNITS / unit)
        else:
            if verb in {"stop", "restart"}:
                _stop(unit)
            if verb in {"start", "restart", "enable"}:
                _start(unit)


def is_running(unit: str) -> bool:
    """Return whether the process of a unit runs."""
    with suppress(FileNotFoundError, psutil.NoSuchProcess):
        process = psutil.Process(int((RUN / unit).read_text()))
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def _start(unit: str) -> None:
    file = UNITS / f"{unit}.service"
    root = Path(__file__).parents[2]
    command = (sys.executable, "-m", "tests.deploy.unit", file, json.dumps({}))
    with (LOGS / f"{unit}.log").open("a") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, cwd=root, start_new_session=True
        )
    if read_unit(file)["Type"] == ["oneshot"]:
        sys.exit(process.wait())
    RUN.mkdir(exist_ok=True)
    (RUN / unit).write_text(str(process.pid))


def _stop(unit: str) -> None:
    if is_running(unit):
        os.kill(int((RUN / unit).read_text()), signal.SIGTERM)
    end = time.monotonic() + _STOP_SECONDS
    while is_running(unit):
        if time.monotonic() > end:
            sys.exit(f"{unit} does not end")
        time.sleep(0.1)


if __name__ == "__main__":
    main(*sys.argv[1:])
