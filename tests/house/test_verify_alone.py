"""A stranger verifies without what a register needs: no driver of a database, no server."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT

NOT_NEEDED = ("asyncpg", "litestar", "jinja2", "registry.store", "registry.services")

ALL = """
import importlib, pkgutil, registry.verify
for found in pkgutil.iter_modules(registry.verify.__path__, "registry.verify."):
    importlib.import_module(found.name)
"""
COMMAND = "from registry.cli.main import load_command; load_command('verify')"


@pytest.mark.parametrize("imports", [ALL, COMMAND], ids=["the room", "the command"])
def test_verifying_loads_neither_a_driver_nor_a_server(imports):
    code = f"{imports}\nimport sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    assert "registry.verify.record" in loaded
    assert [name for name in NOT_NEEDED if name in loaded] == []
