from __future__ import annotations

import copy
import json
import re
from urllib.parse import urlsplit

import msgspec
import pytest

from registry import resources
from registry.errors import RegistryError
from registry.log.register import Redacted
from registry.pages.page import page_file
from registry.pages.views.prose_pages import error_types
from registry.record.pointers import parts, values_at
from registry.record.schema import fields

from .conftest import FILED, Rendered, demonstration, make_corpus, stored

LANGUAGES = {"ar": "rtl", "fr": "ltr", "zgh": "rtl", "en": "ltr"}
PREFIX = "/sub"


def text_of(element):
    return " ".join("".join(element.itertext()).split())


def test_a_build_says_what_it_was_made_from(corpus, site):
    made = msgspec.json.decode((site / "build.json").read_bytes())
    assert made["log"] == {"size": corpus.register.size, "root": corpus.register.root}
    assert made["as_of"] == "2026-11-24T00:00:00Z"
    shown = [page for page in site.rglob("*.html") if b"noindex" not in page.read_bytes()]
    assert made["pages"] == len(shown)


def test_every_page_parses_strictly_and_has_its_language(pages):
    assert len(pages) > 250
    for path, page in pages.items():
        first = path.split("/")[0]
        expected = first if first in LANGUAGES else "en" if first == "problems" else "ar"
        # Most of what Tamazight pages say is said in Arabic, and they are set as such.
        expected = "ar" if expected == "zgh" else expected
        assert (expected, LANGUAGES[expected]) == (page.get("lang"), page.get("dir")), path


def test_every_page_has_one_title_one_main_heading_and_a_description(pages):
    for path, page in pages.items():
        assert len(page.findall(".//h1")) == 1, path
        assert text_of(page.find(".//title")), path
        assert len(page.findall(".//main")) == 1, path
        assert page.find(".//meta[@name='description']") is not None, path


def test_every_internal_link_and_anchor_leads_somewhere(pages, site):
    anchors = {
        path: {element.get("id") for element in page.iter() if element.get("id")}
        for path, page in pages.items()
    }
    plain_files = {
        file.relative_to(site).as_posix()
        for file in site.rglob("*")
        if file.is_file() and file.suffix != ".html"
    }
    checked = 0
    for path, page in pages.items():
        for element in page.iter():
            address = element.get("href") or element.get("src")
            if address is None or urlsplit(address).scheme in {"https", "http", "mailto", "tel"}:
                continue
            parts = urlsplit(address)
            target = parts.path
            made = r"api|office|copies|[a-z]+/receipt|feeds/[a-z]+/(search\.|records)"
            if re.match(rf"{PREFIX}/({made})", target):
                continue
            if target == f"{PREFIX}/openapi.json":
                continue
            if target:
                assert target.startswith(f"{PREFIX}/"), (path, address)
                local = target.removeprefix(PREFIX)
                file = page_file(local)
                if local[1:] in plain_files:
                    continue
                assert file in pages, (path, address)
            else:
                file = path
            if parts.fragment:
                assert parts.fragment in anchors[file], (path, address)
            checked += 1
    assert checked > 5000


def test_ids_are_unique_and_labels_refer_to_them(pages):
    for path, page in pages.items():
        ids = [element.get("id") for element in page.iter() if element.get("id")]
        assert len(ids) == len(set(ids)), path
        for element in page.iter():
            label = element.get("aria-labelledby")
            assert label is None or label in ids, path


def test_the_language_switch_stays_on_the_page(pages):
    for path, page in pages.items():
        lang, _, rest = path.partition("/")
        if lang not in LANGUAGES or path.endswith("/embed.html"):
            continue
        switches = page.findall(".//nav[@class='languages']//a")
        assert {link.get("hreflang") for link in switches} == LANGUAGES.keys() - {lang}, path
        for link in switches:
            target = page_file(link.get("href").removeprefix(PREFIX))
            assert target == f"{link.get('hreflang')}/{rest}", path
        alternates = {
            link.get("hreflang")
            for link in page.findall(".//link[@rel='alternate']")
            if link.get("hreflang")
        }
        assert {*LANGUAGES, "x-default"} == alternates, path


