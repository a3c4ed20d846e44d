"""Letters to agencies about a decision, made from what records state."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from .conftest import Rendered, demonstration, make_corpus, stored, withdrawal
from .test_html import text_of

GRANTS = "records/demo-education/attribution-bourses"
BASIC = {
    "schema_version": "1.0",
    "name": {"fr": "Tri des demandes", "ar": "فرز الطلبات"},
    "sector": {"primary": "social_protection"},
}


def made(*records):
    """The site of a few records."""
    return Rendered(make_corpus(*records, demonstrated=False))


def letter_of(page):
    return page.find(".//div[@class='letter']")


def test_every_record_of_this_country_has_a_letter_in_each_language(pages, site, corpus):
    for record in corpus.records:
        is_here = record.register.origin is None
        for lang in ("ar", "fr", "en", "zgh"):
            path = f"{lang}/records/{record.id}/letter"
            assert (f"{path}.html" in pages) == is_here, path
            assert (site / f"{path}.txt").is_file() == (is_here and lang != "zgh"), path
            if not is_here:
                continue
            page = pages[f"{path}.html"]
            letter = letter_of(page)
            assert letter.get("lang") is None, path
            assert record.id in text_of(letter), path
            assert page.find(".//meta[@name='robots']").get("content") == "noindex"
            # Nothing that a person writes can be sent: no form, no field, no script.
            assert [one.tag for one in page.iter() if one.tag in {"form", "input", "script"}] == []


def test_the_contest_box_of_a_record_leads_to_its_letter_in_one_tap(pages):
    for lang in ("ar", "fr", "en", "zgh"):
        for path in (GRANTS, f"{GRANTS}/letter"):
            page = pages[f"{lang}/{path}.html"]
            if path == GRANTS:
                links = page.findall(".//section[@id='contest']//a")
                assert f"/sub/{lang}/{GRANTS}/letter" in [one.get("href") for one in links]
    abroad = text_of(pages["en/records/us.demo/letter-sorting.html"].find(".//*[@id='contest']"))
    assert "letter, already written" not in abroad
    assert "Authorities of another country use this system" in abroad


def test_a_letter_names_the_short_code_of_the_record():
    document = BASIC | {"id": "demo-services/coded"}
    record = stored(document, fictitious=True, code="0000000")
    text = made(record).text("en/records/demo-services/coded/letter.txt")
    assert "\nCode of the record: 000-0000\nhttps://register.example/sub/r/0000000\n" in text
    assert "/en/records/" not in text


def test_the_text_file_says_what_the_page_says(pages, site):
    for lang in ("ar", "fr", "en"):
        for path in (f"{lang}/{GRANTS}/letter", f"{lang}/letter"):
            content = (site / f"{path}.txt").read_bytes()
            assert content.startswith(b"\xef\xbb\xbf"), "its encoding is known without a server"
            lines = content.decode("utf-8-sig").split("\n")
            assert not any("<" in line or "&" in line or line != line.strip() for line in lines)
            shown = text_of(letter_of(pages[f"{path}.html"]))
            unnumbered = (line.partition(". ")[2] if line[:1].isdigit() else line for line in lines)
            assert " ".join(" ".join(unnumbered).split()) == shown


def test_blanks_are_named_and_can_be_filled_in_without_a_script(pages):
    letter = letter_of(pages[f"fr/{GRANTS}/letter.html"])
    blanks = [one for one in letter.iter("span") if one.get("class") == "blank"]
    assert len(blanks) == 9
    for blank in blanks:
        assert (blank.get("role"), blank.get("contenteditable")) == ("textbox", "plaintext-only")
        assert text_of(blank) == f"[{blank.get('aria-label')}]"


def test_what_a_letter_asks_follows_from_what_the_record_states():
    roles = ("no_decision", "informs", "recommends", "decides_with_review", "decides_alone", None)
    contesting = ("yes", "no_legal_effect", "precluded_by_law", "in_progress", None)
    cases = {}
    for number, (role, available) in enumerate(itertools.product(roles, contesting)):
        document = BASIC | {"id": f"demo-services/case-{number}"}
        if role:
            document["decision"] = {"role": role}
        if available:
            document["rights"] = {"contestation": {"available": available, "deadline_days": 60}}
        cases[document["id"]] = (role, available, document)
    site = made(*(stored(one, fictitious=True) for *_, one in cases.values()))
    asked = {
        "no_decision": "although the register says that it takes no part in decisions",
        "informs": "what it told the person who decided",
        "recommends": "what it recommended",
        "decides_with_review": "who confirmed it",
        "decides_alone": "took the decision alone, as the register says",
        None: "since the register does not say so",
    }
    demanded = {
        "yes": "I contest this decision",
        "no_legal_effect": "has no legal effect. If the decision rests on it",
        "precluded_by_law": "Please tell me which law that is",
        "in_progress": "a way to contest is being set up",
        None: "does not say how the decision can be contested",
    }
    wrong = []
    for name, (role, available, _) in cases.items():
        text = site.text(f"en/records/{name}/letter.txt")
        said = [key for key, words in (asked | demanded).items() if words in text and key]
        if said != [key for key in (role, available) if key]:
            wrong.append((role, available, said))
        assert ("a time limit of 60\u00a0days, counted from the day" in text) == bool(available)
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("demo-agriculture/feux-forets", "not in use yet"),
        ("demo-agriculture/criquets", "is suspended"),
        ("demo-securite/score-civisme", "has not been in use since October 13, 2025"),
        ("demo-securite/restricted", "a system whose name is not published"),
        ("demo-sante/gone", "was withdrawn from the register"),
        ("demo-education/alerte-decrochage", "you are trying this system out"),
    ],
)
def test_a_letter_says_what_is_so(site, name, said):
    text = (site / f"en/records/{name}/letter.txt").read_text("utf-8-sig")
    assert said in text
    assert ("The register says that you use" in text) == (name == "demo-securite/restricted")


def test_a_letter_leaves_room_for_an_address_that_the_record_lacks():
    nowhere = demonstration()[0]
    document = msgspec.json.decode(nowhere.document) | {"contact": {}}
    text = made(stored(document, fictitious=True)).text(f"fr/records/{nowhere.id}/letter.txt")
    assert "[adresse de l’organisme]" in text


def test_a_letter_goes_to_the_address_that_the_record_states():
    contact = {
        "email": "a@demo.example",
        "phone": "+212500000000",
        "postal_address": {"fr": "12, rue des Pins\nRabat", "ar": "12 زنقة الصنوبر\nالرباط"},
        "opening_hours": {"fr": "Le matin"},
    }
    document = BASIC | {
        "schema_version": "1.1",
        "id": "demo-services/by-post",
        "languages": {
            "source": "fr",
            "translation_status": {"fr": "original", "ar": "human_reviewed"},
        },
        "contact": contact,
    }
    elsewhere = document | {
        "id": "demo-services/elsewhere",
        "rights": {
            "contestation": {
                "available": "yes",
                "email": "recours@demo.example",
                "postal_address": {"fr": "Commission des recours\nFès"},
            }
        },
    }
    gone = document | {"id": "demo-services/gone"}
    records = [
        stored(document, fictitious=True),
        stored(elsewhere, fictitious=True),
        stored(gone, fictitious=True, state="withdrawn"),
    ]
    snapshot = make_corpus(*records, demonstrated=False)
    snapshot.withdrawals["demo-services/gone"] = [withdrawal(36, version=1)]
    site = Rendered(snapshot)

    def text(lang, name):
        return site.text(f"{lang}/records/demo-services/{name}/letter.txt")

    for name in ("by-post", "gone"):
        assert "\n12, rue des Pins\nRabat\na@demo.example\n\n" in text("fr", name)
        assert "\n12 زنقة الصنوبر\nالرباط\na@demo.example\n\n" in text("ar", name)
    assert "\nCommission des recours\nFès\nrecours@demo.example\n\n" in text("fr", "elsewhere")
    for name, place in (("by-post", "where"), ("gone", "where")):
        page = site.page(f"fr/records/demo-services/{name}/letter.html")
        told = text_of(page.find(f".//div[@id='{place}']"))
        assert all(said in told for said in ("12, rue des Pins Rabat", "Le matin"))
        assert "tel:+212500000000" in [one.get("href") for one in page.iter("a")]
    box = site.page("fr/records/demo-services/elsewhere.html").find(".//*[@id='contest']")
    for said in ("Commission des recours Fès", "12, rue des Pins Rabat", "Le matin"):
        assert said in text_of(box)
    tombstone = site.page("fr/records/demo-services/gone.html")
    assert "12, rue des Pins Rabat" in text_of(tombstone.find(".//section[@id='withdrawal']"))
