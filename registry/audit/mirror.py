"""Keeping what is read of a log in a folder, laid out as that log is published."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from registry.log.blob import bundle_of_contents, content_path
from registry.log.files import write_volatile
from registry.tlog.tile import WIDTH
from registry.verify.log import ReadFile

_CONTENT = re.compile(r"content/([0-9]+)\.json")
_LASTING = re.compile(r"tile/(?!.*\.p/).*")
"""Full tiles and bundles never change."""


class Mirror:
    """Reads the files of a log, and keeps each in a folder.

    Contents are read 256 at a time where the log has them so. `has_changed` says whether a content
    is another than was kept before, as after a redaction.
    """

    def __init__(self, read: ReadFile, folder: Path) -> None:
        """Take what reads the log's files, and the folder, which may have an earlier state."""
        self.has_changed = False
        self._read = read
        self._folder = folder
        self._bundle = -1
        self._contents: list[bytes] = []

    def __call__(self, path: str) -> bytes:
        """Return a file; raises as what reads the log's files."""
        kept = self._folder / path
        if _LASTING.fullmatch(path) and kept.exists():
            return kept.read_bytes()
        match = _CONTENT.fullmatch(path)
        content = self._read(path) if match is None else self._content(int(match[1]))
        if match is not None and kept.exists() and kept.read_bytes() != content:
            self.has_changed = True
        write_volatile(self._folder, path, content)
        return content

    def _content(self, index: int) -> bytes:
        if index // WIDTH != self._bundle:
            self._bundle, self._contents = index // WIDTH, []
            with suppress(FileNotFoundError):
                self._contents = self._read(bundle_of_contents(self._bundle)).split(b"\n")
        at = index % WIDTH
        # The last line is followed by a newline; a bundle that ends before it has not all of them.
        if at + 1 < len(self._contents):
            return self._contents[at]
        return self._read(content_path(index))