WITH_A_BOX = {
    "index",
    "search",
    "contest",
    "browse",
    *(f"{kind}/index" for kind in ("agencies", "sectors", "risk", "status", "regions")),
}


def test_only_three_things_have_a_script_and_nothing_needs_another_host(pages, site):
    for path, page in pages.items():
        # A description for search engines is data: nothing runs.
        scripts = [
            script
            for script in page.findall(".//script")
            if script.get("type") != "application/ld+json"
        ]
        lang, _, rest = path.removesuffix(".html").partition("/")
        is_letter = rest.endswith("letter")
        is_list = rest.startswith(("sectors/", "regions/")) or rest == "agencies/index"
        has_box = lang in LANGUAGES and (rest in WITH_A_BOX or is_list)
        boxes = LANGUAGES.keys() if path == "404.html" else {lang} if has_box else ()
        # A record's page has the check, and each of its versions'; a tombstone leads to those.
        is_record = "/records/" in path and not path.endswith(
            ("/compare.html", "/letter.html", "/notice.html", "/embed.html")
        )
        is_record &= page.get("data-status") is None
        assert len(scripts) == (1 if has_box or is_record or is_letter else 0), path
        actions = [form.get("action") for form in page.findall(".//form[@role='search']")]
        assert sorted(actions) == sorted(f"{PREFIX}/{tag}/search" for tag in boxes), path
        assert len(page.findall(".//section[@id='proof']")) == (1 if is_record else 0), path
        for script in scripts:
            # That of the check runs in saved pages too, for which browsers load no modules.
            is_deferred = is_record and script.get("defer") is not None
            assert is_deferred or script.get("type") == "module"
            assert script.get("src").startswith(f"{PREFIX}/assets/")
            assert not text_of(script)
        policy = page.find(".//meta[@http-equiv='Content-Security-Policy']").get("content")
        assert policy.startswith("default-src 'none'; "), path
        assert ("script-src 'self'" in policy) == bool(scripts), path
        assert "unsafe" not in policy, path
        for element in page.iter():
            assert element.tag not in {"style", "iframe", "object"}, path
            names = set(element.attrib)
            assert not any(name == "style" or name.startswith("on") for name in names), path
            if element.tag in {"img", "source"} or element.get("rel") in {"stylesheet", "icon"}:
                assert (element.get("href") or element.get("src")).startswith("/"), path
    for file in site.rglob("*.css"):
        for address in re.findall(r'url\("?([^")]+)', file.read_text("utf-8")):
            assert (file.parent / address).is_file(), address


@pytest.mark.parametrize("lang", LANGUAGES)
def test_risk_is_said_in_words_and_with_a_shape(pages, lang):
    badges = [
        element
        for path, page in pages.items()
        # The finder has an empty one, which its script fills.
        if path.startswith(f"{lang}/") and path != f"{lang}/search.html"
        for element in page.iter("span")
        if "badge" in (element.get("class") or "").split()
    ]
    assert badges
    for badge in badges:
        assert text_of(badge)
        assert any(child.get("class") == "shape" for child in badge)


def test_a_fictitious_record_says_so(pages):
    for lang, words in (("fr", "Exemple fictif"), ("ar", "مثال خيالي"), ("en", "Fictitious")):
        page = pages[f"{lang}/records/demo-sante/triage-radiographies.html"]
        assert words in text_of(page.find(".//*[@class='notice fictitious']"))


def test_a_foreign_record_says_where_it_is_from_and_keeps_its_language(pages):
    page = pages["ar/records/us.demo/letter-sorting.html"]
    notice = page.find(".//*[@class='notice foreign']")
    assert "A demo inventory" in text_of(notice)
    assert [link.get("href") for link in notice.iter("a")] == [
        "/sub/ar/registers/us-demo",
        "https://inventory.example/",
    ]
    heading = page.find(".//h1")
    assert (heading.get("lang"), heading.get("dir")) == ("en", "ltr")
    assert "الإنجليزية" in text_of(page.find(".//*[@class='notice language']"))


