"""The packages of the register as files, with ranges, and compressed for whoever takes it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath
from litestar.response import Stream

from registry.api.conditional import takes_gzip
from registry.api.request import ApiState
from registry.errors import NotFound
from registry.exports.package import packages
from registry.file_headers import CHANGING, LASTING
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
    if entry == LATEST and made:
        return _redirect(f"/exports/register/{made[-1]}/{file}")
    path = folder / entry / file
    if (
        entry not in map(str, made)
        or not _FILE.fullmatch(file)
        or not await in_thread(path.is_file)
    ):
        known = f"; there are those of the entries {', '.join(map(str, made))}" if made else ""
        raise NotFound(f"there is no file {file} of a package of entry {entry}{known}")
    size = (await in_thread(path.stat)).st_size
    headers = {
        "accept-ranges": "bytes",
        "cache-control": LASTING,
        "content-type": _TYPES.get(path.suffix[1:], "text/plain; charset=utf-8"),
        "vary": "accept-encoding",
        "etag": f'"{entry}-{size:x}"',
    }
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    packed = path.with_name(f"{file}.gz")
    takes = asked is None and takes_gzip(request.headers.get("accept-encoding", ""))
    if takes and await in_thread(packed.is_file):
        headers |= {"content-encoding": "gzip", "etag": f'"{entry}-{size:x}-gz"'}
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
    return Stream(
        _read(path, start, end),
        status_code=206 if "content-range" in headers else 200,
        headers={**headers, "content-length": str(end - start)},
    )


@get(["/exports/register/{entry:str}", "/exports/register/{entry:str}/"], include_in_schema=False)
async def get_package(entry: FromPath[str], state: ApiState) -> Response[Any]:
    """Lead to the description of a package."""
    made = await in_thread(packages, state.settings.packages_dir)
    if entry == LATEST and made:
        entry = str(made[-1])
    return _redirect(f"/exports/register/{entry}/datapackage.json")


def _redirect(address: str) -> Response[Any]:
    return Response(
        content=b"", status_code=307, headers={"location": address, "cache-control": CHANGING}
    )


async def _read(path: Path, start: int, end: int) -> AsyncIterator[bytes]:
    """Yield a part of a file."""
    with path.open("rb") as file:
        file.seek(start)
        while start < end:
            part = await in_thread(file.read, min(_PART, end - start))
            start += len(part)
            yield part
