"""A witness for demonstrations: it cosigns logs that only grow, c2sp.org/tlog-witness.

It has no place in production, where a witness is somebody else's: docs/operating.md names some.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from registry.log.files import write_volatile
from registry.tlog import base64_text
from registry.tlog.checkpoint import open_checkpoint, stated
from registry.tlog.cosignature import cosign
from registry.tlog.keys import COSIGNATURE, Signer, Verifier
from registry.tlog.note import NoteRefused, Signature, parse_note
from registry.tlog.proof import ProofRefused, check_consistency

NAME = "witness.demo"
_LONGEST = 64 << 10
_PATH = "/add-checkpoint"


class DemoWitness:
    """What the witness remembers of each log, in a folder; one request at a time."""

    def __init__(self, folder: Path) -> None:
        """Take the key in the folder, or make one."""
        self._folder = folder
        key = folder / "seed"
        if not key.exists():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_volatile(folder, key.name, secrets.token_bytes(32))
        self._signer = Signer(name=NAME, seed=key.read_bytes(), kind=COSIGNATURE)
        self._lock = threading.Lock()
        self.logs: dict[str, Verifier] = {}

    def policy(self, address: str) -> str:
        """Return the policy that this one witness has cosigned."""
        return f"witness demo {self._signer.verifier_key} {address}\nquorum demo\n"

    def add_checkpoint(self, body: bytes) -> tuple[int, bytes]:
        """Return the status and content that a request to cosign is answered with."""
        head, _, note = body.partition(b"\n\n")
        try:
            first, *rest = head.decode().split("\n")
            old = int(first.removeprefix("old "))
            proof = [base64_text.decode(line) for line in rest]
            said = stated(note)
        except ValueError:
            return 400, b""
        log = self.logs.get(said.origin)
        if log is None:
            return 404, b""
        try:
            open_checkpoint(note, origin=said.origin, verifiers=[log])
        except NoteRefused:
            return 403, b""
        with self._lock:
            place = f"{sha256(said.origin.encode()).hexdigest()}.json"
            size, root = self._last(place)
            if old != size or said.size < old:
                return 409, f"{size}\n".encode()
            try:
                if size:
                    check_consistency(
                        proof, old=size, old_root=root, new=said.size, new_root=said.root
                    )
            except ProofRefused:
                return 422, b""
            kept = json.dumps({"size": said.size, "root": said.root.hex()})
            write_volatile(self._folder, place, kept.encode())
        return 200, self._line(parse_note(note).text)

    def _last(self, place: str) -> tuple[int, bytes]:
        path = self._folder / place
        if not path.exists():
            return 0, b""
        last = json.loads(path.read_bytes())
        return last["size"], bytes.fromhex(last["root"])

    def _line(self, text: str) -> bytes:
        raw = cosign(text, self._signer, time=int(time.time())).to_bytes()
        key = self._signer.verifier.id
        return Signature(name=NAME, key=key, raw=raw).to_line().encode()


@contextmanager
def serving_witness(folder: Path, port: int, logs: Sequence[Verifier]) -> Iterator[DemoWitness]:
    """Run the witness on loopback for the time of the block."""
    witness = DemoWitness(folder)
    witness.logs = {one.name: one for one in logs}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = self.headers.get("content-length", "")
            if self.path != _PATH or not length.isdecimal() or int(length) > _LONGEST:
                self.close_connection = True
                self._reply(400, b"")
                return
            self._reply(*witness.add_checkpoint(self.rfile.read(int(length))))

        def do_GET(self) -> None:
            self._reply(404, b"")

        def _reply(self, status: int, content: bytes) -> None:
            self.send_response(status)
            kind = "text/x.tlog.size" if status == 409 else "text/plain"  # noqa: PLR2004
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002  as its base calls it
            del format

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="witness", daemon=True)
    thread.start()
    try:
        yield witness
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
