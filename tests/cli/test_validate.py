from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from registry.cli.main import main

DATA = Path(__file__).parents[1] / "data"
MINIMAL = DATA / "valid" / "minimal.json"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    exit_code: object
    stdout: str
    stderr: str

    @property
    def output(self):
        return self.stdout + self.stderr


@pytest.fixture
def run(monkeypatch, capsys):
    """Run `registry validate` in this process."""
    for name in ("REGISTRY_PACK", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments):
        code = 0
        try:
            main(["validate", *map(str, arguments)])
        except SystemExit as ending:
            code = ending.code
        captured = capsys.readouterr()
        return Result(exit_code=code, stdout=captured.out, stderr=captured.err)

    return run


@pytest.fixture
def spoilt(tmp_path):
    document = json.loads(MINIMAL.read_text(encoding="utf-8"))
    document["risk"]["level"] = "extreme"
    path = tmp_path / "spoilt.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_a_valid_record(run):
    result = run(MINIMAL)
    assert result.exit_code == 0
    assert result.stdout == f"{MINIMAL}: publishable, completeness 81, 0 errors, 0 warnings\n"
    assert result.stderr == ""


def test_findings_are_sentences_on_stderr(run, spoilt):
    result = run(spoilt)
    assert result.exit_code == 1
    assert result.stderr == (
        f'{spoilt}: /risk/level [enum] error: "extreme" is not a code of this list. '
        "Use one of: unacceptable, high, limited, minimal.\n"
    )
    assert "not publishable, completeness 78, 1 error, 0 warnings" in result.stdout


def test_findings_that_are_cut_come_with_their_number(run, spoilt):
    document = json.loads(spoilt.read_text(encoding="utf-8"))
    spoilt.write_text(json.dumps(document | {f"x{number}": 1 for number in range(70)}))
    assert run(spoilt).stdout.endswith("50 errors, 0 warnings; these are 50 of 71\n")


def test_findings_are_told_in_the_language_asked_for(run, spoilt):
    french = run(spoilt, "--lang", "fr").stderr
    assert "/risk/level [enum] error" in french
    assert french != run(spoilt).stderr
    refused = run(spoilt, "--lang", "de")
    assert refused.exit_code == 2
    assert "ar, fr, zgh, en" in refused.stderr


def test_json_is_one_array_on_stdout(run, spoilt):
    result = run(MINIMAL, spoilt, "--format", "json")
    assert result.exit_code == 1
    reports = json.loads(result.stdout)
    assert [list(report) for report in reports] == 2 * [
        ["file", "publishable", "completeness", "findings", "findings_total", "upcoming"]
    ]
    assert [report["publishable"] for report in reports] == [True, False]
    (finding,) = [one for one in reports[1]["findings"] if one["severity"] == "error"]
    assert list(finding) == ["pointer", "rule", "severity", "message", "lang"]
    assert (finding["pointer"], finding["rule"]) == ("/risk/level", "enum")


def test_profiles(run, tmp_path):
    path = tmp_path / "draft.json"
    path.write_text("{}", encoding="utf-8")
    assert run(path).exit_code == 1
    assert run(path, "--profile", "draft").exit_code == 0
    assert run(path, "--profile", "foreign").exit_code == 1


def test_a_folder_stands_for_the_files_below_it(run, spoilt):
    inner = spoilt.parent / "inner"
    inner.mkdir()
    (inner / "a.json").write_bytes(MINIMAL.read_bytes())
    (inner / "notes.txt").write_text("not a record", encoding="utf-8")
    reports = json.loads(run(spoilt.parent, "--format", "json").stdout)
    assert [report["file"] for report in reports] == [str(inner / "a.json"), str(spoilt)]


BROKEN = {
    "broken.json": (b'{"a": ', "not JSON"),
    "latin.json": (b'{"nom": "\xe9"}', "0xe9 is not UTF-8"),
    "twice.json": (b'{"a": 1, "a": 2}', "'a' comes twice"),
    "deep.json": (b"[" * 10_000, "nested deeper than 32 levels (line 1, column 33)"),
    "large.json": (b" " * 5_000_000, "at most 1,048,576 are read"),
    "empty.json": (b"", "not JSON"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("style", ["text", "json"])
def test_a_file_that_cannot_be_read(run, tmp_path, name, style):
    content, words = BROKEN[name]
    path = tmp_path / name
    path.write_bytes(content)
    result = run(path, MINIMAL, "--format", style)
    assert result.exit_code == 1
    assert words in result.stderr
    assert name in result.stderr
    assert "Traceback" not in result.output
    assert "minimal.json" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Missing argument"),
        (["absent.json"], "does not exist"),
        ([MINIMAL, "--profile", "lenient"], "lenient"),
        ([MINIMAL, "--pack", "atlantis"], "no country pack 'atlantis'; the packs are"),
    ],
)
def test_wrong_use(run, arguments, words):
    result = run(*arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())


def test_an_empty_folder(run, tmp_path):
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "holds no .json file" in " ".join(result.stderr.replace("│", " ").split())


def test_what_a_terminal_would_obey_is_shown_as_an_escape(run, tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"a\u009b31m\u202e": 1}', encoding="utf-8")
    result = run(path, "--profile", "draft")
    assert "\u009b" not in result.output
    assert "\u202e" not in result.output
    assert r"/a\x9b31m\u202e [additionalProperties]" in result.stderr


def test_help_has_an_example(run):
    result = run("--help")
    assert result.exit_code == 0
    assert "Example: registry validate records/" in result.output
