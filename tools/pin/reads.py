"""The questions of `questions.txt`, asked of a register that serves."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import httpx

from tools.pin.asking import Asker

_QUESTIONS = Path(__file__).parent / "questions.txt"
_FOREIGN = 24
_PAGES = 4
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_ASSET = re.compile(r'(?:href|src)="(/assets/[^"]+)"')


def ask_all(asker: Asker, client: httpx.Client) -> None:
    """Ask every question, and what follows from its answer."""
    names, versions = _names(client)
    for line in _QUESTIONS.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        question, *options = line.split(" | ")
        method, address = question.split(" ", 1)
        headers = dict(option.split(": ", 1) for option in options)
        ask = partial(asker.ask, by=headers.pop("by", None))
        for path in _filled(address, names, versions):
            answer = ask("GET" if method in {"AGAIN", "PAGES"} else method, path, headers)
            if method == "AGAIN" and "etag" in answer.headers:
                tag = {"if-none-match": answer.headers["etag"]}
                ask("GET", path, headers | tag, about="its tag")
            for page in range(2, _PAGES + 1) if method == "PAGES" else ():
                key = "cursor" if path.startswith("/api/v1/records") else "since"
                if not answer.is_success or (following := answer.json()["next"]) is None:
                    break
                mark = "&" if "?" in path else "?"
                answer = ask("GET", f"{path}{mark}{key}={following}", headers, about=f"page {page}")
    ask("GET", "/api/v1/records?q=" + "x" * 8192, about="a long address")


def _names(client: httpx.Client) -> tuple[Mapping[str, Sequence[str]], Counter[str]]:
    """Return what each placeholder stands for, and how many versions a record has."""
    records, since = list[str](), -1
    while True:
        asked = f"/api/v1/changes?kind=version&limit=1000&since={since}"
        answer = client.get(f"{asked}&origin=all")
        # Older checkouts do not know the parameter, and answer for every origin.
        page = (answer if answer.is_success else client.get(asked)).json()
        records += [item["entry"]["id"] for item in page["items"]]
        if (since := page["next"]) is None:
            break
    local = sorted({one for one in records if "." not in one.split("/")[0]})
    foreign = [one for one in records if "." in one.split("/")[0]]
    names = {
        "local": local,
        "foreign": sorted({*foreign[:: len(foreign) // _FOREIGN + 1], *foreign[-1:]}),
        "agency": sorted({one.split("/")[0] for one in local}),
        "codelist": client.get("/api/v1/codelists").json()["items"],
        "asset": sorted(set(_ASSET.findall(client.get("/en/").text))),
    }
    return names, Counter(records)


def _filled(
    address: str, names: Mapping[str, Sequence[str]], versions: Counter[str]
) -> Iterator[str]:
    """Yield an address once for each thing that its placeholder stands for."""
    found = _PLACEHOLDER.search(address)
    for value in names[found[1]] if found else [""]:
        path = address.replace(found[0], value) if found else address
        for version in range(1, versions[value] + 1) if "{version}" in path else [1]:
            yield path.replace("{version}", str(version))
