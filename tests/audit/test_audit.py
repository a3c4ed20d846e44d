"""`registry audit` as a stranger runs it: of a register in order, and of one altered in many ways.

One register with the demonstration, another register's records, an attestation and a redaction
serves for all of it. Each alteration must be named with its place.
"""

# ruff: noqa: S608  the names are our own

import asyncio
import re
import threading

import asyncpg
import msgspec
import pytest

from registry.audit import audit
from registry.cli.main import main
from registry.ledger import key
from registry.tlog.checkpoint import Checkpoint
from registry.tlog.note import sign_note
from tests.guides import fences
from tests.served import ROOT, UNLIMITED, served, until_live

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("audit")]

ANEW = (
    "update search_state set epoch = epoch + 1",
    # As on another host, which has no answer of before.
    "insert into erasure (redaction, entries) values (-1, '{}')",
)


@pytest.fixture(scope="module")
def register(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audited")
    for kind, body in reversed(list(fences(ROOT / "docs/importing.md"))):
        if kind in {"json", "csv"}:  # the page's first example stays
            (folder / f"city.{kind}").write_text(body, encoding="utf-8")
    with served(load=True, workers=1, **UNLIMITED, base_url="http://localhost:8000") as running:
        run = running.register.run
        (running.register.data / "site/index.html").unlink()
        (running.register.data / "site").rmdir()
        contact = ("--contact", "registre@demo-sante.example")
        for command in (
            ("import", folder / "city.json", folder / "city.csv"),
            ("attest", "demo-sante", "--systems", "9", *contact),
            ("attest", "demo-services", "--systems", "12", *contact),
            ("log", "publish"),
            ("site", "build"),
        ):
            done = run(*command)
            assert done.returncode == (command[0] == "import"), f"{command}: {done.stderr}"
        yield running


def told(report):
    return [f"{one.at}: {one.why}" for one in report.differences]


async def fetch(url, query):
    connection = await asyncpg.connect(url)
    try:
        return [row[0] for row in await connection.fetch(query)]
    finally:
        await connection.close()


class Altered:
    """The database with tables altered, and as it was after the block."""

    def __init__(self, register, statements, *, is_searched=True):
        self.register = register
        self.is_searched = is_searched
        self.url = register.register.database_url
        self.statements = statements
        self.tables = [
            "version", "record", "search_version", "search_state", "figure", "attestation",
            "withdrawal", "short_code", "agency", "agency_entry", "source_event", "origin",
            "entry_section", "section", "log_entry", "erasure", "log_state", "blocking_key",
        ]  # fmt: skip

    def __enter__(self):
        keep = [f"create table kept_{table} as table {table}" for table in self.tables]
        # A command that opens the register stores the agencies of the pack.
        late = [one for one in self.statements if " agency " in one]
        early = [one for one in self.statements if one not in late]
        asyncio.run(self._run([*keep, *early, *ANEW]))
        self._index()
        asyncio.run(self._run(late))

    def __exit__(self, *_):
        back = [
            line
            for table in self.tables
            for line in (
                f"delete from {table}",
                f"insert into {table} table kept_{table}",
                f"drop table kept_{table}",
            )
        ]
        asyncio.run(self._run([*back, ANEW[0]]))
        self._index()
        if any(" agency " in one for one in self.statements):
            # A server keeps the agencies that it has seen.
            self.register.register.end()
            self.register.register.start()
            until_live(self.register)

    async def _run(self, statements):
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute("set session_replication_role = replica")
            async with connection.transaction():
                for statement in statements:
                    done = await connection.execute(statement)
                    assert done not in {"UPDATE 0", "DELETE 0", "INSERT 0 0"} or (
                        "kept_" in statement
                        or statement.removeprefix("delete from ") in self.tables
                    ), statement
        finally:
            await connection.close()

    def _index(self):
        if not self.is_searched:
            return
        done = self.register.register.run("search", "rebuild")
        assert done.returncode == 0, done.stderr


def test_what_is_in_order_is_found_so_whole(register, audited):
    report = audited(register.url, share=1)

    assert (report.verdict, told(report)) == ("in order", [])
    assert report.checked["pages"] > 1500
    for kind in ("lists", "records", "versions", "histories", "statistics", "changes", "exports",
                 "searches", "feeds", "attestations", "agencies", "log files",
                 "proof", "files", "answers"):  # fmt: skip
        assert report.checked[kind] > 1, kind
    said = "\n".join(report.not_covered)
    for words in ("rows of other registers", "workbooks", "copies to carry", "ask from elsewhere"):
        assert words in said


def test_a_share_is_asked_for_and_the_rest_is_said(register, audited):
    report = audited(register.url, share=0.02)

    assert report.verdict == "in order"
    assert report.checked["pages"] == 100
    assert any(re.match(r"\d,\d{3} of \d,\d{3} pages, which", one) for one in report.not_covered)


REFUSED = {
    "a text": "update section set value = replace(value, 'e', 'x') where key = 'name'",
    "a salt": "update section set salts = '\\x00' where key = 'name'",
    "a section gone": "delete from section where key = 'purpose'",
    "the findings": "update version set findings = '[]' where findings <> '[]'",
    "what is missing": "update version set missing = '{}' where missing <> '{}'",
    "the findings, no JSON": "update version set findings = 'x'",
    "a verdict's salt": "update version set verdict_salt = decode(repeat('00', 32), 'hex')",
    "a withdrawal's note": "update entry_section set value = '{}' where key = 'note'",
    "the pack": "update entry_section set value = '{}' where key = 'pack'",
    "an entry": "update log_entry set bytes = bytes || ' ' where index = 3",
    "an entry and its leaf": "update log_entry set bytes = bytes || ' ', leaf = sha256('\\x00' || "
    "bytes || ' ') where index = 3",
    "an entry gone": "delete from log_entry where index = 5",
    "a version gone": "delete from version where entry = 7",
    "versions swapped": "update version set version = 1000 - version",
}
"""What breaks the log itself, or what it commits to: the log is refused, by file and entry."""


@pytest.mark.parametrize("forgery", REFUSED)
def test_a_log_that_is_not_what_was_signed_is_refused_by_its_place(register, audited, forgery):
    with Altered(register, [REFUSED[forgery]], is_searched=False):
        try:
            report = audited(register.url)
        except Exception as error:  # noqa: BLE001  a file that cannot be served is no verdict
            said = str(error)
        else:
            assert report.verdict == "log refused"
            said = report.refused
    assert re.search(r"(content|tile)/\S+|^checkpoint: the root", said), said


def forgeries(ids):
    """Give forgeries that can all be made at once: a statement, and what must be said of it."""
    at = {number: f"/api/v1/records/{one}\\?as_of=\\S+: " for number, one in enumerate(ids)}

    def of(number):
        return f"where record = '{ids[number]}'"

    def codes(number, name, old, new):
        return (
            (
                f"update search_version set codes = jsonb_set(codes::jsonb, '{{{name}}}', "
                f"'[\"{new}\"]')::text where ord = (select entry from record where id = "
                f"'{ids[number]}')"
            ),
            rf"/api/v1/records\?limit=100&{name}={new}&as_of=\S+: ",
        )

    def figure(number, change, expected):
        entry = f"(select entry from record where id = '{ids[number]}')"
        return f"update figure set {change} where entry = {entry}", expected

    counted = r"/api/v1/statistics\?{}as_of=\S+: "
    return {
        "a record made withdrawn": (
            f"update record set state = 'withdrawn' where id = '{ids[0]}'",
            f"/api/v1/agencies/{ids[0].partition('/')[0]}: records is ",
        ),
        "a record gone": (f"delete from record where id = '{ids[1]}'", f"{at[1]}the status is 404"),
        "a version's time": (
            f"update version set published_at = '2020-01-01' {of(2)}",
            f"{at[2]}register, published_at is",
        ),
        "a completeness": (
            f"update version set completeness = 7 {of(3)}", f"{at[3]}register, completeness is 7",
        ),
        "an accountability": (
            f"update version set accountability = 8 {of(4)}",
            f"{at[4]}register, accountability is 8",
        ),
        "a note of change": (
            f"update version set change_note = '{{\"fr\":\"Rien\"}}' {of(5)}",
            rf"/api/v1/records/{ids[5]}/versions\?as_of=\S+: items, 0, change_note",
        ),
        "by whom a version was approved": (
            f"update version set approved_by = 'authority' {of(6)}",
            rf"/api/v1/records/{ids[6]}/versions\?as_of=\S+: items, 0, approved_by",
        ),
        "a short code": (
            f"update short_code set code = 'AAAAAAA' {of(8)}", f"{at[8]}register, code is",
        ),
        "a short code gone": (f"delete from short_code {of(9)}", f"{at[9]}register, code is null"),
        "a level in the index": codes(12, "risk", "", "unacceptable"),
        "a sector in the index": codes(13, "sector", "", "justice"),
        "a status in the index": codes(14, "status", "", "suspended"),
        "a role in the index": codes(15, "role", "", "decides_alone"),
        "personal data in the index": codes(16, "personal_data", "", "anonymised"),
        "a finding in the index": codes(17, "finding", "", "R01"),
        "a fact in the index": (
            codes(18, "answer_stated", "", "name")[0],
            r"\?(limit=100&)?has=\S+: ",
        ),
        "a technique in the index": codes(19, "technique", "", "rules"),
        "a card": (
            ("update search_version set card = replace(card, '\"risk\":', "
            "'\"risk\":\"none\",\"was\":')"
            f" where ord = (select entry from record where id = '{ids[20]}')"),
            r"is \"none\", and \".*\" follows",
        ),
        "words in the index": (
            "update search_version set name = '{}', summary = '{}', rest = '{}' where ord < 40",
            r"/api/v1/records\?q=\S+: ",
        ),
        "an index row gone": (
            (f"delete from search_version where ord = (select entry from record where id = "
            f"'{ids[21]}')"),
            r"/api/v1/records\?limit=100&as_of=\S+: (facets|items|total)",
        ),
        "a counted level": figure(22, "risk = 'unacceptable'", counted.format("by=risk&")),
        "a counted sector": figure(23, "sector = 'justice'", counted.format("by=sector&")),
        "a counted status": figure(24, "status = 'retired'", counted.format("by=status&")),
        "counted personal data": figure(
            25, "personal_data = 'anonymised'", counted.format("by=personal_data&")
        ),
        "a counted completeness": figure(
            26, "completeness = 1", counted.format("by=completeness_range&")
        ),
        "a counted accountability": figure(27, "accountability = 1", counted.format("")),
        "a review": figure(28, "next_review_on = '2001-01-01'", counted.format("")),
        "counted findings": figure(29, "rules = '{R01}'", counted.format("by=finding&")),
        "counted grounds": figure(
            30, "withheld = '{private_life}'", counted.format("by=ground&")
        ),
        "a counted restriction": figure(31, "restricted = 'private_life'", counted.format("")),
        "a change of level": figure(
            32, "risk_change = 'lowered', risk_before = 'high'",
            r"/api/v1/changes\?(risk_change=lowered|)\S*: ",
        ),
        "a figure ended": figure(33, "until_entry = entry + 1, until_at = at", counted.format("")),
        "a figure gone": (
            f"delete from figure where entry = (select entry from record where id = '{ids[34]}')",
            counted.format(""),
        ),
        "an attested number": (
            "update attestation set systems_total = 4 where agency = 'demo-sante'",
            r"/api/v1/attestations\?agency=demo-sante\S*: items, 0, systems_total is 4",
        ),
        "an attested day": (
            "update attestation set day = '2020-01-01' where agency = 'demo-services'",
            r"/api/v1/attestations\?agency=demo-services\S*: items, 0, day is",
        ),
        "a withdrawal's reason": (
            "update withdrawal set reason = 'filed_in_error' where reason <> 'filed_in_error'",
            r"/api/v1/records/\S+: .*reason is \"filed_in_error\"",
        ),
        "a withdrawal's time": (
            "update withdrawal set withdrawn_at = '2020-01-01'",
            r"/api/v1/records/\S+/versions\S*: withdrawals, 0, (reason|withdrawn_at)",
        ),
        "an agency's name": (
            ("update agency set document = replace(document, '\"fr\":\"', "
            "'\"fr\":\"X ') where id = 'justice'"),
            r"/api/v1/agencies/justice: name, ",
        ),
        "an agency invented": (
            ("insert into agency values ('ghost', '{\"id\":\"ghost\",\"name\":{\"fr\":\"Rien\"},"
            "\"kind\":\"ministry\"}', null, false)"),
            r"/api/v1/agencies: ",
        ),
        "an agency gone": (
            "delete from agency where id = 'tgr'", "/api/v1/agencies/tgr: the status is 404",
        ),
        "a register's event invented": (
            ("insert into source_event (entry, record, version, state, day, at) select entry, id, "
            "version, 'gone', '2026-01-01', now() from record where origin is not null limit 1"),
            r"/api/v1/records\?limit=100&source_state=gone\S*: |register, source, state",
        ),
    }  # fmt: skip


def test_each_row_altered_is_named_with_its_place(register, audited):
    url = register.register.database_url
    local = "select id from record where origin is null and state = 'published' order by id"
    ids = asyncio.run(fetch(url, local))
    table = forgeries(ids)
    assert len(table) + len(REFUSED) > 50
    # What cannot be read hides what else is answered with it.
    apart = ["a record gone", "a figure gone", "a card", "an index row gone",
             "an agency gone", "a record made withdrawn"]  # fmt: skip
    wrong = []
    for names in ([one for one in table if one not in apart], apart):
        with Altered(register, [table[name][0] for name in names]):
            report = audited(register.url, share=1)
        said = [*told(report), str(report.refused)]
        wrong += [name for name in names if not any(re.search(table[name][1], one) for one in said)]
    assert not wrong, "\n".join([*wrong, *said[:60]])


def test_every_file_of_the_site_altered_in_one_byte_is_named(register, audited):
    site = (register.register.data / "site").resolve()
    before = {}
    for path in sorted(site.rglob("*")):
        if path.is_file() and path.name != "build.json":
            content = before[path] = path.read_bytes()
            at = len(content) // 2
            path.unlink()
            path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    try:
        report = audited(register.url, share=1)
    finally:
        for path, content in before.items():
            path.unlink()
            path.write_bytes(content)
    named = {one.at for one in report.differences}
    assert len(before) > 2500
    unnamed = {address(path.relative_to(site)) for path in before} - named
    # At the address of a short link the register leads on, without the page.
    assert [path for path in unnamed if not re.fullmatch(r"/r/([0-9A-Z]{7})?", path)] == []


def address(file):
    return "/" + str(file).removesuffix("index.html").removesuffix(".html")


@pytest.mark.parametrize("altered", [
    (rb'"size": (\d)', b'"size": 1'),
    (rb'"agencies": "..', b'"agencies": "xx'),
], ids=["size", "agencies"])  # fmt: skip
def test_what_the_site_says_it_was_built_from_is_compared(register, audited, altered):
    path = (register.register.data / "site").resolve() / "build.json"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(re.sub(*altered, content))
    try:
        assert path.read_bytes() != content
        report = audited(register.url, share=0)
    finally:
        path.unlink()
        path.write_bytes(content)
    assert [one for one in told(report) if one.startswith("/build.json: ")], told(report)[:9]


def test_what_is_filed_meanwhile_is_no_difference(register, audited, monkeypatch):
    """An agency attests while answers are compared; pages and lists change by it."""
    asked = audit._Audit._ask_all
    filed = threading.Event()

    async def ask_all(*given):
        if not filed.is_set():
            filed.set()
            for command in (
                ("attest", "demo-education", "--systems", "5", "--contact", "a@b.example"),
                ("log", "publish"),
                ("site", "build"),
            ):
                done = await asyncio.to_thread(register.register.run, *command)
                assert done.returncode == 0, done.stderr
        return await asked(*given)

    monkeypatch.setattr(audit._Audit, "_ask_all", ask_all)
    report = audited(register.url, share=0.05)
    assert (report.verdict, told(report)[:5]) == ("in order", [])


def test_of_another_release_members_are_compared(register, audited, monkeypatch):
    monkeypatch.setattr(audit, "__version__", "0")
    report = audited(register.url, share=0)
    assert report.verdict == "in order"
    assert any(one.startswith("pages, files, feeds and tables") for one in report.not_covered)
    with Altered(register, ["update version set completeness = 3"]):
        report = audited(register.url, share=0)
    assert any("completeness is 3" in one for one in told(report))


def test_the_command_gives_one_verdict(register, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        try:
            main(["audit", *arguments])
        except SystemExit as ended:
            return ended.code
        return 0

    assert run(f"{register.url}/log", "--json", "--share", "0") == 0
    report = msgspec.json.decode(capsys.readouterr().out)
    assert (report["verdict"], report["differences"]) == ("in order", [])
    assert report["not_covered"] != []
    path = (register.register.data / "site").resolve() / "build.json"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content.replace(b'"agencies": "', b'"agencies": "x'))
    assert run(register.url, "--share", "0") == 1
    said = capsys.readouterr().err
    path.unlink()
    path.write_bytes(content)
    assert re.search(r"^/build.json: agencies is ", said, re.MULTILINE), said
    assert "1 answers are not what follows from the log of 127.0.0.1" in said
    assert run(register.url, "--key", "nonsense") == 2
    # A note of more than the log has now: two histories, which are kept.
    signer = key.read(register.register.data / "keys/log.key")
    text = Checkpoint(origin=signer.name, size=999, root=bytes(32)).to_text()
    (tmp_path / "kept").write_bytes(sign_note(text, [signer]).to_bytes())
    assert run(register.url, "--kept", str(tmp_path / "kept"), "--no-memory") == 1
    said = capsys.readouterr().err
    assert "its log is refused: " in said
    assert "two histories" in said
    assert len(list(tmp_path.glob("evidence-*/note-*"))) == 2
    assert run("ftp://register.example") == 2
    assert run("http://127.0.0.1:9") == 3
