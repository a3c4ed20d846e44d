"""The page of a record made from a draft: by the view of the record's own page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from registry.errors import Finding
from registry.log.register import StoredRecord
from registry.pages.assets import Assets
from registry.pages.cards import read_card
from registry.pages.editions import Edition
from registry.pages.labels import read_lists
from registry.pages.reader import Reader
from registry.pages.site import Site
from registry.pages.snapshot import RegisterState, Snapshot
from registry.pages.views.record_view import read_languages, record_view
from registry.record.pack import Pack
from registry.record.validate import findings_in


def preview_site(
    record: StoredRecord,
    related: Sequence[StoredRecord],
    *,
    pack: Pack,
    editions: Mapping[str, Edition],
    assets: Assets,
    base_url: str,
    now: dt.datetime,
) -> Site:
    """Return the site of one record that is not published, and of those that it names."""

    def findings(document: bytes, day: dt.date) -> Mapping[str, Sequence[Finding]]:
        return findings_in(pack.languages, msgspec.json.decode(document), pack=pack, today=day)

    return Site(
        snapshot=Snapshot(
            pack=pack,
            register=RegisterState(size=0, root=""),
            agencies=pack.agencies,
            records=[record],
            as_of=now,
        ),
        base_url=base_url,
        assets=assets,
        lists=read_lists(pack),
        editions=editions,
        records={},
        cards={
            one.id: read_card(one, pack.agencies.get(one.agency), read_languages(one.document))
            for one in related
        },
        histories={},
        fingerprint="",
        findings=findings,
    )


def preview_view(
    reader: Reader,
    record: StoredRecord,
    site: Site,
    *,
    addresses: Mapping[str, str],
    errors: int,
    back: str | None = None,
    until: dt.date | None = None,
) -> dict[str, Any]:
    """Build the page of a record that is not published, without what only the log can give it.

    `addresses` are those of the preview by language, `errors` is the number of findings that
    prevent publication, `back` the address of the draft's own page for who works on it; a link for
    others is good `until` a day.
    """
    view = record_view(reader, record, site)
    view["r"]["preview"] = True
    return view | {
        "addresses": addresses,
        "errors": errors,
        "back": back,
        "until": until and until.isoformat(),
    }
