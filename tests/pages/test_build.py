"""Builds of a site, and builds that follow; of few records, since none depends on how many."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec
import pytest

from registry.errors import ConfigurationError, Unavailable
from registry.pages.build import plan
from registry.pages.build.build_directory import builds_folder, hold_directory
from registry.settings import Settings
from tests.built import build, changing_pages

from .conftest import FOREIGN, LANGUAGES, SETTINGS, Rendered, copied, files, stored
from .conftest import make_corpus as make_whole_corpus

SECOND = stored(FOREIGN | {"id": "us.demo/second"}, origin="us-demo")


def make_corpus(*more):
    """Return a corpus of the records of two agencies, of which some have more versions."""
    corpus = make_whole_corpus(*more)
    few = [one for one in corpus.records if one.agency in {"demo-sante", "us.demo"}]
    return msgspec.structs.replace(corpus, records=few)


@pytest.fixture(scope="module", autouse=True)
def fewer():
    """Leave out the pages that are the same of any register; two processes are soon worth it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "all_pages", changing_pages)
        patch.setattr(plan, "_WORTH_A_PROCESS", 100)
        patch.setattr(plan, "_BLOCK", 6)
        yield


@pytest.fixture(scope="module")
def corpus():
    return make_corpus()


@pytest.fixture(scope="module")
def built(corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("built") / "site"
    build(corpus, out=out, settings=SETTINGS)
    return out


@pytest.fixture(scope="module")
def site(built):
    return built.resolve()


@pytest.fixture
def out(built, tmp_path):
    return copied(built, tmp_path)


def test_a_rebuild_of_the_same_renders_nothing_and_keeps_the_bytes(corpus, site, out):
    second = build(corpus, out=out, settings=SETTINGS)
    assert (second.rendered, second.removed) == (0, 0)
    assert files(site) == files(out)


def test_a_build_that_went_before_serves_again_and_says_the_same(corpus, site, out):
    changed = make_corpus(stored(FOREIGN | {"name": {"en": "Parcel sorting"}}, origin="us-demo"))
    more = make_corpus(stored(FOREIGN | {"id": "us.demo/second"}, origin="us-demo"))
    for state in (more, changed, corpus):
        build(state, out=out, settings=SETTINGS)
    assert files(out) == files(site)
    assert not [
        path for path in out.resolve().rglob("*") if path.is_dir() and not any(path.iterdir())
    ]


def test_a_full_build_by_more_processes_gives_the_same_bytes(corpus, site, out):
    told = []
    report = build(
        corpus,
        out=out,
        settings=SETTINGS,
        full=True,
        processes=2,
        progress=lambda done, total: told.append((done, total)),
    )
    assert report.files > 2 * 100, "as many as are worth two processes"
    assert out.resolve().name == "2"
    assert files(site) == files(out)
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]
    assert report.rendered == report.files


def test_what_one_process_meets_ends_the_build(corpus, site, tmp_path, monkeypatch):
    def broken(*_, **__):
        raise LookupError("a page that cannot be made")

    monkeypatch.setattr("registry.pages.views.record_pages._compare", broken)
    for processes in (1, 2):
        with pytest.raises(LookupError, match="cannot be made"):
            build(corpus, out=tmp_path / "site", settings=SETTINGS, processes=processes)
    assert not (tmp_path / "site").exists()


def test_a_changed_record_renders_its_pages_and_lists_only(out):
    before = files(out)
    changed = stored(FOREIGN | {"name": {"en": "Parcel sorting"}}, origin="us-demo")
    report = build(make_corpus(changed), out=out, settings=SETTINGS)
    after = files(out)
    different = {name for name in after if before.get(name) != after[name]}
    expected = {
        f"{lang}/{place}.html"
        for lang in LANGUAGES
        for place in (
            "records/us.demo/letter-sorting",
            "records/us.demo/letter-sorting/versions/1",
            "risk/not_stated",
            "risk/not_stated/not_stated",
            "sectors/not_stated",
            "status/in_use",
            "regions/not_stated",
            "agencies/us.demo",
            "changes/1",
            "changes/all",
        )
    } | {
        f"feeds/{lang}/{scope}.{ending}"
        for lang in LANGUAGES
        for scope in ("everything", "origins/us-demo", "agencies/us.demo")
        for ending in ("atom", "json")
    }
    index = {name for name in after if name.startswith("find/")}
    assert expected == different - index
    assert len(expected) < report.rendered <= len(expected | index)


def test_a_record_that_is_gone_leaves_no_page_behind(corpus, out):
    more = stored(FOREIGN | {"id": "us.demo/second"}, origin="us-demo")
    build(make_corpus(more), out=out, settings=SETTINGS)
    assert (out / "fr/records/us.demo/second.html").is_file()
    report = build(corpus, out=out, settings=SETTINGS)
    assert report.removed == 2 * len(LANGUAGES)
    assert not list(out.resolve().rglob("second.html"))


