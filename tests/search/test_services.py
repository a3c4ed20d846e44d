"""What people come for leads one way to agencies and sectors."""

from registry.record.pack import Service
from registry.search.engine import open_index
from registry.search.labels import ServiceIndex
from registry.search.query import SearchQuery

SERVICES = ServiceIndex(
    [
        Service(
            agency="road",
            sector="transport",
            wordings={"fr": ("permis de conduire",), "ar": ("رخصة السياقة",)},
        ),
        Service(agency="land", wordings={"fr": ("titre foncier",)}),
    ]
)
ROAD = [("agency", "road"), ("sector", "transport")]


def test_a_question_that_is_a_service_and_one_that_has_it():
    for whole in ("permis de conduire", "Permis conduire", "conduire: permis", "رخصة سياقة"):
        assert SERVICES.named(whole) == (ROAD, [])
    assert SERVICES.named("comment renouveler mes permis de conduire") == ([], ROAD)
    assert SERVICES.named("titre foncier OR permis de conduire") == (
        [],
        [*ROAD, ("agency", "land")],
    )


def test_a_question_without_all_its_words_has_none():
    for text in ("permis", "permis de construire", "titre", "-permis conduire", "", "de", "road"):
        assert SERVICES.named(text) == ([], [])


def test_what_is_typed_may_be_begun():
    for begun in ("per", "permis de con", "permis", "رخ", "الرخصة الس"):
        assert SERVICES.named(begun, is_begun=True) == (ROAD, [])
    for other in ("con", "nouveau per", "permis de construire", "سي", ""):
        assert SERVICES.named(other, is_begun=True) == ([], [])


async def test_a_service_is_named_first_and_only_one_way(database, pack, tmp_path, publish):
    await publish({"id": "demo-sante/a", "schema_version": "1.0", "name": {"fr": "Vignettes"}})
    index = open_index(database.connection, tmp_path / "search", pack)

    async def named(text):
        return [one.code for one in (await index.answer(SearchQuery(text=text))).named]

    assert (await named("AMO"))[:2] == ["cnss", "health"]
    assert (await named("emploi"))[0] == "anapec"
    # The agency whose name has all the words comes before one of a service among others.
    assert (await named("Ministère de l'Emploi"))[0] == "emploi"
    assert "cnss" in await named("dossier AMO refusé")


async def test_a_word_of_a_service_is_never_corrected(database, pack, tmp_path, publish):
    await publish({"id": "demo-sante/a", "schema_version": "1.0", "name": {"fr": "Viguette"}})
    index = open_index(database.connection, tmp_path / "search", pack)
    answer = await index.answer(SearchQuery(text="vignette", reader="fr"))
    assert (answer.total, answer.mended) == (0, None)
    assert answer.named[0].code == "dgi"
    assert (await index.answer(SearchQuery(text="vigmette", reader="fr"))).mended == "viguette"


def test_of_services_among_others_the_longest_wording_comes_first():
    services = ServiceIndex(
        [
            Service(agency="tax", wordings={"fr": ("permis",)}),
            Service(agency="road", wordings={"fr": ("permis de conduire",)}),
        ]
    )
    assert services.named("permis de conduire perdu")[1] == [("agency", "road"), ("agency", "tax")]


async def test_an_agency_is_named_by_its_acronym_among_other_words(database, pack, tmp_path):
    index = open_index(database.connection, tmp_path / "search", pack)
    for text in ("inscription OFPPT 2026", "التسجيل في مكتب التكوين المهني وإنعاش الشغل"):
        assert "ofppt" in [one.code for one in (await index.answer(SearchQuery(text=text))).named]


async def test_a_misspelt_word_of_a_service_is_corrected_though_no_record_has_it(
    database, pack, tmp_path
):
    index = open_index(database.connection, tmp_path / "search", pack)
    for text, reader, mended, code in (
        ("alocations familliales", "fr", "allocations familiales", "cnss"),
        ("الضمان الاجتاعي للصندوق الوطني", "ar", "الضمان الاجتماعي للصندوق الوطني", "cnss"),
    ):
        answer = await index.answer(SearchQuery(text=text, reader=reader))
        assert (answer.total, answer.mended) == (0, mended)
        assert code in [one.code for one in answer.named]


def test_a_country_s_own_stop_words_are_no_part_of_a_service():
    service = Service(agency="water", wordings={"sw": ("bwawa ya maji",)})
    assert ServiceIndex([service], ["ya"]).named("bwawa maji") == ([("agency", "water")], [])
    assert ServiceIndex([service]).named("bwawa maji") == ([], [])
