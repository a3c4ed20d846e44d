"""Each chart names a query of the API, and its rows searches, which give the same numbers."""

import datetime as dt
from urllib.parse import parse_qs, urlsplit

from registry.pages.build.read_snapshot import day_of, read_snapshot
from registry.pages.site import open_site
from registry.pages.views.answer_pages import ANSWER_PAGES, scopes_of
from registry.store.database import connect

LEVELS = 5
RECORDS = "/api/v1/records"


async def test_the_api_gives_the_numbers_of_each_chart_and_of_each_row(reader, filled_url, pack):
    database = await connect(filled_url)
    async with database.snapshot() as connection:
        snapshot = await read_snapshot(
            connection, pack, as_of=day_of(pack, dt.datetime.now(dt.UTC))
        )
    await database.close()
    site = open_site(snapshot, "https://algorithms.example")
    here, there = scopes_of(site.editions["en"].reader, site)
    compared = linked = 0
    for scope in (here, there):
        for _, _, figures in ANSWER_PAGES.values():
            for figure in figures(scope):
                answer = (await reader.get(f"/api/v1/{figure.query}")).json()
                is_of_values = agrees(figure, answer, len(scope.records))
                compared += is_of_values
                for row in figure.table.rows if is_of_values else ():
                    if row.path and row.path.startswith("search?"):
                        asked = f"origin=local&limit=1&{row.path.partition('?')[2]}"
                        listed = (await reader.get(f"{RECORDS}?{asked}")).json()
                        assert listed["total"] == row.values[LEVELS], row.path
                        linked += 1
    assert compared > 10
    assert linked > 40


def agrees(figure, answer, total):
    """Whether the figure is of values of a fact; an answer with other numbers fails."""
    facets = parse_qs(urlsplit(figure.query).query)["facets"][0].split(",")
    rows = {row.code: row.values for row in figure.table.rows}
    if "-MAD" in figure.table.id:
        by = facets["agencies" in figure.table.id]
        found = {one["code"]: one["count"] for one in answer["facets"][by]}
        assert found == {code: values[1] for code, values in rows.items()}
        return False
    if "outcomes" in figure.table.id:
        assert answer["total"] == len(rows)
        return False
    records = {code: values[LEVELS] for code, values in rows.items()}
    assert answer["total"] == total > 0
    for kind, number in answer["kinds"].get(facets[-1], {}).items():
        if kind not in {"stated", "level_not_stated"}:
            assert records.get(f"kind.{kind}", 0) == number, (figure.table.id, kind)
    # A law is counted in each language that it is named in.
    if facets[0] != "data.legal_basis.title":
        stated = [n for code, n in records.items() if n and not code.startswith("kind.")]
        assert sorted(one["count"] for one in answer["facets"][facets[0]]) == sorted(stated)
    return True
