"""A server of HTTP on this machine for a test, in a thread."""

import threading
from contextlib import contextmanager
from http.server import ThreadingHTTPServer


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
