"""Auditing pages and feeds: what each shows must be what follows from the log.

They are rendered here from the replay of the log, by the same templates as there, and compared: to
the byte where the register runs this release, else records' pages by level, status, fingerprint and
every text of the record, and lists and feeds by the records that they lead to.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from registry.log.register import RegisterReplay, StoredRecord
from registry.pages.page import Page
from registry.pages.page_difference import (
    is_cut,
    page_words,
    unlike_facts,
    unlike_links,
    unlike_words,
)
from registry.pages.site import Site, open_site
from registry.pages.snapshot import BuildFacts, LogPosition, RegisterState, Snapshot
from registry.pages.views.browse_pages import agency_pages, browse_pages
from registry.pages.views.changes_pages import changes_pages, gather_imports
from registry.pages.views.events import read_events
from registry.pages.views.feeds import feed_pages
from registry.pages.views.home import home_pages
from registry.pages.views.record_pages import record_pages
from registry.pages.views.region_pages import region_pages
from registry.pages.views.static_index import FOLDER, index_pages
from registry.record.pack import Pack
from registry.tlog.compact import CompactRange
from registry.verify.audit import AnswerDifference, ApiAudit, unlike, unlike_value
from registry.verify.remote_register import RemoteAnswer, RemoteFacts, RemoteRegister

_OK, _GONE, _NOT_FOUND = 200, 410, 404
_AROUND = 6
_LOCATION = re.compile(rb"<loc>([^<]*)</loc>")


class PageAudit:
    """The comparison of a register's pages with the replay of its log.

    `checked` counts pages and feeds; `not_covered` says what could not be compared. `site` is the
    site as it must be, once there is one to compare.
    """

    def __init__(
        self, remote: RemoteRegister, replay: RegisterReplay, api: ApiAudit, facts: RemoteFacts
    ) -> None:
        """Take a register, what its log says, and the audit of its answers, which ended."""
        self.site: Site | None = None
        self.checked: Counter[str] = Counter()
        self.not_covered: list[str] = []
        self._remote = remote
        self._replay = replay
        self._api = api
        self._facts = facts
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
            built = msgspec.json.decode(answer.content, type=BuildFacts)
        except msgspec.DecodeError:
            yield AnswerDifference(at=path, why="it does not say what the site was built from")
            return
        if why := self._unlike_log(built.log):
            yield AnswerDifference(at=path, why=why)
            return
        pack = self._facts.pack
        if pack is None:
            self.not_covered.append(
                f"pages: there is no country pack of {self._facts.country} here"
            )
            return
        site = self.site = self._site(built, pack)
        self._is_same_release = self._runs_this_release(site)
        yield from self._site_map(site)
        yield from self._index(site)
        for page, answered in self._remote.each(record_pages(site), self._read):
            yield from self._page(site, page, answered)
        for page, answered in self._remote.each(_lists(site), self._read):
            yield from self._list(page, answered)
        for pages, why in (
            (self._reworded, "which another release has rendered"),
            (self._cut, "which show whole texts of other registers that records have in part"),
        ):
            if pages:
                count = f"the wording of {len(pages)} pages, {why}"
                self.not_covered.append(f"{count}; the first is {pages[0]}")

    def _unlike_log(self, built: LogPosition) -> str | None:
        if not 0 < built.size <= self._replay.size:
            return f"the site shows {built.size} entries, and the log has {self._replay.size}"
        tree = CompactRange()
        for index in range(built.size):
            tree = tree.append(bytes.fromhex(self._replay.leaf(index)))
        if tree.root().hex() != built.root:
            return f"the site was built from another log: its root is {built.root}"
        return None

    def _site(self, built: BuildFacts, pack: Pack) -> Site:
        """Return the site as it must be."""
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
            register=RegisterState(
                size=built.log.size, root=built.log.root, is_blocked=built.blocked
            ),
            agencies=self._api.agencies,
            records=records,
            as_of=built.as_of,
            log=[
                msgspec.structs.replace(line, risk=self._api.lowered.get(line.index, line.risk))
                for line in replay.log[: built.log.size]
            ],
            attestations={
                agency: said[0]
                for agency in replay.attesting
                if (said := replay.attestations(agency, records=0, as_of=as_of))
            },
            earlier=earlier,
            origins=self._api.origins,
            withdrawals={one.id: replay.withdrawals(one.id, as_of=as_of) for one in records},
            source_events={
                record: [one for one in events if one.entry <= as_of]
                for record, events in replay.source_events.items()
            },
        )
        return open_site(snapshot, built.base_url)

    def _runs_this_release(self, site: Site) -> bool:
        style = self._remote.get(f"/{site.assets.stylesheet}")
        return self._facts.is_this_release and style.status == _OK

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
        if not self._is_same_release:
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
        here, there = page_words(answer.content), page_words(expected)
        is_partial = any(is_cut(one) for one in site.histories[page.needs[0]])
        if self._is_same_release and not is_partial:
            why = unlike_words(here, there) or "its markup is not what follows from the log"
            yield AnswerDifference(at=answer.path, why=why)
        elif (wrong := unlike_facts(site, page, here, there)) is not None:
            yield AnswerDifference(at=answer.path, why=wrong)
        elif here != there:
            (self._cut if is_partial else self._reworded).append(answer.path)

    def _list(self, page: Page, answer: RemoteAnswer) -> Iterator[AnswerDifference]:
        """Compare a page that lists records, or a feed."""
        self.checked["feeds" if page.file.startswith("feeds/") else "list pages"] += 1
        expected = page.render()
        if answer.status != _OK:
            yield AnswerDifference(
                at=answer.path, why=unlike_value("the status", answer.status, _OK)
            )
        elif answer.content == expected:
            return
        elif self._is_same_release:
            why = unlike_words(page_words(answer.content), page_words(expected))
            why = why or "its markup is not what follows from the log"
            yield AnswerDifference(at=answer.path, why=why)
        elif why := unlike_links(answer.content, expected):
            yield AnswerDifference(at=answer.path, why=why)
        else:
            self._reworded.append(answer.path)


def _lists(site: Site) -> Iterator[Page]:
    """Yield the pages that list records, agencies and changes, and the feeds."""
    events = read_events(site)
    gathered = gather_imports(events)
    yield from home_pages(site)
    yield from browse_pages(site)
    yield from agency_pages(site)
    yield from region_pages(site)
    yield from changes_pages(site, events, gathered)
    yield from feed_pages(site, gathered, events)


def _address(page: Page) -> str:
    return "/" + page.file.removesuffix("index.html").removesuffix(".html")


def _locations(answer: RemoteAnswer) -> list[str]:
    return [one.decode() for one in _LOCATION.findall(answer.content)]
