"""`registry import` of a file again."""

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
