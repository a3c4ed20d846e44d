"""`registry export`: the same files as over HTTP, to stdout or a folder."""

import csv
import io
import json

import pytest

ID = "demo-sante/prevision-lits"


@pytest.fixture
def filed(with_database, record_file):
    done = with_database("file", record_file(), "--submit")
    assert done.returncode == 0, done.stderr


def test_to_stdout_and_to_a_file_with_a_name(filed, with_database, tmp_path):
    result = with_database("export", "--format", "jsonl", "--agency", "demo-sante")
    assert result.returncode == 0, result.stderr
    assert "1 records" in result.stderr
    [line] = map(json.loads, result.stdout.splitlines())
    assert (line["record"]["id"], line["register"]["version"]) == (ID, 1)
    folder = tmp_path / "exports"
    folder.mkdir()
    arguments = ("--lang", "fr", "--risk", line["record"]["risk"]["level"], "--out", folder)
    assert with_database("export", "--format", "csv", *arguments).returncode == 0
    [file] = folder.iterdir()
    assert file.name.startswith("records-20")
    assert file.name.endswith(f"-entry-1-lang-fr-risk-{line['record']['risk']['level']}.csv")
    [row] = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig")))
    assert (row["id"], row["name_lang"]) == (ID, "fr")
    out = tmp_path / "all.xlsx"
    assert (
        with_database("export", "--format", "xlsx", "--columns", "full", "--out", out).returncode
        == 0
    )
    assert out.read_bytes().startswith(b"PK")
    assert not list(tmp_path.glob("*.part"))
    linked = with_database("export", "--format", "jsonld", "--sector", "health")
    document = json.loads(linked.stdout)
    assert [one["identifier"] for one in document["records"]] == [ID]
    assert document["query"].endswith("/records.jsonld?sector=health&as_of=entry:1")


def test_every_filter_of_search_is_an_option(filed, with_database):
    def ids(*arguments):
        result = with_database("export", "--format", "jsonl", *arguments)
        assert result.returncode == 0, result.stderr
        return [json.loads(line)["record"]["id"] for line in result.stdout.splitlines()]

    asked = ("--lacks", "data.sharing", "--completeness-min", "50", "--finding", "R03")
    assert ids(*asked, "--territory", "FR") == []
    assert ids(*asked, "--changed-since", "2020-01-01") == [ID]
    assert ids("--changed-until", "2020-01-01") == []
    assert ids("--kind", "contact.phone=stated") == [ID]
    assert ids("--fact", "sector.primary=health", "--fact", "publication.changed_on=1999") == []
    assert ids("--fact", "languages.source=fr", "--fact", "published_at.from=2020") == [ID]
    assert ids("--kind", "contact.phone=withheld", "--kind", "contact.phone=restricted") == []
    assert ids("--completeness-max", "10", "--risk-change", "lowered") == []


@pytest.mark.parametrize(
    ("form", "options", "says"),
    [
        ("jsonl", ("--labels", "fr"), "--labels is for --format csv and xlsx"),
        ("jsonld", ("--columns", "full"), "--columns is for --format csv and xlsx"),
        ("xlsx", ("--raw",), "--raw is for --format csv"),
        ("csv", ("--labels", "es"), "labels: unknown code 'es'"),
    ],
)
def test_an_option_that_would_change_nothing_is_refused(filed, with_database, form, options, says):
    result = with_database("export", "--format", form, *options)
    assert result.returncode == 2
    assert says in " ".join(result.stderr.replace("│", " ").split())


def test_words_that_were_put_right_are_told(filed, with_database, tmp_path):
    result = with_database(
        "export", "--format", "jsonl", "--q", "prevsion", "--lang", "fr", "--out", tmp_path
    )
    assert result.returncode == 0, result.stderr
    assert "nothing has these words; looked for: prevision" in result.stderr
    assert [file.name.partition("-q-")[2] for file in tmp_path.glob("records-*")] == [
        "prevsion-mended-prevision-lang-fr.jsonl"
    ]


def test_as_it_was_then(filed, with_database):
    then = with_database("export", "--format", "csv", "--raw", "--as-of", "entry:0")
    assert then.returncode == 0
    assert len(then.stdout.splitlines()) == 1
    assert then.stdout.startswith("id,")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--risk", "hihg"), "did you mean 'high'"),
        (("--as-of", "tomorrow"), "as_of: 'tomorrow' is not a time"),
        (("--lang", "xx"), "lang: unknown code"),
        (("--lacks", "contact.phon"), "did you mean 'contact.phone'"),
        (("--kind", "contact.phone"), "is not FACT=KIND"),
        (("--fact", "risk.levl=high"), "'risk.levl' is no fact that can be asked for so"),
        (("--fact", "languages.source=French"), "'French' is not written as the format has it"),
        (("--kind", "contact.phone=silent"), "unknown code 'silent'"),
        (("--overdue", "yes"), "overdue: unknown code 'yes'"),
        (("--completeness-min", "101"), "101 is not between 0 and 100"),
        (("--changed-since", "soon"), "changed_since: 'soon' is not a time"),
    ],
)
def test_a_mistake_is_named(with_database, arguments, says):
    result = with_database("export", "--format", "csv", *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert says in " ".join(result.stderr.split())
