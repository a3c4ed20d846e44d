"""What Patroni answers: 200 on the primary, 503 elsewhere. `… FOLDER_OF_THE_SOCKET PORT`."""

import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked = ["psql", "-h", sys.argv[1], "-U", "postgres", "-XAtc", "select pg_is_in_recovery()"]
        try:
            done = subprocess.run(asked, capture_output=True, timeout=2, text=True, check=False)
            is_primary = done.stdout.strip() == "f"
        except subprocess.TimeoutExpired:
            is_primary = False
        self.send_response(200 if is_primary else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    HTTPServer(("", int(sys.argv[2])), _Answer).serve_forever()
