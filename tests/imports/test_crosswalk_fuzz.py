"""Whatever a crosswalk or a row holds, it is converted or refused in words, never a crash.

`make fuzz` asks more.
"""

import copy
import datetime as dt
import json
import os
from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.errors import ImportRefused
from registry.imports.convert import convert_file
from registry.imports.crosswalk import FOLDER, TEMPLATES, load_crosswalk, names
from registry.record.fast_validator import FastValidator
from registry.record.pack import load_pack

TODAY = dt.date(2026, 11, 24)
PACK, FAST = load_pack("ma"), FastValidator()
RELAXED = settings(
    max_examples=3 * int(os.environ.get("FUZZ_EXAMPLES", "15")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

_words = st.sampled_from(
    ["", "name", "/name", "/name/fr", "-", "/tags/-", "agency", "text", "date", "excel", "(.)", "x"]
)
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | _words | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words, inner, max_size=3),
    max_leaves=8,
)
EVERYTHING = {
    "origin": "fuzz",
    "title": "Fuzz",
    "publisher": "Fuzz",
    "homepage": "https://fuzz.example/",
    "licence": "CC0-1.0",
    "country": "XF",
    "read": "json",
    "language": "en",
    "over_long": "truncate_and_mark",
    "nothing": ["n/a"],
    "only": {"column": "kind", "is_not": ["no"]},
    "agency": {
        "prefix": "xf",
        "name": "/org/name",
        "names": {"fr": "org_fr"},
        "otherwise": [{"column": "parent", "part": "^(.)"}, {"name": "None"}],
    },
    "id": {"own": {"column": ["no", "nr"], "part": "(.*)"}, "of": ["agency", "/name", "tags"]},
    "changed_on": {"column": "since", "pattern": ["DD.MM.YYYY", "excel"]},
    "mappings": [
        {"column": "title", "to": "/name", "transform": "line", "otherwise": "titre"},
        {"column": "titre", "to": "/name/fr", "transform": "line", "translation": "machine"},
        {"column": "/org/*/name", "to": "/tags/-", "transform": "line", "list": ","},
        {"column": "tags", "to": "/tags/-/fr", "transform": "line", "list": "json"},
        {"column": "since", "to": "/lifecycle/deployed_on", "transform": "date", "pattern": "YY"},
        {"column": "why", "to": "/purpose/goal", "transform": "html", "label": "Why: "},
        {"column": "tags", "to": "/purpose/goal", "transform": "text"},
    ],
    "unmapped": [],
}
_COLUMNS = ["kind", "org", "org_fr", "parent", "no", "since", "title", "titre", "tags", "why"]
_rows = st.lists(
    st.fixed_dictionaries({}, optional=dict.fromkeys(_COLUMNS, _values)) | _values,
    min_size=1,
    max_size=4,
)


def convert(crosswalk, path):
    return list(convert_file(crosswalk, path, pack=PACK, today=TODAY, fast=FAST))


@RELAXED
@given(rows=_rows)
def test_any_rows_become_records_or_refusals(tmp_path, rows):
    crosswalk, source = tmp_path / "fuzz.json", tmp_path / "rows.json"
    crosswalk.write_text(json.dumps(EVERYTHING), encoding="utf-8")
    # The first row has every column, so that each of the others is asked for all of them.
    first = dict.fromkeys(_COLUMNS) | {"org": {"name": "Parks"}, "title": "First"}
    source.write_text(json.dumps([first, *rows]), encoding="utf-8")

    outcomes = convert(load_crosswalk(crosswalk), source)

    assert len(outcomes) >= 1


def places(node, path=()):
    yield path
    members = enumerate(node) if isinstance(node, list) else ()
    for key, inner in node.items() if isinstance(node, dict) else members:
        yield from places(inner, (*path, key))


CROSSWALKS = [
    EVERYTHING,
    *(json.loads((FOLDER / f"{name}.json").read_bytes()) for name in names()),
    json.loads((TEMPLATES / "register-jsonl.json").read_bytes()),
]


@RELAXED
@given(data=st.data(), crosswalk=st.sampled_from(CROSSWALKS), value=_values)
def test_any_change_of_a_crosswalk_is_read_or_refused_in_words(tmp_path, data, crosswalk, value):
    changed = copy.deepcopy(crosswalk)
    *outer, last = data.draw(st.sampled_from([place for place in places(changed) if place]))
    node = changed
    for key in outer:
        node = node[key]
    node[last] = value
    path, source = tmp_path / "changed.json", tmp_path / "rows.json"
    path.write_text(json.dumps(changed), encoding="utf-8")
    source.write_text(json.dumps([dict.fromkeys(_COLUMNS)]), encoding="utf-8")
    with suppress(ImportRefused):
        convert(load_crosswalk(path), source)
