"""No text of a record becomes mark-up, whichever field it stands in."""

from __future__ import annotations

import msgspec
import pytest

from registry import resources
from registry.pages.build import build

from .conftest import SETTINGS, make_corpus, parse, stored

VECTORS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "[x](javascript:alert(1))",
    "{{ 7 * 7 }}{% raw %}</title><svg onload=alert(1)>",
    "%(n)s %s {0} <!-- -->]]>",
)
KEEP = {"id", "schema_version", "visibility", "language", "source"}


def poisoned(value, vector, key=""):
    """Put the vector into every text and plain string that is not a code, date or address."""
    if isinstance(value, dict):
        if value and set(value) <= {"ar", "fr", "en", "zgh"} and key != "translation_status":
            return dict.fromkeys(value, vector)
        return {name: poisoned(part, vector, name) for name, part in value.items()}
    if isinstance(value, list):
        return [poisoned(part, vector, key) for part in value]
    free = isinstance(value, str) and (" " in value or key in {"reference", "name", "version"})
    return vector if free and key not in KEEP else value


def test_only_web_addresses_become_links(tmp_path):
    document = {
        "id": "us.demo/letter-sorting",
        "schema_version": "1.0",
        "name": {"en": "Links", 'x" onclick="y': "Links"},
        "website": "javascript:alert(1)",
        "contact": {"url": "data:text/html,x"},
        "documents": [{"type": "other", "url": "JAVASCRIPT:alert(2)"}],
    }
    out = tmp_path / "site"
    build(make_corpus(stored(document, origin="us-demo")), out=out, settings=SETTINGS)
    page = parse(out / "en/records/us.demo/letter-sorting.html")
    addresses = [element.get("href").lower() for element in page.iter("a")]
    assert not [address for address in addresses if address.startswith(("javascript:", "data:"))]
    assert "javascript:alert(1)" in "".join(page.itertext())


@pytest.fixture(scope="module")
def original():
    path = resources.RECORDS / "demo-sante" / "triage-radiographies.json"
    return msgspec.json.decode(path.read_bytes())


@pytest.mark.parametrize("vector", VECTORS)
def test_every_text_field(original, vector, tmp_path):
    document = poisoned(original, vector)
    foreign = {
        "id": "us.demo/letter-sorting",
        "schema_version": "1.0",
        "name": {"en": vector},
        "summary": {"en": vector},
        "risk": {"level": vector},
        "sector": {"primary": "other"},
        "website": f"https://x.example/{vector}",
    }
    note = {"fr": vector, "ar": vector}
    corpus = make_corpus(
        stored(document, notes=(note,), fictitious=True), stored(foreign, origin="us-demo")
    )
    out = tmp_path / "site"
    build(corpus, out=out, settings=SETTINGS)
    seen = 0
    for lang in ("fr", "ar", "zgh"):
        for path in (
            f"{lang}/records/demo-sante/triage-radiographies.html",
            f"{lang}/records/us.demo/letter-sorting.html",
            f"{lang}/index.html",
            f"{lang}/sectors/health.html",
            f"{lang}/agencies/us.demo.html",
        ):
            page = parse(out / path)
            for element in page.iter():
                if not isinstance(element.tag, str):
                    pytest.fail(f"{path}: a comment came out of a record")
                assert element.tag not in {"script", "img", "iframe", "object", "style"}, path
                assert not any(name.startswith("on") for name in element.attrib), path
                address = element.get("href") or ""
                assert not address.lower().startswith(("javascript:", "data:")), path
                assert element.tag != "svg" or element.get("class") in {"mark", "bar"}, path
            assert "49" not in (page.findtext(".//h1") or "")
            seen += "".join(page.itertext()).count(vector.split("\n")[0][:12])
    assert seen > 100
