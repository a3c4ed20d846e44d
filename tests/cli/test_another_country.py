"""A country drawn from ISO 3166 adopts the register by data alone, and Morocco's reads it."""

import json

import pytest
from lxml import html
from python_calamine import CalamineWorkbook, SheetVisibleEnum

from registry.record.pack import load_pack
from tests import drawn
from tests.served import served, until

pytestmark = pytest.mark.xdist_group("another country")


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
