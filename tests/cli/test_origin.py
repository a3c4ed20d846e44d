"""`registry import` of a file again, and `registry origin crossed`: whose history is another's."""

import json

CROSSWALK = {
    "origin": "example-city",
    "title": "T",
    "publisher": "P",
    "homepage": "https://c.example/",
    "licence": "CC0-1.0",
    "country": "XC",
    "read": "csv",
    "language": "en",
    "over_long": "refuse",
    "agency": {"prefix": "xc", "constant": {"name": "City", "code": "c"}},
    "id": {"of": ["/name"], "telling_apart": ["/purpose/goal"]},
    "mappings": [
        {"column": "name", "to": "/name", "transform": "line"},
        {"column": "goal", "to": "/purpose/goal", "transform": "text"},
        {"column": "since", "to": "/lifecycle/deployed_on", "transform": "date"},
    ],
    "unmapped": [],
}
DAYS = ("2016-09-30", "2015-03-31")
ROWS = [f"Tool {number},Same goal,{day}" for number in range(8) for day in DAYS]


def write(path, head, rows):
    path.write_text("\n".join([head, *rows, ""]), encoding="utf-8")
    return path


def test_the_same_file_again_and_its_rows_in_another_order_change_nothing(with_database, tmp_path):
    crosswalk = write(tmp_path / "c.json", json.dumps(CROSSWALK), [])
    file = write(tmp_path / "f.csv", "name,goal,since", ROWS)
    turned = write(tmp_path / "g.csv", "name,goal,since", ROWS[::-1])
    said = []
    for path in (file, file, turned):
        done = with_database("import", crosswalk, path)
        assert done.returncode == 0, done.stderr
        [line] = [line for line in done.stderr.splitlines() if "created" in line]
        said.append(line)
    assert "16 created, 0 changed, 0 unchanged" in said[0]
    assert all("0 created, 0 changed, 16 unchanged" in line for line in said[1:])
    crossed = with_database("origin", "crossed", "example-city")
    assert (crossed.returncode, json.loads(crossed.stdout)) == (0, [])
    assert "0 versions have what another record had" in crossed.stderr


def test_versions_that_have_what_another_record_had_are_listed(with_database, tmp_path):
    """The source swaps the days of its systems 1 and 2 itself, which looks the same."""
    said = CROSSWALK | {"id": {**CROSSWALK["id"], "own": "no"}}
    crosswalk = write(tmp_path / "c.json", json.dumps(said), [])
    for days in (DAYS, DAYS[::-1], DAYS):
        rows = [f"{number},Tool,Same goal,{day}" for number, day in enumerate(days, start=1)]
        file = write(tmp_path / "f.csv", "no,name,goal,since", [*rows, f"3,Tool,Other,{days[0]}"])
        assert with_database("import", crosswalk, file).returncode == 0
    done = with_database("origin", "crossed", "example-city")
    found = json.loads(done.stdout)
    assert [(one["run"], one["record"], one["version"], one["other"]) for one in found] == [
        (run, f"xc.c/{record}", run, f"xc.c/{3 - record}") for run in (2, 3) for record in (1, 2)
    ]
    assert {tuple(one["fields"]) for one in found} == {("/lifecycle/deployed_on",)}
    assert [one["other_entry"] for one in found[:2]] == [one["entry"] for one in found[1::-1]]
    assert "4 versions have what another record had" in done.stderr

    unknown = with_database("origin", "crossed", "nowhere")
    assert unknown.returncode == 1
    assert "known are: example-city" in unknown.stderr
