"""`registry audit` as a stranger runs it: of a register in order, and of one with altered files.

One register with the demonstration, another register's records and attestations serves for all of
it. What is done to its rows is in `test_campaign.py`.
"""

# ruff: noqa: S608  the names are our own

import asyncio
import datetime as dt
import re
import threading
from collections import defaultdict

import asyncpg
import msgspec
import pytest

from registry.audit import audit
from registry.cli.main import main
from registry.ledger import key
from registry.tlog.checkpoint import Checkpoint
from registry.tlog.note import sign_note
from tests.audit.lies import LIES, LyingProxy
from tests.guides import fences
from tests.listening import listening
from tests.served import ROOT, UNLIMITED, served

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
            # `registry up` turns the console on for itself, and no other command knows of it.
            running.register.environment["REGISTRY_CONSOLE"] = (
                "on" if command[0] == "site" else "off"
            )
            done = run(*command)
            assert done.returncode == (command[0] == "import"), f"{command}: {done.stderr}"
        yield running


def told(report):
    return [f"{one.at}: {one.why}" for one in report.differences]


class Altered:
    """The database with tables altered, and as it was after the block."""

    def __init__(self, register, statement):
        self._url = register.register.database_url
        self._statement = statement
        self._tables = ["version", "section", "entry_section", "log_entry"]

    def __enter__(self):
        keep = [f"create table kept_{table} as table {table}" for table in self._tables]
        asyncio.run(self._run([*keep, self._statement, *ANEW]))

    def __exit__(self, *_):
        back = [
            line
            for table in self._tables
            for line in (
                f"delete from {table}",
                f"insert into {table} table kept_{table}",
                f"drop table kept_{table}",
            )
        ]
        asyncio.run(self._run([*back, "delete from erasure where redaction = -1", ANEW[0]]))

    async def _run(self, statements):
        connection = await asyncpg.connect(self._url)
        try:
            await connection.execute("set session_replication_role = replica")
            async with connection.transaction():
                for statement in statements:
                    await connection.execute(statement)
        finally:
            await connection.close()


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


def test_each_lie_of_a_proxy_is_named_and_what_an_honest_one_changes_is_not(register, audited):
    with listening(LyingProxy, url=register.url, told=defaultdict(set)) as proxy:
        report = audited(f"http://127.0.0.1:{proxy.server_port}", share=0)
    assert report.verdict == "differs"
    named = {one.at.partition(" ")[0] for one in report.differences}
    assert sorted(LIES.keys() - {lie for lie, paths in proxy.told.items() if paths & named}) == []
    assert sorted(named - set().union(*proxy.told.values())) == []


def test_a_share_is_asked_for_and_the_rest_is_said(register, audited):
    report = audited(register.url, share=0.02)

    assert report.verdict == "in order"
    assert report.checked["pages"] == 100
    assert any(re.match(r"\d,\d{3} of \d,\d{3} pages, which", one) for one in report.not_covered)


REFUSED = {
    "a text": "update section set value = replace(value, 'e', 'x') where key = 'name'",
    "the findings, no JSON": "update version set findings = 'x'",
    "an entry and its leaf": "update log_entry set bytes = bytes || ' ', leaf = sha256('\\x00' || "
    "bytes || ' ') where index = 3",
    "an entry gone": "delete from log_entry where index = 5",
}
"""What breaks the log itself, or what it commits to; `test_campaign.py` has all there is."""


@pytest.mark.parametrize("forgery", REFUSED)
def test_a_log_that_is_not_what_was_signed_is_refused_by_its_place(register, audited, forgery):
    with Altered(register, REFUSED[forgery]):
        try:
            report = audited(register.url)
        except Exception as error:  # noqa: BLE001  a file that cannot be served is no verdict
            said = str(error)
        else:
            assert report.verdict == "log refused"
            said = report.refused
    assert re.search(r"(content|tile)/\S+|^checkpoint: the root", said), said


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


def test_pages_that_cannot_be_compared_differ_unless_they_are_left_out(register, audited):
    path = (register.register.data / "site").resolve() / "build.json"
    content = path.read_bytes()
    path.unlink()
    try:
        report = audited(register.url, share=0, about=["catalogue"])
        without = audited(register.url, share=0, about=["catalogue"], without_pages=True)
    finally:
        path.write_bytes(content)
    assert [one.partition(":")[0] for one in told(report)] == ["/build.json"] * 2
    assert report.verdict == "differs"
    assert (without.verdict, told(without)) == ("partly compared", [])
    assert any(one.startswith("pages, short links") for one in without.not_covered)


def test_what_is_of_another_day_differs(register, audited):
    report = audited(register.url, share=0, about=["catalogue"], max_age=dt.timedelta(0))
    assert [one.partition(" as of")[0] for one in told(report)] == ["/build.json: the site is"]
    assert report.built_as_of.date().isoformat() in report.differences[0].why
    assert report.last_entry_at


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
    report = audited(register.url, share=0, without_pages=True)
    assert report.verdict == "partly compared"
    assert any(one.startswith("pages, files, feeds and tables") for one in report.not_covered)
    report = audited(register.url, share=0)
    assert [one.partition(": release")[0] for one in told(report)] == [
        "/build.json: not compared: pages, files, feeds and tables"
    ]
    with Altered(register, "update version set completeness = 3"):
        report = audited(register.url, share=0, without_pages=True)
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
