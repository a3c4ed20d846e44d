"""schemathesis over the whole description, against a register that runs.

No answer is a fault of ours, undocumented, of another type or of another shape; nothing that the
description forbids succeeds; nobody gets in without a token; other methods are refused. And when it
is over, every law of the register still holds.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys

import pytest

from tests.served import ROOT, UNLIMITED, served

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "8"))
SEED = int(
    os.environ.get("FUZZ_SEED", "20261124" if "CI" in os.environ else secrets.randbelow(2**32))
)
CAMPAIGN = EXAMPLES >= 500
CASES = 20_000 if CAMPAIGN else 1_000
HOUR = 3600

# The thousands of corners of the format, and those of exports, which search has too, are for the
# campaign alone.
BRIEF = "".join(
    f"""
[[operations]]
include-operation-id = "{name}"
phases.coverage.enabled = false
"""
    for name in (
        *("save_draft", "publish_record"),
        *("export_csv", "export_jsonl", "export_xlsx", "export_jsonld"),
    )
)

pytestmark = pytest.mark.xdist_group("fuzz")


@pytest.fixture(scope="module")
def register():
    """A register with the demonstration records in it, and a second pair of eyes."""
    with served(load=True, workers=2, review="required", **UNLIMITED) as running:
        # Of what nobody has signed there is no receipt.
        done = running.register.run("log", "publish")
        assert done.returncode == 0, done.stderr
        yield running


@pytest.fixture
def told(register):
    """What the hooks read."""
    tokens = {agency: register.token(agency) for agency in ("demo-sante", "demo-services")}
    tokens |= {scope: register.token(None, scope) for scope in ("review", "admin")}
    return json.dumps({"url": register.url, "tokens": tokens})


def fuzz(register, told, folder):
    """Run schemathesis to its end; gives its exit code, output, and number of cases."""
    settings = folder / "schemathesis.toml"
    shared = (ROOT / "tests/fuzz/schemathesis.toml").read_text(encoding="utf-8")
    settings.write_text(shared if CAMPAIGN else shared + BRIEF, encoding="utf-8")
    known = {key: value for key, value in os.environ.items() if not key.startswith("REGISTRY_")}
    result = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", settings, "--no-color"),
            *("run", f"{register.url}/openapi.json", "--url", register.url),
            *("--max-examples", str(EXAMPLES), "--seed", str(SEED)),
        ],
        cwd=ROOT,
        env=known | {"PYTHONPATH": str(ROOT), "FUZZ_REGISTER": told},
        capture_output=True,
        text=True,
        timeout=HOUR,
        check=False,
    )
    found = re.search(r"(\d+) generated", result.stdout)
    return result.returncode, result.stdout + result.stderr, int(found[1]) if found else 0


def test_every_answer_is_as_described(register, told, tmp_path, pack):
    code, output, cases = fuzz(register, told, tmp_path)
    assert code == 0, f"{output}\nTo repeat it: make fuzz SEED={SEED} EXAMPLES={EXAMPLES}"
    assert cases > CASES, output
    sys.stdout.write(output[output.find("= SUMMARY =") :])
    assert register.faults() == []
    assert register.broken_laws(pack) == []
