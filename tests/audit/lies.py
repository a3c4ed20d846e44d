"""A proxy that lies to some of those who ask, and changes what an honest one may.

A lie is a place, whom it is told to, and what is told. An address has one lie at most.
"""

import gzip
import re
from contextlib import suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit
from zlib import crc32

PAGES = r"/(ar|en|fr|zgh)/(?!search|.*/compare)(?!records/\S+-\d[a-g]$).*"
API = r"/api/v1"
LIST = rf"{API}/records\?"
ABSENT = r"records/\S+-\d[a-g]"


def put(name, value):
    return lambda head, body: ({**head, name: value}, body)


def drop(name):
    return lambda head, body: ({key: head[key] for key in head if key != name}, body)


def say(old, new):
    return lambda head, body: (head, re.sub(old, new, body, count=1))


def instead(text, kind="text/html; charset=utf-8", status="200"):
    return lambda head, _: ({**head, "content-type": kind, ":status": status}, text)


def anybody(_):
    return True


def takes_gzip(asked):
    return "gzip" in asked.get("accept-encoding", "")


def takes_none(asked):
    return not takes_gzip(asked)


def is_browser(asked):
    return "html" in asked["accept"]


def is_program(asked):
    return not is_browser(asked)


def is_of_today(asked):
    return "as_of" not in asked[":path"]


def is_of_an_entry(asked):
    return not is_of_today(asked)


def reads_arabic(asked):
    return asked.get("accept-language") == "ar"


def part(number, of):
    return lambda path: crc32(path.encode()) % of == number


# Parts of a place: of each there are so many addresses that some are asked in every form.
NONE = b"<h1>No such system</h1>"
CUT = say(rb"(?s).$", b" ")
FEWER = say(rb'"total":\d+', b'"total":0')
LIES = {
    "a short link elsewhere": (r"/r/.+", None, anybody, put("location", "https://evil.example/")),
    "a page without a policy": (PAGES, part(0, 6), anybody, drop("content-security-policy")),
    "a page that leads on": (PAGES, part(1, 6), anybody, put("refresh", "0; url=//evil.example")),
    "a page with a style": (PAGES, part(2, 6), anybody, put("link", "</x>; rel=stylesheet")),
    "a page for no engine": (PAGES, part(3, 6), anybody, put("x-robots-tag", "noindex")),
    "a page with a cookie": (PAGES, part(4, 6), anybody, put("set-cookie", "who=you")),
    "a page that is kept": (PAGES, part(5, 6), anybody, put("cache-control", "max-age=9999999")),
    "a feed for browsers": (r"/feeds/.*", part(0, 2), takes_gzip, instead(NONE)),
    "a feed for programs": (r"/feeds/.*", part(1, 2), takes_none, CUT),
    "a record for browsers": (
        rf"{API}/records/[\w-]+/[\w-]+(\?.*)?(?<!-\d[a-g])", None, is_browser, CUT),
    "a version in Arabic": (rf"{API}/records/\S+/versions/\d+", None, reads_arabic, CUT),
    "a history of another kind": (
        rf"{API}/records/[^/]+/[^/]+/versions(\?.*)?", None, is_program,
        put("content-type", "text/plain")),
    "a list of today": (rf"{LIST}(?!.*q=).*", None, is_of_today, FEWER),
    "a list of then": (rf"{LIST}(?=.*q=).*", None, is_of_an_entry, FEWER),
    "a table of today": (rf"{API}/statistics.*", None, is_of_today, say(rb"\d", b"77")),
    "a search by two filters": (r"/\w+/search\?.*&.*", None, anybody, say(b'href="', b'href="/x')),
    "a search by a word": (r"/\w+/search\?q=[^&]*", None, anybody, instead(NONE)),
    "a suggestion": (rf"{API}/suggestions.*", None, anybody, CUT),
    "a match": (rf"{API}/reconcile", None, anybody, say(rb"score", b"scare")),
    "a match by prefix": (rf"{API}/reconcile/suggest.*", None, anybody, CUT),
    "a view": (rf"{API}/reconcile/view.*", None, anybody, instead(NONE)),
    "an invented page": (rf"/\w+/{ABSENT}", None, anybody, instead(b"<h1>A system</h1>")),
    "an invented record": (
        rf"{API}/{ABSENT}", None, anybody, instead(b'{"id":"x"}', "application/json")),
    "a broken code": (rf"{API}/agencies/.+", None, anybody, put("content-encoding", "br")),
    "a lost proof": (rf"{API}/\S+/proof.*", None, anybody, put(":status", "404")),
}  # fmt: skip


class LyingProxy(BaseHTTPRequestHandler):
    """Passes on what is asked to the `url` of its server, whose `told` has addresses by lie."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked = {name.lower(): value for name, value in self.headers.items()}
        length = int(asked.get("content-length", 0))
        to = HTTPConnection(urlsplit(self.server.url).netloc, timeout=120)
        kept = {name: asked[name] for name in asked if name not in {"host", "connection"}}
        to.request(self.command, self.path, self.rfile.read(length) or None, kept)
        answer = to.getresponse()
        head = {name.lower(): value for name, value in answer.getheaders()}
        head[":status"], body = str(answer.status), answer.read()
        to.close()
        # An honest proxy may compress otherwise, and speak of it and of TLS.
        if head.pop("content-encoding", None) == "gzip":
            body = gzip.decompress(body)
        head["vary"] = f"Accept-Encoding, {head['vary']}" if "vary" in head else "Accept-Encoding"
        head["strict-transport-security"] = "max-age=31536000"
        head["cache-control"] = head.get("cache-control", "no-cache").replace(", ", ",")
        head, body = self.lied({**asked, ":path": self.path}, head, body)
        if "gzip" in asked.get("accept-encoding", "") and "content-encoding" not in head:
            head["content-encoding"], body = "gzip", gzip.compress(body)
        left = {"content-length", "transfer-encoding", "connection", "date", "server", ":status"}
        with suppress(OSError):
            self.send_response(int(head[":status"]))
            for name in head.keys() - left:
                self.send_header(name, head[name])
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def do_POST(self):
        self.do_GET()

    def lied(self, asked, head, body):
        for name, (place, is_part, is_told, lie) in LIES.items():
            if re.fullmatch(place, self.path) and (is_part is None or is_part(self.path)):
                told = lie(head, body) if is_told(asked) else (head, body)
                if told != (head, body):
                    self.server.told[name].add(self.path)
                return told
        return head, body

    def log_message(self, *_):
        pass
