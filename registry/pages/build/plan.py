"""Building the site: pages whose key changed are rendered in parallel, the others are linked."""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from itertools import groupby
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

import msgspec

from registry.errors import Unavailable
from registry.log.register import StoredRecord
from registry.pages.assets import asset_pages
from registry.pages.build.build_directory import NO_MANIFEST, BuildDirectory, Manifest
from registry.pages.editions import load_templates
from registry.pages.page import Page
from registry.pages.site import Site, open_site
from registry.pages.snapshot import Snapshot
from registry.pages.views.answer_pages import answer_pages, question_pages
from registry.pages.views.browse_pages import (
    agency_pages,
    browse_pages,
    overview_pages,
    region_pages,
)
from registry.pages.views.changes_pages import changes_pages, gather_imports
from registry.pages.views.events import read_events
from registry.pages.views.feeds import feed_pages
from registry.pages.views.finder import finder_pages
from registry.pages.views.home import home_pages
from registry.pages.views.kit_pages import code_pages
from registry.pages.views.law_pages import law_pages
from registry.pages.views.letter_pages import contest_pages, general_letter_pages
from registry.pages.views.life_pages import life_pages
from registry.pages.views.machine_files import machine_files
from registry.pages.views.prose_pages import (
    copy_pages,
    guide_pages,
    manual_pages,
    problem_pages,
    prose_pages,
    translation_pages,
)
from registry.pages.views.record_pages import record_pages
from registry.pages.views.register_pages import origin_pages, peer_pages, witness_pages
from registry.pages.views.static_index import WordFiles, index_pages
from registry.pages.views.statistics_pages import statistics_pages
from registry.record.fast_validator import FastValidator
from registry.settings import Settings

T = TypeVar("T")
R = TypeVar("R")

_COLLECT_AFTER = 100_000
"""Objects that a fork makes before it looks for garbage among them."""


def run_in_processes(
    act: Callable[[T], R], items: Sequence[T], processes: int
) -> Generator[R, None, None]:
    """Yield what `act` returns for the items, in no order where there is more than one process."""
    if processes == 1:
        yield from map(act, items)
        return
    context = get_context("fork")
    left = list(reversed(range(len(items))))
    busy: list[Connection] = []
    workers = []
    try:
        for _ in range(min(processes, len(items))):
            ours, theirs = context.Pipe()
            worker = context.Process(
                target=_work, args=(act, items, theirs, [*busy, ours]), daemon=True
            )
            worker.start()
            theirs.close()
            workers.append(worker)
            busy.append(ours)
            ours.send(left.pop())
        while busy:
            ready = wait(busy)
            for ours in [one for one in busy if one in ready]:
                yield _receive(ours)
                if left:
                    ours.send(left.pop())
                else:
                    busy.remove(ours)
    finally:
        for worker in workers:
            # SIGTERM may have a handler of the process that it was forked of.
            worker.kill()
            worker.join()


def _receive(ours: Connection) -> Any:
    try:
        result = ours.recv()
    except EOFError as error:
        raise Unavailable("a process that made a part of the site has died") from error
    if isinstance(result, BaseException):
        raise result
    return result


def _work(
    act: Callable[[T], R], items: Sequence[T], theirs: Connection, ours: Iterable[Connection]
) -> None:
    # So that the pipe ends with the process that reads it.
    for one in ours:
        one.close()
    # A fork would copy what it shares by looking for garbage in it; a sixth of a full build.
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)
    with suppress(EOFError, BrokenPipeError):
        while True:
            item = items[theirs.recv()]
            try:
                result: R | Exception = act(item)
            except Exception as error:  # noqa: BLE001  the other process raises it
                result = error
            theirs.send(result)


_BLOCK = 24
"""Pages that a process renders one after the other, before it asks for more."""

_WORTH_A_PROCESS = 400
"""Fewer pages than this are rendered sooner than another process is started."""


class BuildReport(msgspec.Struct, frozen=True, kw_only=True):
    """The number of files in the site, of those rendered anew and of those that went away."""

    files: int
    rendered: int
    removed: int
    folder: str


class BuildPlan(msgspec.Struct, frozen=True, kw_only=True):
    """All pages of a build, and those among them that `before` does not have.

    `state` is the digest of everything that the build depends on, empty where that is not known.
    One that `is_full` takes nothing from an earlier build.
    """

    site: Site
    is_full: bool
    before: Manifest
    pages: Sequence[Page]
    changed: Sequence[Page]
    state: str

    def needs(self) -> list[str]:
        """Return the ids of the records whose documents are wanted and not at hand."""
        wanted = {name for page in self.changed for name in page.needs}
        return sorted(wanted - self.site.histories.keys())


