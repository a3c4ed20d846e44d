"""`registry log` and `registry verify`, as an operator and a journalist run them."""

import asyncio
import json
import shutil

import asyncpg
import pytest

from registry.tlog.compact import CompactRange
from tests.cli.conftest import begin


@pytest.fixture
def own(registry, empty_url, tmp_path):
    """Run a command against a register whose log has a key of its own."""

    def run(*arguments, code=0, **settings):
        result = registry(*arguments, database_url=empty_url, data_dir=tmp_path, **settings)
        assert result.returncode == code, result.stdout + result.stderr
        assert "Traceback" not in result.stderr
        return result

    begin(empty_url, tmp_path)
    return run


@pytest.fixture
def published(own, record, record_file):
    """A register with one record in a published log."""
    own("file", record_file())
    own("submit", record["id"])
    own("log", "publish")
    return record


def key_of(own):
    told = own("log", "fsck").stderr.splitlines()
    return next(line for line in told if line.startswith("signed by ")).split(" ", 2)[2]


def test_from_the_first_publication_to_a_kept_proof(own, registry, published, tmp_path):
    assert "published: 3 entries" in own("log", "publish").stderr
    assert "in order: 3 entries in the database" in own("log", "verify").stderr
    key = key_of(own)
    kept = tmp_path / "kept"
    kept.mkdir()
    proof = own("log", "prove", published["id"]).stdout
    (kept / "proof.json").write_text(proof)
    # From here on there is no register any more.
    told = registry("verify", kept / "proof.json", "--key", key)
    assert told.returncode == 0
    assert f"{published['id']}, version 1, dated 20" in told.stderr
    assert "names itself" not in told.stderr
    assert "names itself" in registry("verify", kept / "proof.json").stderr

    (kept / "proof.json").write_text(proof, encoding="utf-8-sig")
    assert registry("verify", kept / "proof.json", "--key", key).returncode == 0

    page = f'<html><script type="application/json" id="log-proof">{proof}</script></html>'
    (kept / "page.html").write_text(page)
    assert registry("verify", kept / "page.html", "--key", key).returncode == 0

    answer = {"record": published, "register": {"version": 1}}
    (kept / "record.json").write_text(json.dumps(answer))
    assert "it is what the log has of" in registry("verify", kept, "--key", key).stderr
    answer["record"]["summary"]["fr"] += " Ou pas."
    (kept / "record.json").write_text(json.dumps(answer))
    told = registry("verify", kept, "--key", key)
    assert told.returncode == 1
    assert "/summary is another" in told.stderr


def test_a_key_is_rotated_and_the_first_is_still_good_for_all(own, registry, published, tmp_path):
    first = key_of(own)
    (tmp_path / "before.json").write_text(own("log", "prove", published["id"]).stdout)
    made = own("log", "key", "make", tmp_path / "made.key", "--origin", first.split("+")[0])
    assert (tmp_path / "made.key").stat().st_mode & 0o777 == 0o600
    own("log", "key", "make", tmp_path / "made.key", "--origin", "other/log", code=2)
    done = own("log", "key", "rotate", "--new", tmp_path / "made.key", "--yes")
    assert done.stdout == made.stdout
    assert "for 90 days both keys sign" in done.stderr
    shown = own("log", "key", "show").stdout.splitlines()
    assert [shown[0], shown[3]] == [first, done.stdout.strip()]
    assert "signs entries until" in shown[1]
    assert "log.key" in shown[2]
    again = own("log", "key", "rotate", "--yes", code=1)
    assert "not published yet" in again.stderr
    own("log", "publish")
    assert "in order" in own("log", "verify").stderr
    kept = tmp_path / "kept.json"
    kept.write_text(own("log", "prove", published["id"]).stdout)
    own("log", "export", tmp_path / "out")
    for key in (first, done.stdout.strip()):
        assert registry("verify", kept, "--key", key).returncode == 0
        told = registry("log", "verify", tmp_path / "out", "--key", key)
        assert told.returncode == 0
        assert f"signed by {done.stdout.strip()}" in told.stderr
        assert (f"follows {key}" in told.stderr) is (key == first)
        told = registry("log", "verify", tmp_path / "out", "--key", key, "--kept", kept)
        assert told.returncode == 0, told.stderr
    # What is remembered of the log by one key fits what another has signed.
    for name in ("before.json", "kept.json"):
        told = registry("verify", tmp_path / name)
        assert told.returncode == 0, told.stderr


