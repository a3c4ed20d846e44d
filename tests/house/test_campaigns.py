"""What only `make bench`, `make crash` and the other campaigns run: that it can be run at all."""

import importlib
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("bench", "crash", "faults", "outage", "tools")


def test_every_module_of_the_campaigns_can_be_imported():
    faults = {}
    for room in ROOMS:
        for path in sorted((ROOT / "tests" / room).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            if not path.stem.startswith(("test_", "conftest", "__")):
                try:
                    importlib.import_module(name)
                except ImportError as error:
                    faults[name] = str(error)
    assert faults == {}
