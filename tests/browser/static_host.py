"""A static host as plain as any: files of a folder, `.html` left out, nothing answered by code."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Files(SimpleHTTPRequestHandler):
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {
        ".js": "text/javascript",
        ".atom": "application/xml",
    }

    def translate_path(self, path: str) -> str:
        found = super().translate_path(path)
        flat = Path(f"{found}.html")
        return str(flat) if not Path(found).is_file() and flat.is_file() else found

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def static_host(folder: Path, port: int = 0) -> Iterator[str]:
    """Serve a folder on the loopback; gives its address."""
    with ThreadingHTTPServer(("127.0.0.1", port), partial(_Files, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
