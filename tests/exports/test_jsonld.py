"""Linked data of the whole demonstration corpus: read as others read it, and held to our shapes."""

import copy
import datetime as dt
import json

import msgspec
import pytest
from rdflib import RDF, XSD, Literal, URIRef
from rdflib.namespace import DCAT, DCTERMS, FOAF

from registry.exports import export
from registry.exports.columns import ExportRow, LabelSource
from registry.exports.export import graph as written
from registry.exports.export import prepare, write
from registry.exports.spreadsheets import About
from registry.imports.report import ForeignRecord
from registry.log.register import Register, SourceFacts
from registry.record.origin import Origin
from registry.record.pack import Agency
from registry.resources import RECORDS
from registry.search.engine import SearchIndex
from registry.search.query import SearchQuery
from registry.services.filing.loading import load
from registry.store.as_of import read_as_of
from tests.linked import CODE, PAR, SCHEMA, SH, broken, damaged, graph, saying, unknown, without

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
SITE = "https://register.example"
API = f"{SITE}/api/v1"
REGISTER = URIRef(f"{API}/catalogue#register")
SCRIPT = "</script><script>alert(1)</script> <!-- & ' \" \\ \u2028 \u202e"


@pytest.fixture
def taken(database, pack, tmp_path):
    """Take away what a question finds as linked data."""

    async def take(query=(), **question):
        async with database.connection() as connection:
            moment = await read_as_of(connection, None, now=NOW)
        made = await prepare(
            database,
            SearchIndex(database.connection, tmp_path / "search"),
            SearchQuery(**question),
            moment,
            form="jsonld",
            query=query,
            pack=pack,
            site=f"{SITE}/",
        )
        return made, b"".join([part async for part in write(database, made)])

    return take


async def document_of(rows, pack, agencies):
    """Write an export of rows that no database has."""
    wording = LabelSource(lang="en", pack=pack, agencies=agencies, site=SITE)
    about = About(
        address=f"{API}/exports/records.jsonld?as_of=entry:1",
        records=len(rows),
        size=2,
        last_hash="0" * 64,
        at=NOW,
    )

    async def batches():
        yield rows

    return b"".join([part async for part in written(batches(), about, wording)])


def register(**said):
    known = {
        "version": 1,
        "state": "published",
        "published_at": NOW,
        "superseded_at": None,
        "hash": "0" * 64,
        "entry": 1,
        "origin": None,
        "fictitious": False,
        "completeness": 7,
        "accountability": 8,
        "missing": [],
        "findings": msgspec.Raw(b"[]"),
        "redacted": [],
    }
    return Register(**known | said)


