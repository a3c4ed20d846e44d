"""`registry work` as a service manager runs it."""

import signal
import subprocess
import sys


def test_sigterm_ends_it_in_order(environment, empty_url, tmp_path):
    settings = {"REGISTRY_DATABASE_URL": empty_url, "REGISTRY_DATA_DIR": str(tmp_path)}
    process = subprocess.Popen(
        [sys.executable, "-m", "registry", "work"],
        env=environment | settings,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        first = process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=60)
    finally:
        process.kill()
    assert "log published" in first
    assert process.returncode == 0, rest
    assert "Traceback" not in rest
