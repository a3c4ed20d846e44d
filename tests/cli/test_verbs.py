"""The office's verbs on the command line: the same office as behind the API, for its operator."""

import asyncio
import json

import asyncpg
import pytest

from tests.conftest import amended

ID = "demo-sante/prevision-lits"


@pytest.fixture
def answer(with_database):
    """Run a verb that must succeed and give its receipts."""

    def run(*arguments, **settings):
        result = with_database(*arguments, "--format", "json", **settings)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return run


def test_a_record_from_its_file_to_its_withdrawal(answer, with_database, record, record_file):
    file = record_file()
    [draft] = answer("file", file)
    assert (draft["outcome"], draft["id"], draft["publishable"]) == ("created", ID, True)
    [listed] = answer("drafts")
    assert (listed["id"], listed["state"], listed["saved_by"]) == (ID, "draft", "demo-sante")
    assert listed["tag"] == draft["tag"]
    receipt = answer("submit", ID, "--actor", "records officer")
    assert (receipt["outcome"], receipt["version"], receipt["entry"]) == ("published", 1, 1)
    assert answer("drafts") == []
    [second] = answer("file", record_file(publication=amended(record)["publication"]), "--submit")
    assert (second["outcome"], second["version"]) == ("published", 2)
    [same] = answer("file", file, "--submit")
    assert (same["outcome"], same["version"]) == ("unchanged", 2)
    arguments = ("withdraw", ID, "--reason", "other", "--note", "fr=Fini.", "--note", "ar=انتهى")
    gone = answer(*arguments)
    assert (gone["outcome"], gone["version"], gone["entry"]) == ("withdrawn", 2, 3)
    assert answer(*arguments) == gone | {"outcome": "unchanged"}


@pytest.fixture
def holding(with_database, tmp_path):
    """Make a token and return the option that acts with it."""

    def make(name, *arguments):
        made = with_database("token", "create", "--actor", name, *arguments)
        assert made.returncode == 0, made.stderr
        file = tmp_path / f"{name}.token"
        file.write_text(made.stdout)
        return "--token-file", str(file)

    return make


def test_where_review_is_required_another_approves_or_returns(
    answer, with_database, record_file, holding
):
    required = {"review": "required"}
    office = holding("review office", "--scope", "review")
    [sent] = answer("file", record_file(), "--submit", **required)
    assert sent["outcome"] == "in_review"
    [waiting] = answer("drafts", "--state", "in_review", **required)
    assert (waiting["id"], waiting["submitted_by"]) == (ID, "demo-sante")
    # One shell is one person, by whatever names it acts.
    for who in ((), ("--actor", "demo-sante"), ("--actor", "review office")):
        own = with_database("approve", ID, "--tag", waiting["tag"], *who, **required)
        assert own.returncode == 1
        assert "four eyes" in own.stderr
        assert "--token-file" in own.stderr
    both = with_database("approve", ID, "--tag", "x", "--actor", "a", *office, **required)
    assert (both.returncode, "--actor or --token-file" in both.stderr) == (2, True)
    back = answer("return", ID, "--comment", "Dites qui répond.", *office, **required)
    assert back["outcome"] == "returned"
    [draft] = answer("drafts", "--agency", "demo-sante", **required)
    assert (draft["state"], draft["comment"]) == ("draft", "Dites qui répond.")
    assert answer("drafts", "--state", "in_review", **required) == []
    listed = with_database("drafts", **required).stdout
    assert listed.endswith("\treturned by review office: Dites qui répond.\n")
    again = answer("submit", ID, **required)
    assert again["outcome"] == "in_review"
    done = answer("approve", ID, "--tag", again["tag"], *office, **required)
    assert (done["outcome"], done["version"]) == ("published", 1)


def test_receipts_are_text_for_people(with_database, database_url, record, record_file, tmp_path):
    told = with_database("file", record_file())
    assert told.returncode == 0
    lines = told.stdout.splitlines()
    assert lines[0] == f"{ID}: created"
    assert "  publishable: true" in lines
    assert lines[-1].endswith(f"registry submit {ID}")
    listed = with_database("drafts").stdout
    assert listed.startswith(f"{ID}\tdraft\t")
    done = with_database("submit", ID).stdout
    assert "version: 1" in done
    assert "It is public now" in done

    async def find_fault():
        connection = await asyncpg.connect(database_url)
        await connection.execute("update log_state set fault = 'the database, entry 1: …'")
        await connection.close()

    asyncio.run(find_fault())
    again = tmp_path / "again.json"
    again.write_text(json.dumps(amended(record, source_id="another")), encoding="utf-8")
    done = with_database("file", again, "--submit").stdout
    assert "the log is stopped" in done
    assert "public now" not in done
    contact = ("--contact", "a@demo-sante.example")
    done = with_database("attest", "demo-sante", "--systems", 3, *contact).stdout
    assert "the log is stopped" in done


def test_what_is_refused_is_told_with_every_finding_and_stops_nothing_else(
    with_database, record_file, tmp_path
):
    good = record_file("good.json")
    bad = record_file("bad.json", id="demo-sante/bad", purpose=...)
    broken = tmp_path / "broken.json"
    broken.write_text("{", "utf-8")
    stranger = record_file("stranger.json", id="nobody/x")
    nameless = record_file("nameless.json", id=...)
    result = with_database("file", bad, broken, stranger, nameless, good, "--submit")
    assert result.returncode == 1
    assert result.stdout.splitlines()[0] == f"{ID}: published"
    told = " ".join(result.stderr.split())
    assert f"refused {bad}: demo-sante/bad cannot be published as it is" in told
    assert "error /purpose/goal [required]" in told
    assert f"refused {broken}" in told
    assert "nobody is not an agency of this register" in told
    assert "error /id [required]" in told
    assert "Traceback" not in result.stderr