async def test_the_whole_corpus_keeps_to_the_shapes(context, taken, pack):
    await load(context, RECORDS, now=lambda: NOW)
    made, content = await taken()
    document = json.loads(content)
    found = graph(content)
    assert broken(found) == {}
    nodes = document["records"]
    assert len(nodes) == len(made.selection.entries) > 40
    assert set(found.subjects(RDF.type, PAR.Algorithm)) == {URIRef(one["id"]) for one in nodes}
    for node in nodes:
        here = URIRef(node["id"])
        path = RECORDS / f"{node['identifier']}.json"
        record = json.loads(path.read_text(encoding="utf-8"))
        for member, place in (
            (SCHEMA.name, record.get("name")),
            (SCHEMA.description, record.get("summary")),
            (PAR.purpose, record.get("purpose", {}).get("goal")),
        ):
            assert {text.language: str(text) for text in found.objects(here, member)} == (
                place or {}
            )
        assert found.value(here, PAR.risk) == CODE[f"risk_level:{record['risk']['level']}"]
        assert found.value(here, PAR.sector) == CODE[f"sector:{record['sector']['primary']}"]
        agency = found.value(here, DCTERMS.publisher)
        code = record["id"].split("/")[0]
        assert agency == URIRef(f"{API}/agencies/{code}")
        assert Literal(pack.agencies[code].name["ar"], "ar") in set(
            found.objects(agency, FOAF.name)
        )
    assert {one["visibility"] for one in nodes} == {"public", "restricted"}


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (without("name"), SH.OrConstraintComponent),
        (without("publisher"), DCTERMS.publisher),
        (without("modified"), DCTERMS.modified),
        (without("landing_page"), DCAT.landingPage),
        (without("version"), SCHEMA.version),
        (without("identifier"), DCTERMS.identifier),
        (without("type"), SCHEMA.hasPart),
        (without("has_version"), DCTERMS.hasVersion),
        (without("hash"), PAR.hash),
        (lambda _, node: node["contact"].clear(), SCHEMA.contactPoint),
        (lambda _, node: node["contact"].update(email=["a@b.example", 1]), SCHEMA.contactPoint),
        (saying("name", {"@none": "without a language"}), SCHEMA.name),
        (saying("summary", {"fr": ["one", "two"]}), SCHEMA.description),
        (saying("creator", "https://elsewhere.example/agency"), SCHEMA.creator),
        (saying("risk", "tremendous"), PAR.risk),
        (saying("risk", ["high", "minimal"]), PAR.risk),
        (saying("status", "https://elsewhere.example/in_use"), PAR.status),
        (saying("modified", "yesterday"), DCTERMS.modified),
        (saying("next_review_on", "2026-13-41"), PAR.next_review_on),
        (saying("deployed_on", "2025"), PAR.deployed_on),
        (saying("completeness", 101), PAR.completeness),
        (saying("fictitious", "true"), PAR.fictitious),
        (saying("publisher", "https://elsewhere.example/agency"), DCTERMS.publisher),
        (lambda _, node: node["publisher"].pop("name"), FOAF.name),
        (lambda root, _: root.pop("register_size"), PAR.register_size),
        (lambda root, _: root.update(last_entry_hash="abc"), PAR.last_entry_hash),
        (lambda root, _: root.pop("access_url"), DCAT.accessURL),
        (lambda root, _: root.pop("distribution_of"), SH.MinCountConstraintComponent),
        (lambda root, _: root["@context"].pop("name"), SH.OrConstraintComponent),
    ],
)
async def test_a_broken_export_does_not(publish, record, taken, edit, told):
    await publish(record)
    document = json.loads((await taken())[1])
    assert broken(graph(document)) == {}
    assert str(told) in broken(graph(damaged(document, edit)))


async def test_text_stays_text(publish, record, taken):
    record["name"] = {"ar": SCRIPT, "fr": '@id {"@value": 1}', "nl-x-a": "https://a.example/"}
    record["summary"] = {"fr": "@graph", "en": "_:b0"}
    record["purpose"]["goal"] = {"fr": "par:Algorithm"}
    await publish(record)
    _, content = await taken()
    found = graph(content)
    assert broken(found) == {}
    [here] = found.subjects(RDF.type, PAR.Algorithm)
    assert set(found.objects(here, SCHEMA.name)) == {
        Literal(text, lang) for lang, text in record["name"].items()
    }
    assert set(found.objects(here, SCHEMA.description)) == {
        Literal("@graph", "fr"), Literal("_:b0", "en"),
    }  # fmt: skip
    assert set(found.objects(here, PAR.purpose)) == {Literal("par:Algorithm", "fr")}


async def test_dates_are_typed_by_how_far_they_are_known(publish, record, taken):
    days = {"2025": XSD.gYear, "2025-09": XSD.gYearMonth, "2025-09-15": XSD.date}
    for number, day in enumerate(days):
        document = copy.deepcopy(record)
        document["id"] = f"demo-sante/r-{number}"
        document["lifecycle"]["deployed_on"] = day
        await publish(document)
    found = graph((await taken())[1])
    assert {str(day): day.datatype for day in found.objects(None, PAR.deployed_on)} == days


async def test_an_export_says_what_it_answers_and_of_what(publish, record, taken):
    await publish(record)
    made, content = await taken([("risk", "minimal")], filters={"risk": ["minimal"]})
    address = f"{API}/exports/records.jsonld?risk=minimal&as_of=entry:1"
    assert made.name == "records-2026-11-24-entry-1-risk-minimal.jsonld"
    found = graph(content)
    here = URIRef(address)
    assert (REGISTER, DCAT.distribution, here) in found
    assert str(found.value(here, PAR.query)) == made.address == address
    assert found.value(here, PAR.register_size).toPython() == 2
    assert str(found.value(here, PAR.last_entry_hash)) == made.selection.leaf.hex()
    assert found.value(here, DCTERMS.modified).toPython() == NOW


async def test_what_a_record_does_not_say_is_left_out(publish, taken):
    await publish({"id": "demo-education/bare", "schema_version": "1.0"})
    [node] = json.loads((await taken())[1])["records"]
    assert not {"name", "risk", "sector", "purpose", "deployed_on"} & set(node)
    assert (node["fictitious"], node["version"]) == (True, 1)