def test_what_is_not_stated_is_shown(pages):
    page = pages["fr/records/us.demo/letter-sorting.html"]
    facts = {
        text_of(row.find("dt")): text_of(row.find("dd"))
        for row in page.iter("div")
        if row.find("dt") is not None
    }
    assert facts["Possibilité de recours"].startswith("Non indiqué")
    assert facts["Rôle dans la décision"] == "Non indiqué par la source"
    assert "Risque non indiqué" in text_of(page.find(".//ul[@class='meta']"))
    assert "us.demo/letter-sorting" in "".join(
        link.get("href") for link in pages["fr/risk/not_stated.html"].iter("a")
    )


def test_a_restricted_record_shows_its_existence_alone(pages):
    page = pages["fr/records/demo-securite/restricted.html"]
    assert "Seule l’existence" in text_of(page.find(".//*[@class='notice restricted']"))
    assert "Sécurité intérieure" in text_of(page.find(".//*[@class='notice restricted']"))
    assert not page.findall(".//section[@id='purpose']")
    # What it leaves out is said, and counts as not filled in; rights hold in every case.
    assert "Décision et contrôle humain" in text_of(page.find(".//section[@id='left-out']"))
    told = facts_of(page, "register-facts")["Fiche remplie à"]
    assert "%" in told
    assert "compte comme non rempli" in told
    contest = text_of(page.find(".//section[@id='contest']"))
    assert "Vos droits dans tous les cas" in contest


GROUPS = ("for-you", "who-answers", "why", "data-and-law", "working", "about-record")


def test_a_record_stands_in_six_groups_of_which_the_last_is_closed(pages):
    for lang in LANGUAGES:
        page = pages[f"{lang}/records/demo-sante/triage-radiographies.html"]
        groups = [one for one in page.iter() if one.get("class") == "group"]
        assert tuple(one.get("id") for one in groups) == GROUPS
        *shown, last = groups
        assert {one.tag for one in shown} == {"section"}
        assert (last.tag, last.get("open")) == ("details", None)
        anchors = {one.get("id") for one in page.iter()}
        assert {"you", "contest", "side-title", "supplier", "missing", "versions"} <= anchors
        # Who answers and the sector stand under the title.
        answers = page.find(".//header[@class='head']/dl[@class='answers']")
        assert len(answers.findall("div/dd/a")) == 2


NAMES = {
    "/purpose/goal": {"ar": "الهدف", "fr": "Objectif", "en": "Goal"},
    "/purpose/public_benefit": {
        "ar": "الفائدة للعموم",
        "fr": "Bénéfice pour le public",
        "en": "Public benefit",
    },
    "/purpose/proportionality": {
        "ar": "التناسب",
        "fr": "Proportionnalité",
        "en": "Proportionality",
    },
    "/data/sharing": {"ar": "التقاسم", "fr": "Partage", "en": "Sharing"},
}


def test_a_field_has_one_name_on_the_page_and_in_what_is_missing(corpus):
    name = "demo-services/aide-energie-hivernale"
    document = json.loads(next(one for one in corpus.records if one.id == name).document)
    whole = Rendered(make_corpus(stored(document, fictitious=True), demonstrated=False))
    document = copy.deepcopy(document)
    for pointer in NAMES:
        section, member = parts(pointer)
        document[section].pop(member, None)
    site = Rendered(make_corpus(stored(document, fictitious=True), demonstrated=False))
    for lang in ("ar", "fr", "en"):
        page = site.page(f"{lang}/records/{name}.html")
        names = [NAMES[pointer][lang] for pointer in NAMES]
        silent = [
            text_of(one)
            for line in page.findall(".//section[@id='missing']//p")
            for one in line
            if line.get("class") in {"missing", "unasked"}
        ]
        assert [one for one in silent if one in names] == names
        page = whole.page(f"{lang}/records/{name}.html")
        shown = [text_of(one) for one in page.findall(".//main//h4")]
        assert [one for one in names if shown.count(one) != 1] == [], lang


