"""A recording: a folder of parts, each a gzip of blocks; a block is a name and, below it, its text.

The lines of a text are indented by two spaces, so `zgrep` and `zless` are enough to look into one.
"""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

SUFFIX = ".txt.gz"


class Part:
    """A part that is being written, block by block; a name that comes again gets a number."""

    def __init__(self, folder: Path, name: str) -> None:
        """Make the file `name` of a recording's folder."""
        self._file = (folder / f"{name}{SUFFIX}").open("wb")
        self._counts: Counter[str] = Counter()

    def add(self, name: str, text: str) -> None:
        """Write a block."""
        self._counts[name] += 1
        count = self._counts[name]
        self.append(compressed([(name if count == 1 else f"{name} #{count}", text)]))

    def append(self, blocks: bytes) -> None:
        """Write blocks that are `compressed` already."""
        self._file.write(blocks)

    def __enter__(self) -> Self:
        """Return the part itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._file.close()


def compressed(blocks: list[tuple[str, str]]) -> bytes:
    """Return blocks of (name, text) as a gzip member."""
    lines = []
    for name, text in blocks:
        lines.append(name)
        lines += [f"  {line}" for line in text.replace("\r", "␍").split("\n")]
    content = "\n".join(lines) + "\n"
    return gzip.compress(content.encode(errors="backslashreplace"), 3, mtime=0)


def read_part(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the blocks of a part, (name, text), as they were written."""
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        name, lines = "", list[str]()
        for line in file:
            if line.startswith("  "):
                lines.append(line[2:])
                continue
            if name:
                yield name, "".join(lines).removesuffix("\n")
            name, lines = line.rstrip("\n"), []
        if name:
            yield name, "".join(lines).removesuffix("\n")


def part_names(folder: Path) -> set[str]:
    """Return the names of a recording's parts."""
    return {path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}")}
