"""Auditing the pages of records: what each shows must be what follows from the log.

The pages are rendered here from the replay of the log, by the same templates as there, and
compared: to the byte where the register runs this release, else by level, status, fingerprint and
every text of the record.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from html.parser import HTMLParser
from typing import Any

import msgspec

from registry import __version__
from registry.errors import ConfigurationError
from registry.exchange.answer_difference import AnswerDifference, unlike
from registry.exchange.audit import ApiAudit
from registry.exchange.remote_register import RemoteAnswer, RemoteRegister
from registry.exchange.texts import ELLIPSIS
from registry.ledger.register_replay import RegisterReplay
from registry.pages.page import Page
from registry.pages.reader import label
from registry.pages.site import Site, open_site
from registry.pages.snapshot import RegisterState, Snapshot
from registry.pages.views.record_pages import record_pages
from registry.pages.views.static_index import FOLDER, index_pages
from registry.record.origin import Origin
from registry.record.pack import Operator, Pack, load_pack, pack_codes
from registry.store.records import StoredRecord
from registry.tlog.compact import CompactRange

_OK, _GONE, _NOT_FOUND = 200, 410, 404
_UNSEEN = {"script", "style"}
_AROUND = 6
_LONGEST = 120
_LOCATION = re.compile(rb"<loc>([^<]*)</loc>")
_SHORTEST = 12
_STATED = (("risk_level", "risk", "level"), ("status", "lifecycle", "status"))


class _BuiltFrom(msgspec.Struct, frozen=True):
    """The log that a site was built from."""

    size: int
    root: str


class _BuildFacts(msgspec.Struct, frozen=True):
    """What `build.json` says of a site."""

    as_of: dt.datetime
    base_url: str
    log: _BuiltFrom


class PageAudit:
    """The comparison of a register's pages with the replay of its log.

    `checked` counts pages; `not_covered` says what could not be compared.
    """

    def __init__(self, remote: RemoteRegister, replay: RegisterReplay, api: ApiAudit) -> None:
        """Take a register, what its log says, and the audit of its answers, which ended."""
        self.checked: Counter[str] = Counter()
        self.not_covered: list[str] = []
        self._remote = remote
        self._replay = replay
        self._api = api
        self._is_same_release = False
        self._reworded: list[str] = []
        self._cut: list[str] = []

    def differences(self) -> Iterator[AnswerDifference]:
        """Yield every difference; raises `Unavailable` where the register does not answer."""
        path = "/build.json"
        answer = self._remote.get(path)
        if answer.status == _NOT_FOUND:
            self.not_covered.append("pages: there is no site beside the log")
            return
        try:
            built = msgspec.json.decode(answer.content, type=_BuildFacts)
        except msgspec.DecodeError:
            yield AnswerDifference(at=path, why="it does not say what the site was built from")
            return
        if why := self._unlike_log(built.log):
            yield AnswerDifference(at=path, why=why)
            return
        site = self._site(built)
        if site is None:
            return
        self._is_same_release = self._runs_this_release(site)
        yield from self._site_map(site)
        yield from self._index(site)
        for page, answered in self._remote.each(record_pages(site), self._read):
            yield from self._page(site, page, answered)
        for pages, why in (
            (self._reworded, "which another release has rendered"),
            (self._cut, "which show whole texts of other registers that records have in part"),
        ):
            if pages:
                count = f"the wording of {len(pages)} pages, {why}"
                self.not_covered.append(f"{count}; the first is {pages[0]}")

    def _unlike_log(self, built: _BuiltFrom) -> str | None:
        if not 0 < built.size <= self._replay.size:
            return f"the site shows {built.size} entries, and the log has {self._replay.size}"
        tree = CompactRange()
        for index in range(built.size):
            tree = tree.append(bytes.fromhex(self._replay.leaf(index)))
        if tree.root().hex() != built.root:
            return f"the site was built from another log: its root is {built.root}"
        return None

    def _site(self, built: _BuildFacts) -> Site | None:
        """Return the site as it must be; None where the country's pack is not here."""
        pack = self._pack()
        if pack is None:
            return None
        as_of, replay = built.log.size - 1, self._replay
        records: list[StoredRecord] = []
        earlier: dict[str, Sequence[StoredRecord]] = {}
        for last, _ in replay.standing(as_of=as_of):
            known = [one for one in replay.versions[last.record] if one.entry <= as_of]
            stored = [self._api.stored(one, as_of=as_of) for one in known]
            records.append(stored[-1])
            earlier[last.record] = stored[:-1]
        snapshot = Snapshot(
            pack=pack,
            register=RegisterState(size=built.log.size, root=built.log.root),
            agencies=self._api.agencies,
            records=records,
            as_of=built.as_of,
            earlier=earlier,
            origins={
                code: msgspec.convert(said, Origin) for code, said in self._api.origins.items()
            },
            withdrawals={one.id: replay.withdrawals(one.id, as_of=as_of) for one in records},
            source_events={
                record: [one for one in events if one.entry <= as_of]
                for record, events in replay.source_events.items()
            },
        )
        return open_site(snapshot, built.base_url)

    def _pack(self) -> Pack | None:
        """Return the pack of the register's country, as its catalogue names it."""
        said = self._remote.get("/api/v1/catalogue").json
        country = _country(said)
        for code in pack_codes():
            with suppress(ConfigurationError):
                pack = load_pack(code)
                if pack.country == country:
                    operator = _operator(said) or pack.operator
                    return msgspec.structs.replace(pack, operator=operator)
        self.not_covered.append(f"pages: there is no country pack of {country} here")
        return None

    def _runs_this_release(self, site: Site) -> bool:
        said = self._remote.get("/openapi.json").json
        version = said.get("info", {}).get("version") if isinstance(said, dict) else None
        style = self._remote.get(f"/{site.assets.stylesheet}")
        return version == __version__ and style.status == _OK

    def _site_map(self, site: Site) -> Iterator[AnswerDifference]:
        """Compare which pages of records are listed."""
        path, base = "/sitemap.xml", site.base_url
        found = _locations(self._remote.get(path))
        if any(one.endswith(".xml") for one in found):
            maps = [one.removeprefix(base) for one in found]
            found = [one for part in maps for one in _locations(self._remote.get(part))]
        listed = {one for one in found if "/records/" in one}
        expected = {f"{base}{_address(page)}" for page in record_pages(site) if page.listed}
        for one in sorted(expected - listed)[:_AROUND]:
            yield AnswerDifference(at=path, why=f"{one} is missing, and follows from the log")
        for one in sorted(listed - expected)[:_AROUND]:
            yield AnswerDifference(at=path, why=f"{one} is listed, and does not follow from it")

    def _index(self, site: Site) -> Iterator[AnswerDifference]:
        """Compare codes and cards of the index that the finder asks without a register."""
        if self._api.unbound["verdicts"] or not self._is_same_release:
            return
        for page in index_pages(site, None):
            if page.file.startswith((f"{FOLDER}/index", f"{FOLDER}/cards")):
                self.checked["index files"] += 1
                log, answer = msgspec.json.decode(page.render()), self._remote.get(f"/{page.file}")
                if why := unlike(log, answer.json):
                    yield AnswerDifference(at=answer.path, why=why)

    def _read(self, page: Page) -> RemoteAnswer:
        return self._remote.get(_address(page))

    def _page(self, site: Site, page: Page, answer: RemoteAnswer) -> Iterator[AnswerDifference]:
        self.checked["pages"] += 1
        if answer.status not in {_OK, _GONE}:
            why = f"it answers {answer.status}, and there must be a page"
            yield AnswerDifference(at=answer.path, why=why)
            return
        expected = page.render()
        if answer.content == expected:
            return
        here, there = _words(answer.content), _words(expected)
        is_cut = any(_is_cut(one) for one in site.histories[page.needs[0]])
        if self._is_same_release and not is_cut and not self._api.unbound["verdicts"]:
            why = _unlike_words(here, there) or "its markup is not what follows from the log"
            yield AnswerDifference(at=answer.path, why=why)
        elif (wrong := _unlike_facts(site, page, here, there)) is not None:
            yield AnswerDifference(at=answer.path, why=wrong)
        elif here != there:
            (self._cut if is_cut else self._reworded).append(answer.path)


