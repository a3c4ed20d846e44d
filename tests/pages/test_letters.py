"""Letters to agencies about a decision, made from what records state."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from registry.text.folding import fold

from .conftest import PACK, Rendered, demonstration, make_corpus, stored, withdrawal
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
            # What a person writes goes to the register alone, and only by a button.
            assert [one.get("action") for one in page.iter("form")] == [f"/sub/{path}"]
            assert [one.get("method") for one in page.iter("form")] == ["post"]


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


def as_paper(element):
    """The text of a letter on the page, with the names of its empty fields as in the text file."""
    if element.tag in {"input", "textarea"}:
        return ""
    inner = (element.text or "") + "".join(
        as_paper(child) + (child.tail or "") for child in element
    )
    classes = (element.get("class") or "").split()
    if {"of-son", "of-daughter"} & set(classes):
        return ""
    if "ask" in classes:
        return f"[{inner}]"
    return f"{inner}[…]" if "named" in classes else inner


def test_the_text_file_says_what_the_page_says(pages, site):
    for lang in ("ar", "fr", "en"):
        for path in (f"{lang}/{GRANTS}/letter", f"{lang}/letter"):
            content = (site / f"{path}.txt").read_bytes()
            assert content.startswith(b"\xef\xbb\xbf"), "its encoding is known without a server"
            lines = content.decode("utf-8-sig").split("\n")
            assert not any("<" in line or "&" in line or line != line.strip() for line in lines)
            shown = " ".join(as_paper(letter_of(pages[f"{path}.html"])).split())
            unnumbered = (line.partition(". ")[2] if line[:1].isdigit() else line for line in lines)
            assert " ".join(" ".join(unnumbered).split()) == shown


def test_fields_are_named_empty_and_of_the_right_kind(pages):
    for path in ("letter", f"{GRANTS}/letter", "agencies/cnss/letter"):
        letter = letter_of(pages[f"fr/{path}.html"])
        fields = [one for one in letter.iter() if one.tag in {"input", "textarea"}]
        assert len(fields) == (14 if path == f"{GRANTS}/letter" else 15)
        labels = [one for one in letter.iter("label") if text_of(one)]
        assert [one.find(".//input") is None for one in labels].count(True) == len(
            [one for one in fields if one.tag == "textarea"]
        )
        assert len(labels) == len(fields)
        known = {one.get("name"): one for one in fields}
        assert not any((one.get("value") or one.text or "").strip() for one in fields)
        completed = {name: known[name].get("autocomplete") for name in ("name", "phone", "email")}
        assert completed == {"name": "name", "phone": "tel", "email": "email"}
        assert known["address"].get("autocomplete") == "street-address"
        assert {one.get("dir") for name, one in known.items() if name not in completed} == {"auto"}
        assert not any(one.get("contenteditable") for one in letter.iter())


def test_the_name_of_the_agency_stands_once_in_every_letter(site, corpus):
    agencies = {one.id: one.name for one in PACK.agencies.values()}
    for record in corpus.records:
        for lang in ("fr", "ar") if record.register.origin is None else ():
            text = (site / f"{lang}/records/{record.id}/letter.txt").read_text("utf-8-sig")
            sent_to = text.split("\n\n")[1]
            named = [fold(name) in fold(sent_to) for name in agencies[record.agency].values()]
            assert any(named), text
            for name in agencies[record.agency].values():
                assert fold(sent_to).count(fold(name)) <= 1, text


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
        "no_legal_effect": "what I contest is the decision itself",
        "precluded_by_law": "please tell me which law that is",
        "in_progress": "a way to contest is being set up",
    }
    wrong = []
    for name, (role, available, _) in cases.items():
        text = site.text(f"en/records/{name}/letter.txt")
        said = [key for key, words in (asked | demanded).items() if words in text and key]
        wanted = [key for key in (role, available) if key and key != "yes"]
        is_request = "your decision no. [number of the decision] of [date of the decision]" in text
        is_request &= "I contest it, and ask you to withdraw or change it" in text
        if said != wanted or not is_request:
            wrong.append((role, available, said))
        assert ("a time limit of 60\u00a0days, counted from the day" in text) == bool(available)
    assert wrong == []


def test_that_a_result_has_no_legal_effect_is_what_the_agency_says():
    contestation = {"rights": {"contestation": {"available": "no_legal_effect"}}}
    document = BASIC | {"id": "demo-services/claim", "lifecycle": {"status": "in_use"}}
    page = made(stored(document | contestation, fictitious=True))
    said = text_of(page.page("fr/records/demo-services/claim.html").find(".//*[@id='main']"))
    assert "L’organisme déclare que son résultat n’a pas d’effet juridique." in said
    assert "La décision prise ensuite se conteste." in said
    assert "ne peut pas être contesté" not in said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("demo-agriculture/feux-forets", "not in use yet"),
        ("demo-agriculture/criquets", "is suspended"),
        ("demo-securite/score-civisme", "has not been in use since October 13, 2025"),
        ("demo-securite/restricted", "one whose name is not published"),
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


def test_the_time_limit_of_the_country_is_named_wherever_a_record_is_silent():
    def place(days):
        contestation = {"available": "yes"} | ({"deadline_days": days} if days else {})
        document = BASIC | {"id": f"demo-services/days-{days}"}
        return stored(document | {"rights": {"contestation": contestation}}, fictitious=True)

    site = made(*map(place, (0, 30, 60, 365)))
    said = {}
    for days in (0, 30, 60, 365):
        for end in ("", "/letter"):
            page = site.page(f"fr/records/demo-services/days-{days}{end}.html")
            part = page.find(".//p[@id='until']" if end else ".//section[@id='contest']/dl")
            said[days, end] = text_of(part).replace("\u00a0", " ")
    for end in ("", "/letter"):
        assert "Vous avez en général 60 jours" in said[0, end]
        assert "30 jours" in said[30, end]
        assert "on a en général 60 jours. Tenez-vous" in said[30, end]
        assert "on a en général" not in said[60, end]
        assert "365 jours" in said[365, end]
        assert "60 jours : ce délai peut finir avant celui de l’organisme" in said[365, end]
    for path, name in (("letter", "until"), ("faq", "main"), ("contest", "until")):
        told = text_of(site.page(f"fr/{path}.html").find(f".//*[@id='{name}']"))
        assert "Vous avez en général 60 jours" in told.replace("\u00a0", " "), path


def test_a_letter_goes_to_the_address_that_the_record_states():
    contact = {
        "email": "a@demo.example",
        "phone": "+212500000000",
        "postal_address": {"fr": "12, rue des Pins\nRabat", "ar": "12 زنقة الصنوبر\nالرباط"},
        "opening_hours": {"fr": "Le matin"},
    }
    document = BASIC | {
        "schema_version": "1.0",
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
