"""The notice kit: a page of sentences a record, and what a copy of the site has of a code."""

import segno

from registry.pages.short_links import qr_file
from registry.record.short_code import candidates, is_code, spaced

from .conftest import LANGUAGES, PACK, SETTINGS
from .test_html import text_of

LIVE = "demo-sante/prevision-lits"
CODE = next(candidates(LIVE))
ADDRESS = f"{SETTINGS.base_url}/r/{CODE}"


def test_each_record_filed_here_and_in_force_has_its_sentences(pages):
    found = {}
    for path, page in pages.items():
        if not path.endswith("/notice.html"):
            continue
        lang = path.split("/")[0]
        found.setdefault(lang, set()).add(path.split("/", 1)[1])
        sentences = page.findall(".//p[@class='sentence']")
        # Of each language that has the words the letter and the message; Tamazight has none.
        assert [one.get("lang") for one in sentences] == ["ar"] * 2 + ["fr"] * 2 + ["en"] * 2, path
        for sentence in sentences:
            code = text_of(sentence).partition("/r/")[2][:7]
            assert is_code(code), path
        for message in sentences[1::2]:
            # Arabic has 70 letters in a message, three of which are one text.
            assert len(text_of(message)) <= 160, (path, text_of(message))
        [poster] = page.findall(".//div[@class='poster']")
        assert poster.get("lang") == ("ar" if lang == "zgh" else lang)
    assert found.keys() == LANGUAGES.keys()
    assert len({frozenset(names) for names in found.values()}) == 1
    assert f"records/{LIVE}/notice.html" in found["fr"]
    assert not any("/us.demo/" in name or "/gone/" in name for name in found["fr"])
    page = pages[f"fr/records/{LIVE}/notice.html"]
    letter = text_of(page.find(".//p[@class='sentence'][@lang='fr']"))
    assert letter.endswith(f"comment contester : {ADDRESS} (code {spaced(CODE)}).")
    assert "Prévision des besoins en lits d’hospitalisation" in letter


def test_a_record_s_page_shows_its_code_on_screen_and_on_paper(pages):
    for lang in LANGUAGES:
        page = pages[f"{lang}/records/{LIVE}.html"]
        [kit] = page.findall(".//*[@id='short-code']")
        assert spaced(CODE) in text_of(kit)
        assert ADDRESS in text_of(kit)
        links = [link.get("href") for link in kit.iter("a")]
        assert links == [f"/sub/r/{CODE}.svg", f"/sub/{lang}/records/{LIVE}/notice"]
        [head] = page.findall(".//div[@class='kit-head']")
        assert len(head.findall(".//{*}svg")) == 1
        gone = pages[f"{lang}/records/demo-sante/gone.html"]
        [kit] = gone.findall(".//*[@id='short-code']")
        assert [link.get("href").rpartition(".")[2] for link in kit.iter("a")] == ["svg"]
        foreign = pages[f"{lang}/records/us.demo/letter-sorting.html"]
        assert not foreign.findall(".//*[@id='short-code']")


def test_a_copy_has_a_page_and_a_picture_of_each_code(pages, site):
    page = pages[f"r/{CODE}.html"]
    links = page.findall(".//ul[@class='choice']//a")
    assert [(link.get("hreflang"), link.get("href")) for link in links] == [
        (tag, f"/sub/{tag}/records/{LIVE}") for tag in PACK.languages
    ]
    assert "Prévision des besoins en lits" in text_of(links[1])
    assert not list(page.iter("script"))
    gone = pages[f"r/{next(candidates('demo-sante/gone'))}.html"]
    assert "Cette fiche a été retirée." in text_of(gone.find(".//ul[@class='choice']"))
    asked = pages["r/index.html"].findall(".//ul[@class='choice']//a")
    assert [link.get("href") for link in asked] == [f"/sub/{tag}/code" for tag in PACK.languages]
    assert (site / f"r/{CODE}.svg").read_bytes() == qr_file(ADDRESS)
    drawn = segno.make(ADDRESS, error="m", micro=False)
    assert (drawn.mode, drawn.error) == ("byte", "M")
    for tag in PACK.languages:
        form = pages[f"{tag}/code.html"].find(f".//form[@action='/sub/{tag}/code']")
        assert form.find(".//input[@name='code']").get("dir") == "ltr"
