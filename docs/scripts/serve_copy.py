"""serve_copy.py: serve a copy of the site, `serve_copy.py FOLDER PORT`, where nothing else does."""

import functools, http.server, os, sys


class Pages(http.server.SimpleHTTPRequestHandler):
    def translate_path(self, path):
        found = super().translate_path(path)
        return f"{found}.html" if os.path.isfile(f"{found}.html") else found


folder, port = sys.argv[1], int(sys.argv[2])
pages = functools.partial(Pages, directory=folder)
http.server.ThreadingHTTPServer(("127.0.0.1", port), pages).serve_forever()