def test_what_proves_nothing_is_told(registry, own, published, tmp_path):
    proof = own("log", "prove", published["id"]).stdout
    path = tmp_path / "proof.json"
    said = json.loads(proof)
    said["version_entry"]["entry"] = said["version_entry"]["entry"].replace(
        '"version":1', '"version":2'
    )
    path.write_text(json.dumps(said))
    told = registry("verify", path)
    assert told.returncode == 1
    assert "the proof, entry 1: " in told.stderr
    path.write_text("{}")
    assert registry("verify", path).returncode == 1
    assert registry("verify", tmp_path / "none.json").returncode == 2
    path.write_text(proof)
    assert registry("verify", path, "--key", "nonsense").returncode == 2
    assert registry("verify", path, "--quorum", "1").returncode == 1

    policy = tmp_path / "policy"
    policy.write_text(f"log {key_of(own)}\nquorum none\n")
    assert "names itself" not in registry("verify", path, "--policy", policy).stderr
    told = registry("verify", path, "--policy", policy, "--quorum", "1")
    assert told.returncode == 2
    policy.write_text("log x\n")
    told = registry("verify", path, "--policy", policy)
    assert told.returncode == 2
    assert "line 1: " in told.stderr


def test_an_export_is_verified_anywhere_and_a_changed_one_is_not(
    own, registry, published, tmp_path
):
    folder = tmp_path / "exported"
    own("log", "export", folder)
    told = registry("log", "verify", folder)
    assert told.returncode == 0
    assert "in order: 127.0.0.1:8000/log, 3 entries" in told.stderr
    policy = tmp_path / "policy"
    policy.write_text("quorum none\n")
    assert registry("log", "verify", folder, "--policy", policy).returncode == 0
    told = registry("log", "verify", folder, "--quorum", "1")
    assert told.returncode == 1
    assert "0 known witnesses have cosigned, not 1" in told.stderr
    path = folder / "content" / "1.json"
    path.write_text(path.read_text().replace("demo-sante", "demo-santé"))
    told = registry("log", "verify", folder)
    assert told.returncode == 1
    assert "content/1.json, entry 1: " in told.stderr
    told = registry("log", "fsck", folder)
    assert told.returncode == 1
    assert registry("log", "verify", "http://example.org/log").returncode == 2


def test_what_was_done_to_the_database_is_told_and_stops_publication(own, published, empty_url):
    async def change(value):
        connection = await asyncpg.connect(empty_url)
        await connection.execute("alter table section disable trigger user")
        await connection.execute("update section set value = $1 where key = 'id'", value)
        await connection.execute("alter table section enable trigger user")
        await connection.close()

    asyncio.run(change('"demo-sante/other"'))
    told = own("log", "verify", code=1).stderr
    assert "entry 1: section id is not what the entry commits to" in told
    own("attest", "demo-sante", "--systems", 3, "--contact", "a@demo-sante.example")
    told = " ".join(own("log", "publish", code=1).stderr.split())
    assert "section id is not what the entry commits to" in told
    assert "Nothing is published until" in told
    asyncio.run(change(json.dumps(published["id"])))
    own("log", "verify")
    own("log", "publish")


def test_verifying_writes_back_nothing_that_was_taken_away(own, published, empty_url):
    async def count(statement):
        connection = await asyncpg.connect(empty_url)
        try:
            await connection.execute(statement)
            return await connection.fetchval("select count(*) from blocking_key")
        finally:
            await connection.close()

    assert asyncio.run(count("delete from blocking_key")) == 0
    told = own("log", "verify", code=1).stderr
    assert "table blocking_key" in told
    assert asyncio.run(count("select 1")) == 0


def test_nothing_is_missing_where_nothing_was_lost(own, published):
    assert "nothing is missing" in own("log", "heal").stderr


def test_there_is_no_proof_before_a_publication(own, record_file, record):
    own("file", record_file())
    own("submit", record["id"])
    told = own("log", "prove", record["id"], code=1).stderr
    assert "not in a published checkpoint yet" in told
    assert "no record" in own("log", "prove", "demo-sante/none", code=1).stderr


