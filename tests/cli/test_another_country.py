"""A country drawn from ISO 3166 adopts the register by data alone, and Morocco's reads it."""

import json

import pytest
from lxml import html
from python_calamine import CalamineWorkbook, SheetVisibleEnum

from registry.record.pack import load_pack
from registry.workbooks.file import read_sheets
from tests import drawn
from tests.served import served, until
from tests.workbooks.sheet_edits import edited, place

pytestmark = pytest.mark.xdist_group("another country")
OWN = "demo-crops/boarders"


@pytest.fixture(scope="module")
def walk():
    with drawn.served_country() as register:
        yield register


def shown(page):
    """What a page says, its attributes too, without lists of all countries to choose from."""
    whole = html.document_fromstring(page)
    for option in whole.xpath("//option"):
        option.drop_tree()
    return html.tostring(whole, encoding="unicode")


def publish(register, document, token):
    answer = register.client.post(
        f"/api/v1/records/{document['id']}?action=publish",
        json=document,
        headers={"authorization": f"Bearer {token}", "if-none-match": "*"},
    )
    assert answer.status_code == 201, answer.text


def test_the_pack_can_be_used_and_the_language_is_in_order(walk):
    told = walk.run("pack", "check", drawn.CODE)
    assert told.returncode == 0, told.stderr
    assert f"{drawn.CODE}: can be used" in told.stdout + told.stderr
    told = walk.run("translate", "check", drawn.TAG)
    assert told.returncode == 0, told.stderr
    assert f"{drawn.TAG}: 0 faults" in told.stdout


def test_its_examples_are_filed_and_nothing_has_a_word_of_another_country(walk):
    description = walk.client.get("/openapi.json")
    examples = [described(walk, name) for name in ("minimal", "complete")]
    token = walk.run("token", "create", "--agency", "demo-clinics", "--scope", "file")
    for document in examples:
        publish(walk, document, token.stdout.strip())
    pages = [
        f"/en/records/{one}" for one in (drawn.DEMONSTRATION, *(each["id"] for each in examples))
    ]
    until(lambda: all(drawn.answers(walk.client, page) for page in pages))

    words = drawn.words_of_others(load_pack(drawn.CODE, walk.data / "packs"))
    assert words.search("Dakar, MAD")
    found = {"/openapi.json": words.findall(description.text)}
    files = [path for path in (walk.data / "site").resolve().rglob("*") if path.is_file()]
    assert sum(path.suffix == ".html" for path in files) > 300
    for path in files:
        if path.suffix == ".html":
            found[str(path)] = words.findall(shown(path.read_bytes()))
        elif path.suffix in {".css", ".js", ".xml", ".ics", ".txt"}:
            found[str(path)] = words.findall(path.read_text("utf-8"))
    made = walk.run("workbook", "make", "--agency", "demo-crops", "-o", walk.data / "new.xlsx")
    assert made.returncode == 0, made.stderr
    book = CalamineWorkbook.from_path(walk.data / "new.xlsx")
    # The sheet of lists has every country and currency.
    cells = [
        str(cell)
        for sheet in book.sheets_metadata
        if sheet.visible == SheetVisibleEnum.Visible
        for row in book.get_sheet_by_name(sheet.name).to_python()
        for cell in row
    ]
    found["workbook"] = words.findall("\n".join(cells))
    assert {place: said for place, said in found.items() if said} == {}


def test_the_law_of_the_country_is_asked_for_and_cited(walk):
    record = json.loads(json.dumps(described(walk, "complete")))
    del record["data"]["authorisation"], record["decision"]["human_oversight"]
    report = walk.client.post("/api/v1/validate", json=record).json()
    found = {one["rule"]: one["message"] for one in report["findings"]}
    assert "Act 1 on privacy, article 4" in found["1-4"]
    assert "Act 1 on privacy, article 7" in " ".join(
        one["message"]
        for one in report["findings"]
        if one["pointer"] == "/decision/human_oversight"
    )


