"""A small witness on loopback, honest (c2sp.org/tlog-witness) or not, to be asked by tests."""

import threading
import time
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from registry.tlog import base64_text
from registry.tlog.checkpoint import stated
from registry.tlog.cosignature import cosign
from registry.tlog.keys import COSIGNATURE, Signer
from registry.tlog.note import Signature, parse_note
from registry.tlog.proof import ProofRefused, check_consistency


class Witness:
    """Remembers one log; `answer` replaces what it would do by what a test wants of it."""

    def __init__(self, number=1, clock=time.time):
        name = f"w{number}.example"
        self.signer = Signer(name=name, seed=bytes([number]) * 32, kind=COSIGNATURE)
        self.name = f"w{number}"
        self.clock = clock
        self.url = ""
        self.last = None
        self.note = b""
        self.asked = []
        self.answer = None

    @property
    def key(self):
        return self.signer.verifier_key

    @property
    def line(self):
        return f"witness {self.name} {self.key} {self.url}\n"

    def cosign(self, note, *, at=None):
        text = parse_note(note).text
        time_of = int(self.clock() if at is None else at)
        raw = cosign(text, self.signer, time=time_of).to_bytes()
        return Signature(name=self.signer.name, key=self.signer.verifier.id, raw=raw).to_line()

    def add_checkpoint(self, old, proof, note):
        """Return status, headers and content, as the specification says."""
        said = stated(note)
        size = 0 if self.last is None else self.last.size
        if old != size:
            return 409, {"content-type": "text/x.tlog.size"}, f"{size}\n".encode()
        try:
            if size:
                check_consistency(
                    proof, old=size, old_root=self.last.root, new=said.size, new_root=said.root
                )
        except ProofRefused:
            return 422, {}, b""
        self.last = said
        line = self.cosign(note)
        self.note = note + line.encode()
        return 200, {}, line.encode()

    def handle(self, body):
        head, note = body.split(b"\n\n", 1)
        old, *proof = head.decode().split("\n")
        given = int(old.removeprefix("old ")), [base64_text.decode(one) for one in proof], note
        self.asked.append((given[0], stated(note).size))
        if self.answer is not None:
            return self.answer(*given)
        return self.add_checkpoint(*given)


def ml_dsa_line(secret, name, time, *, origin=b"log.example", end=5, root=bytes(32)):
    """A cosignature line of ML-DSA-44, made from the specification's words."""
    public = secret.public_key().public_bytes_raw()
    message = (
        b"subtree/v1\n\0"
        + bytes([len(name)])
        + name.encode()
        + time.to_bytes(8, "big")
        + bytes([len(origin)])
        + origin
        + bytes(8)
        + end.to_bytes(8, "big")
        + root
    )
    key = sha256(name.encode() + b"\n\x06" + public).digest()[:4]
    return Signature(name=name, key=key, raw=time.to_bytes(8, "big") + secret.sign(message))


def policy_of(*witnesses, quorum=None):
    """The policy of a quorum, of all of them if it does not say how many."""
    lines = "".join(one.line for one in witnesses)
    names = " ".join(one.name for one in witnesses)
    wanted = len(witnesses) if quorum is None else quorum
    return f"{lines}group together {wanted} {names}\nquorum together\n"


@contextmanager
def running(*witnesses):
    """Serve witnesses, each at an address of its own; they are told theirs."""
    by_path = {one.name: one for one in witnesses}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            name, _, called = self.path[1:].partition("/")
            body = self.rfile.read(int(self.headers["content-length"]))
            assert called == "add-checkpoint"
            self.reply(*by_path[name].handle(body))

        def do_GET(self):
            name, wanted, _ = self.path[1:].split("/")
            one = by_path[name]
            origin = stated(one.note).origin if one.note else ""
            known = wanted == sha256(origin.encode()).hexdigest()
            self.reply(200 if known else 404, {}, one.note if known else b"")

        def reply(self, status, headers, content):
            self.send_response(status)
            for header, value in headers.items():
                self.send_header(header, value)
            if "content-length" not in headers:
                self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        # Whoever asked may be gone before the answer is.
        handle_error = staticmethod(lambda *_: None)

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    for one in witnesses:
        one.url = f"http://127.0.0.1:{server.server_port}/{one.name}"
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
