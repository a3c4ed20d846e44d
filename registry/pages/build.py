"""Building the site: what changed is rendered, what did not is kept, and the switch is one step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from registry.pages.collecting import uncollected
from registry.pages.contents import MACHINES, all_groups, machine_group
from registry.pages.corpus import Corpus
from registry.pages.editions import load_templates
from registry.pages.manifest import NOTHING, Made, Manifest
from registry.pages.page import Group
from registry.pages.rendering import WORTH_A_PROCESS, make_all
from registry.pages.site import Site, open_site
from registry.pages.static_index import found_in, seen_by_number
from registry.pages.switch import Place
from registry.pages.taking_over import make, take_over
from registry.record.fast_validator import FastValidator
from registry.settings import Settings
from registry.store.records import StoredRecord


class BuildReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a build did: files in the site, those rendered anew, those that went away."""

    files: int
    rendered: int
    removed: int
    folder: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a build is to do: the groups that are as they are in `known`, and those that changed.

    `needs` are the records of which the documents are wanted, and not at hand.
    """

    site: Site
    known: Manifest
    same: dict[str, Made]
    changed: list[Group]
    needs: list[str]
    state: str


@uncollected()
def make_plan(
    place: Place,
    corpus: Corpus,
    *,
    settings: Settings,
    full: bool,
    description: Mapping[str, Any] | None,
    ground: str | None = None,
    state: str = "",
) -> Plan:
    """Find out what is to be built; `state` is a digest of all that it rests on, if known."""
    site = open_site(
        corpus,
        settings.base_url,
        security_contact=settings.security_contact,
        bytecode=settings.data_dir / "site-templates",
        ground=ground,
        fast=FastValidator(enabled=settings.accept_path == "on"),
    )
    known = NOTHING if full else place.known
    found = None
    if place.current is not None and known.ground == site.ground:
        found = found_in(place.current, known.indexed)
    same: dict[str, Made] = {}
    changed: list[Group] = []
    for group in all_groups(site, description, found):
        made = known.groups.get(group.name)
        if made is not None and made.key == group.key:
            same[group.name] = made
        else:
            changed.append(group)
    needs = {name for group in changed for name in group.needs} - site.histories.keys()
    return Plan(
        site=site, known=known, same=same, changed=changed, needs=sorted(needs), state=state
    )


def carry_out(
    place: Place,
    plan: Plan,
    histories: Mapping[str, Sequence[StoredRecord]] | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
    processes: int = 1,
) -> BuildReport:
    """Build what is planned; `histories` have all versions of what the plan needs, oldest first."""
    site, known = plan.site, plan.known
    site.histories.update(histories or {})
    if place.current and _is_in_force(plan):
        return unchanged(place)
    new = place.new(fresh=known is NOTHING, ground=site.ground)
    take_over(place.current, new, plan.same, [MACHINES, *(group.name for group in plan.changed)])
    make_one = partial(make, current=place.current, known=known, new=new)
    total = len(plan.same) + len(plan.changed) + 1

    def done(number: int) -> None:
        if progress is not None:
            progress(len(plan.same) + number, total)

    if processes > 1 and len(plan.changed) > WORTH_A_PROCESS:
        load_templates(site.editions.values())
    made = make_all(plan.changed, make_one, processes=processes, progress=done)
    groups = plan.same | {name: one.made for name, one in made.items()}
    made[MACHINES] = make_one(machine_group(site, _listed(groups)))
    done(len(made))
    wanted = Manifest(
        groups=groups | {MACHINES: made[MACHINES].made},
        ground=site.ground,
        state=plan.state,
        erasures=site.corpus.erasures,
        indexed=seen_by_number(site),
    )
    place.put_in_force(wanted)
    if known.erasures != site.corpus.erasures:
        # What was erased since must not be found in what was built before.
        place.drop_earlier()
    return BuildReport(
        files=wanted.count(),
        rendered=sum(one.rendered for one in made.values()),
        removed=_count_removed(known, wanted),
        folder=str(new.folder),
    )


def _is_in_force(plan: Plan) -> bool:
    """Tell whether what is planned is what the build in force has."""
    groups = plan.known.groups
    return (
        not plan.changed
        and groups.keys() == plan.same.keys() | {MACHINES}
        and groups[MACHINES].key == machine_group(plan.site, _listed(plan.same)).key
    )


def _listed(groups: Mapping[str, Made]) -> list[str]:
    """List the pages for the site map."""
    return sorted(file for made in groups.values() for file in made.listed)


def unchanged(place: Place) -> BuildReport:
    """Report that the site in force is what would be built."""
    return BuildReport(files=place.known.count(), rendered=0, removed=0, folder=str(place.current))


def _count_removed(known: Manifest, wanted: Manifest) -> int:
    return sum(
        len(made.keys.keys() - (wanted.groups[name].keys.keys() if name in wanted.groups else ()))
        for name, made in known.groups.items()
        if wanted.groups.get(name) is not made
    )