def test_redress_is_in_the_order_of_the_country(walk):
    page = walk.client.get("/en/contest").text
    purposes = ("A new answer.", "Silence.", "Unfair treatment.", "What is against the law.")
    steps = [page.index(text) for text in purposes]
    assert steps == sorted(steps)
    assert "Complaints Desk" in page


def total(register, **asked):
    return register.client.get("/api/v1/records", params=asked).raise_for_status().json()["total"]


def test_its_own_codes_are_filed_found_and_counted_under_those_of_the_format(walk):
    document = json.loads(json.dumps(described(walk, "minimal")))
    document |= {
        "id": OWN,
        "name": {"en": "Places for boarders"},
        "summary": {"en": "Says how many beds each boarding house will need next year."},
        "sector": {"primary": "education.quranic_schools", "function": "forecasting"},
    }
    document["purpose"]["affected_groups"] = ["minors", "farmers.river_fishers"]
    document["data"]["sensitive"] = ["ethnic_racial_origin.clan"]
    wrong = document | {"sector": {**document["sector"], "primary": "quranic_schools"}}
    report = walk.client.post("/api/v1/validate", json=wrong).json()
    [told] = [one["message"] for one in report["findings"] if one["pointer"] == "/sector/primary"]
    assert "Did you mean education.quranic_schools?" in told
    before = {
        name: total(walk, **{name: code})
        for name, code in {"sector": "education", "affected": "farmers"}.items()
    }
    token = walk.run("token", "create", "--agency", "demo-crops", "--scope", "file").stdout.strip()
    publish(walk, document, token)

    assert walk.client.get(f"/api/v1/records/{OWN}").json()["record"] == document
    for words in ("quranic schools", "river fishers", "lineage clan", "quranik schools"):
        found = walk.client.get("/api/v1/records", params={"q": words}).json()["items"]
        assert [one["id"] for one in found][:1] == [OWN], words
    assert total(walk, sector="education") == before["sector"] + 1
    assert total(walk, affected="farmers") == before["affected"] + 1
    for name, code in {
        "sector": "education.quranic_schools",
        "sector.primary": "education.quranic_schools",
        "affected": "farmers.river_fishers",
        "data.sensitive": "ethnic_racial_origin.clan",
    }.items():
        found = walk.client.get("/api/v1/records", params={name: code, "facets": name}).json()
        assert [one["id"] for one in found["items"]] == [OWN], name
        assert found["items"][0]["sector"] == "education"
        counted = {one["code"]: one["count"] for one in found["facets"][name]}
        assert counted[code] == 1
        assert counted[code.partition(".")[0]] >= 1
    counted = walk.client.get("/api/v1/records", params={"facets": "sector,affected"}).json()
    codes = {one["code"] for facet in counted["facets"].values() for one in facet}
    assert not [code for code in codes if "." in code]
    table = walk.client.get("/api/v1/records", params={"by": "sector"}).json()["cells"]
    assert sum(one["records"] for one in table) == counted["total"]
    for address in (
        "records?sector=education.quranic",
        "statistics?sector=education.quranic_schools",
    ):
        refused = walk.client.get(f"/api/v1/{address}")
        assert refused.status_code == 400
        assert "education" in refused.json()["detail"]
    groups = walk.client.get("/api/v1/statistics", params={"by": "sector"}).json()["local"][
        "groups"
    ]
    assert {one["sector"]: one["records"] for one in groups}["education"] == total(
        walk, sector="education"
    )
    changes = walk.client.get("/api/v1/changes", params={"sector": "education"}).json()["items"]
    assert changes[-1]["entry"]["sector"] == "education.quranic_schools"

    until(lambda: drawn.answers(walk.client, f"/en/records/{OWN}"))
    page = shown(walk.client.get(f"/en/records/{OWN}").content)
    for _, label in drawn.CODES.values():
        assert label in page
    assert "/en/sectors/education" in page
    assert document["name"]["en"] in walk.client.get("/en/sectors/education").text
    listed = walk.client.get("/en/search", params={"sector": "education.quranic_schools"}).text
    assert "Quranic schools" in listed
    exported = walk.client.get(
        "/api/v1/exports/records.csv",
        params={"sector": "education", "columns": "full", "labels": "en"},
    ).text
    assert "education.quranic_schools" in exported
    assert "Quranic schools" in exported
    [own] = walk.client.get("/api/v1/codelists/pack/sector").json()["items"]
    assert (own["code"], own["label"]) == ("education.quranic_schools", {"en": "Quranic schools"})
    linked = walk.client.get(
        "/api/v1/exports/records.jsonld", params={"sector": "education"}
    ).json()
    assert "quranic" not in json.dumps(linked)