def test_no_navigation_is_empty(pages):
    """One that waits for a script is hidden until it has something."""
    empty = [
        (path, nav.get("aria-label"))
        for path, page in pages.items()
        for nav in page.iter("nav")
        if nav.find(".//a") is None and nav.get("hidden") is None
    ]
    assert empty == []


def test_no_answer_begins_with_a_dash_or_stands_in_brackets_alone(pages):
    odd = [
        (path, text)
        for path, page in pages.items()
        for one in page.iter()
        if one.tag in {"dd", "p", "td"} or "absent" in (one.get("class") or "")
        if (text := text_of(one)).startswith(("— ", "– ")) or re.fullmatch(r"\([^()]*\)", text)
    ]
    assert odd == []


def test_a_word_is_explained_where_it_stands(pages):
    page = pages["fr/records/demo-sante/triage-radiographies.html"]
    terms = {
        text_of(one.find("summary")): text_of(one.find("p"))
        for one in page.iter("details")
        if one.get("class") == "term"
    }
    assert terms["Réversibilité"] == "Avec quelle facilité un préjudice peut être réparé."
    assert len(terms) > 15


def test_a_measurement_is_a_sentence_and_a_bar(pages):
    page = pages["fr/records/demo-sante/triage-radiographies.html"]
    [first, *_] = page.findall(".//ul[@class='metrics']/li")
    assert text_of(first).startswith("Sur 100 cas à repérer, il en repère 94.")
    assert first.find("svg") is not None or "meter" in "".join(
        one.get("class") or "" for one in first.iter()
    )


def facts_of(page, place):
    """The rows of a section's definition list, as (heading, what it says)."""
    rows = page.findall(f".//section[@id='{place}']//dl/div")
    return {text_of(row.find("dt")): text_of(row.find("dd")) for row in rows}


def test_a_withdrawn_record_leaves_a_tombstone(pages):
    page = pages["fr/records/demo-sante/gone.html"]
    assert page.get("data-status") == "410"
    assert "2 novembre 2026" in text_of(page.find(".//*[@class='notice withdrawn']"))
    assert text_of(page.find(".//h1")) == "Système retiré"
    told = facts_of(page, "withdrawal")
    assert told["Motif"] == "Fusionné avec une autre fiche"
    assert told["Ce que dit l’organisme"] == "Fusionné avec les lits."
    assert told["À sa place"] == text_of(pages["fr/records/demo-sante/back.html"].find(".//h1"))
    assert page.find(".//section[@id='withdrawal']//a").get("href").endswith("demo-sante/back")
    assert told["Retirée le"] == "2 novembre 2026"
    assert told["En vigueur jusque-là"] == "Version 2"
    assert "algorithmes@demo-sante.example" in told["À qui s’adresser"]
    assert told["Inscription au journal"] == "31"
    assert told["Empreinte de l’inscription"] == f"{31:064x}"
    assert not page.findall(".//section[@id='purpose']")


@pytest.mark.parametrize(
    ("lang", "reason"),
    [
        ("ar", "أدمج في بطاقة أخرى"),
        ("zgh", "أدمج في بطاقة أخرى"),
        ("en", "Merged into another record"),
    ],
)
def test_a_tombstone_stands_in_every_language_and_marks_the_note_s_own(pages, lang, reason):
    page = pages[f"{lang}/records/demo-sante/gone.html"]
    section = page.find(".//section[@id='withdrawal']")
    assert reason in text_of(section)
    note = section.find(".//div[@class='prose']")
    assert (note.get("lang"), note.get("dir"), text_of(note)) == (
        "fr",
        "ltr",
        "Fusionné avec les lits.",
    )
    assert page.find(".//meta[@name='robots']").get("content") == "noindex"


