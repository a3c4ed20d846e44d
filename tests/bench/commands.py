"""What a person waits for at a terminal: help, a file checked, and a register's first page."""

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import DEVNULL, Popen

from tests.bench.documents import RECORDS
from tests.bench.generator import until_there
from tests.bench.measure import Row, measured, quantile
from tests.crash.register import environment, free_port

REGISTRY = (sys.executable, "-m", "registry")
ROUNDS = 7
FILE = RECORDS / "demo-sante" / "prevision-lits.json"


def run() -> Iterator[Row]:
    least = _work(sys.executable, "-c", "pass")
    for words, most in ((("--help",), 0.25), (("validate", str(FILE)), 0.6)):
        yield Row(
            what=f"`registry {words[0]}`, work",
            figure=_work(*REGISTRY, *words),
            unit="s",
            at_most=most,
            beside=f"`python -c pass` {least:.2f} s",
        )
    with tempfile.TemporaryDirectory(prefix="rb", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        for what, most in (("in an empty folder", 40), ("the second time", 2)):
            yield Row(
                what=f"`registry up` {what}, until the first page",
                figure=_until_first_page(name),
                unit="s",
                at_most=most,
            )


def _work(*command: str) -> float:
    return quantile([measured(command, environment()).work for _ in range(ROUNDS)], 0.5)


def _until_first_page(folder: str) -> float:
    port = free_port()
    start = time.perf_counter()
    process = Popen(
        [*REGISTRY, "up", "--data", folder, "--port", str(port)],
        env=environment(),
        stdout=DEVNULL,
        stderr=DEVNULL,
    )
    try:
        until_there(port, "/fr/")
        return time.perf_counter() - start
    finally:
        process.terminate()
        process.wait()
