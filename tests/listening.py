"""A server of HTTP on this machine for a test, in a thread."""

import datetime as dt
import ipaddress
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@contextmanager
def listening(handler, context=None, **members):
    """Yield a server with these members, whose requests the class `handler` answers.

    With a `context` it speaks TLS.
    """
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        for name, value in members.items():
            setattr(server, name, value)
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def dripping(begun=b"HTTP/1.1 200 OK\r\nx: ", context=None):
    """Yield the address of a server whose answers begin like this and go on, byte by byte."""
    left = threading.Event()

    class Dripping(BaseHTTPRequestHandler):
        def do_GET(self):
            with suppress(OSError):
                self.wfile.write(begun)
                while not left.wait(0.02):
                    self.wfile.write(b"x")

        def do_POST(self):
            self.do_GET()

        def log_message(self, *_):
            pass

    with listening(Dripping, context) as server:
        try:
            yield f"http{'' if context is None else 's'}://127.0.0.1:{server.server_port}"
        finally:
            left.set()


def write_certificate(folder, *, days):
    """Return a file with a certificate of 127.0.0.1 that holds for some days, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "register")])
    now = dt.datetime.now(dt.UTC)
    alternatives = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=days, hours=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{days}.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return file