def test_a_restricted_record_leaves_a_tombstone_without_a_name(pages):
    page = pages["en/records/demo-sante/gone-restricted.html"]
    assert text_of(page.find(".//h1")) == "A system whose name is not published"
    assert facts_of(page, "withdrawal")["Reason"] == "Other"
    links = page.findall(".//section[@id='withdrawal']//dd//a")
    assert f"{PREFIX}/en/agencies/demo-sante" in [link.get("href") for link in links]


def test_a_withdrawn_record_stands_under_its_agency_and_the_changes_alone(pages, site):
    allowed = {"fr/index.html": "latest", "fr/agencies/demo-sante.html": "withdrawn"}
    for path, page in pages.items():
        if not path.startswith("fr/") or "/records/" in path or path.startswith("fr/changes"):
            continue
        links = [link for link in page.iter("a") if "demo-sante/gone" in link.get("href", "")]
        place = page.find(f".//section[@id='{allowed[path]}']") if path in allowed else None
        apart = [] if place is None else list(place.iter("a"))
        assert [link for link in links if link not in apart] == [], path
        assert bool(links) == (path in allowed), path
    assert "demo-sante/gone" not in (site / "sitemap.xml").read_text("utf-8")
    by_agency = pages["fr/agencies/demo-sante.html"]
    listed = text_of(by_agency.find(".//section[@id='withdrawn']"))
    assert "Fusionné avec une autre fiche · 2 novembre 2026" in listed
    assert "Un système dont le nom n’est pas publié" in listed
    latest = text_of(pages["fr/index.html"].find(".//section[@id='latest']"))
    assert "Fiche retirée · Fusionné avec une autre fiche" in latest


def history_of(page):
    return [
        text_of(line.find(".//strong")) for line in page.findall(".//section[@id='versions']//li")
    ]


def links_of(page):
    return [link.get("href") for link in page.findall(".//section[@id='versions']//a")]


def test_the_history_shows_withdrawals_between_the_versions(pages):
    gone = pages["en/records/demo-sante/gone.html"]
    assert history_of(gone) == ["Withdrawn", "Version 2", "Version 1"]
    assert links_of(gone) == [
        "/sub/en/records/demo-sante/gone/versions/2",
        "/sub/api/v1/records/demo-sante/gone/versions/2",
        "/sub/en/records/demo-sante/gone/versions/1",
        "/sub/api/v1/records/demo-sante/gone/versions/1",
        "/sub/en/records/demo-sante/gone/compare",
    ]
    back = pages["en/records/demo-sante/back.html"]
    assert history_of(back) == ["Version 2", "Withdrawn", "Version 1"]
    assert "Court order" in text_of(back.find(".//section[@id='versions']"))
    assert back.get("data-status") is None
    assert back.find(".//*[@class='notice withdrawn']") is None


def test_an_agency_page_says_what_the_agency_states(pages):
    declared = pages["fr/agencies/demo-sante.html"].find(".//section[@id='declared']")
    assert "utilisait 12 systèmes à la date du 30 septembre 2026" in text_of(declared)
    assert "Déclaré le 3 octobre 2026, inscription 35 au journal" in text_of(declared)
    assert "mailto:algorithmes@demo-sante.example" in [
        link.get("href") for link in declared.iter("a")
    ]
    note = declared.find(".//div[@class='prose']")
    assert (note.get("lang"), note.get("dir")) == ("ar", "rtl")
    none = text_of(pages["en/agencies/hcp.html"].find(".//section[@id='declared']"))
    assert "The agency states that it used no algorithmic system on September 30, 2026" in none
    silent = text_of(pages["en/agencies/tgr.html"].find(".//section[@id='declared']"))
    assert "The agency has not stated how many systems it uses" in silent
    assert pages["en/agencies/us.demo.html"].find(".//section[@id='declared']") is None


