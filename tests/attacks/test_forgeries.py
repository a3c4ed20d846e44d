"""The table of forgeries: each is made as who runs the database may, and found by a command.

One small register serves for the whole table: forge, check, undo. `registry audit` asks it over
HTTP as a stranger, `registry log verify` looks into its database, `registry log fsck` at its files.
"""

# ruff: noqa: S608  the names are our own

import asyncio
import re
import shutil
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler

import asyncpg
import httpx
import msgspec
import pytest

from registry.cli.main import main
from registry.ledger import key
from registry.ledger.verify_database import check_all
from registry.log.files import LogRefused
from registry.log.register import RegisterReplay
from registry.log.replay import LogInconsistent
from registry.pages import audit
from registry.pages.audit import audit_register
from registry.pages.audit_exports import MOST_NAMED, ExportAudit
from registry.record.pack import load_pack
from registry.store.database import connect
from registry.tlog.checkpoint import Checkpoint
from registry.tlog.note import sign_note
from registry.verify import remote_register as remote_facts
from registry.verify.audit import ApiAudit
from registry.verify.fsck import fsck
from registry.verify.log import verify_log
from registry.verify.remote_register import RemoteAnswer, RemoteRegister, read_facts, reader
from tests.guides import fences
from tests.listening import listening
from tests.served import ROOT, served

CHANGED = "demo-sante/chaine-froid-vaccins"
WITHDRAWN = "demo-sante/stocks-medicaments"
_FILES = ("chaine-froid-vaccins.1", "chaine-froid-vaccins", "prevision-lits", "stocks-medicaments")
INDEXED = "update search_state set epoch = epoch + 1"
"""As after an index made anew, which `checked` has: what is stored is what is answered."""
COUNTED = "insert into erasure (redaction, entries) values (-1, '{}')"
"""As on another host, which has no answer of before."""