class _Reading(HTMLParser):
    """Reads the words of a page: its texts, and what its proof names."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._is_seen = True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self._is_seen = tag not in _UNSEEN or known.get("type") == "application/ld+json"
        for name, value in attrs:
            if name.startswith("data-"):
                self.words.append(f"{name}={value}")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._is_seen = True

    def handle_data(self, data: str) -> None:
        if self._is_seen:
            self.words += data.split()


def _words(content: bytes) -> list[str]:
    reading = _Reading()
    reading.feed(content.decode("utf-8", "replace"))
    return reading.words


def _unlike_facts(site: Site, page: Page, here: Sequence[str], there: Sequence[str]) -> str | None:
    """Return which fact or text of the record a page lacks that it must show."""
    labels = site.editions[page.file.partition("/")[0]].reader
    shown, expected = " ".join(here), " ".join(there)
    for version in site.histories[page.needs[0]]:
        document = msgspec.json.decode(version.document)
        facts = [version.register.hash, *_texts(document)]
        for codelist, section, member in _STATED:
            if code := (document.get(section) or {}).get(member):
                facts.append(label(labels, codelist, code).text)
        for fact in facts:
            text = " ".join(fact.split())
            if text in expected and text not in shown:
                return f"it does not show {_short(text)}, which follows from the log"
    return None


def _unlike_words(here: Sequence[str], there: Sequence[str]) -> str | None:
    """Return where two pages say something else first."""
    for at, (one, other) in enumerate(zip([*here, ""], [*there, ""], strict=False)):
        if one != other:
            start = max(0, at - _AROUND // 2)
            shown, log = (" ".join(each[start : at + _AROUND]) for each in (here, there))
            return f"it says {_short(shown)}, and {_short(log)} follows from the log"
    return None


def _short(text: str) -> str:
    return f"“{text if len(text) <= _LONGEST else text[:_LONGEST] + '…'}”"


def _is_cut(record: StoredRecord) -> bool:
    """Return whether a foreign record may have texts in part, whose whole no entry has."""
    if record.register.origin is None:
        return False
    return any(text.endswith(ELLIPSIS) for text in _texts(msgspec.json.decode(record.document)))


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts of a document that are long enough to be no code."""
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str) and len(value) >= _SHORTEST:
        yield value


def _address(page: Page) -> str:
    return "/" + page.file.removesuffix("index.html").removesuffix(".html")


def _locations(answer: RemoteAnswer) -> list[str]:
    return [one.decode() for one in _LOCATION.findall(answer.content)]


def _operator(catalogue: Any) -> Operator | None:
    """Return who keeps the register, whom the packs here need not know."""
    try:
        return msgspec.convert(catalogue["publisher"]["contact"], Operator)
    except (KeyError, TypeError, msgspec.ValidationError):
        return None


def _country(catalogue: Any) -> str | None:
    """Return the country that a catalogue is of."""
    if isinstance(catalogue, Mapping):
        for name, value in catalogue.items():
            if name == "spatial" and isinstance(value, Mapping):
                country = value.get("identifier")
                return country if isinstance(country, str) else None
            if (found := _country(value)) is not None:
                return found
    if isinstance(catalogue, list):
        for one in catalogue:
            if (found := _country(one)) is not None:
                return found
    return None
