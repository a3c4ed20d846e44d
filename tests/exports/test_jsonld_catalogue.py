"""The register as a catalogue: what DCAT-AP asks of it, and that what is broken is noticed."""

import datetime as dt
import json

import msgspec
import pytest
from rdflib import RDF, BNode, Literal, URIRef
from rdflib.namespace import DCAT, DCTERMS, SKOS

from registry.exports import export
from registry.exports.catalogue import Extent, catalogue
from tests.linked import CODE, PAR, SCHEMA, SH, broken, damaged, graph, saying, unknown, without

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
SITE = "https://register.example"
API = f"{SITE}/api/v1"
REGISTER = URIRef(f"{API}/catalogue#register")


@pytest.fixture
def described(pack):
    """The catalogue's document, as it is sent."""
    extent = Extent(began=NOW - dt.timedelta(days=9), at=NOW, size=60, records=47)
    return json.loads(msgspec.json.encode(catalogue(pack, SITE, extent)))


def test_the_catalogue_keeps_to_the_shapes(described, pack):
    found = graph(described)
    assert broken(found) == {}
    [here] = found.subjects(RDF.type, DCAT.Catalog)
    assert here == URIRef(f"{API}/catalogue")
    assert found.value(here, DCAT.dataset) == REGISTER
    assert set(found.objects(REGISTER, RDF.type)) == {DCAT.Dataset, SCHEMA.Dataset}
    assert {text.language: str(text) for text in found.objects(REGISTER, DCTERMS.title)} == (
        pack.site_name
    )
    assert {str(one).rpartition("/")[2] for one in found.objects(REGISTER, DCTERMS.language)} == (
        set(pack.languages)
    )
    period = found.value(REGISTER, DCTERMS.temporal)
    assert found.value(period, DCAT.startDate).toPython() == NOW - dt.timedelta(days=9)
    assert found.value(REGISTER, DCTERMS.modified).toPython() == NOW
    assert found.value(REGISTER, PAR.record_count).toPython() == 47
    files = {str(found.value(one, DCAT.downloadURL)): one for one in
             found.objects(REGISTER, DCAT.distribution)}  # fmt: skip
    assert set(files) == {f"{API}/exports/records.{form}" for form in export.MEDIA_TYPES}
    for form, media_type in export.MEDIA_TYPES.items():
        said = str(found.value(files[f"{API}/exports/records.{form}"], DCAT.mediaType))
        assert said.endswith(media_type.partition(";")[0])
    high = CODE["risk_level:high"]
    assert found.value(high, SKOS.inScheme) == CODE["risk_level"]
    assert Literal("مخاطر عالية", "ar") in set(found.objects(high, SKOS.prefLabel))
    # Every address is absolute, and nothing but the period and the place is without one.
    assert not [one for one in found.all_nodes() if isinstance(one, URIRef) and ":" not in one]
    assert len({one for one in found.all_nodes() if isinstance(one, BNode)}) == 2


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda root, _: root.pop("title"), DCTERMS.title),
        (lambda root, _: root.pop("description"), DCTERMS.description),
        (lambda root, _: root.pop("publisher"), DCTERMS.publisher),
        (lambda root, _: root.pop("datasets"), DCAT.dataset),
        (lambda root, _: root["services"][0].pop("endpoint"), DCAT.endpointURL),
        (without("title"), DCTERMS.title),
        (without("description"), DCTERMS.description),
        (without("distributions"), DCAT.distribution),
        (without("temporal"), DCTERMS.temporal),
        (without("conforms_to"), DCTERMS.conformsTo),
        (saying("language", ["French"]), DCTERMS.language),
        (saying("type", ["Dataset"]), SH.ClassConstraintComponent),
        (lambda _, node: node["distributions"][0].pop("access_url"), DCAT.accessURL),
        (lambda _, node: node["distributions"][0].update(media_type="csv"), DCAT.mediaType),
        (lambda _, node: node["temporal"].pop("start_date"), DCTERMS.temporal),
        (lambda root, _: root["theme_taxonomy"][0]["concepts"][0].pop("label"), SKOS.prefLabel),
    ],
)
def test_a_broken_catalogue_does_not(described, edit, told):
    assert str(told) in broken(graph(damaged(described, edit)))


def test_a_pack_may_say_who_runs_the_register_and_on_which_terms(pack):
    named = msgspec.structs.replace(pack, publisher="add", licence="https://terms.example/open")
    extent = Extent(began=NOW, at=NOW, size=1, records=0)
    found = graph(msgspec.json.encode(catalogue(named, SITE, extent)))
    assert broken(found) == {}
    assert found.value(REGISTER, DCTERMS.publisher) == URIRef(f"{API}/agencies/add")
    for one in (REGISTER, *found.objects(REGISTER, DCAT.distribution)):
        assert found.value(one, DCTERMS.license) == URIRef("https://terms.example/open")


def test_no_member_is_dropped_without_a_word(described):
    assert unknown(described) == set()
    described["datasets"][0] |= {"colour": "red", "type": ["Dataset", "Thing"]}
    assert unknown(described) == {"urn:unknown:colour", "urn:unknown:Thing"}
