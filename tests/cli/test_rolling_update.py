"""An update over which two releases work at once, and rows that do not follow from the log."""

import asyncio
import subprocess
import sys
import time

import asyncpg
import pytest

from registry.record.pack import load_pack
from registry.search.engine import open_index
from registry.search.query import SearchQuery
from registry.store.database import connect
from tests.cli.conftest import begin

OLD = """
create function of_before() returns trigger language plpgsql as $$
begin
    if exists (select from version where entry = new.ord) then
        return new;
    end if;
    new.codes := (new.codes::jsonb - 'life_event')::text;
    return jsonb_populate_record(new, '{"analysis": null}');
end $$;
create trigger of_before before insert on search_version for each row execute function of_before();
"""
"""Let publications write rows as those of a release that knows neither the facet nor the column."""

NEW = "drop function of_before() cascade"
FORGED = """update search_version set codes = replace(codes, '"minimal"', '"high"'),
    card = replace(card, '"minimal"', '"high"'), name = '{"fr": "forged"}'"""
ROWS = "select string_agg(t::text, ' ' order by t::text) from {} as t"
OTHER = "update search_version set analysis = 'another'"
PATIENCE = 120


@pytest.fixture
def own(registry, empty_url, tmp_path):
    """Run a command against a register of its own."""

    def run(*arguments, code=0):
        result = registry(*arguments, database_url=empty_url, data_dir=tmp_path)
        assert result.returncode == code, result.stdout + result.stderr
        assert "Traceback" not in result.stderr
        return " ".join(result.stderr.split())

    begin(empty_url, tmp_path)
    return run


@pytest.fixture
def ask(empty_url):
    """Execute some statements; return the value of the last where that is a query."""

    def value(*statements):
        async def fetch():
            connection = await asyncpg.connect(empty_url)
            try:
                for one in statements:
                    if one.startswith("select"):
                        return await connection.fetchval(one)
                    await connection.execute(one)
            finally:
                await connection.close()

        return asyncio.run(fetch())

    return value


@pytest.fixture
def file(own, record_file):
    """File and submit a record."""

    def submit(slug):
        own("file", record_file(id=f"demo-sante/{slug}", source_id=slug))
        own("submit", f"demo-sante/{slug}")

    return submit


@pytest.fixture
def found(empty_url, tmp_path):
    """Return the cards that a filter finds, by an index that is made anew."""

    def cards(text=None, **filters):
        async def answer():
            database = await connect(empty_url)
            try:
                index = open_index(database.connection, tmp_path / "other", load_pack("ma"))
                await index.rebuild()
                chosen = {kind: [code] for kind, code in filters.items()}
                asked = SearchQuery(text=text, filters=chosen, mends=False)
                return [hit.card for hit in (await index.answer(asked)).hits]
            finally:
                await database.close()

        return asyncio.run(answer())

    return cards


def wait_for(condition):
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.2)


def test_what_the_release_before_files_stops_nothing_and_is_written_anew(
    own, file, ask, found, environment, empty_url, tmp_path
):
    def published():
        at = tmp_path / "log" / "checkpoint"
        return int(at.read_text().splitlines()[1]) if at.exists() else 0

    settings = {"REGISTRY_DATABASE_URL": empty_url, "REGISTRY_DATA_DIR": str(tmp_path)}
    with (tmp_path / "told").open("w") as told:
        work = subprocess.Popen(
            [sys.executable, "-m", "registry", "work"],
            env=environment | settings | {"REGISTRY_SITE_BUILD": "manual"},
            stderr=told,
        )
    try:
        file("before")
        wait_for(lambda: published() >= 2)
        for slug in "abc":
            ask(OLD)
            file(slug)
            ask(NEW)
            size = ask("select size from log_state")
            wait_for(lambda size=size: published() >= size)
        # The check of what was published comes after it, and stops what comes next.
        time.sleep(2)
        file("after")
        size = ask("select size from log_state")
        wait_for(lambda: published() >= size)
        assert ask("select fault from log_state") is None
        wait_for(lambda: ask("select every(codes like '%life_event%') from search_version"))
    finally:
        work.terminate()
        work.wait()
    assert "could not be" not in (tmp_path / "told").read_text()
    assert "not compared" not in own("log", "verify")
    assert len(found(life_event="health")) == 5


def test_a_row_of_another_release_answers_nothing_before_it_is_derived_anew(own, file, ask, found):
    file("a")
    ask(OLD)
    file("b")
    ask(NEW)
    assert "not compared: search rows of 1 version" in own("log", "verify")
    own("log", "publish")
    assert len(found(life_event="health")) == 2
    # Nor does one to which somebody gives another version.
    ask(FORGED, OTHER)
    assert "not compared: search rows of 2 versions" in own("log", "verify")
    assert found(risk="high") == found("forged") == []
    assert all('"risk":"minimal"' in card for card in found(risk="minimal"))
    assert "forged" in ask("select name from search_version where ord = 1")
    own("log", "heal")
    assert "forged" not in ask("select name from search_version where ord = 1")
    assert "not compared" not in own("log", "verify")
    assert len(found(risk="minimal")) == 2


def test_rows_that_do_not_follow_from_the_log_are_written_anew_by_a_command(own, file, ask, found):
    for slug in "ab":
        file(slug)
    own("log", "publish")
    good = {
        table: ask(ROWS.format(table))
        for table in ("search_version", "figure", "record", "blocking_key")
    }
    forgeries = (
        ("search_version", FORGED),
        ("search_version", "delete from search_version"),
        ("figure", "update figure set sector = 'justice', until_entry = 2, risk_before = 'high'"),
        ("figure", "delete from figure"),
        ("record", "update record set state = 'withdrawn', agency = 'demo-services'"),
        ("blocking_key", "delete from blocking_key"),
        ("blocking_key", "update blocking_key set key = key + 1"),
    )
    for number, (table, forged) in enumerate(forgeries, 3):
        # As who owns the database, past the triggers by which a version ends once.
        ask("set session_replication_role = replica", forged)
        own("log", "verify", code=1)
        own("attest", "demo-sante", "--systems", number, "--contact", "a@demo-sante.example")
        assert "Nothing is published until" in own("log", "publish", code=1)
        assert "rows that did not follow from the log" in own("log", "heal"), forged
        assert ask(ROWS.format(table)) == good[table], forged
        own("log", "verify")
        own("log", "publish")
        assert len(found(risk="minimal")) == 2
    # What is not derived is not made up.
    ask("alter table version disable trigger user", "update version set completeness = 100")
    told = own("log", "heal", code=1)
    assert "table version" in told
    assert "completeness is 100" in told