def test_the_list_of_agencies_tells_silence_from_none(pages):
    rows = {
        row.find("a").get("href").rpartition("/")[2]: text_of(row.find("span[@class='quiet']"))
        for row in pages["en/agencies/index.html"].iter("li")
        if row.find("span[@class='quiet']") is not None
    }
    assert rows["tgr"] == "Has filed and stated nothing"
    assert rows["hcp"] == "States that it uses none"
    assert rows["dgi"] == "0 records · States that it uses 7 systems"
    assert rows["demo-sante"].endswith("records · States that it uses 12 systems")
    assert rows["us.demo"] == "1 record"


def test_what_validation_noticed_is_told_in_the_reader_s_language(pages):
    path = "records/demo-services/suggestions-offres-emploi.html"
    for lang, word, sentence in (
        ("fr", "Avertissement", "Le niveau déclaré, « Risque limité », est inférieur"),
        ("ar", "تنبيه", "أدنى من «مخاطر عالية»"),
        ("en", "Warning", "The declared level, Limited risk, is below High risk"),
    ):
        section = pages[f"{lang}/{path}"].find(".//section[@id='findings']")
        [told] = [
            item for item in section.findall("div[@class='item']") if "below_floor" in text_of(item)
        ]
        assert word in text_of(told)
        assert "/risk/level" in text_of(told)
        message = told.findall("p")[1]
        assert sentence in text_of(message)
        assert message.get("lang") is None
        assert not list(section.iter("a"))


def test_a_finding_that_nobody_translates_stays_in_english(pages):
    section = pages["fr/records/us.demo/letter-sorting.html"].find(".//section[@id='findings']")
    message = section.findall("div[@class='item']/p")[1]
    assert (message.get("lang"), message.get("dir")) == ("en", "ltr")
    assert text_of(message) == "Noticed by an older rule."
    assert pages["fr/records/demo-sante/back.html"].find(".//section[@id='findings']") is None


def test_the_versions_of_a_record_lead_to_their_data(pages):
    page = pages["fr/records/demo-sante/triage-radiographies.html"]
    own = "/records/demo-sante/triage-radiographies"
    pairs = [(f"/sub/fr{own}/versions/{n}", f"/sub/api/v1{own}/versions/{n}") for n in (3, 2, 1)]
    assert links_of(page) == [*(link for pair in pairs for link in pair), f"/sub/fr{own}/compare"]


def test_the_tamazight_pages_say_that_they_are_not_translated(pages):
    notice = pages["zgh/index.html"].find(".//*[@class='notice translation']")
    assert "لم تترجم" in text_of(notice)
    # The words of another language are the page's; those that there are in the reader's are marked.
    assert pages["zgh/index.html"].find(".//h1/span") is None
    languages = pages["zgh/index.html"].find(".//nav[@class='languages']")
    assert languages.get("aria-label") == "ⵜⵓⵜⵍⴰⵢⵉⵏ"
    tile = pages["zgh/index.html"].find(".//*[@lang='zgh'][@dir='ltr']")
    assert set("".join(text_of(tile).split())) <= {chr(one) for one in range(0x2D30, 0x2D80)}


def test_no_language_s_card_is_empty(pages):
    for path in ("index.html", "404.html"):
        cards = pages[path].findall(".//ul[@class='choice']/li")
        assert len(cards) == len(LANGUAGES)
        for card in cards:
            words = "".join(card.itertext())
            assert len(words.split()) >= 4, words


@pytest.mark.parametrize("lang", ["en", "fr", "ar"])
def test_every_error_has_its_words_and_no_other_has(lang):
    text = (resources.LANGUAGES / lang / "texts/problems.md").read_text("utf-8")
    slugs = re.findall(r"^## .+ \{#([a-z-]+)\}$", text, flags=re.MULTILINE)
    assert slugs == [error.slug for error in error_types()]
    assert {RegistryError, *RegistryError.__subclasses__()} <= set(error_types())


DEMONSTRATION = {record.id: msgspec.json.decode(record.document) for record in demonstration()}


