"""The site that is built: the snapshot, its cards, and a reader and templates a language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from registry import resources
from registry.errors import Finding
from registry.hub.standing import troubles
from registry.log.register import StoredRecord
from registry.pages.assets import Assets, read_assets
from registry.pages.cards import Card, copied, counted
from registry.pages.digests import RecordDigest, digest_record, site_fingerprint
from registry.pages.editions import Edition, open_editions
from registry.pages.labels import read_lists
from registry.pages.page import Page, digest, page_file
from registry.pages.reader import Reader
from registry.pages.snapshot import Snapshot
from registry.record.codelists import CodeList
from registry.record.fast_validator import FastValidator
from registry.record.pack import Pack
from registry.record.page_words import seal
from registry.record.validate import findings_in
from registry.store.agencies import RecordKinds
from registry.text.catalogues import SOURCE

Demonstration: TypeAlias = Literal["", "alone", "real", "partly", "invented"]
"""Whether all records filed here are fictitious, and of which kind those copied beside them are."""

_TOLD = {
    f"{name}.html"
    for name in (
        "home", "overview", "kinds", "agencies", "agency", "browse", "regions", "search", "changes",
        "statistics", "life", "life_event", "embed", "answer",
    )
}  # fmt: skip
"""The pages that show records filed here among others, and say so of a demonstration."""


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """What every kind of page is made from; `fingerprint` is the digest of all that pages share.

    `demonstration` says of a register whose own records are all fictitious what those are that were
    copied beside them. `records` has every record in the order of ids, `cards` its card;
    `histories` have all versions of those whose documents are at hand, oldest first. `findings`
    returns the findings of a document as of a day, by language. `is_copy` says that no register
    answers at the address of the pages.
    """

    snapshot: Snapshot
    base_url: str
    assets: Assets
    lists: Mapping[str, CodeList]
    editions: Mapping[str, Edition]
    records: Mapping[str, RecordDigest]
    cards: Mapping[str, Card]
    histories: dict[str, Sequence[StoredRecord]]
    fingerprint: str
    findings: Callable[[bytes, dt.date], Mapping[str, Sequence[Finding]]]
    security_contact: str | None = None
    has_console: bool = False
    demonstration: Demonstration = ""
    is_copy: bool = False

    @property
    def day(self) -> dt.date:
        """The day in the country of which the pages speak."""
        return self.snapshot.as_of.date()


def open_site(
    snapshot: Snapshot,
    base_url: str,
    *,
    security_contact: str | None = None,
    has_console: bool = False,
    bytecode: Path | None = None,
    fingerprint: str | None = None,
    fast: FastValidator | None = None,
    is_copy: bool = False,
) -> Site:
    """Read templates, translations and assets, and make the digests of records that have none.

    `bytecode` is a folder for Jinja's cache; `fingerprint` is the site's, where that is known.
    """
    pack = snapshot.pack
    assets = read_assets(resources.SITE)
    histories: dict[str, Sequence[StoredRecord]] = {
        one.id: (*snapshot.earlier.get(one.id, ()), one) for one in snapshot.records
    }
    digests = dict(snapshot.digests)
    for name, versions in histories.items():
        agency = snapshot.agencies.get(versions[-1].agency)
        digests[name] = digest_record(
            versions,
            snapshot.withdrawals.get(name, ()),
            snapshot.source_events.get(name, ()),
            agency,
            pack,
        )
    records = dict(sorted(digests.items()))
    cards = {name: one.card for name, one in records.items()}
    return Site(
        snapshot=snapshot,
        base_url=base_url,
        security_contact=security_contact,
        has_console=has_console,
        assets=assets,
        lists=read_lists(pack),
        editions=open_editions(pack, assets, base_url, bytecode=bytecode),
        records=records,
        cards=cards,
        histories=histories,
        fingerprint=fingerprint
        or site_fingerprint(
            pack,
            base_url,
            snapshot.origins,
            troubles(snapshot.peers),
            snapshot.as_of.date(),
        ),
        # The languages of one record come one after the other.
        findings=lru_cache(maxsize=16)(partial(_findings, pack, fast)),
        demonstration=_demonstration(list(cards.values())),
        is_copy=is_copy,
    )


def demonstration_of(kinds: RecordKinds) -> Demonstration:
    """Return what pages say of a register by the kinds of its records in force."""
    if kinds.real or not kinds.filed:
        return ""
    if kinds.invented:
        return "partly" if kinds.copied else "invented"
    return "real" if kinds.copied else "alone"


def _demonstration(cards: Sequence[Card]) -> Demonstration:
    here = counted(cards)
    elsewhere = {card.fictitious for card in copied(cards)}
    kinds = RecordKinds(
        real=any(not card.fictitious for card in here),
        filed=bool(here),
        copied=False in elsewhere,
        invented=True in elsewhere,
    )
    return demonstration_of(kinds)


def _findings(
    pack: Pack, fast: FastValidator | None, document: bytes, day: dt.date
) -> Mapping[str, Sequence[Finding]]:
    read = msgspec.json.decode(document)
    return findings_in(pack.languages, read, pack=pack, today=day, fast=fast)


def page(
    site: Site,
    tag: str,
    path: str,
    *,
    template: str,
    key: str,
    view: Callable[[], Mapping[str, Any]],
    listed: bool = True,
) -> Page:
    """Return a page of one language; `path` is what follows `/<language>/`, `key` what it shows."""
    told = site.demonstration if template in _TOLD else ""
    return Page(
        file=page_file(f"/{tag}/{path}"),
        key=digest(site.fingerprint, tag, path, template, key, told),
        render=partial(render, site.editions[tag], path, template, view, demonstration=told),
        listed=listed,
    )


def pages(
    site: Site,
    path: str,
    *,
    template: str,
    key: str,
    view: Callable[[Reader], Mapping[str, Any]],
    listed: bool = True,
    needs: tuple[str, ...] = (),
) -> Iterator[Page]:
    """Yield a page in each language, under one key: it shows the same facts to every reader."""
    told = site.demonstration if template in _TOLD else ""
    shared = digest(site.fingerprint, path, template, key, told)
    for tag, edition in site.editions.items():
        yield Page(
            file=page_file(f"/{tag}/{path}"),
            key=shared,
            render=partial(
                render,
                edition,
                path,
                template,
                partial(view, edition.reader),
                demonstration=told,
            ),
            listed=listed,
            needs=needs,
        )


def render(
    edition: Edition,
    path: str,
    template: str,
    view: Callable[[], Mapping[str, Any]],
    *,
    demonstration: Demonstration = "",
) -> bytes:
    """Return a page of one language; `path` is what follows `/<language>/` in its address.

    With a query, that is part of the address, but not of the section. `demonstration` is what the
    page says of the records that are filed here.
    """
    first, slash, rest = path.partition("?")[0].partition("/")
    known = {"here": path, "section": first + slash, "exact": not rest}
    known["demonstration"] = demonstration
    return seal(edition.templates.get_template(template).render(known, **view())).encode()


def root_page(
    site: Site,
    path: str,
    *,
    template: str,
    view: Callable[[], Mapping[str, Any]],
    listed: bool = True,
) -> Page:
    """Return a page outside the languages: English, but for those that are in all of them."""
    in_all = path.startswith("/problems/") and SOURCE in site.editions
    tag = SOURCE if in_all else site.snapshot.pack.languages[0]

    def render() -> bytes:
        return site.editions[tag].templates.get_template(template).render(**view()).encode()

    key = digest(site.fingerprint, path, template)
    return Page(file=page_file(path), key=key, render=render, listed=listed)
