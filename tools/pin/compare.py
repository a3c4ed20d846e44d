"""Two recordings side by side: what differs, like with like, without what is wanted."""

from __future__ import annotations

import difflib
import filecmp
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import TextIO

from tools.pin.recording import SUFFIX, part_names, read_part

_CONTEXT = 2
_LONGEST = 200
_SHOWN = 30
_EXAMPLES = 3
# A weak tag follows from the body: where that differs the tag says nothing more.
_FOLLOWS = re.compile(r"[-+]etag: W/")
_LIKE = re.compile(r"[0-9a-f]{8,}|[0-9]+")
_ORDER = [
    "commands",
    "writes",
    "upgrade",
    "answers",
    "log",
    "site-texts",
    "site-sources",
    "site-digests",
]
# A file whose text differs has other bytes, too: it is shown once.
_TEXTS, _FOLLOW_TEXTS = "site-texts", {"site-sources", "site-digests"}
_BEGINNING = 8
_MOST = 5000


@dataclass
class Wanted:
    """A difference that is meant: in blocks whose name matches, lines that match, and why."""

    where: re.Pattern[str]
    line: re.Pattern[str]
    why: str
    uses: int = 0


@dataclass
class Group:
    """Blocks that differ in the same way, and the difference of the first."""

    lines: Sequence[str]
    names: list[str] = field(default_factory=list)


def read_wanted(path: Path) -> list[Wanted]:
    """Read paragraphs of `where:`, `line:` (any, if there is none) and `why:`."""
    wanted = []
    text = re.sub(r"^#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for paragraph in filter(None, re.split(r"\n\s*\n", text.strip())):
        told = dict(line.split(": ", 1) for line in paragraph.splitlines())
        wanted.append(
            Wanted(re.compile(told["where"]), re.compile(told.get("line", "")), told["why"])
        )
    return wanted


def compare(one: Path, other: Path, wanted: Sequence[Wanted], out: TextIO) -> int:
    """Write how the recording `other` differs from `one`; return how many blocks do."""
    missing = sorted(part_names(one) ^ part_names(other))
    out.writelines(f"not compared, for only one recording has it: {part}\n" for part in missing)
    total, texts = 0, set[str]()
    for part in sorted(part_names(one) & part_names(other), key=_ORDER.index):
        groups: dict[object, Group] = {}
        names = set()
        for name, before, after in _pairs(one / f"{part}{SUFFIX}", other / f"{part}{SUFFIX}"):
            if before == after:
                continue
            names.add(name)
            lines = _difference(before, after)
            changed = _unwanted(f"{part}/{name}", lines, wanted)
            if changed and not (part in _FOLLOW_TEXTS and name in texts):
                like = tuple(_LIKE.sub("#", line) for line in changed)
                groups.setdefault(like, Group(lines)).names.append(name)
        if part == _TEXTS:
            texts = names
        count = sum(len(group.names) for group in groups.values())
        total += count
        out.write(
            f"\n== {part}: {count or 'no'} differences" + f", {len(groups)} kinds" * bool(count)
        )
        out.write("\n")
        for group in sorted(groups.values(), key=lambda group: -len(group.names)):
            _show(group, out)
    for rule in wanted:
        if not rule.uses:
            out.write(f"\nwanted, and not there: {rule.where.pattern}: {rule.why}\n")
    return total


def _pairs(one: Path, other: Path) -> Iterator[tuple[str, str | None, str | None]]:
    """Yield names of blocks and both texts, None for one that is not there; none of equal files."""
    if filecmp.cmp(one, other, shallow=False):
        return
    waiting: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for blocks in zip_longest(read_part(one), read_part(other)):
        for side, block in enumerate(blocks):
            if block is None:
                continue
            name, text = block
            waiting[side][name] = text
            if name in waiting[1 - side]:
                yield name, waiting[0].pop(name), waiting[1].pop(name)
    for name, text in waiting[0].items():
        yield name, text, None
    for name, text in waiting[1].items():
        yield name, None, text


def _difference(before: str | None, after: str | None) -> list[str]:
    """Return a unified diff without its head."""
    if before is None or after is None:
        text, sign, which = (after, "+", "new") if before is None else (before, "-", "gone")
        return [
            f"{sign}({which})",
            *(f"{sign}{line}" for line in (text or "").split("\n")[:_BEGINNING]),
        ]
    old, new = before.split("\n"), after.split("\n")
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    start, end = max(0, start - _CONTEXT), max(0, end - _CONTEXT)
    old, new = old[start : len(old) - end], new[start : len(new) - end]
    lines = list(difflib.unified_diff(old[:_MOST], new[:_MOST], n=_CONTEXT, lineterm=""))[2:]
    return lines or ["+(differs after many equal lines)"]


def _unwanted(name: str, lines: Sequence[str], wanted: Sequence[Wanted]) -> list[str]:
    """Return the changed lines that no rule wants."""
    changed = [line for line in lines if line[:1] in {"+", "-"}]
    changed = [line for line in changed if not _FOLLOWS.match(line)] or changed
    # A member that others follow, or no longer follow, differs in a comma alone.
    whole = set(changed)
    moved = {
        line[1:]
        for line in changed
        if f"{'-' if line[0] == '+' else '+'}{line[1:]}," in whole and not line.endswith(",")
    }
    changed = [line for line in changed if line[1:].removesuffix(",") not in moved]
    for rule in wanted:
        if rule.where.search(name):
            left = [line for line in changed if not rule.line.search(line)]
            rule.uses += len(left) < len(changed)
            changed = left
    return changed


def _show(group: Group, out: TextIO) -> None:
    names = group.names
    more = f" … and {len(names) - _EXAMPLES} more" if len(names) > _EXAMPLES else ""
    out.write(f"\n-- {len(names)} ×  {'  ·  '.join(names[:_EXAMPLES])}{more}\n")
    out.writelines(f"   {line[:_LONGEST]}\n" for line in group.lines[:_SHOWN])
    if len(group.lines) > _SHOWN:
        out.write(f"   … {len(group.lines) - _SHOWN} more lines\n")
