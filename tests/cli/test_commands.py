"""The command line: help with examples, errors in a sentence, exit codes that scripts can use."""

import csv
import json
import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import click
import pytest

from registry import __version__
from registry.cli import serve
from registry.cli.main import cli, main
from registry.errors import ConfigurationError
from registry.imports.crosswalk import names
from registry.resources import RECORDS, SCHEMAS
from registry.settings import Settings
from tests.built import share_templates


def commands(group, words=()):
    """Every command there is, as its words."""
    yield list(words)
    context = click.Context(group)
    for name in group.list_commands(context) if isinstance(group, click.Group) else []:
        _, command, _ = group.resolve_command(context, [name])
        yield from commands(command, (*words, name))


COMMANDS = list(commands(cli))
VERBS = [words[0] for words in COMMANDS if len(words) == 1]


def test_every_verb_explains_itself_with_an_example(capsys, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    unexplained = []
    for words in COMMANDS:
        with suppress(SystemExit):
            main([*words, "--help"])
        text = " ".join(capsys.readouterr().out.replace("│", " ").split())
        said = (
            f"registry {' '.join(words)}".strip(),
            f"Example: registry {' '.join(words[:1])}".strip(),
        )
        unexplained += [words] if any(one not in text for one in said) else []
    assert unexplained == []


def test_the_verbs_of_the_contract_are_there():
    promised = """
        up serve work validate file submit approve return withdraw load import export site log
        verify redact token agency backup restore
    """
    assert set(promised.split()) <= set(VERBS)
    assert ["token", "create"] in COMMANDS
    assert ["site", "build"] in COMMANDS


def test_the_first_page_lists_every_verb_and_the_exit_codes(registry):
    text = registry("--help").stdout
    assert all(f" {verb} " in text for verb in VERBS)
    assert "Exit codes" in text
    assert __version__ in registry("--version").stdout


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["uppp"], "uppp"),
        (["up", "--colour"], "--colour"),
        (["up", "--port", "many"], "many"),
        (["up", "--port", "0"], "65535"),
        (["up", "--port", "70000"], "65535"),
        (["serve", "--port", "-1"], "65535"),
        (["serve", "--workers", "0"], "workers"),
        (["token", "revoke", "99999999999999999999"], "99999999999999999999"),
        (["acts", "approve", "99999999999999999999"], "99999999999999999999"),
        (["redact", "confirm", "0"], "0 is not in the range"),
        (["log", "prove", "a/b", "--version", "9999999999"], "9999999999"),
        (["log", "heal", "--discard-from", "99999999999999999999"], "99999999999999999999"),
        (["audit-trail", "follow", "--from", "99999999999999999999"], "99999999999999999999"),
        (["serve", "--workers", "many"], "'many' is not a valid whole number"),
        (["token", "create"], "--scope"),
        (["token", "create", "--scope", "fyle"], "'fyle' is none; there are file, review"),
        (["submit", "foo"], "'foo' is not the identifier of a record"),
        (["log", "prove", "nope"], "'nope' is not the identifier of a record"),
        (["validate"], "FILE"),
        (["validate", "nowhere.json"], "nowhere.json"),
        (["load", "nowhere"], "nowhere"),
        (["import", "us-omb-2025", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_wrong_use_is_told_with_exit_code_2(refused, arguments, word):
    assert word in refused(2, *arguments)


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["vlaidate", "x.json"], "Did you mean 'validate'?"),
        (["log", "verfy"], "Did you mean 'verify'?"),
        (["validate", "--profil", "draft"], "Did you mean '--profile'?"),
        (["validate", "--profile", "drfat", "."], "draft"),
    ],
)
def test_what_is_mistyped_is_told_with_what_may_be_meant(refused, arguments, meant):
    assert meant in refused(2, *arguments)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("registry va", "validate"), ("registry log ver", "verify"), ("registry up --po", "--port")],
)
def test_a_shell_completes_commands_and_options(warm, tmp_path, environment, typed, offered):
    """As the script does that `_REGISTRY_COMPLETE=bash_source registry` writes."""
    asked = {
        "_REGISTRY_COMPLETE": "bash_complete",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split()) - 1),
    }
    done = warm.run([], cwd=tmp_path, environment=environment | asked)
    assert done.stdout.splitlines() == [f"plain,{offered}"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"prot": "8000"}, "unknown setting REGISTRY_PROT, did you mean REGISTRY_PORT?"),
        ({"zzz": "1"}, "unknown setting REGISTRY_ZZZ; the settings are"),
        ({"zzz": "1", "prot": "8000"}, "mean REGISTRY_PORT?; unknown setting REGISTRY_ZZZ; the"),
        ({"port": "many"}, "REGISTRY_PORT='many': give a whole number in digits"),
        ({"port": "70000"}, "REGISTRY_PORT=70000: a port is 1 to 65535"),
        ({"workers": "0"}, "REGISTRY_WORKERS=0"),
        ({"review": "maybe"}, "REGISTRY_REVIEW='maybe': give none or required"),
        ({"base_url": "algorithms.example"}, "REGISTRY_BASE_URL"),
        ({"base_url": "http://[::1"}, "REGISTRY_BASE_URL='http://[::1': give a full address"),
        ({"base_url": "http://h:many"}, "REGISTRY_BASE_URL='http://h:many': give a full address"),
        ({"oidc_issuer": "https://[h"}, "REGISTRY_OIDC_ISSUER='https://[h': give the issuer's"),
        ({"pack": "nowhere"}, "'nowhere'; the packs are ma"),
        ({"database_url": "mysql://u:geheim@h/d"}, "REGISTRY_DATABASE_URL is not the address"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_named(refused, settings, words):
    sentence = refused(2, "token", "list", **{"database_url": "postgresql://h/d"} | settings)
    assert words in sentence
    assert "geheim" not in sentence


def test_an_origin_that_no_key_can_carry_is_refused_before_anything_is_begun(
    refused, empty_url, tmp_path
):
    sentence = refused(
        2, "load", RECORDS, database_url=empty_url, data_dir=tmp_path, log_origin="a b"
    )
    assert "REGISTRY_LOG_ORIGIN" in sentence
    assert not (tmp_path / "keys").exists()


def test_a_database_that_is_not_there_is_exit_code_3(refused):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"postgresql://register:geheim@127.0.0.1:{port}/register"
    for arguments in (
        ["token", "list"], ["site", "build"], ["serve", "--port", str(port)], ["work"]
    ):  # fmt: skip
        sentence = refused(3, *arguments, database_url=url)
        assert f"127.0.0.1:{port}/register" in sentence
        assert "geheim" not in sentence


@pytest.mark.parametrize("verb", ["up", "serve"])
def test_a_port_in_use_is_told_before_anything_is_started(refused, data, verb):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sentence = refused(2, verb, "--port", port, data_dir=data)
    assert f"port {port} on 127.0.0.1 cannot be had (Address already in use); end" in sentence
    assert "--port" in sentence
    assert list(data.iterdir()) == []


def test_a_port_that_is_not_allowed_is_told_another_way(monkeypatch):
    def forbidden(*_args, **_named):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(serve, "_WORKERS_GONE_SECONDS", 0)
    monkeypatch.setattr(socket, "create_server", forbidden)
    with pytest.raises(ConfigurationError, match=r"port 80 on .*\(Permission denied\); choose one"):
        serve.check_port(Settings(port=80))


@pytest.mark.parametrize("arguments", [["pack", "check", "ma"], ["--help"]])
def test_output_that_finds_no_room_is_told(environment, arguments):
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        told = subprocess.run(
            [sys.executable, "-m", "registry", *arguments],
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert told.returncode == 2
    assert told.stderr == "registry: what is written: No space left on device\n"


def test_a_data_folder_that_cannot_be_made_is_told(refused, tmp_path):
    (tmp_path / "file").write_text("")
    assert "REGISTRY_DATA_DIR" in refused(2, "token", "list", data_dir=tmp_path / "file")


def test_validation_has_its_exit_codes_and_both_forms(registry, record_file, tmp_path):
    good = record_file("good.json")
    bad = record_file("bad.json", purpose=..., risk={"level": "huge"})
    broken = tmp_path / "broken.json"
    broken.write_bytes(b'{"id": "x",\n "id": "y"}')
    assert registry("validate", good).returncode == 0
    text = registry("validate", good, bad, broken)
    assert text.returncode == 1
    assert "/risk/level [enum] error" in text.stderr
    assert "comes twice; keep one (line 2" in text.stderr
    assert len(text.stdout.splitlines()) == 3
    answer = registry("validate", "--format", "json", good, bad, broken)
    assert answer.returncode == 1
    one, two, three = json.loads(answer.stdout)
    assert (one["publishable"], two["publishable"], three["publishable"]) == (True, False, False)
    assert {"pointer", "rule", "severity", "message"} <= set(two["findings"][0])
    assert three["findings"][0]["message"]
    draft = record_file("draft.json", purpose=...)
    assert registry("validate", draft).returncode == 1
    assert registry("validate", draft, "--profile", "draft").returncode == 0


def test_a_token_is_alone_on_stdout_and_never_shown_again(with_database):
    made = with_database("token", "create", "--agency", "dgi", "--scope", "file")
    assert made.returncode == 0
    token = made.stdout.removesuffix("\n")
    assert token.startswith("regt_")
    assert len(token.split()) == 1
    listed = with_database("token", "list").stdout
    assert "dgi\tdgi\tfile" in listed
    assert "in force" in listed
    assert token not in listed
    [one] = json.loads(with_database("token", "list", "--format", "json").stdout)
    assert (one["id"], one["scopes"], one["state"]) == (1, ["file"], "in force")
    assert with_database("token", "revoke", "1").returncode == 0
    assert "revoked" in with_database("token", "list").stdout
    again = with_database("token", "revoke", "1")
    assert (again.returncode, "no token 1 in force" in again.stderr) == (1, True)


def test_a_members_link_is_alone_on_stdout_and_she_is_listed_until_ended(with_database):
    roles = ("--role", "editor", "--role", "agency_admin")
    made = with_database("member", "invite", "Amina Alaoui", "--agency", "dgi", *roles)
    assert made.returncode == 0, made.stderr
    [link] = made.stdout.split()
    secret = link.rpartition("/office/sign-in/link/")[2]
    assert len(secret) == 43
    assert "registry member link 1" in " ".join(made.stderr.split())
    listed = with_database("member", "list").stdout
    assert "1\tAmina Alaoui\tdgi\teditor,agency_admin\t-\tinvited" in listed
    assert secret not in listed
    assert with_database("member", "role", "1", "--role", "reviewer").returncode == 0
    assert "\treviewer\t" in with_database("member", "list", "--agency", "dgi").stdout
    assert with_database("member", "list", "--agency", "cnss").stdout == ""
    assert with_database("member", "link", "1").stdout.strip() != link
    own = ("token", "create", "--agency", "dgi", "--member", "1", "--scope", "file")
    assert with_database(*own).returncode == 2
    assert with_database("member", "end", "1").returncode == 0
    assert "\tended " in with_database("member", "list").stdout
    again = with_database("member", "end", "1")
    assert (again.returncode, "no member 1" in again.stderr) == (1, True)
    wrong = with_database("member", "invite", "A", "--role", "editor")
    assert (wrong.returncode, "need one" in wrong.stderr) == (2, True)


def test_a_token_has_every_scope_that_it_was_given(with_database):
    scopes = ("--scope", "file", "--scope", "audit")
    assert with_database("token", "create", "--agency", "dgi", *scopes).returncode == 0
    listed = with_database("token", "list").stdout
    assert "file" in listed
    assert "audit" in listed


def test_a_third_token_says_which_to_end(with_database):
    create = ("token", "create", "--agency", "dgi", "--scope", "file")
    assert [with_database(*create).returncode for _ in range(2)] == [0, 0]
    third = with_database(*create)
    assert (third.returncode, third.stdout) == (1, "")
    assert "registry token revoke 1" in " ".join(third.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--agency", "nobody", "--scope", "file"], "unknown agency nobody; the agencies are"),
        (["--scope", "file"], "--agency CODE"),
        (["--agency", "dgi", "--scope", "file", "--days", "0"], "1 to 365"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused(with_database, arguments, words):
    result = with_database("token", "create", *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert words in " ".join(result.stderr.split())


def test_loading_tells_what_became_of_each_and_refuses_alone(with_database, record, tmp_path):
    folder = tmp_path / "records" / "demo-sante"
    folder.mkdir(parents=True)
    (folder / "prevision-lits.json").write_text(json.dumps(record), "utf-8")
    (folder / "broken.json").write_text("{", "utf-8")
    result = with_database("load", "records")
    assert result.returncode == 1
    assert "refused demo-sante/broken" in result.stderr
    assert "broken.json" in result.stderr
    assert "2 records: 1 versions published, 0 unchanged, 1 refused" in result.stderr
    assert "Traceback" not in result.stderr
    (folder / "broken.json").unlink()
    again = with_database("load", "records")
    assert again.returncode == 0
    assert "1 records: 0 versions published, 1 unchanged, 0 refused" in again.stderr


def test_a_folder_without_a_record_is_told_before_a_register_is_opened(refused, tmp_path):
    (tmp_path / "records" / "notes").mkdir(parents=True)
    told = refused(1, "load", "records", database_url="postgresql://h/d")
    assert "records holds no record; records lie in DIR/<agency>/<slug>.json" in told


@pytest.fixture
def inventory(tmp_path):
    """A made-up inventory with the columns of the American one."""
    crosswalk = json.loads((SCHEMAS / "crosswalks/us-omb-2025.json").read_text("utf-8"))
    agency = crosswalk["agency"]
    columns = [one["column"] for one in crosswalk["mappings"] if "column" in one]
    columns += [agency["code"], agency["name"]]
    name = next(one["column"] for one in crosswalk["mappings"] if one["to"].startswith("/name"))

    def write(*rows, encoding="utf-8"):
        path = tmp_path / "inventory.csv"
        with path.open("w", newline="", encoding=encoding) as file:
            writer = csv.DictWriter(file, list(dict.fromkeys(columns)), restval="")
            writer.writeheader()
            for row in rows:
                writer.writerow(
                    {agency["code"]: "DWX", agency["name"]: "Department of Weather", name: row}
                )
        return path

    return write


async def log_size(database):
    async with database.connection() as connection:
        return await connection.fetchval("select size from log_state")


async def test_an_import_is_dry_first_then_whole_then_without_change(
    with_database, database, inventory, tmp_path
):
    path = inventory("Forecast of rain", "Forecast of snow", "Forecast of wind")
    dry = with_database("import", "us-omb-2025", path, "--dry-run", "--report", "report.json")
    assert dry.returncode == 0, dry.stderr
    assert "dry run: nothing was published" in dry.stderr
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["rows"] == 3
    assert await log_size(database) == 1
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = path.read_bytes()
    threading.Thread(target=pipe.write_bytes, args=(content,), daemon=True).start()
    whole = with_database("import", "us-omb-2025", pipe)
    assert whole.returncode == 0, whole.stderr
    assert "3 created, 0 changed, 0 unchanged" in whole.stderr
    async with database.connection() as connection:
        digest = await connection.fetchval("select file_sha256 from import_run")
    assert digest == sha256(content).hexdigest()
    again = with_database("import", "us-omb-2025", path)
    assert "0 created, 0 changed, 3 unchanged" in again.stderr
    assert await log_size(database) == 8


def test_a_dry_run_needs_no_database(registry, inventory):
    result = registry(
        "import", "us-omb-2025", inventory("Rain"), "--dry-run", database_url="postgresql://h/d"
    )
    assert result.returncode == 0, result.stderr


def test_a_crosswalk_or_source_that_cannot_be_used_writes_nothing(refused, inventory, tmp_path):
    path = inventory("Forecast")
    missing = refused(2, "import", "us-omb", path)
    assert all(name in missing for name in names())
    assert "other.json" in refused(2, "import", "other.json", path)
    (tmp_path / "bad.json").write_text("{}")
    assert "bad.json" in refused(2, "import", "bad.json", path)
    wrong = inventory("Prévision", encoding="latin-1")
    sentence = refused(2, "import", "us-omb-2025", wrong)
    assert "inventory.csv" in sentence
    assert "line 2" in sentence
    assert "utf-8" in sentence


def test_a_report_that_cannot_be_written_is_told_before_anything_is_published(
    with_database, inventory
):
    result = with_database(
        "import", "us-omb-2025", inventory("Rain"), "--report", "nowhere/report.json"
    )
    assert result.returncode == 2
    assert "nowhere/report.json" in result.stderr
    assert "Traceback" not in result.stderr
    assert "1 created" in with_database("import", "us-omb-2025", inventory("Rain")).stderr


def test_a_site_is_built_where_it_is_wanted_and_nothing_is_overwritten(with_database, tmp_path):
    share_templates(tmp_path)
    built = with_database("site", "build", "--out", "public")
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "public" / "index.html").is_file()
    (tmp_path / "mine").mkdir()
    for place in ("mine", "/proc/site"):
        refused = with_database("site", "build", "--out", place)
        assert refused.returncode == 2
        assert "Traceback" not in refused.stderr
        assert place in refused.stderr
    assert list((tmp_path / "mine").iterdir()) == []


def test_whoever_has_seen_enough_of_the_output_may_go(environment, tmp_path):
    command = f"{sys.executable} -m registry pack check ma | true"
    result = subprocess.run(
        ["/bin/sh", "-c", command], env=environment, cwd=tmp_path, capture_output=True, check=False
    )
    assert b"Traceback" not in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("backup", "a-backup"),
        ("export", "--format", "csv"),
        ("log", "prove", "demo-sante/prevision-lits"),
        ("log", "verify"),
        ("log", "publish"),
        ("log", "export", "a-copy"),
        ("log", "heal"),
        ("log", "heal", "--accept-dates"),
        ("log", "heal", "--discard-from", 1, "--yes"),
        ("site", "build"),
        ("token", "create", "--agency", "demo-sante", "--scope", "file"),
        ("drafts",),
        ("submit", "demo-sante/prevision-lits"),
    ],
)
def test_what_is_meant_for_a_register_that_is_there_begins_none(
    registry, tmp_path, empty_url, command
):
    told = registry(*command, database_url="", data_dir=tmp_path / "elsewhere")
    assert told.returncode == 2
    assert "there is no register in" in told.stderr
    assert not any(tmp_path.iterdir())
    own = registry(*command, database_url=empty_url, data_dir=tmp_path / "own")
    assert own.returncode == 2
    assert "there is no register in " in own.stderr
    assert not (tmp_path / "own/keys").exists()


def test_an_import_that_is_stopped_says_how_to_go_on(inventory, monkeypatch, capsys):
    def stopped(*arguments, **settings):
        raise KeyboardInterrupt

    monkeypatch.setattr("registry.cli.import_.run", stopped)
    with pytest.raises(SystemExit) as ended:
        main(["import", "us-omb-2025", str(inventory("Forecast of rain"))])
    assert ended.value.code == 130
    assert (
        "stopped after 0 of 1 records, which stay; import the file again to go on"
        in capsys.readouterr().err
    )
