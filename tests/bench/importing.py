"""The real inventories beside the project, imported as an operator does; nothing without them.

And one of ten times the rows, converted alone: with other ids, and otherwise the same.
"""

import csv
import datetime as dt
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from registry.imports.convert import convert_file
from registry.imports.crosswalk import load_crosswalk
from registry.record.pack import load_pack
from registry.store import embedded
from tests.bench.corpus import FOREIGN
from tests.bench.measure import Row, measured, work_of
from tests.crash.register import environment

ORIGIN = "us-omb-2025"
TIMES = 10


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
    with tempfile.TemporaryDirectory(prefix="rb") as name:
        path = Path(name, "rows.csv")
        rows = _write_many(path)
        code = f"import sys; from {__name__} import convert; convert(*sys.argv[1:])"
        most = measured([sys.executable, "-c", code, str(path)], environment()).memory
    yield Row(
        what=f"converting {rows:,} rows: memory of the process",
        figure=most / 2**20,
        unit="MiB",
        at_most=250,
        beside=f"{most / rows / 1024:.1f} KiB a row",
    )


def convert(path: str) -> None:
    for _ in convert_file(
        load_crosswalk(ORIGIN), Path(path), pack=load_pack("ma"), today=dt.date(2026, 11, 24)
    ):
        pass


def _write_many(path: Path) -> int:
    with FOREIGN[ORIGIN].open(encoding="utf-8-sig", newline="") as file:
        head, *rows = csv.reader(file)
    place = head.index("id")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        for time in range(TIMES):
            for row in rows:
                mark = f"-{time}" if row[place] else ""
                writer.writerow([*row[:place], row[place] + mark, *row[place + 1 :]])
    return TIMES * len(rows)
