"""What a record's page says is what the log has of the record: every page, and altered ones."""

import json
import re

import pytest

from registry.record import page_words
from registry.record.page_words import read_page, seal, unshown_texts
from registry.record.schema import resolved_schema
from registry.text import markdown
from registry.verify.record import page_faults

from .conftest import LANGUAGES
from .vectors import VECTORS

RECORD = "demo-services/objets-trouves"


def facts_of(record):
    register = record.register
    return {
        "id": record.id,
        "version": str(register.version),
        "entry": str(register.entry),
        "hash": register.hash,
    }


def versions(corpus):
    for record in corpus.records:
        yield from (*corpus.earlier.get(record.id, ()), record)


def test_every_page_of_a_version_says_what_its_document_does(corpus, site):
    seen, wrong = 0, {}
    for record in versions(corpus):
        number = record.register.version
        for tag in LANGUAGES:
            for name in (record.id, f"{record.id}/versions/{number}"):
                page = read_page((site / tag / "records" / f"{name}.html").read_text("utf-8"))
                # A tombstone has no check, and leads to the versions that have.
                if page.stated is None or page.stated["version"] != str(number):
                    continue
                seen += 1
                faults = [*page_faults(page, facts_of(record), json.loads(record.document))]
                if faults:
                    wrong[tag, name] = faults
    assert wrong == {}
    assert seen > 400


def test_words_without_a_parse_are_those_of_a_parse(site):
    quick = 0
    for path in sorted((site / "ar/records").rglob("*.html")):
        page = re.sub(r'data-words="\w+"', 'data-words=""', path.read_text("utf-8"))
        if 'data-words=""' not in page:
            continue
        # A comment is for the parser.
        parsed = seal(page.replace("</main>", "<!-- x --></main>"))
        quick += page_words._plain_words(page) is not None
        assert seal(page) == parsed.replace("<!-- x --></main>", "</main>"), path
    assert quick > 100


@pytest.mark.parametrize(
    "main",
    [
        "<main><p>a &lt;b&gt; &amp;amp; &#39;c&#34;</p>{}</main>",
        "<main>a > b{}</main>",
        "<main>a < b{}</main>",
        "<main>1 &notit; &#128; &copy{}</main>",
        "<main><p title='a > b' lang=\"x'>y\">c</p>{}</main>",
        "<main><script>if (a < b) '<i>'</script>{}</main>",
        "<main>{}<section id='proof'>in</section>out</main>",
        '<main><section id="proof"><section>a</section>b</section>c{}</main>',
        "<main>a<textarea>&lt;b</textarea><template><b>c</b></template>{}</main>",
        "<main>a</main><main>b{}</main>",
        "<main>a{}",
        "<p>{}</p>",
    ],
)
def test_odd_pages_are_sealed_as_they_are_read(main):
    unsealed = '<i data-words="">z</i>'
    page = f"<html><body><h1>x</h1>{main.format(unsealed)}<p>y</p></body></html>"
    digest = read_page(page).digest
    assert f'data-words="{digest}"' in seal(page)


def altered(corpus, site, change):
    """What is found on a page that was altered."""
    [record] = [one for one in corpus.records if one.id == RECORD]
    page = (site / "fr/records" / f"{RECORD}.html").read_text("utf-8")
    after = change(page)
    assert after != page
    return " ".join(page_faults(read_page(after), facts_of(record), json.loads(record.document)))


def test_what_was_altered_on_a_page_is_named(corpus, site):
    words = "words of the page were altered"
    for change, found in (
        (lambda page: page.replace("Risque minimal", "Risque nul"), "/risk/level is shown as"),
        (lambda page: page.replace("risk-minimal", "risk-high"), "/risk/level is shown as"),
        (
            lambda page: page.replace("<bdi>Pilote<", "<bdi>En service<"),
            "/lifecycle/status is shown as",
        ),
        (lambda page: page.replace("<h1>", "<h1>Non "), "/name is Non"),
        (lambda page: page.replace("<h1>", "<h1>Autre</h1><h1>"), "/name is Autre"),
        (lambda page: page.replace("propriété", "contrôle"), "is not what stands there"),
        # Labels, numbers and dates are in no text of the document.
        (lambda page: page.replace("<dfn><bdi>Effet juridique", "<dfn><bdi>Effet"), words),
        (lambda page: re.sub(r"(<time[^>]*>)\d", r"\g<1>9", page), words),
        (lambda page: page.replace("</main>", "<p>Du reste</p></main>"), words),
        (lambda page: page.replace('data-hash="', 'data-hash="0'), "the page states"),
        (lambda page: page.replace('data-version="', 'data-version="1'), "as its version"),
        (lambda page: page.replace('data-id="', 'data-id="x'), "as its id"),
        (lambda page: page.replace('data-entry="', 'data-entry="1'), "as its entry"),
        (lambda page: page.replace('<section id="proof"', '<section id="other"'), "as its id"),
    ):
        assert found in altered(corpus, site, change), found


def test_white_space_and_spelling_of_mark_up_do_not_count(corpus, site):
    def saved(page):
        """As browsers write a page that they save."""
        page = page.replace("\n", "\r\n").replace("&#39;", "'").replace("\u00a0", "&nbsp;")
        return page.replace("<main", "<!-- a > b -->\n<main", 1)

    assert altered(corpus, site, saved) == ""


def test_a_text_is_found_however_its_mark_up_is_rendered():
    def shown(text):
        section = f'<section id="purpose">{markdown.render(text)}</section>'
        return read_page(f"<main>{section}</main>")

    wrong = [
        text for text in VECTORS if [*unshown_texts({"goal": {"fr": text}}, shown(text), "fr")]
    ]
    assert wrong == []
    page = shown("1. Un\n2. Deux [ici](https://a.example/trois)")
    assert page.text.split() == ["Un", "Deux", "ici"]
    text = {"fr": "1. Un\n2. Deux [ici](https://a.example/trois)", "ar": "واحد"}
    assert [*unshown_texts({"purpose": {"goal": text}}, page, "fr")] == []
    assert [*unshown_texts({"purpose": {"goal": text}}, page, "en")] == []
    assert [*unshown_texts({"purpose": {"goal": text}}, page, "ar")] == ["/purpose/goal"]
    assert [*unshown_texts({"a": [{"url": "https://b.example"}]}, page, "ar")] == []


def test_a_page_whose_mark_up_is_never_closed_is_read_once():
    """A hostile page of a megabyte is checked at once, and not in hours."""
    parts = ("<", "<!--", '<"', "<'", "<main ", "<html ", "<h1", "<h1>", "<a", "<a>")
    parts += ('<section id="proof"', '<section id="proof">', '<section id="cite">')
    parts += ('<ul class="meta">', '<span class="badge risk-x"><span class="shape"')
    for part in parts:
        for page in (part * 100_000, f"<main>{part * 100_000}</main>"):
            assert [*page_faults(read_page(page), {"id": "a/b"}, {"name": {"fr": "x"}})]


def test_members_whose_names_look_like_languages_are_known():
    def names(schema):
        for name, part in schema.get("properties", {}).items():
            yield name
            yield from names(part)
        if "items" in schema:
            yield from names(schema["items"])

    short = {name for name in names(resolved_schema()) if re.fullmatch("[a-z]{2,3}", name)}
    assert short == {"aia", "id", "law", "url", "who"}


def test_the_script_of_the_check_is_one_that_saved_pages_run(site):
    [script] = site.glob("assets/proof.*.js")
    text = script.read_text("utf-8")
    assert re.findall(r"^(?:import|export)\b.*", text, re.MULTILINE) == []
    assert "const LABELS = {" in text
