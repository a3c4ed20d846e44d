import json

import pytest

from registry.errors import ImportRefused
from registry.imports.crosswalk import FOLDER, load_crosswalk, names
from registry.imports.crosswalk_model import columns_read
from registry.imports.draft import TRANSFORMS
from registry.imports.source import ReadOptions
from registry.record.validators import validator_of
from registry.resources import SCHEMAS


@pytest.fixture
def spoilt(tmp_path):
    """Write the Dutch crosswalk with something changed and return its path."""

    def write(change):
        document = json.loads((FOLDER / "nl-algoritmeregister.json").read_bytes())
        change(document)
        path = tmp_path / "spoilt.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("name", names())
def test_every_crosswalk_loads_under_its_own_name(name):
    assert load_crosswalk(name).origin == name
    assert load_crosswalk(FOLDER / f"{name}.json") == load_crosswalk(name)


def test_those_that_the_register_brings():
    assert names() == ["nl-algoritmeregister", "uk-atrs", "us-omb-2025"]


def test_the_schema_and_the_code_know_the_same_transforms():
    schema = json.loads((SCHEMAS / "crosswalk.schema.json").read_bytes())
    named = schema["$defs"]["mapping"]["properties"]["transform"]["enum"]
    assert sorted(named) == sorted([*TRANSFORMS, "constant"])
    validator_of("crosswalk").check_schema(schema)


@pytest.mark.parametrize("name", names())
def test_the_format_finds_no_fault_in_what_a_crosswalk_may_write(name, faults):
    assert faults(load_crosswalk(name)) == []


@pytest.mark.parametrize("name", names())
def test_no_column_is_left_out_without_a_reason(name):
    crosswalk = load_crosswalk(name)
    left_out = [unmapped.column for unmapped in crosswalk.unmapped]
    assert not set(left_out) & set(columns_read(crosswalk))
    assert len(left_out) == len(set(left_out))


def test_a_name_that_is_not_there_lists_those_that_are():
    with pytest.raises(ImportRefused) as refused:
        load_crosswalk("us-omb-2024")
    assert "did you mean 'us-omb-2025'?" in refused.value.detail
    assert "nl-algoritmeregister, uk-atrs, us-omb-2025" in refused.value.detail


def test_a_path_that_is_not_there(tmp_path):
    with pytest.raises(ImportRefused, match="there is no such crosswalk file"):
        load_crosswalk(tmp_path / "mine.json")


def test_a_crosswalk_that_is_not_json(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text('{"origin": ', encoding="utf-8")
    with pytest.raises(ImportRefused, match=r"mine\.json: .*line 1"):
        load_crosswalk(path)


def test_a_kind_of_file_may_stand_alone(spoilt):
    change = _set(("read",), "csv")
    assert load_crosswalk(spoilt(change)).read == ReadOptions(kind="csv")


def _set(place, value):
    def change(document):
        *outer, last = place
        for part in outer:
            document = document[part]
        document[last] = value

    return change


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (("over_long",), "cut", "at /over_long: 'cut' is not one of"),
        (("read",), "xslx", "at /read: 'xslx' is not one of"),
        (("read",), {"as": "json", "delimiter": ";"}, "at /read: 'delimiter' is not one of"),
        (("read",), [], "at /read: [] is not of type 'object'"),
        (("surprise",), 1, "'surprise' was unexpected"),
        (("mappings", 1, "transform"), "guess", "at /mappings/1/transform"),
        (("mappings", 1, "to"), "/no_such_field", "at /mappings/1/to: the record has no field"),
        (("mappings", 1, "list"), "semicolon", "at /mappings/1/list: /source_id holds one value"),
        (("unmapped", 0, "column"), "doel", "'doel' is both mapped and listed as unmapped"),
        (("mappings", 1, "to"), "/tags", 'at /mappings/1/to: /tags is a list; write "/tags/-"'),
        (("country",), "nl", "at /country: 'nl' does not match"),
        (("country",), "nl", "in the two capital letters of ISO 3166-1"),
        (("agency", "prefix"), "n.l", "in small letters, digits and hyphens"),
        (("origin",), "local", "at /origin: 'local' means this register itself"),
        (("id", "of", 1), "doelen", "at /id/of/1: 'doelen' is neither"),
        (("mappings", 2, "to"), "/summary", "no mapping fills /name"),
    ],
)
def test_a_crosswalk_that_is_wrong_says_where(spoilt, place, value, told):
    with pytest.raises(ImportRefused) as refused:
        load_crosswalk(spoilt(_set(place, value)))
    assert told in refused.value.detail


def test_a_crosswalk_without_a_country_is_asked_for_it(spoilt):
    with pytest.raises(ImportRefused, match='Add a member such as "country": "NL"'):
        load_crosswalk(spoilt(lambda document: document.pop("country")))