def test_what_a_terminal_would_obey_is_told_as_an_escape(with_database, record_file):
    """Neither colours nor a line of its own, which could pass for one of ours."""
    path = record_file("obeyed.json", **{"\x1b[2J\u202e\npublished": 1})
    result = with_database("file", path)
    assert result.returncode == 1
    assert r"error /\x1b[2J\u202e\npublished [additionalProperties]" in result.stderr
    assert "\x1b" not in result.stderr
    filed = with_database("file", record_file(), "--actor", "\x1b[2J\tclerk")
    listed = with_database("drafts").stdout
    assert r"\x1b[2J\tclerk" in listed
    assert "\x1b" not in filed.stdout + listed


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["submit", ID], 1, f"there is no draft {ID}"),
        (["approve", ID, "--tag", "0" * 16], 1, f"there is no draft {ID}"),
        (["return", ID, "--comment", "x"], 1, f"there is no draft {ID}"),
        (["withdraw", ID, "--reason", "other", "--note", "fr=x"], 1, f"no record {ID}"),
        (["withdraw", ID, "--reason", "none", "--note", "fr=x"], 1, "/reason"),
        (["withdraw", ID, "--reason", "other", "--note", "x"], 2, "LANG=TEXT"),
        (
            ["withdraw", ID, "--reason", "other", "--note", "fr=x", "--note", "fr=y"],
            2,
            "two texts in fr",
        ),
        (["withdraw", ID, "--reason", "other"], 2, "--note"),
        (["return", ID], 2, "--comment"),
        (["submit", "Not/An Id"], 2, "is not the identifier of a record"),
        (["attest", "nobody", "--systems", "1", "--contact", "a@b.example"], 1, "nobody"),
        (["attest", "demo-sante", "--systems", "-1", "--contact", "a@b.example"], 1, "at least 0"),
        (["attest", "demo-sante", "--contact", "a@b.example"], 2, "--systems"),
        (["file"], 2, "FILE"),
        (["file", "nowhere.json"], 2, "nowhere.json"),
    ],
    ids=str,
)
def test_what_cannot_be_is_told_with_its_exit_code(with_database, arguments, code, words):
    result = with_database(*arguments)
    assert (result.returncode, result.stdout) == (code, "")
    assert words in " ".join(result.stderr.replace("│", " ").split())
    assert "Traceback" not in result.stderr


def test_an_agency_attests(answer, with_database):
    arguments = ("attest", "demo-sante", "--systems", "0", "--day", "2026-06-30")
    contact = ("--contact", "https://demo.example/contact", "--note", "fr=Aucun.")
    first = answer(*arguments, *contact)
    assert (first["outcome"], first["systems_total"], first["day"]) == ("attested", 0, "2026-06-30")
    assert answer(*arguments, *contact) == first | {"outcome": "unchanged"}
    today = answer("attest", "demo-sante", "--systems", "2", "--contact", "a@b.example")
    assert today["entry"] == first["entry"] + 1
    text = with_database(*arguments, *contact).stdout
    assert text.startswith("demo-sante: unchanged")


def test_where_review_is_required_another_approves_what_is_withdrawn_or_attested(
    answer, with_database, record_file, holding
):
    required = {"review": "required"}
    office = holding("review office", "--scope", "review")
    answer("file", record_file(), "--submit")
    withdraw = ("withdraw", ID, "--reason", "other", "--note", "fr=Fini.")
    asked = answer(*withdraw, **required)
    assert (asked["outcome"], asked["kind"], asked["id"]) == ("in_review", "withdrawal", ID)
    number = str(asked["act"])
    [waiting] = answer("acts", "list", **required)
    assert (waiting["id"], waiting["requested_by"]) == (asked["act"], "demo-sante")
    assert waiting["statement"] == {"reason": "other", "note": {"fr": "Fini."}}
    told = with_database("acts", "list", **required).stdout
    assert told.startswith(f"{number}\twithdrawal\t{ID}\tdemo-sante\t")
    own = with_database("acts", "approve", number, "--actor", "demo-sante", **required)
    assert (own.returncode, own.stdout) == (1, "")
    assert "four eyes" in own.stderr
    back = with_database("acts", "return", number, "--comment", "Pourquoi ?", **required).stdout
    assert "Whoever asked for it finds the comment" in back
    text = with_database(*withdraw, **required).stdout
    assert f"registry acts approve {int(number) + 1}" in text
    done = answer("acts", "approve", str(int(number) + 1), *office, **required)
    assert (done["outcome"], done["entry"]) == ("withdrawn", 2)
    attest = ("attest", "demo-sante", "--systems", "2", "--contact", "a@b.example")
    number = str(answer(*attest, **required)["act"])
    assert answer("acts", "approve", number, *office, **required)["outcome"] == "attested"


def test_the_agencies_are_listed(answer, with_database, record_file):
    answer("file", record_file(), "--submit")
    agencies = {one["id"]: one for one in answer("agency", "list")}
    assert agencies["demo-sante"]["records"] == 1
    assert agencies["demo-sante"]["fictitious"] is True
    assert agencies["dgi"]["records"] == 0
    lines = with_database("agency", "list").stdout.splitlines()
    assert len(lines) == len(agencies)
    assert any(line.startswith("demo-sante\t1\t") for line in lines)