@pytest.mark.parametrize("record_id", DEMONSTRATION)
def test_every_text_of_a_record_stands_on_its_page(pages, record_id):
    document = DEMONSTRATION[record_id]
    shown = text_of(pages[f"fr/records/{record_id}.html"])
    plain = str.maketrans({"\n": " ", "*": "", "_": ""})
    stated = [
        line
        for field in fields()
        if field.kind == "LangText"
        for _, text in values_at(document, field.path)
        for line in text["fr"].split("\n")
        if line and not re.match(r"[-+*] |[0-9]+[.)] ", line)
    ]
    assert [line for line in stated if " ".join(line.translate(plain).split()) not in shown] == []


def test_what_is_withheld_is_named_with_its_ground(pages):
    page = pages["fr/records/demo-securite/comptage-foules.html"]
    told = facts_of(page, "withheld")
    assert told["Sources"].startswith(
        "Sécurité intérieure et extérieure de l’État (loi 31-13 art. 7)"
    )
    assert told["Sources"].endswith("Emplacement et angle des caméras.")
    assert pages["fr/records/demo-sante/back.html"].find(".//section[@id='withheld']") is None


def test_every_error_has_its_page(pages):
    for error in error_types():
        page = pages[f"problems/{error.slug}.html"]
        assert error.title == text_of(page.find(".//h1"))
        sections = page.findall(".//section")
        told = [(part.get("id"), part.get("lang"), part.get("dir")) for part in sections]
        assert told == [("en", "en", "ltr"), ("ar", "ar", "rtl"), ("fr", "fr", "ltr")]
        for part in sections:
            happened = part.find("div[@class='lede']")
            to_do = part.findall("./*")[list(part).index(happened) + 1]
            assert to_do.tag == ("h2" if part.get("id") == "en" else "h3")
            assert text_of(happened)
            assert text_of(to_do) in {"What to do", "ما العمل", "Que faire"}
            assert list(part).index(to_do) < len(part) - 1


def test_the_words_for_an_error_bear_its_title():
    text = (resources.LANGUAGES / "en/texts/problems.md").read_text("utf-8")
    titles = dict(re.findall(r"^## (.+) \{#([a-z-]+)\}$", text, flags=re.MULTILINE))
    assert {error.title: error.slug for error in error_types()} == titles


def test_the_site_map_lists_the_pages(pages, site):
    found = re.findall(r"<loc>(.*?)</loc>", (site / "sitemap.xml").read_text("utf-8"))
    shown = [page for page in pages.values() if page.find(".//meta[@name='robots']") is None]
    assert len(shown) == len(found) == len(set(found))
    assert "https://register.example/sub/fr/" in found
    assert "https://register.example/sub/ar/records/us.demo/letter-sorting" in found


def test_what_was_erased_stands_as_erased():
    record = next(one for one in demonstration() if one.id == "demo-sante/triage-radiographies")
    document = msgspec.json.decode(record.document)
    del document["evaluation"], document["data"]["legal_basis"]
    pointers = ["/evaluation", "/data/legal_basis"]
    erased = [
        Redacted(pointer=pointer, basis="court", authority=None, entry=38, redacted_at=FILED)
        for pointer in pointers
    ]
    erased_record = stored(document, notes=(None,) * 3, fictitious=True, redacted=erased)
    page = Rendered(make_corpus(erased_record)).page(f"en/records/{record.id}.html")
    assert "Parts of this record were erased" in text_of(
        page.find(".//*[@class='notice redacted']")
    )
    assert text_of(page.find(".//section[@id='legal-basis']/p")) == "Erased"
    told = facts_of(page, "withheld")
    assert len(told) == len(pointers)
    assert all("Court order" in line for line in told.values())


