"""The real inventories beside the project, imported as an operator does; nothing without them."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from registry.store import embedded
from tests.bench.corpus import FOREIGN
from tests.bench.measure import Row, measured, work_of
from tests.crash.register import environment


def run() -> Iterator[Row]:
    if not all(path.exists() for path in FOREIGN.values()):
        sys.stdout.write("the inventories are not in ../shared/data: no import is measured\n")
        return
    with tempfile.TemporaryDirectory(prefix="rb", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = embedded.start(folder)
        postmaster = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
        settings = environment() | {"REGISTRY_DATA_DIR": name}
        try:
            before = work_of(postmaster)
            work = sum(
                measured(
                    [sys.executable, "-m", "registry", "import", each, str(path)], settings
                ).work
                for each, path in FOREIGN.items()
            )
            of_database = work_of(postmaster) - before
        finally:
            server.release()
    yield Row(
        what="import, everything, the real rows of two inventories: work of all processes",
        figure=work + of_database,
        unit="s",
        at_most=25,
        beside=f"of it PostgreSQL {of_database:.1f} s",
    )
