"""The vectors in the fields of records, in a real browser: nothing runs or leads astray."""

from __future__ import annotations

import msgspec
import pytest

from registry import resources
from registry.record.schema import resolved_schema
from registry.settings import Settings
from tests.browser.static_host import static_host
from tests.built import build
from tests.pages.conftest import FILED, make_corpus, stored
from tests.pages.test_injection import endless, poisoned
from tests.pages.vectors import VECTORS

STEP = 60
"""Each poisoned record has all vectors that follow its own in its fields: a few hold them all.

In which field a vector stands is judged by what is rendered, in tests/pages.
"""

_FOUND = """() => [...document.querySelectorAll("*")].flatMap((one) => [
  ...[...one.attributes].filter(({name}) => name.startsWith("on")).map(({name}) => name),
  ...(one.href && /^(javascript|data|vbscript|blob|file):/i.test(one.href) ? [one.href] : []),
  ...(["IFRAME", "OBJECT", "EMBED", "BASE", "STYLE", "IMG"].includes(one.tagName)
    ? [one.tagName] : []),
])"""


@pytest.fixture(scope="module")
def poisoned_host(tmp_path_factory):
    path = resources.RECORDS / "demo-sante" / "triage-radiographies.json"
    original = msgspec.json.decode(path.read_bytes())
    schema = resolved_schema()
    records, earlier = [], {}
    for number in range(0, len(VECTORS), STEP):
        name = f"demo-sante/vector-{number}"
        before, document = (
            poisoned(original, schema, endless(number + shift)) | {"id": name} for shift in (1, 0)
        )
        note = {"fr": VECTORS[number]}
        records.append(stored(document, notes=[None, note], fictitious=True, entry=100 + number))
        earlier[name] = [stored(before, fictitious=True, superseded_at=FILED)]
    corpus = msgspec.structs.replace(make_corpus(*records), records=records, earlier=earlier)
    out = tmp_path_factory.mktemp("poisoned") / "site"
    with static_host(out) as url:
        build(corpus, out=out, settings=Settings(base_url=url))
        yield url


def test_no_vector_runs(opened, poisoned_host):
    ran = []
    with opened(poisoned_host, fresh=True) as page:
        page.on("dialog", lambda dialog: (ran.append(dialog.message), dialog.dismiss()))
        pages = [
            f"fr/records/demo-sante/vector-{number}{place}"
            for number in range(0, len(VECTORS), STEP)
            for place in ("", "/versions/2", "/compare")
        ]
        for path in [*pages, "fr/", "fr/changes", "fr/statistics", "fr/agencies/demo-sante"]:
            page.goto(f"{poisoned_host}/{path}")
            assert page.evaluate(_FOUND) == [], path
            assert page.locator("h1").count() == 1, path
    assert ran == []