def test_parts_are_erased_by_two_and_the_list_says_how_far_it_is(
    own, record, record_file, tmp_path
):
    contact = {"email": "suivi@demo-sante.example", "phone": "+212537000199"}
    own("file", record_file(contact=contact, website="https://demo-sante.example/"), "--submit")
    pointers = ("--pointer", "/contact/phone", "--pointer", "/website")
    why = ("--basis", "data_protection", "--authority", "CNDP")
    legal, data = [tmp_path / f"{name}.token" for name in ("legal", "data")]
    for file in (legal, data):
        made = own("token", "create", "--scope", "redact", "--actor", f"{file.stem} office")
        file.write_text(made.stdout)
    # Two names in one shell are not two people.
    request = ("redact", "request", record["id"])
    assert "--actor" in own(*request, *pointers, *why, "--actor", "cndp", code=2).stderr
    assert "--token-file" in own(*request, *pointers, *why, code=2).stderr
    asked = own(*request, *pointers, *why, "--token-file", legal).stdout
    assert "  pointers: /contact/phone, /website" in asked.splitlines()
    assert asked.endswith("registry redact confirm 1\n")
    row = f"1\t{record['id']}\t/contact/phone /website\tdata_protection\t"
    assert own("redact", "list").stdout == f"{row}asked for by legal office\n"
    own("redact", "confirm", "1", "--actor", "redaction-officer", code=2)
    assert "four eyes" in own("redact", "confirm", "1", "--token-file", legal, code=1).stderr
    own("redact", "confirm", "1", "--token-file", data)
    assert own("redact", "list").stdout == f"{row}entry 2, to be erased\n"
    own("log", "publish")
    assert own("redact", "list").stdout == f"{row}entry 2, erased\n"
    [listed] = json.loads(own("redact", "list", "--format", "json").stdout)
    assert (listed["id"], listed["entry"], listed["is_done"]) == (1, 2, True)
    assert "is in the log" in own("redact", "delete", "1", code=1).stderr
    own(*request, "--pointer", "/contact/email", *why, "--token-file", legal)
    assert own("redact", "delete", "2", "--actor", "data protection office").stdout == ""
    assert own("redact", "list").stdout == f"{row}entry 2, erased\n"


def test_entries_that_contradict_what_was_signed_are_given_up_after_a_question(
    own, registry, published, empty_url, tmp_path
):
    own("attest", "demo-sante", "--systems", 3, "--contact", "a@demo-sante.example")
    own("log", "publish")
    lost = tmp_path / "lost"
    # As on another host: what was signed is not known to the one that goes on.
    shutil.copytree(tmp_path, lost, ignore=shutil.ignore_patterns("log", "lost", "log-seen"))
    asyncio.run(forget_last(empty_url))
    assert "nothing is published meanwhile" in own("attest", *NEXT, code=3).stderr
    (lost / "keys" / "signed-sizes").unlink()
    result = registry("attest", *NEXT, database_url=empty_url, data_dir=lost)
    assert result.returncode == 0, result.stderr
    assert "knows" in " ".join(own("log", "publish", code=1).stderr.split())
    assert "--discard-from 3" in " ".join(own("log", "heal", code=1).stderr.split())
    assert "agree up to entry 3" in own("log", "heal", "--discard-from", 1, code=1).stderr
    # Nobody answers.
    told = own("log", "heal", "--discard-from", 3, code=130).stderr
    assert "entry 3, " in told
    assert "1 receipts die" in told
    told = own("log", "heal", "--discard-from", 3, "--yes").stderr
    assert "kept in " in told
    assert "1 entries were brought back" in told
    assert "in order: 4 entries" in own("log", "verify").stderr
    own("attest", *NEXT)
    assert "published: 5 entries" in own("log", "publish").stderr


NEXT = ("demo-sante", "--systems", 4, "--contact", "a@demo-sante.example")


async def forget_last(url):
    """Take the last entry back, and what was signed of it, as an older database has it."""
    connection = await asyncpg.connect(url)
    async with connection.transaction():
        await connection.execute("set local session_replication_role = replica")
        for statement in (
            "delete from checkpoint where size = 4",
            "delete from attestation where entry = 3",
            "delete from entry_section where entry = 3",
            "delete from log_entry where index = 3",
            "delete from audit where action = 'attest'",
        ):
            table = statement.split()[2]
            await connection.execute(f"alter table {table} disable trigger user")
            await connection.execute(statement)
            await connection.execute(f"alter table {table} enable trigger user")
        leaves = await connection.fetch("select leaf from log_entry order by index")
        tree = CompactRange()
        for row in leaves:
            tree = tree.append(row["leaf"])
        await connection.execute(
            "update log_state set size = 3, peaks = $1,"
            " last_at = (select at from log_entry where index = 2)",
            tree.packed(),
        )
    await connection.close()