# What is forged: the statements, the tables, and what `log verify` and `audit` must say first.
ROWS = {
    "a risk code in the search rows": (
        ["""update search_version set codes = replace(codes, '"risk":["minimal"]',
        '"risk":["high"]') where codes like '%"risk":["minimal"]%'""", INDEXED],
        ["search_version"],
        r'table search_version, .* codes is .*"risk":\["high"\].*, and .*"risk":\["minimal"\]',
        r"/api/v1/records\?.*: risk, high is \d, and \d follows from the log",
    ),
    "a sector in the search rows": (
        ["""update search_version set codes = replace(codes, '"sector":["health"]',
        '"sector":["justice"]') where codes like '%"sector":["health"]%'""", INDEXED],
        ["search_version"],
        r'table search_version, .* codes is .*"justice"',
        r"/api/v1/records\?.*: sector, health is 0, and \d follows from the log",
    ),
    "an agency in the search rows": (
        ["""update search_version set codes = replace(codes, '"agency":["demo-sante"]',
        '"agency":["demo-services"]')""", INDEXED],
        ["search_version"],
        r'table search_version, .* codes is .*"demo-services"',
        r"/api/v1/records\?.*: agency, demo-sante is 0, and \d follows from the log",
    ),
    "a status in the search rows": (
        ["""update search_version set codes = replace(codes, '"status":["in_use"]',
        '"status":["retired"]')""", INDEXED],
        ["search_version"],
        r'table search_version, .* codes is .*"retired"',
        r"/api/v1/records\?.*: status, in_use is 0, and \d follows from the log",
    ),
    "a figure": (
        ["update figure set sector = 'justice' where sector = 'health'", COUNTED],
        ["figure", "erasure"],
        r"table figure, .* sector is \"justice\", and \"health\" follows",
        r"/api/v1/statistics\?.*: local, groups, .* follows from the log",
    ),
    "an attestation's number": (
        ["update attestation set systems_total = 4"],
        ["attestation"],
        r"table attestation, demo-sante, .*: systems_total is 4, and 9 follows",
        r"/api/v1/attestations\?agency=demo-sante.*: items, 0, systems_total is 4, and 9 follows",
    ),
    "a withdrawal's reason": (
        ["update withdrawal set reason = 'other'"],
        ["withdrawal"],
        r"table withdrawal, .*: reason is \"other\", and ",
        r"/api/v1/records/.*: tombstone, reason is \"other\", and ",
    ),
    "the findings": (
        ["update version set findings = '[]' where findings <> '[]'"],
        ["version"],
        r"table version, .*: its verdict is not what the entry commits to",
        r"content/1.json, entry 1: its verdict is not what the entry commits to",
    ),
    "the completeness": (
        ["update version set completeness = 100"],
        ["version"],
        r"table version, .*: completeness is 100, and \d+ follows",
        r"/api/v1/records/.*: register, completeness is 100, and \d+ follows",
    ),
    "what is missing": (
        ["update version set missing = '{}' where missing <> '{}'"],
        ["version"],
        r"table version, .*: its verdict is not what the entry commits to",
        r"content/1.json, entry 1: its verdict is not what the entry commits to",
    ),
    "an agency's name": (
        ["update agency set document = replace(document, 'Santé', 'Paix') where id = 'demo-sante'"],
        ["agency"],
        r"table agency, demo-sante: document is .*Paix.*, and .*Santé",
        r"/api/v1/agencies: demo-sante: name, fr is \".*Paix\", and \".*Santé\" follows",
    ),
    "where a record stands": (
        [f"update record set state = 'published' where id = '{WITHDRAWN}'"],
        ["record"],
        rf'table record, {WITHDRAWN}, entry \d+: state is "published", and "withdrawn" follows',
        r"/api/v1/agencies: demo-sante: records is 3, and 2 follows from the log",
    ),
    "a version dropped": (
        [f"delete from version where record = '{CHANGED}' and version = 1"],
        ["version"],
        r"table version, .*, entry \d+: its version is missing",
        r"content/1.json, entry 1: it does not have ",
    ),
    "a short code": (
        [f"update short_code set code = 'AAAAAAA' where record = '{CHANGED}'"],
        ["short_code"],
        r"table short_code, .*: code is \"AAAAAAA\", and \"[0-9A-Z]{7}\" follows",
        r"/api/v1/records/.*: register, code is \"AAAAAAA\", and \"[0-9A-Z]{7}\" follows",
    ),
    "two versions swapped": (
        [f"update version set version = version + 10 where record = '{CHANGED}'",
         f"update version set version = 13 - version where record = '{CHANGED}'"],
        ["version"],
        r"table version, .*, entry \d+: version is 2, and 1 follows",
        r"content/1.json, entry 1: it does not have ",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def register(tmp_path_factory):
    """Records of one agency, one with two versions, one withdrawn; foreign ones; an attestation."""
    folder = tmp_path_factory.mktemp("forged")
    records = folder / "records"
    for name in _FILES:
        (records / "demo-sante").mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / f"records/demo-sante/{name}.json", records / "demo-sante")
    (records / "withdrawals.csv").write_text(
        f"id,reason,note_ar,note_fr,after_version\n{WITHDRAWN},filed_in_error,خطأ,Erreur.,1\n",
        encoding="utf-8",
    )
    for kind, body in reversed(list(fences(ROOT / "docs/importing.md"))):
        if kind in {"json", "csv"}:  # the page's first example stays
            (folder / f"city.{kind}").write_text(body, encoding="utf-8")
    with served(workers=1) as running:
        run = running.register.run
        shutil.rmtree(running.register.data / "site")  # where there is none yet
        contact = ("--contact", "registre@demo-sante.example")
        for command in (
            ("load", records),
            ("import", folder / "city.json", folder / "city.csv"),
            ("attest", "demo-sante", "--systems", "9", *contact),
            ("log", "publish"),
            ("site", "build"),
        ):
            done = run(*command)
            assert done.returncode == (command[0] == "import"), f"{command}: {done.stderr}"
        yield running


def audited(register, url=None):
    def verify(read, replay):
        return verify_log(read, verifier=None, progress=lambda *_: None, replay=replay)

    return audit_register(
        url or register.url, verify=verify, progress=lambda *_: None, sleep=lambda _: None
    )


def replayed(register):
    replay = RegisterReplay()
    with reader(f"{register.url}/log") as read:
        verify_log(read, verifier=None, progress=lambda *_: None, replay=replay)
    return replay


def told(register):
    """What an audit says of the answers, pages left out."""
    try:
        replay = replayed(register)
    except LogRefused as error:
        return error.detail
    with RemoteRegister(register.url) as remote:
        differences = list(ApiAudit(remote, replay).differences())
    return "\n".join(f"{one.at}: {one.why}" for one in differences) or None


def rebuild(register):
    """Make the index anew of the rows as they are."""
    done = register.register.run("search", "rebuild")
    assert done.returncode == 0, done.stderr


async def checked(register, pack, statements):
    """What `log verify` and an audit say, once the index is of what statements forged."""
    if INDEXED in statements:
        await asyncio.to_thread(rebuild, register)
    said = await verified(register.register.database_url, pack)
    return said, await asyncio.to_thread(told, register)


async def verified(database_url, pack):
    """What `registry log verify` says of the database."""
    database = await connect(database_url)
    try:
        async with database.snapshot() as connection:
            await check_all(connection, {}, lambda *_: None)
    except LogInconsistent as error:
        return error.detail
    finally:
        await database.close()


async def forge(database_url, statements, tables, check):
    """Forge with every trigger bypassed, check what is found, and undo it."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("set session_replication_role = replica")
        for table in tables:
            await connection.execute(f"create temp table kept_{table} as table {table}")
        for statement in statements:
            done = await connection.execute(statement)
            assert not done.endswith(" 0"), statement
        found = await check()
        for table in tables:
            await connection.execute(f"delete from {table}")
            await connection.execute(f"insert into {table} table kept_{table}")
        await connection.execute(INDEXED)
        return found
    finally:
        await connection.close()


def test_each_forgery_of_a_row_is_found_by_the_commands_named(register, pack):
    url = register.register.database_url
    assert told(register) is None

    wrong = []
    for forgery, (statements, tables, by_verify, by_audit) in ROWS.items():
        check = partial(checked, register, pack, statements)
        found = asyncio.run(forge(url, statements, tables, check))
        if INDEXED in statements:
            rebuild(register)
        for command, expected, said in zip(
            ("log verify", "audit"), (by_verify, by_audit), found, strict=True
        ):
            if said is None or not re.match(f"(?s).*?{expected}", said):
                wrong.append(f"{forgery}, {command}: {said}")
    assert not wrong, "\n".join(wrong)
    assert told(register) is None


@pytest.mark.parametrize("analysis", ["null", "'another'"])
def test_a_forged_row_of_another_analysis_is_no_fault_and_answers_nothing(register, pack, analysis):
    url = register.register.database_url
    forged = f"""update search_version set name = '{{}}', rest = '{{}}', analysis = {analysis},
        codes = replace(replace(codes, 'minimal', 'high'), 'demo-sante', 'demo-services'),
        card = replace(card, 'minimal', 'high')"""

    statements = [forged, INDEXED]
    check = partial(checked, register, pack, statements)
    found = asyncio.run(forge(url, statements, ["search_version"], check))
    assert found == (None, None)
    rebuild(register)


def alter(path, old, new):
    """Alter a file, and return how to undo it; others may be links to the same."""
    before = path.read_bytes()
    assert old in before, path
    path.unlink()
    path.write_bytes(before.replace(old, new, 1))

    def undo():
        path.unlink()
        path.write_bytes(before)

    return undo


def test_what_no_entry_states_is_said_not_to_be_checked(register):
    done = register.register.run("log", "verify")
    assert done.returncode == 0, done.stderr
    assert [
        line.partition(": ")[2].partition(" ")[0]
        for line in done.stderr.splitlines()
        if line.startswith("not checked, for no entry states it")
    ] == ["2"]  # rows of the other register


@contextmanager
def altered_on_the_way(url, changes):
    """Serve what a register answers, changed where a path has one of the words."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            answer = self.server.client.get(self.path)
            content = answer.content
            for words, change in changes.items():
                if words in self.path:
                    content = change(content)
                    assert content != answer.content, self.path
            self.send_response(answer.status_code)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    with (
        httpx.Client(base_url=url, timeout=60) as client,
        listening(Handler, client=client) as running,
    ):
        yield f"http://127.0.0.1:{running.server_port}"


def without_line(number):
    def change(content):
        lines = content.splitlines(keepends=True)
        del lines[number]
        return b"".join(lines)

    return change


ANSWERS = {
    "records.jsonl": (without_line(1), r"^demo-sante/prevision-lits is missing, and follows"),
    "records.csv?columns=full": (
        lambda content: content.replace(b",minimal,", b",high,", 1),
        r'^demo-sante/\S+: risk is "high", and "minimal" follows from the log',
    ),
    "columns=summary&risk=minimal": (
        lambda content: content + content.splitlines(keepends=True)[-1],
        r"^demo-sante/\S+ is in it, and does not follow from the log",
    ),
    f"records/{CHANGED}.json": (
        lambda content: content.replace(b"/versions/1", b"/versions/3"),
        r"^items, \d, url is .*/versions/3",
    ),
    "search.json?risk=minimal": (
        lambda content: re.sub(rb'"items":\[{.*?},{', b'"items":[{', content, count=1),
        r"^items, 0, ",
    ),
}
"""By words of an address, how its answer is altered, and how the audit says so."""


PAGES = {
    "/fr/records/demo-sante/prevision-lits": (
        "fr/records/demo-sante/prevision-lits.html", b"Risque minimal", b"Risque nul",
        r"Risque nul .*, and “.*Risque minimal .* follows",
    ),
    f"/ar/records/{CHANGED}": (
        f"ar/records/{CHANGED}.html", b'data-hash="', b'data-hash="0',
        r"data-hash=0\w+.*, and “.*data-hash=\w+.* follows from the log",
    ),
    f"/en/records/{CHANGED}/versions/1": (
        f"en/records/{CHANGED}/versions/1.html", b"</main>", b"It is safe.</main>",
        r"It is safe\.",
    ),
    f"/fr/records/{WITHDRAWN}": (
        f"fr/records/{WITHDRAWN}.html", b"Erreur.", b"Fusion.", r"Fusion\..*, and “.*Erreur\.",
    ),
    "/find/cards-0.json": (
        "find/cards-0.json", b'"risk":"minimal"', b'"risk":"high"',
        r"risk is .*, and .* follows from the log",
    ),
    "/sitemap.xml": (
        "sitemap.xml", b"/records/demo-sante/prevision-lits<", b"/records/x/y<",
        r"does not follow|is missing",
    ),
}  # fmt: skip
"""By address, how a page's file is altered, and how the audit says so."""


def test_each_forgery_of_a_page_a_list_a_feed_or_an_export_is_found_by_the_audit(
    register, pack, monkeypatch
):
    monkeypatch.setattr(audit, "MOST_NAMED", 100)
    site = register.register.data / "site"
    lits = b"demo-sante/prevision-lits"
    undo = [
        *(alter(site / file, old, new) for file, old, new, _ in PAGES.values()),
        alter(site / "fr/index.html", lits, CHANGED.encode()),
        alter(site / "fr/risk/minimal.html", lits, CHANGED.encode()),
        alter(site / "ar/agencies/demo-sante.html", b"</main>", b"0</main>"),
        alter(site / "en/agencies/index.html", b"demo-sante", b"demo-services"),
        alter(site / "fr/changes.html", lits, CHANGED.encode()),
        alter(site / "fr/regions/index.html", b"</main>", b"0</main>"),
        alter(site / "feeds/fr/all.atom", b"<entry>", b"<!-- <entry> -->"),
        alter(site / "feeds/fr/risk/minimal.json", lits, CHANGED.encode()),
        alter(site / "feeds/en/agencies/demo-sante.atom", b"Minimal risk", b"High risk"),
    ]
    changes = {words: change for words, (change, _) in ANSWERS.items()}
    with altered_on_the_way(register.url, changes) as url:
        report = audited(register, url)
    for one in undo:
        one()
    found = {one.at: one.why for one in report.differences}
    said = "\n".join(f"{at}: {why}" for at, why in found.items())
    for at, (*_, expected) in PAGES.items():
        assert re.search(expected, found.pop(at, "")), f"{at}\n{said}"
    for words, (_, expected) in ANSWERS.items():
        [at] = [at for at in found if words in at]
        assert re.search(expected, found.pop(at)), (words, at)
    assert found.keys() == {
        "/fr/", "/fr/risk/minimal", "/ar/agencies/demo-sante", "/en/agencies/", "/fr/changes",
        "/fr/regions/", "/feeds/fr/all.atom", "/feeds/fr/risk/minimal.json",
        "/feeds/en/agencies/demo-sante.atom",
    }, found  # fmt: skip
    assert report.differences_total == len(report.differences)
    assert report.checked["feeds"] > report.checked["list pages"] > 100
    assert asyncio.run(verified(register.register.database_url, pack)) is None


LIES = {
    "/api/v1/agencies": (b'{"items":[7]}', "demo-sante is missing, and follows from the log"),
    "/api/v1/changes": (b"[" * 100_000, "entry 0 is missing"),
    "/api/v1/records?limit=100": (
        b'{"items":[{"id":"demo-sante/invented"},{"id":[]}],"next":"again"}',
        "demo-sante/invented is listed, and does not follow from the log",
    ),
    "/api/v1/statistics": (b'{"agencies":[null]}', "entry is null, and "),
}
"""By words of an address, what is answered without sense or end, and what the audit says first."""


def test_answers_without_sense_or_end_are_differences(register):
    class Liar(RemoteRegister):
        def get(self, path):
            said = next((said for words, (said, _) in LIES.items() if path.startswith(words)), None)
            if said is None:
                return super().get(path)
            return RemoteAnswer(path=path, status=200, content=said)

    replay = replayed(register)
    with Liar(register.url) as remote:
        found = list(ApiAudit(remote, replay).differences())
    for words, (_, expected) in LIES.items():
        at = words.partition("?")[0]
        assert any(one.at.startswith(at) and expected in one.why for one in found), words


def test_an_export_that_is_none_is_told_so(register):
    changes = {
        "records.jsonl": lambda _: b"[]\n" * 100,
        "records.csv?columns=full": lambda _: b"",
    }
    replay = replayed(register)
    with altered_on_the_way(register.url, changes) as url, RemoteRegister(url) as remote:
        api = ApiAudit(remote, replay)
        assert list(api.differences()) == []
        exports = ExportAudit(remote, replay, api, read_facts(remote))
        said = [(one.at, one.why) for one in exports.differences([])]
    assert [why for at, why in said if "jsonl" in at] == [
        "a line that is no record is in it, and does not follow from the log"
    ] * MOST_NAMED
    assert [why.partition(" is missing")[1] for at, why in said if "jsonl" not in at] == [
        " is missing"
    ] * 4


def test_of_another_release_lists_and_feeds_lead_to_the_same_records(register, monkeypatch):
    monkeypatch.setattr(remote_facts, "__version__", "0")
    site = register.register.data / "site"
    undo = [
        alter(site / "fr/risk/minimal.html", b"demo-sante/prevision-lits", CHANGED.encode()),
        alter(site / "fr/status/in_use.html", b"<main", b"<p>Autrement</p><main"),
    ]
    report = audited(register)
    for one in undo:
        one()
    [found] = report.differences
    assert found.at == "/fr/risk/minimal"
    assert re.match(f"how often {CHANGED} is in it is 2, and 1 follows", found.why), found.why
    assert any("another release has rendered" in one for one in report.not_covered)


def test_an_auditor_need_not_know_who_keeps_the_register(register, monkeypatch):
    def load(code):
        found = load_pack(code)
        other = msgspec.structs.replace(found.operator, email="other@demonstration.example")
        return msgspec.structs.replace(found, operator=other)

    monkeypatch.setattr(remote_facts, "load_pack", load)
    assert audited(register).verdict == "in order"


def test_a_byte_of_a_bundle_is_found_by_fsck_and_reaches_no_reader(register, pack):
    folder = register.register.data / "log"
    [bundle] = folder.glob("tile/entries/000.p/*")
    alter(bundle, b'"risk":"minimal"', b'"risk":"minimum"')
    # Readers are answered from the database.
    assert told(register) is None
    with pytest.raises(LogInconsistent, match=r"tile/entries/000.p/\d+"):
        fsck(folder, verifier=None, progress=lambda *_: None)
    # The database has all of it still, of which the folder is made anew.
    assert asyncio.run(verified(register.register.database_url, pack)) is None
    shutil.rmtree(folder)
    assert register.register.run("log", "publish").returncode == 0
    assert told(register) is None


def test_the_command_gives_one_verdict(register, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        try:
            main(["audit", *arguments])
        except SystemExit as ended:
            return ended.code
        return 0

    assert run(f"{register.url}/log", "--json") == 0
    report = msgspec.json.decode(capsys.readouterr().out)
    assert (report["verdict"], report["differences"]) == ("in order", [])
    assert report["checked"]["pages"] > report["checked"]["records"] == 5
    undo = alter(register.register.data / "site/fr" / f"records/{CHANGED}.html", b"<h1", b"<h2")
    assert run(register.url) == 1
    said = capsys.readouterr().err
    assert f"/fr/records/{CHANGED}: its markup is not what follows from the log" in said
    assert "1 answers are not what follows from the log of 127.0.0.1" in said
    undo()
    assert run(register.url, "--key", "nonsense") == 2
    # A note of more than the log has now: two histories, which are kept.
    signer = key.read(register.register.data / "keys/log.key")
    text = Checkpoint(origin=signer.name, size=99, root=bytes(32)).to_text()
    (tmp_path / "kept").write_bytes(sign_note(text, [signer]).to_bytes())
    assert run(register.url, "--kept", str(tmp_path / "kept"), "--no-memory") == 1
    said = capsys.readouterr().err
    assert "its log is refused: " in said
    assert "two histories" in said
    assert len(list(tmp_path.glob("evidence-*/note-*"))) == 2
    assert run("ftp://register.example") == 2
    assert run("http://127.0.0.1:9") == 3
