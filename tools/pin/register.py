"""A register of some checkout, driven by its command, with a clock and salts that are fixed."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

HOST = "register.example"
SHIM = Path(__file__).parent / "shim"
_PATIENCE_SECONDS = 600
_LIMITS = ("limit_writes", "limit_validations", "limit_failures", "limit_exports")

_OF_REQUEST = '"event":"request"'

# What differs from run to run in lines that commands and servers write.
_VOLATILE = [
    (re.compile(r'"timestamp": ?"[^"]*"'), '"timestamp":"…"'),
    (re.compile(r'(?<=tag: )[0-9a-f]{16}|(?<="tag": ")[0-9a-f]{16}'), "…"),
    (re.compile(r'(?<="request":")[0-9a-f]{16}'), "…"),
    (re.compile(r'"ms": ?[0-9.]+'), '"ms":…'),
    (re.compile(r"\b[0-9]+(\.[0-9]+)? (s|ms|seconds)\b"), r"… \2"),
    (re.compile(r"(?<=127\.0\.0\.1:)[0-9]+"), "…"),
    (re.compile(r"(?<=port )[0-9]+"), "…"),
]


class Register:
    """A folder with the register's data, its clock and its tokens, and the command that opens it.

    `folder` holds `data` (the register), `clock`, `tokens.json`, and the link `checkout`.
    """

    def __init__(self, folder: Path, *, command: Path, checkout: Path) -> None:
        """Take a folder with a short path, for the database's socket lies in it."""
        self.folder = folder
        self.data = folder / "data"
        self._command = command
        self._clock = folder / "clock"
        self._tokens = folder / "tokens.json"
        link = folder / "checkout"
        link.unlink(missing_ok=True)
        link.symlink_to(checkout)
        self._secret = [(str(folder), "<folder>"), (str(checkout), "<checkout>")]

    @property
    def now(self) -> dt.datetime:
        """The time that the recorded processes see."""
        return dt.datetime.fromtimestamp(float(self._clock.read_text(encoding="ascii")), dt.UTC)

    def set_clock(self, moment: dt.datetime) -> None:
        """Set the time that the recorded processes see, those that run already too."""
        draft = self._clock.with_suffix(".draft")
        draft.write_text(f"{moment.timestamp():.0f}", encoding="ascii")
        draft.replace(self._clock)

    def tick(self, minutes: int = 1) -> None:
        """Let time pass."""
        self.set_clock(self.now + dt.timedelta(minutes=minutes))

    def environment(self, settings: Mapping[str, object], seed: str = "") -> dict[str, str]:
        """Return the environment of a process, with these settings of the register."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("REGISTRY_")}
        given = {"data_dir": self.data, "base_url": f"https://{HOST}", "site_build": "manual"}
        return (
            kept
            | {"PYTHONPATH": str(SHIM), "PYTHONHASHSEED": "0"}
            | {"PIN_CLOCK": str(self._clock), "PIN_SEED": seed}
            | {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "100", "LANG": "C.UTF-8"}
            | {
                f"REGISTRY_{key.upper()}": str(value)
                for key, value in (given | dict(settings)).items()
            }
        )

    def run(
        self, *arguments: str, seed: str = "", **settings: object
    ) -> subprocess.CompletedProcess[str]:
        """Run the command in the folder, to its end."""
        return subprocess.run(
            [self._command, *arguments],
            cwd=self.folder,
            env=self.environment(settings, seed),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=600,
            check=False,
        )

    def tell(self, result: subprocess.CompletedProcess[str]) -> str:
        """Return what a command has answered, without what differs from run to run."""
        told = (f"exit code {result.returncode}", "--- stdout", result.stdout, "--- stderr")
        return self.steady("\n".join((*told, result.stderr)))

    def steady(self, text: str) -> str:
        """Replace what differs from run to run."""
        for value, name in self._secret:
            text = text.replace(value, name)
        for pattern, replacement in _VOLATILE:
            text = pattern.sub(replacement, text)
        return text

    def make_token(self, name: str, *arguments: str) -> None:
        """Make an access token and keep it in the folder under a name."""
        made = self.run("token", "create", "--actor", name, *arguments, seed=name)
        if made.returncode:
            raise RuntimeError(made.stderr)
        (self.folder / f"{name}.token").write_text(made.stdout)
        self._tokens.write_text(json.dumps(self.tokens() | {name: made.stdout.strip()}))

    def tokens(self) -> dict[str, str]:
        """Return the access tokens that were made, by name."""
        if not self._tokens.exists():
            return {}
        tokens: dict[str, str] = json.loads(self._tokens.read_text(encoding="utf-8"))
        return tokens

    @contextmanager
    def serve(self, **settings: object) -> Iterator[httpx.Client]:
        """Run the server until the context ends; yield a client of it."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        given: dict[str, object] = dict.fromkeys(_LIMITS, 0) | {"trusted_proxies": "127.0.0.1"}
        with (self.folder / "serve.log").open("wb") as log:
            process = subprocess.Popen(
                [self._command, "serve", "--port", str(port)],
                cwd=self.folder,
                env=self.environment(settings=given | settings),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            # Some refusals end the connection: each request has its own.
            fresh = httpx.Limits(max_keepalive_connections=0)
            with httpx.Client(
                base_url=f"http://127.0.0.1:{port}", timeout=60, limits=fresh
            ) as client:
                _wait_until(lambda: _is_live(client, process))
                yield client
        finally:
            process.terminate()
            process.wait(_PATIENCE_SECONDS)
            _wait_until(lambda: not (self.data / "postgres" / "postmaster.pid").exists())

    def server_log(self) -> str:
        """Return what the last server has written, and of its lines about requests the first."""
        lines = (self.folder / "serve.log").read_text(encoding="utf-8").splitlines()
        first = next((line for line in lines if _OF_REQUEST in line), None)
        return self.steady("\n".join(x for x in lines if x == first or _OF_REQUEST not in x))


def _is_live(client: httpx.Client, process: subprocess.Popen[bytes]) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"the server has ended with exit code {process.returncode}")
    try:
        return client.get("/health/live").is_success
    except httpx.TransportError:
        return False


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.1)