def test_a_long_list_has_pages():
    more = [stored(FOREIGN | {"id": f"us.demo/case-{n:03}"}, origin="us-demo") for n in range(120)]
    site = Rendered(make_whole_corpus(*more, demonstrated=False))
    pages = [site.text(f"en/agencies/us.demo{end}.html") for end in ("", "/2", "/3")]
    rows = [page.count('<li class="record">') for page in pages]
    assert rows == [50, 50, 21]
    assert "en/agencies/us.demo/4.html" not in site.pages
    assert 'rel="next" href="/sub/en/agencies/us.demo/3"' in pages[1]
    assert 'rel="prev" href="/sub/en/agencies/us.demo"' in pages[1]


def test_another_address_renders_everything(corpus, out):
    before = files(out)
    moved = build(corpus, out=out, settings=Settings(base_url="https://other.example"))
    kept = [
        name
        for name in files(out)
        if name.startswith(("assets/", "favicon."))
        or name.endswith(".csv")
        or name in {f"find/{lang}.json" for lang in LANGUAGES}
    ]
    assert moved.rendered == moved.files - len(kept)
    assert "/sub/" not in (out / "fr/index.html").read_text("utf-8")
    build(corpus, out=out, settings=SETTINGS)
    assert before == files(out)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_build_that_fails_leaves_the_old_site(corpus, out, processes):
    before = files(out)

    def stop(done, total):
        if done >= total // 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(corpus, out=out, settings=SETTINGS, full=True, progress=stop, processes=processes)
    assert before == files(out)
    assert [entry.name for entry in builds_folder(out).iterdir() if entry.is_dir()] == ["1"]
    assert build(corpus, out=out, settings=SETTINGS).rendered == 0


class Stop:
    """Says after a number of questions that a build is to end."""

    def __init__(self, after):
        self.left = after

    def __call__(self):
        self.left -= 1
        return self.left < 0


def test_a_build_that_is_stopped_is_gone_on_with_and_says_the_same(corpus, site, out, tmp_path):
    """Stopped after 1, 2, 4 … links and parts, each going on, then of a state that goes on."""
    moved = Settings(base_url="https://other.example")
    # First all pages are rendered; then most are linked, as the build before has others.
    for processes, name, state in ((2, "moved", corpus), (1, "more", make_corpus(SECOND))):
        before, report, stops = files(out), None, 0
        while report is None:
            stop = Stop(after=2**stops)
            try:
                report = build(state, out=out, settings=moved, processes=processes, is_stopped=stop)
            except Unavailable:
                assert files(out) == before
                stops += 1
        assert stops > 3
        assert report.rendered < report.files * 3 // 4
        whole = tmp_path / name
        build(state, out=whole, settings=moved)
        assert files(out) == files(whole)
    # What was made of one state serves another, and leaves nothing behind.
    with pytest.raises(Unavailable):
        build(corpus, out=out, settings=moved, full=True, is_stopped=Stop(after=40))
    build(corpus, out=out, settings=SETTINGS, processes=2)
    assert files(out) == files(site)


def test_a_build_that_is_stopped_waits_for_no_other(corpus, out):
    with hold_directory(out), pytest.raises(Unavailable, match="was stopped"):
        build(corpus, out=out, settings=SETTINGS, is_stopped=lambda: True)


def test_the_build_before_is_kept_and_older_ones_go(corpus, out):
    (builds_folder(out) / "kept").write_bytes(b"what an older program had read")
    for day in (1, 2):
        later = msgspec.structs.replace(corpus, as_of=corpus.as_of + dt.timedelta(days=day))
        build(later, out=out, settings=SETTINGS)
    names = sorted(entry.name for entry in builds_folder(out).iterdir())
    assert names == [".lock", "2", "2.json", "3", "3.json"]
    assert out.is_symlink()
    assert out.resolve().name == "3"


@pytest.mark.parametrize("place", ["relative", "behind a link"])
def test_the_site_in_force_stays_there_while_the_next_is_built(
    corpus, out, tmp_path, monkeypatch, place
):
    monkeypatch.chdir(tmp_path.parent)
    link = tmp_path.with_name(f"{tmp_path.name}-link")
    link.symlink_to(tmp_path)
    out = Path(tmp_path.name) / "site" if place == "relative" else link / "site"
    is_there = []
    for day in (1, 2):
        later = msgspec.structs.replace(corpus, as_of=corpus.as_of + dt.timedelta(days=day))
        build(
            later,
            out=out,
            settings=SETTINGS,
            progress=lambda *_: is_there.append((out / "fr/index.html").is_file()),
        )
    assert is_there
    assert all(is_there)


def test_a_folder_in_the_way_is_not_touched(corpus, tmp_path):
    out = tmp_path / "site"
    out.mkdir()
    (out / "mine.txt").write_text("keep")
    with pytest.raises(ConfigurationError, match="move it away"):
        build(corpus, out=out, settings=SETTINGS)
    assert (out / "mine.txt").read_text() == "keep"