def make_plan(
    directory: BuildDirectory,
    snapshot: Snapshot,
    *,
    settings: Settings,
    full: bool,
    description: Mapping[str, Any] | None,
    fingerprint: str | None = None,
    state: str = "",
    is_copy: bool = False,
) -> BuildPlan:
    """List all pages and find those that changed; `description` is the API's OpenAPI document."""
    site = open_site(
        snapshot,
        settings.base_url,
        security_contact=settings.security_contact,
        has_console=settings.has_console,
        bytecode=settings.data_dir / "site-templates",
        fingerprint=fingerprint,
        fast=FastValidator(enabled=settings.accept_path == "on"),
        is_copy=is_copy,
    )
    before = NO_MANIFEST if full else directory.manifest
    words = None
    if directory.current is not None and before.fingerprint == site.fingerprint:
        words = WordFiles(folder=directory.current, records=before.records)
    pages = all_pages(site, description, words)
    changed = [page for page in pages if before.pages.get(page.file) != page.key]
    # Without its manifest the build in force is damaged, and nothing there is taken for whole.
    full = full or (directory.current is not None and before is NO_MANIFEST)
    return BuildPlan(
        site=site, is_full=full, before=before, pages=pages, changed=changed, state=state
    )


def carry_out(
    directory: BuildDirectory,
    plan: BuildPlan,
    histories: Mapping[str, Sequence[StoredRecord]] | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
    processes: int = 1,
) -> BuildReport:
    """Build what is planned; `histories` have all versions of what the plan needs, oldest first.

    `progress` is told the pages that are done, and all. Raises `LostFileError`, and `Unavailable`
    when the directory is to be left as it is: after a link, or after pages of one process.
    """
    site = plan.site
    site.histories.update(histories or {})
    keys = {page.file: page.key for page in plan.pages}
    before = plan.before.pages
    if directory.current and before == keys:
        return report_unchanged(directory)
    held = directory.begin(fresh=plan.is_full)
    # Without a key: what may be there and is of another build, or cut.
    there = dict.fromkeys([*held, *keys], "") | dict(held.items() & keys.items())
    for file in held.keys() - keys.keys():
        directory.remove(file)
    same = keys.items() & before.items()
    for file, _ in same - held.items():
        directory.link(file)
        there[file] = keys[file]
        directory.stop_if_asked(there)
    changed = [page for page in plan.changed if held.get(page.file) != page.key]
    blocks = _blocks(changed)

    def render(block: Sequence[Page]) -> Mapping[str, str]:
        for page in block:
            directory.write(page.file, page.render())
        return {page.file: page.key for page in block}

    processes = max(1, min(processes, len(changed) // _WORTH_A_PROCESS))
    if processes > 1:
        load_templates(site.editions.values())
    done = len(keys) - len(changed)
    # Closed at once where `progress` raises: the folder is removed then.
    with closing(run_in_processes(render, blocks, processes)) as parts:
        for rendered in parts:
            there.update(rendered)
            directory.stop_if_asked(there)
            done += len(rendered)
            if progress is not None:
                progress(done, len(keys))
    directory.put_in_force(
        Manifest(
            pages=keys,
            fingerprint=site.fingerprint,
            state=plan.state,
            register=site.snapshot.register,
            log=site.snapshot.log,
            records=list(site.records.values()),
        )
    )
    return BuildReport(
        files=len(keys),
        rendered=len(changed),
        removed=len(before.keys() - keys.keys()),
        folder=str(directory.current),
    )


def report_unchanged(directory: BuildDirectory) -> BuildReport:
    """Return the report of a build for which the site in force is what would be built."""
    files = len(directory.manifest.pages)
    return BuildReport(files=files, rendered=0, removed=0, folder=str(directory.current))


def _blocks(pages: Sequence[Page]) -> list[list[Page]]:
    """Return the parts that one process renders each: pages of the same records are one part."""
    blocks = []
    for needs, together in groupby(pages, key=lambda page: page.needs):
        block = list(together)
        size = len(block) if needs else _BLOCK
        blocks += [block[at : at + size] for at in range(0, len(block), size)]
    return blocks


def all_pages(
    site: Site, description: Mapping[str, Any] | None, words: WordFiles | None = None
) -> list[Page]:
    """Return all files of the site, those of one record together, and what takes longest first.

    `description` is the API's OpenAPI document; `words` are those of the index in force.
    """
    events = read_events(site)
    gathered = gather_imports(events)
    pages = [
        *index_pages(site, words),
        *record_pages(site),
        *asset_pages(site.assets),
        *home_pages(site),
        *finder_pages(site),
        *question_pages(site),
        *overview_pages(site),
        *browse_pages(site),
        *agency_pages(site),
        *region_pages(site),
        *origin_pages(site),
        *peer_pages(site),
        *witness_pages(site),
        *statistics_pages(site),
        *answer_pages(site),
        *changes_pages(site, events, gathered),
        *feed_pages(site, gathered, events),
        *law_pages(site, events),
        *prose_pages(site),
        *translation_pages(site),
        *contest_pages(site),
        *general_letter_pages(site),
        *life_pages(site),
        *copy_pages(site),
        *manual_pages(site, description),
        *guide_pages(site),
        *problem_pages(site),
        *code_pages(site),
    ]
    listed = sorted(page.file for page in pages if page.listed)
    return [*pages, *machine_files(site, listed)]
