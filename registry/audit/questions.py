"""The addresses that an audit asks for: files of the site, and questions made by rule.

The description of the API gives its addresses and parameters, each with the codes that it may have;
where it lists none, the codes are those that the rebuilt register counts. Each parameter is asked
for alone, with every code; filters by facts, of which there are as many as facts, with one each;
of tables of two groupings, of facts that are followed, of two and three filters together and of
addresses that no record has some are drawn. What is in the register gives the rest: records,
versions, entries. Each question is asked in one form of those in which people and programs ask.
"""

from __future__ import annotations

import random
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from itertools import cycle, product
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from registry.api.receipts import PARAMETER
from registry.file_headers import address_of
from registry.log.files import INCIDENTS
from registry.record.dimensions import dimensions
from registry.record.facets import ENDS, FACETS
from registry.record.facts import facts
from registry.record.pointers import strings_in
from registry.web.in_process import Ask

_PAGE = 100
_BUILT_FROM = "build.json"
_WORDS = 24
"""Records of which a word, two words and the beginning of one are searched for."""
_MOST_FACETS = 100
"""A question names no more."""
_TABLES = {"by", "facets", "transitions"}
"""Parameters of lists that ask for a table."""
_DRAWN = 48
"""Tables of two groupings, and facts that are followed, drawn out of all."""
_BEFORE_ALL = "2000-01-01"
_SHORTEST = 4
_RECORDS = "/api/v1/records"
_SHARED = frozenset(
    {
        *FACETS,
        "q",
        "lang",
        "changed_since",
        "changed_until",
        "unchanged_since",
        "completeness_min",
        "completeness_max",
        "facts",
    }
)
"""The parameters of searches, which exports have too and are asked for there alone."""

_BROWSER = {
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "accept-language": "fr,en;q=0.5",
    "accept-encoding": "gzip",
    "upgrade-insecure-requests": "1",
    "sec-fetch-dest": "document",
    "sec-fetch-mode": "navigate",
    "sec-fetch-site": "none",
}
_FORMS: Sequence[Mapping[str, str]] = (
    {"user-agent": "curl/8.14.1", "accept": "*/*"},
    {"user-agent": "python-requests/2.32.5", "accept": "*/*", "accept-encoding": "gzip, deflate"},
    _BROWSER,
    {**_BROWSER, "accept-language": "ar"},
)
"""The headers of programs and browsers, of which each question is asked with some."""
_FRESH = 0.05
"""The part of questions after which a connection is closed."""
_TODAY = 0.5
"""The part of questions as of the last entry that are asked as of now."""

_PAGED = {"cursor", "since", "before", "limit", "as_of", "q", PARAMETER}
"""Parameters that another question asks for, or every one; of receipts there is a command."""


class Question(msgspec.Struct, frozen=True):
    """An address, the kind of answer under which it is counted, and the form of the request.

    With a body it is asked by POST.
    """

    kind: str
    path: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None

    @property
    def is_plain(self) -> bool:
        """Whether the answer is that of a request without any headers."""
        return self.body is None and self.headers.get("accept", "*/*") == "*/*"

    def in_form(self, drawn: random.Random, as_of: str) -> Question:
        """Return it as a person or a program may ask it: with headers, and often of today."""
        headers, path = drawn.choice(_FORMS), self.path
        if drawn.random() < _FRESH:
            headers = {**headers, "connection": "close"}
        if "cursor=" not in path and drawn.random() < _TODAY:
            path = re.sub(rf"[?&]as_of={re.escape(as_of)}(?=&|$)", "", path)
            path = path if "?" in path else path.replace("&", "?", 1)
        return msgspec.structs.replace(self, headers={**headers, **self.headers}, path=path)


class LogContents(msgspec.Struct, frozen=True, kw_only=True):
    """What is in a log: versions by record, short codes, the number of entries."""

    versions: Mapping[str, int]
    codes: Sequence[str]
    size: int

    @property
    def as_of(self) -> str:
        """The parameter `as_of` of its last entry."""
        return f"entry:{self.size - 1}"