def test_search_engines_are_told_what_a_page_describes(pages):
    for path, kind in (
        ("fr/records/demo-sante/triage-radiographies.html", "Dataset"),
        ("fr/index.html", "DataCatalog"),
    ):
        [script] = [
            one for one in pages[path].iter("script") if one.get("type") == "application/ld+json"
        ]
        node = json.loads(script.text)
        assert (node["@context"], node["@type"]) == ("https://schema.org", kind)
        assert node["url"].startswith("https://register.example/sub/fr/")
    reached = json.loads(
        next(
            one.text
            for one in pages["fr/records/demo-agriculture/criquets.html"].iter("script")
            if one.get("type") == "application/ld+json"
        )
    )["creator"]
    assert reached["address"].endswith("Meknès")
    assert reached["contactPoint"]["email"] == "algorithmes@demo-agriculture.example"
    hours = reached["contactPoint"]["hoursAvailable"]["description"]
    assert hours.replace("\u00a0", " ") == "Du lundi au vendredi, de 9 h à 16 h"
    assert node["dataset"]["distribution"][0]["contentUrl"].endswith("/api/v1/exports/records.csv")


def test_languages_and_what_is_missing_are_told(pages):
    page = pages["fr/records/demo-sante/triage-radiographies.html"]
    told = [text_of(row) for row in page.findall(".//section[@id='languages']//li")]
    assert any("langue d’origine" in row for row in told)
    assert len(told) >= 3
    assert "ni indiquées ni demandées" in text_of(page.find(".//section[@id='missing']"))
    cited = text_of(page.find(".//section[@id='cite']"))
    assert "/fr/records/demo-sante/triage-radiographies/versions/3" in cited


def test_similar_records_do_the_same_task(pages, corpus):
    documents = {one.id: msgspec.json.decode(one.document) for one in corpus.records}
    found = 0
    for path, page in pages.items():
        if not path.startswith("en/records/") or "/versions/" in path:
            continue
        own = documents.get(path.removeprefix("en/records/").removesuffix(".html"))
        for link in page.findall(".//section[@id='similar']//a"):
            other = documents[link.get("href").removeprefix("/sub/en/records/")]
            assert other["id"] != own["id"]
            for member in ("primary", "function"):
                assert other["sector"][member] == own["sector"][member]
            found += 1
    assert found


def test_a_link_that_is_shared_shows_a_picture_in_words_too(pages, site):
    for path in ("index.html", "ar/index.html", "fr/records/demo-sante/triage-radiographies.html"):
        told = {
            one.get("property"): one.get("content")
            for one in pages[path].iter("meta")
            if one.get("property")
        }
        address = told["og:image"].removeprefix("https://register.example/sub/")
        image = (site / address).read_bytes()
        assert image.startswith(b"\x89PNG")
        size = [str(int.from_bytes(image[at : at + 4], "big")) for at in (16, 20)]
        assert size == [told["og:image:width"], told["og:image:height"]]
        assert len(image) < 60_000
        assert told["og:title"]
        assert told["og:image:alt"]
    assert told["og:locale"] == "fr_MA"


def texts_in(element, lang):
    """Yield what stands in an element by language, but for code, differences, what is copied."""
    own = element.get("lang") or lang
    is_exact = element.get("class") in ("diff", "sentence") or element.tag in (
        "code",
        "pre",
        "script",
    )
    if not is_exact:
        yield own, element.text or ""
        for child in element:
            yield from texts_in(child, own)
            yield own, child.tail or ""


def test_french_spaces_do_not_break_whoever_wrote_the_text(pages):
    broken = re.compile(r"\w [:;?!»](?:\s|$)|« \w|\d (?:jours?|ans?|mois|%)(?!\w)")
    kinds = ("fr/records/demo-", "fr/contest", "fr/faq", "fr/index", "fr/statistics")
    paths = [path for path in pages if path.startswith(kinds)]
    found = [
        f"{path}: {text.strip()}"
        for path in paths
        for lang, text in texts_in(pages[path].find("body"), "fr")
        if lang == "fr" and broken.search(text)
    ]
    assert len(paths) > len(kinds)
    assert not found, "\n".join(found[:30])