def test_its_own_codes_are_chosen_and_filed_by_workbook(walk):
    book = walk.data / "own.xlsx"
    draft = f"/api/v1/filings/{OWN}"
    token = walk.run("token", "create", "--agency", "demo-crops", "--scope", "file").stdout.strip()
    held, filed = "Quranic schools", {}
    for written, code in (
        ("Education and training", "education"),
        ("  quranic SCHOOLS ", "education.quranic_schools"),
    ):
        made = walk.run("workbook", "make", "--record", OWN, "--lang", "en", "-o", book)
        assert made.returncode == 0, made.stderr
        form, lists = read_sheets(book.read_bytes())
        at = place(form, "/sector/primary")
        assert form.rows[at[0]][at[1]] == held
        # It is offered under the one that it is under.
        column = next(one for one in zip(*lists.rows, strict=True) if "Quranic schools" in one)
        assert column.index("Quranic schools") == column.index("Education and training") + 1
        book.write_bytes(edited(book.read_bytes(), {at: written}))
        walk.run("workbook", "read", book, "--lang", "en", "--save")
        headers = {"authorization": f"Bearer {token}"}
        filed = walk.client.get(draft, headers=headers).json()["document"]
        assert filed["sector"]["primary"] == code
        held = "Education and training"
    assert filed == walk.client.get(f"/api/v1/records/{OWN}").json()["record"]


def described(walk, name):
    return walk.client.get("/openapi.json").json()["components"]["examples"][name]["value"]


def test_the_hub_of_morocco_reads_it_with_its_words_and_proofs(walk):
    key = walk.run("log", "key", "show")
    document = described(walk, "complete")
    with served(peers_on_loopback="on") as hub:
        added = hub.register.run(
            "peer", "add", drawn.CODE, walk.base_url, "--key", key.stdout.split()[0]
        )
        assert added.returncode == 0, added.stderr
        read = hub.register.run("harvest", drawn.CODE)
        assert read.returncode == 0, read.stdout + read.stderr
        here = f"/api/v1/records/{drawn.CODE}.{document['id']}"
        copied = until(lambda: drawn.answers(hub.client, here) and hub.client.get(here).json())
        assert copied["record"]["name"] == document["name"]
        assert copied["register"]["source"]["proof"].startswith(walk.base_url)
        asked = hub.client.get("/en/search", params={"q": "hospital", "origin": drawn.CODE})
        assert document["name"]["en"] in asked.text

        # Its codes are called as there, and count under those of the format.
        built = hub.register.run("site", "build", "--out", walk.data / "hub")
        assert built.returncode == 0, built.stderr
        page = (walk.data / "hub" / f"en/records/{drawn.CODE}.{OWN}.html").read_text("utf-8")
        for _, label in drawn.CODES.values():
            assert label in page
        for code in ("education", "education.quranic_schools"):
            found = {"sector": code, "origin": drawn.CODE, "facets": "sector"}
            answer = hub.client.get("/api/v1/records", params=found).json()
            assert f"{drawn.CODE}.{OWN}" in [one["id"] for one in answer["items"]], code
            assert "education" in [one["code"] for one in answer["facets"]["sector"]]
        del found["facets"]
        assert "Quranic schools" in hub.client.get("/en/search", params=found).text