class Questions:
    """The questions about a register with a log, of which `ask` asks the rebuilt one."""

    def __init__(
        self,
        ask: Ask,
        log: LogContents,
        files: Sequence[str],
        *,
        languages: Sequence[str],
        drawn: random.Random,
    ) -> None:
        """Take what is asked about (log, files of the site, languages), and what draws of it."""
        self._ask = ask
        self._log = log
        self._files = files
        self._languages = languages
        self._random = drawn
        self._counted: dict[str, list[str]] = {}
        self._weights: dict[tuple[str, str], int] = {}
        self._schemas: Mapping[str, Any] = {}

    async def all(self) -> AsyncIterator[Question]:
        """Yield every question once."""
        seen: set[tuple[str, bytes | None]] = set()
        async for one in self._all():
            if (one.path, one.body) not in seen:
                seen.add((one.path, one.body))
                yield one

    async def _all(self) -> AsyncIterator[Question]:
        for one in self._site():
            yield one
        for one in self._log_files():
            yield one
        described = await self._json("/openapi.json")
        self._schemas = described["components"]["schemas"]
        yield Question("answers", "/openapi.json")
        await self._count_codes()
        for path, methods in described["paths"].items():
            operation = methods.get("get")
            if operation is None or operation.get("security") or not path.startswith("/api/"):
                continue
            async for one in self._operation(path, operation):
                yield one
        async for one in self._searches():
            yield one
        async for one in self._moments():
            yield one
        for made in (self._made_when_asked(), self._combinations(), self._absent()):
            for one in made:
                yield one

    def _site(self) -> Iterator[Question]:
        for file in self._files:
            if file == _BUILT_FROM:
                # Alone of its kind, so that no share leaves it out.
                kind = "what the site was built from"
            elif file.endswith(".html"):
                kind = "pages"
            else:
                kind = "feeds" if file.startswith("feeds/") else "files"
            yield Question(kind, f"/{address_of(file)}")

    def _log_files(self) -> Iterator[Question]:
        for name in ("log.json", "policy", "witnessed", "checkpoint", "site.json", INCIDENTS):
            yield Question("log files", f"/log/{name}")
        for index in range(self._log.size):
            yield Question("log files", f"/log/content/{index}.json")
            yield Question("log files", f"/log/proof/{index}.tlog-proof")

    async def _count_codes(self) -> None:
        """Read the codes that the register counts, by facet."""
        of_facts = (name for name in dimensions() if name in facts())
        named = list(dict.fromkeys((*FACETS, *of_facts)))
        for start in range(0, len(named), _MOST_FACETS):
            some = ",".join(named[start : start + _MOST_FACETS])
            asked = {"facets": some, "limit": 1, "as_of": self._log.as_of}
            page = await self._json(f"{_RECORDS}?{_query(asked)}")
            for name, counts in page["facets"].items():
                self._counted[name] = [one["code"] for one in counts]
                self._weights |= {(name, one["code"]): one["count"] for one in counts}
        agencies = await self._json("/api/v1/agencies")
        self._counted["agency"] = [one["id"] for one in agencies["items"]]

    async def _operation(self, path: str, operation: Mapping[str, Any]) -> AsyncIterator[Question]:
        parameters = operation.get("parameters", ())
        has_moment = any(one["name"] == "as_of" for one in parameters)
        always = {"as_of": self._log.as_of} if has_moment else {}
        kind = _kind(path)
        places = [one async for one in self._places(path, parameters)]
        for place in places:
            for given in self._given(path, parameters):
                asked = {**given, **always}
                # A table is of the whole list, and each of its pages would count all of it again.
                if path == _RECORDS and _TABLES.isdisjoint(given):
                    async for one in self._pages(f"{place}?{_query(asked)}"):
                        yield one
                elif path == "/api/v1/changes":
                    async for one in self._changes(asked):
                        yield one
                else:
                    yield Question(kind, f"{place}?{_query(asked)}" if asked else place)

    async def _places(
        self, path: str, parameters: Sequence[Mapping[str, Any]]
    ) -> AsyncIterator[str]:
        """Yield the addresses of a path, with all that its parts may be."""
        parts = [one for one in parameters if one["in"] == "path"]
        names = {one["name"] for one in parts}
        if {"agency", "slug"} <= names:
            for record, last in sorted(self._log.versions.items()):
                agency, slug = record.split("/")
                at = path.replace("{agency}", agency).replace("{slug}", slug)
                for version in range(1, last + 1) if "version" in names else (0,):
                    yield at.replace("{version}", str(version))
            return
        values = [[*await self._values_of(path, one)] for one in parts]
        for chosen in product(*values):
            at = path
            for one, value in zip(parts, chosen, strict=True):
                at = at.replace(f"{{{one['name']}}}", quote(str(value), safe=""))
            yield at

    async def _values_of(self, path: str, part: Mapping[str, Any]) -> Sequence[Any]:
        """Return what a part of a path may be."""
        name, schema = part["name"], part["schema"]
        if "enum" in schema:
            return list(schema["enum"])
        if name == "agency":
            return self._counted["agency"]
        if path == "/api/v1/codes/{code}":
            return self._log.codes
        # Of what there are few, the list itself has the ids.
        listed = await self._json(path.partition("/{")[0])
        return [one.get("id", one.get("code")) for one in listed["items"]]

    def _given(
        self, path: str, parameters: Sequence[Mapping[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        """Yield the parameters that are given at once: none, then each with every code."""
        required = [one for one in parameters if one.get("required") and one["in"] == "query"]
        if required:
            return
        base: dict[str, Any] = {"limit": _PAGE} if path == _RECORDS else {}
        yield base
        for one in parameters:
            name = one["name"]
            is_export = path.startswith("/api/v1/exports/")
            if one["in"] != "query" or name in _PAGED or (is_export and name in _SHARED):
                continue
            if "$ref" in one["schema"]:
                # Each member is a parameter. Of so many, each is asked with one of its codes.
                members = self._schemas[one["schema"]["$ref"].rpartition("/")[2]]["properties"]
                for turn, (member, schema) in enumerate(members.items()):
                    if codes := self._codes(path, member, schema):
                        yield base | {member: codes[turn % len(codes)]}
                continue
            values = self._codes(path, name, one["schema"])
            if path == _RECORDS and name in {"by", "transitions"}:
                further = {} if name == "by" else {"changed_since": _BEFORE_ALL}
                yield base | further
                for drawn in [self._random.sample([*values], 2) for _ in range(_DRAWN)]:
                    yield base | further | {name: ",".join(drawn) if name == "by" else drawn[0]}
                continue
            for value in values:
                yield base | {name: value}

    def _codes(self, path: str, name: str, schema: Mapping[str, Any]) -> Sequence[Any]:
        """Return the codes of a parameter, of one with a range the ends and the middle."""
        listed = schema.get("items", schema)
        if "enum" in listed:
            if name == "sort":
                return [code for code in listed["enum"] if code != "relevance"]
            return list(listed["enum"])
        fact, _, end = name.rpartition(".")
        counted = self._counted.get(fact if end in ENDS else name)
        if counted is not None:
            return counted
        if path.endswith("/proof") or name in {"from", "to"}:
            return ()
        if listed.get("type") == "integer":
            low, high = listed["minimum"], listed["maximum"]
            return (low, (low + high) // 2, high) if high - low <= _PAGE else ()
        return ()

    async def _pages(self, path: str) -> AsyncIterator[Question]:
        """Yield the pages of a list to its end, as the rebuilt register leads on."""
        cursor = ""
        while True:
            at = f"{path}&cursor={cursor}" if cursor else path
            yield Question("lists", at)
            page = await self._json(at)
            cursor = page.get("next") or ""
            if not cursor:
                return

    async def _changes(self, asked: Mapping[str, Any]) -> AsyncIterator[Question]:
        since: int | None = -1
        while since is not None:
            given = {**asked, "since": since, "limit": 1000}
            path = f"/api/v1/changes?{_query(given)}"
            yield Question("changes", path)
            since = (await self._json(path)).get("next")

    async def _searches(self) -> AsyncIterator[Question]:
        """Yield searches for words of some records, as questions, suggestions and pages."""
        for record in self._drawn_records():
            answer = await self._ask(f"{_RECORDS}/{record}?as_of={self._log.as_of}")
            document = msgspec.json.decode(answer.content).get("record") or {}
            named = {name: document.get(name) for name in ("name", "summary", "purpose")}
            words = sorted(
                {
                    word
                    for text in strings_in(named)
                    for word in text.split()
                    if len(word) >= _SHORTEST and word.isalpha()
                }
            )
            if not words:
                continue
            one, other = self._random.choice(words), self._random.choice(words)
            tag = self._random.choice(self._languages)
            always = {"limit": _PAGE, "as_of": self._log.as_of}
            for asked in (
                {"q": one},
                {"q": f"{one} {other}"},
                {"q": f'"{one}"'},
                {"q": f"{one} -{other}"},
                {"q": one[:-2] + one[-1]},
                {"q": one, "reader": tag, "lang": tag},
            ):
                yield Question("searches", f"{_RECORDS}?{_query(asked | always)}")
            yield Question("suggestions", f"/api/v1/suggestions?{_query({'q': one[:3]})}")
            yield Question("searches", f"/{tag}/search?{_query({'q': one})}")
            batch = msgspec.json.encode({"q": {"query": f"{one} {other}", "limit": 5}}).decode()
            form = {"content-type": "application/x-www-form-urlencoded"}
            body = urlencode({"queries": batch}).encode()
            at = "/api/v1/reconcile"
            yield Question("reconciliation", at, headers=form, body=body)
            yield Question("reconciliation", f"{at}/suggest?{_query({'prefix': one[:3]})}")
            yield Question("reconciliation", f"{at}/view?{_query({'id': record})}")

    async def _moments(self) -> AsyncIterator[Question]:
        """Yield what was found and counted of an agency while a version was in force."""
        for record in sorted(self._log.versions):
            versions = await self._json(f"{_RECORDS}/{record}/versions?as_of={self._log.as_of}")
            for one in versions["items"]:
                of_agency = {"agency": record.split("/")[0]}
                then = of_agency | {"as_of": f"entry:{one['entry']}"}
                until = of_agency | {"changed_until": one["published_at"]}
                yield Question("moments", f"{_RECORDS}?{_query(then)}")
                yield Question("moments", f"{_RECORDS}?{_query(until)}&as_of={self._log.as_of}")
                yield Question("moments", f"/api/v1/statistics?{_query(then)}")

    def _made_when_asked(self) -> Iterator[Question]:
        """Yield what the site makes when it is asked: links, feeds, comparisons, searches."""
        for code in self._log.codes:
            yield Question("short links", f"/r/{code}")
        for tag in self._languages:
            for record, last in sorted(self._log.versions.items()):
                for form in ("atom", "json"):
                    yield Question("feeds", f"/feeds/{tag}/records/{record}.{form}")
                for version in range(2, last + 1):
                    asked = _query({"from": version - 1, "to": version})
                    yield Question("pages", f"/{tag}/records/{record}/compare?{asked}")
        tags = cycle(self._languages)
        for name, codes in self._counted.items():
            for code in codes if name in FACETS else ():
                tag, asked = next(tags), _query({name: code})
                yield Question("filters", f"/{tag}/search?{asked}")
                yield Question("feeds", f"/feeds/{tag}/search.json?{asked}")

    def _combinations(self) -> Iterator[Question]:
        """Yield what is found by two and three filters, mostly of codes that many records have."""
        counted = {name: codes for name in FACETS if (codes := self._counted.get(name))}
        for number in [2, 3] * _DRAWN:
            asked = {}
            for name in self._random.sample([*counted], min(number, len(counted))):
                weights = [1 + self._weights.get((name, code), 0) for code in counted[name]]
                [asked[name]] = self._random.choices(counted[name], weights)
            then = {"as_of": self._log.as_of}
            listed = _query({"limit": _PAGE} | asked | then)
            yield Question("combinations", f"{_RECORDS}?{listed}")
            yield Question("combinations", f"/api/v1/statistics?{_query(asked | then)}")
            tag = self._random.choice(self._languages)
            yield Question("combinations", f"/{tag}/search?{_query(asked)}")

    def _absent(self) -> Iterator[Question]:
        """Yield addresses of records that no log has."""
        for record in self._drawn_records():
            at = f"records/{record}-{self._random.randrange(10)}{self._random.choice('abcdefg')}"
            tag = self._random.choice(self._languages)
            yield Question("absent", f"/api/v1/{at}")
            yield Question("absent", f"/{tag}/{at}")

    def _drawn_records(self) -> list[str]:
        records = sorted(self._log.versions)
        return self._random.sample(records, min(_WORDS, len(records)))

    async def _json(self, path: str) -> Any:
        return msgspec.json.decode((await self._ask(path)).content)


def _query(asked: Mapping[str, Any]) -> str:
    return urlencode(asked, safe=":,/")


def _kind(path: str) -> str:
    """Return the kind under which the answers of a path are counted."""
    if path.startswith(f"{_RECORDS}/"):
        last = path.rpartition("/")[2]
        return {"{slug}": "records", "{version}": "versions", "versions": "histories"}.get(
            last, last
        )
    name = path.removeprefix("/api/v1/").partition("/")[0]
    counted = {"exports", "statistics", "attestations", "agencies", "workbooks"}
    return name if name in counted else "answers"
