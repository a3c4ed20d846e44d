"""The packages of the register as files, with ranges, and compressed for whoever takes it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath
from litestar.response import Stream

from registry.api.conditional import is_unread, takes_gzip
from registry.api.request import ApiState
from registry.errors import NotFound
from registry.exports.package import DIGESTS, packages
from registry.file_headers import CHANGING
from registry.work import in_thread

PREFIX = "/exports/"
LATEST = "latest"
_FILE = re.compile(r"[a-z_-]+(?:\.(?:csv|parquet|json|jsonld))?")
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_TYPES = {
    "parquet": "application/vnd.apache.parquet",
    "jsonld": "application/ld+json",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}
_PART = 1 << 18


@get("/exports/register/{entry:str}/{file:str}", include_in_schema=False)
async def get_package_file(
    entry: FromPath[str], file: FromPath[str], request: Request[Any, Any, Any], state: ApiState
) -> Response[Any]:
    """Read a file of the package of an entry, or a part of it."""
    folder = state.settings.packages_dir
    made = await in_thread(packages, folder)
    is_named = _FILE.fullmatch(file) is not None
    if is_named and entry == LATEST and made:
        return _redirect(f"/exports/register/{made[-1]}/{file}")
    path = folder / entry / file
    if not is_named or entry not in map(str, made) or not await in_thread(path.is_file):
        raise NotFound(_there_is_none(made))
    size = (await in_thread(path.stat)).st_size
    headers = {
        "accept-ranges": "bytes",
        "cache-control": CHANGING,
        "content-type": _TYPES.get(path.suffix[1:], "text/plain; charset=utf-8"),
        "vary": "accept-encoding",
        "etag": await in_thread(_tag, path),
    }
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    if request.headers.get("if-range", headers["etag"]) != headers["etag"]:
        asked = None
    packed = path.with_name(f"{file}.gz")
    takes = asked is None and takes_gzip(request.headers.get("accept-encoding", ""))
    if takes and await in_thread(packed.is_file):
        headers |= {"content-encoding": "gzip", "etag": f'{headers["etag"][:-1]}-gz"'}
        size, path = (await in_thread(packed.stat)).st_size, packed
    start, end = 0, size
    if asked is not None and any(asked.groups()):
        first, last = asked.groups()
        start = int(first) if first else max(0, size - int(last))
        end = min(size, int(last) + 1) if first and last else size
        headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
        if start >= end:
            return Response(
                content=b"", status_code=416, headers={"content-range": f"bytes */{size}"}
            )
    headers["content-length"] = str(end - start)
    if is_unread(request.scope, headers["etag"]):
        end = start
    return Stream(
        _read(path, start, end),
        status_code=206 if "content-range" in headers else 200,
        headers=headers,
    )


@get(["/exports/register/{entry:str}", "/exports/register/{entry:str}/"], include_in_schema=False)
async def get_package(entry: FromPath[str], state: ApiState) -> Response[Any]:
    """Lead to the description of a package."""
    made = await in_thread(packages, state.settings.packages_dir)
    if not made or entry not in {LATEST, *map(str, made)}:
        raise NotFound(_there_is_none(made))
    known = made[-1] if entry == LATEST else entry
    return _redirect(f"/exports/register/{known}/datapackage.json")


def _redirect(address: str) -> Response[Any]:
    return Response(
        content=b"", status_code=307, headers={"location": address, "cache-control": CHANGING}
    )


def _there_is_none(made: list[int]) -> str:
    if not made:
        return "no package is there yet; one is made of the last entry before each full hour"
    entries = ", ".join(map(str, made))
    return (
        f"no package has this file; there are those of the entries {entries}, and "
        "datapackage.json in each lists its files"
    )


def _tag(path: Path) -> str:
    """Return the tag of a file: of its content, for which the package has a digest."""
    for line in (path.parent / DIGESTS).read_text("ascii").splitlines():
        digest, name = line.split("  ")
        if name == path.name:
            return f'"{digest[:32]}"'
    stat = path.stat()
    return f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'


async def _read(path: Path, start: int, end: int) -> AsyncIterator[bytes]:
    """Yield a part of a file, after one that is empty: it is never the whole at once."""
    yield b""
    with path.open("rb") as file:
        file.seek(start)
        while start < end:
            part = await in_thread(file.read, min(_PART, end - start))
            start += len(part)
            yield part
