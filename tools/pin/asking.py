"""Requests to a register that serves, each with its answer written down as a block."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any

import httpx

from tools.pin.recording import Part
from tools.pin.register import HOST

# These say nothing, or are others each time.
_UNTOLD = {"connection", "content-length", "date", "server", "transfer-encoding", "x-request-id"}
_TAGGED = ("/api/v1/filings", "/api/v1/audit")
_TAG = re.compile(r'(?:"tag": ?|"before": ?|^etag: )"([0-9a-f]{16})"', re.MULTILINE)
_FIGURE = re.compile(r"^(registry_\S+ ).*$", re.MULTILINE)
# The site's files are tagged by when they were written, and their length.
_MOMENT = re.compile(r'(?<=^etag: ")[0-9a-f]{16}(?=-[0-9a-f]+"$)', re.MULTILINE)
# With tags and cursors in it, a block's name would be another where only these are.
_OPAQUE = re.compile(r'(?<=")[^"]+(?=")|(?<=cursor=)[^&]+')
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_WEAK = re.compile(r"^etag: W/.*", re.MULTILINE)
_TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)


class Asker:
    """A client that writes down what it asks and what is answered."""

    def __init__(
        self,
        client: httpx.Client,
        part: Part,
        tokens: Mapping[str, str],
        *,
        tick: Callable[[], None] | None = None,
    ) -> None:
        """Take a client of the server, and the access tokens by name.

        `tick` is called before each request that may change something.
        """
        self._client = client
        self._part = part
        self._tokens = tokens
        self._tick = tick
        self._tags: dict[str, str] = {}

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] = NO_HEADERS,
        *,
        by: str | None = None,
        about: str = "",
        body: Any = None,
    ) -> httpx.Response:
        """Send a request and write down its answer.

        `by` names an access token. A `body` that is no bytes is sent as JSON. `about` tells the
        request apart in its block's name, beside method, path, token and headers.
        """
        if self._tick is not None and method not in {"GET", "HEAD"} and "validate" not in path:
            self._tick()
        sent = {"host": HOST, "x-request-id": "pin", "accept-encoding": "identity"}
        if by is not None:
            sent["authorization"] = f"Bearer {self._tokens[by]}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=False).encode()
            sent["content-type"] = "application/json"
        given = [(key.encode(), value.encode()) for key, value in (sent | dict(headers)).items()]
        answer = self._client.request(method, path, headers=given, content=body)
        told = [f"{key}: {value}" for key, value in headers.items()]
        told = [about] * bool(about) + [f"by {by}"] * bool(by) + told
        name = f"{method} {path}" + f" ({'; '.join(told)})" * bool(told)
        self._part.add(_OPAQUE.sub("…", name), self._text(path, answer))
        return answer

    def _text(self, path: str, answer: httpx.Response) -> str:
        lines = [
            f"{key}: {value}"
            for key, value in sorted(answer.headers.multi_items())
            if key not in _UNTOLD
        ]
        text = "\n".join([str(answer.status_code), *lines, "", _body(answer)])
        if path == "/metrics":
            text = _WEAK.sub("etag: W/…", _FIGURE.sub(r"\1…", text))
        if path.startswith(_TAGGED):
            for tag in _TAG.findall(text):
                # A published version's tag begins its hash, and is no chance.
                if f'"hash": "{tag}' not in text:
                    self._tags.setdefault(tag, f"<tag {len(self._tags) + 1}>")
        return self._steady(_MOMENT.sub("…", text))

    def _steady(self, text: str) -> str:
        """Replace the tags of drafts, which are made by chance, and of answers that have them."""
        for tag, name in self._tags.items():
            if tag in text:
                text = _WEAK.sub("etag: W/…", text.replace(tag, name))
        return text


def _body(answer: httpx.Response) -> str:
    """Return an answer's body as lines of text."""
    kind, content = answer.headers.get("content-type", ""), answer.content
    if "sheet" in kind:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            sheets = [f"{name}\n{book.read(name).decode()}" for name in book.namelist()]
        return "\n".join(sheets).replace("><", ">\n<")
    if "text/html" in kind:
        # The page itself is in the parts of the site.
        return f"title: {' '.join(_TITLE.findall(answer.text))}"
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return f"sha256: {sha256(content).hexdigest()}"
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=1)
    except ValueError:  # other text, or one document a line
        return text