async def test_what_was_redacted_is_named(pack):
    one = ExportRow(id="demo-sante/x", agency="demo-sante", document={"id": "demo-sante/x"},
              register=register(redacted=["/name", "/contact/email"]))  # fmt: skip
    found = graph(await document_of([one], pack, pack.agencies))
    assert broken(found) == {}
    told = found.objects(URIRef(f"{API}/records/demo-sante/x"), PAR.redacted)
    assert set(map(str, told)) == {"/name", "/contact/email"}
    one.register.redacted.clear()
    assert broken(graph(await document_of([one], pack, pack.agencies))) == {
        str(SH.OrConstraintComponent): 1
    }


async def test_nothing_found_is_a_document_all_the_same(taken):
    _, content = await taken()
    assert json.loads(content)["records"] == []
    assert broken(graph(content)) == {}


async def test_a_record_stands_on_a_line_and_is_written_as_it_is_read(
    publish, record, taken, database, monkeypatch
):
    monkeypatch.setattr(export, "_BATCH", 2)
    for number in range(5):
        await publish(record | {"id": f"demo-sante/r-{number}"})
    made, whole = await taken()
    first, *lines, last = whole.decode().splitlines()
    assert json.loads(first + last)["record_count"] == 5
    ids = [json.loads(line.rstrip(","))["identifier"] for line in lines]
    assert ids == [f"demo-sante/r-{number}" for number in range(5)]
    # The head, a part for each reading, the end.
    assert len([part async for part in write(database, made)]) == 1 + 3 + 1


async def test_no_member_is_dropped_without_a_word(publish, record, taken):
    record["lifecycle"] |= {"retired_on": "2026-10", "status": "retired"}
    await publish(record)
    document = json.loads((await taken())[1])
    assert unknown(document) == set()
    document["records"][0]["colour"] = "red"
    assert unknown(document) == {"urn:unknown:colour"}


async def test_foreign_records_keep_to_the_shapes(shared, pack):
    """Whatever other registers leave out or write, every fortieth record of them."""
    outcomes = [one for _, _, found, _ in shared.values() for one in found][::40]
    rows = [
        ExportRow(id=one.document["id"], agency=one.agency.id, document=one.document,
            register=register(origin=one.agency.origin))
        for one in outcomes if isinstance(one, ForeignRecord)
    ]  # fmt: skip
    agencies = {one.agency.id: one.agency for one in outcomes if isinstance(one, ForeignRecord)}
    found = graph(await document_of(rows, pack, agencies))
    assert len(rows) > 100
    assert len(set(found.subjects(RDF.type, PAR.Algorithm))) == len(rows)
    assert broken(found) == {}


async def test_a_foreign_record_says_whose_it_is_and_on_which_terms(pack):
    origin = Origin(
        code="be-demo",
        title="Registre fictif",
        publisher="Bureau fictif",
        licence="Licence fictive 1.0",
        homepage="https://registre.example/",
        country="BE",
        language="fr",
    )
    source = SourceFacts(
        id="1",
        state="present",
        state_since=None,
        changed_on=None,
        undated=False,
        moved_from=None,
        run=1,
        register=origin,
    )
    agency = Agency(id="be.demo", name={"fr": "Ville"}, kind="other", origin="be-demo")
    row = ExportRow(
        id="be.demo/tri",
        agency="be.demo",
        document={"id": "be.demo/tri", "name": {"fr": "Tri"}},
        register=register(origin="be-demo", source=source, accountability=None),
    )
    found = graph(await document_of([row], pack, {"be.demo": agency}))
    here = URIRef(f"{API}/records/be.demo/tri")
    basis = found.value(here, SCHEMA.isBasedOn)
    assert found.value(basis, DCTERMS.title) == Literal("Registre fictif", lang="fr")
    assert found.value(basis, DCTERMS.license) == Literal("Licence fictive 1.0")
    assert found.value(basis, DCAT.landingPage) == URIRef("https://registre.example/")
    place = found.value(basis, DCTERMS.spatial)
    assert found.value(place, DCTERMS.identifier) == Literal("BE")
    publisher = found.value(basis, DCTERMS.publisher)
    assert found.value(publisher, FOAF.name) == Literal("Bureau fictif")
    # It is not scored for what nobody asked of it.
    assert found.value(here, PAR.accountability) is None
