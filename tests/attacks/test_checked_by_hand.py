"""The two scripts of docs/transparency-log.md, as printed: an honest log passes, no altered one."""

import json
import re
import shutil
import subprocess

import msgspec
import pytest

from registry.ledger import key, publish_files
from registry.ledger.export import export_log
from registry.ledger.proofs import read_record_proof
from registry.ledger.published_log import LogTree
from registry.ledger.targets import Folder
from registry.log.entry import ENTRY_KINDS
from registry.record.canonical import canonical
from registry.record.pack import Agency
from registry.record.short_code import candidates
from registry.record.validate import validate
from registry.services.filing.drafts import Precondition
from registry.services.importing.matching import ForeignFiling
from registry.services.log.key_rotation import rotate
from registry.services.log.witness_policy import take_policy
from registry.services.operations.startup import open_register
from registry.services.people.access import Actor
from registry.services.statements import attestation, redaction, withdrawal
from registry.tlog.bundle import bundle_path, parse_bundle, write_bundle
from registry.tlog.checkpoint import Checkpoint, stated
from registry.tlog.compact import CompactRange
from registry.tlog.hashing import leaf_hash
from registry.tlog.keys import Signer
from registry.tlog.note import sign_note
from registry.tlog.tile import grow
from registry.verify.consistency import TwoHistories, compare_notes, keep_evidence
from registry.verify.fsck import fsck, read_from
from registry.worker.runner import publish as publish_log
from tests.conftest import NOW, ROOT
from tests.forked import fork
from tests.imported import import_filings

ID, OTHER = "demo-sante/prevision-lits", "demo-sante/autre"
PHONE, PERSON, SECOND = "+212537999777", "Zineb Oulhaj", "Amine Tahiri"
SEA = Agency(id="us.sea", name={"en": "Sea"}, kind="foreign", origin="us-register")
SCRIPTS = ROOT / "docs/scripts"


@pytest.fixture
def database(logged):
    return logged


@pytest.fixture
def settings(settings, tmp_path):
    policy = tmp_path / "policy.txt"
    policy.write_text("# nobody yet\nquorum none\n")
    return msgspec.structs.replace(settings, log_policy_file=policy)


def acting(name, agency=None, scopes=("redact",)):
    return Actor(name=name, agency=agency, scopes=frozenset(scopes), token=1, request="r")


AGENCY = acting("demo-sante", "demo-sante", ["file"])


class WholeLog:
    """A log with every kind of entry and of redaction, exported, and what somebody kept of it."""

    def __init__(self, folder, keys):
        self.folder = folder
        self.log = folder / "log"
        self.keys = keys

    def entries(self):
        size = stated((self.log / "checkpoint").read_bytes()).size
        return parse_bundle((self.log / bundle_path(0, size)).read_bytes(), size)

    def signed_again(self, changed, *, size=None, written=canonical):
        """Write the log as whoever has its keys could: with members of entries set, up to a size.

        Each entry still names the one before it, by its new hash; `...` takes one out.
        """
        entries = self.entries()[:size]
        for index, entry in enumerate(entries):
            said, encode = json.loads(entry), canonical
            if said.get("prev"):
                said["prev"]["leaf"] = leaf_hash(entries[said["prev"]["index"]]).hex()
            if index in changed:
                said, encode = said | changed[index], written
            entries[index] = encode({name: one for name, one in said.items() if one is not ...})
        leaves = [leaf_hash(entry) for entry in entries]
        tree = CompactRange()
        for leaf in leaves:
            tree = tree.append(leaf)
        shutil.rmtree(self.log / "tile")
        files = {tile.path: content for tile, content in grow(0, lambda _: b"", leaves)}
        files[bundle_path(0, len(leaves))] = write_bundle(entries)
        text = Checkpoint(origin=self.keys[0].name, size=len(leaves), root=tree.root()).to_text()
        files["checkpoint"] = sign_note(text, self.keys).to_bytes()
        for name, content in files.items():
            (self.log / name).parent.mkdir(parents=True, exist_ok=True)
            (self.log / name).write_bytes(content)


@pytest.fixture
def redact(context):
    async def work(**statement):
        asked = {"basis": "data_protection", "authority": f"Me {SECOND}", **statement}
        requested = await redaction.request(context, acting("one"), asked, now=NOW)
        return await redaction.confirm(context, acting("another"), requested.redaction, now=NOW)

    return work


@pytest.fixture
async def filed(context, settings, publish, record, pack):
    """Entries 1 to 3 are versions, 4 a withdrawal, 5 an attestation, 8 and 10 of a foreign record.

    6 is of its register, 9 and 11 of imports, 7 and 12 say what agencies are called. The
    checkpoint of these is returned.
    """
    said = {"severity": "warning", "lang": "en"}
    findings = [
        said | {"rule": rule, "pointer": pointer, "message": message}
        for rule, pointer, message in (
            ("R1", "/contact/phone", "It is odd."), ("R2", "/name", f"See {PHONE}."),
            ("R3", "/risk", "It stays."), ("R4", "/documents/0/url", "It is odd."),
            ("R5", "/documents/1/url", "It is odd."),
        )
    ]  # fmt: skip
    record["contact"]["phone"] = PHONE
    record["purpose"]["goal"] = {"fr": f"Prévoir, selon {PERSON} et {SECOND}.", "ar": "توقع"}
    paper = {"type": "other", "title": {"fr": f"Note de {PERSON}"}, "url": "https://demo.example"}
    record["documents"] = [paper, paper | {"title": {"fr": "Notice"}}]
    record["evaluation"]["metrics"][0]["value"] = 1e-7
    other = record | {"id": OTHER, "source_id": "A-2"}
    await publish(record, findings=findings, code=next(candidates(ID)))
    await publish(record | {"system_version": "2"}, findings=findings)
    [published] = await publish(other, findings=findings[1:3])
    await withdrawal.withdraw(
        context,
        AGENCY,
        OTHER,
        {"reason": "other", "note": {"fr": f"Selon {PERSON}.", "ar": "انتهى"}},
        precondition=Precondition(tag=published.hash[:16]),
        now=NOW,
    )
    attested = {"day": "2026-11-01", "systems_total": 9, "contact": {"email": "a@demo.example"}}
    await attestation.attest(context, AGENCY, "demo-sante", attested, now=NOW)
    foreign = {
        "id": "us.sea/1", "schema_version": "1.0", "name": {"en": "Rain"}, "source_id": "1",
        "languages": {"source": "en"}, "contact": {"phone": PHONE},
    }  # fmt: skip
    filing = ForeignFiling(
        document=foreign,
        agency=SEA,
        verdict=validate(foreign, profile="foreign", pack=pack, today=NOW.date()),
        source_row={"Name": "Rain"},
        source_id="1",
        changed_on=None,
    )
    await import_filings(context, [filing], complete=True, now=lambda: NOW)
    await import_filings(context, [], origin="us-register", complete=True, now=lambda: NOW)
    await publish_log(settings, context)
    return (settings.log_dir / "checkpoint").read_bytes()


@pytest.fixture
async def published(context, settings, database, filed, redact, pack):
    """Redactions of every kind, from 13 on, a key that follows, a policy, another configuration.

    The last redaction is published, and not carried out yet.
    """
    for statement in (
        {"record": ID, "pointers": ["/contact/phone"]},
        {"record": ID, "pointers": ["/purpose/goal"], "words": [PERSON]},
        {"record": ID, "pointers": ["/documents/0"]},
        {"record": ID, "pointers": ["/purpose/goal"], "words": [SECOND]},
        {"record": ID, "pointers": ["/procurement"], "versions": [1]},
        {"record": "us.sea/1", "pointers": ["/contact/phone"]},
        {"entry": 4, "pointers": ["/note"]},
        {"entry": 5, "pointers": ["/contact"]},
        {"entry": 13, "pointers": ["/authority"]},
    ):
        await redact(**statement)
        await publish_log(settings, context)
    await rotate(context, settings, made=None, now=NOW)
    await publish_log(settings, context)
    assert await take_policy(context, settings, now=NOW)
    await publish_log(settings, context)
    renamed = msgspec.structs.replace(pack, site_name=pack.site_name | {"en": "Other"})
    await open_register(database, renamed, settings, now=NOW)
    await redact(record=ID, pointers=["/documents/1"])
    await publish_files.publish_log(database, settings, now=NOW)


@pytest.fixture
async def whole(settings, database, filed, published, tmp_path):
    """The log, and what somebody has kept of it: proofs, a checkpoint, folders of evidence."""
    folder = tmp_path / "kept"
    await export_log(
        database, Folder(folder / "log", strip="log/"), site=None, progress=lambda *_: None
    )
    (folder / "early").write_bytes(filed)
    files = sorted(key.files(settings.key_file), key=lambda path: path != settings.key_file)
    keys = [key.read(path) for path in files]
    (folder / "key").write_text(keys[0].verifier_key + "\n")
    async with database.snapshot() as connection:
        for record_id, version in ((ID, 1), (ID, 2), (OTHER, 1), ("us.sea/1", 1)):
            proof = await read_record_proof(connection, LogTree(), record_id, version)
            name = f"{record_id.replace('/', '-')}-{version}.json"
            (folder / name).write_bytes(msgspec.json.encode(proof))
    made = WholeLog(folder, keys)
    verifiers = [one.verifier for one in keys]
    note = (made.log / "checkpoint").read_bytes()
    # An earlier checkpoint of another history, which the first key has signed, too.
    lied = fork(made.log, folder / "fork", keys[0], size=7, changed={2: {"risk": "limited"}})
    for name, other_note in (("fork", (lied / "checkpoint").read_bytes()), ("old", filed)):
        proof = None
        try:
            compare_notes(other_note, note, verifiers, read_from(made.log))
        except TwoHistories as found:
            proof = found.proof
        evidence = keep_evidence(
            folder, origin=keys[0].name, kind=name, notes=[other_note, note], proof=proof, why="",
            now=NOW,
        )  # fmt: skip
        evidence.rename(folder / f"evidence-{name}")
    shutil.rmtree(folder / "fork")
    for name in ("check_log.py", "check_proof.py"):
        shutil.copy(SCRIPTS / name, folder)
    return made


def run(folder, *arguments):
    done = subprocess.run(
        ["python3", *arguments],
        cwd=folder,
        # Without this project's own Python: its packages are not there.
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


LOG = ("check_log.py", "log", "key", "early")
VERSION = f"{ID.replace('/', '-')}-1.json"
RECORD = ("check_proof.py", VERSION, "key")


async def test_an_honest_log_with_everything_in_it_is_accepted(whole):
    kinds = {json.loads(entry)["kind"] for entry in whole.entries()}
    assert kinds == {*ENTRY_KINDS}
    fsck(whole.log, verifier=whole.keys[0].verifier, progress=lambda *_: None)
    for known in whole.keys:
        (whole.folder / "key").write_text(known.verifier_key + "\n")
        code, told, errors = run(whole.folder, *LOG)
        assert code == 0, errors
        assert told == (
            "algorithms.example/log: 26 entries, as signed\n"
            "their contents: as committed to, and for 16 members that are erased entries say so\n"
            "early: its 13 entries are here still\n"
        )
        code, told, errors = run(whole.folder, *RECORD)
        assert code == 0, errors
    assert "/procurement/origin was erased by entry 17, basis: data_protection\n" in told
    assert 'in its place: {"ar":"توقع","fr":"Prévoir, selon […] et […]."}\n' in told
    assert told.endswith(f"{ID}, version 1: in order\n")
    for path in whole.folder.glob("*-[12].json"):
        code, _, errors = run(whole.folder, "check_proof.py", path.name, "key")
        assert code == 0, errors
    (whole.folder / "key").write_text("".join(f"{one.verifier_key}\n" for one in whole.keys))
    code, told, _ = run(whole.folder, "check_log.py", "evidence-fork", "key")
    assert (code, told.splitlines()[1:]) == (
        0, ["two histories: the log of 26 entries had another root at 7"]
    )  # fmt: skip
    code, told, _ = run(whole.folder, "check_log.py", "evidence-old", "key")
    assert (code, len(told.splitlines())) == (0, 1)


def flip(text):
    """Return text with another letter in the place of its first one of base64 from the middle."""
    at = len(text) // 2
    while not text[at].isalnum():
        at += 1
    return text[:at] + ("B" if text[at] != "B" else "C") + text[at + 1 :]


def of_text(path, change):
    """Alter a file as text."""

    def work(folder):
        before = (folder / path).read_text()
        after = change(before)
        assert before != after
        (folder / path).write_text(after)

    return work


def of_line(path, number, change=flip):
    """Alter a line of a file."""

    def changed(text):
        lines = text.split("\n")
        lines[number] = change(lines[number])
        return "\n".join(lines)

    return of_text(path, changed)


def without_line(number):
    def changed(text):
        lines = text.split("\n")
        return "\n".join(lines[:number] + lines[number + 1 :])

    return changed


def of_json(path, *way, change=flip, inside=None, encode=canonical):
    """Alter a JSON value in a file, or in a text in it, along the way to it; None removes it."""

    def walk(value, way):
        if not way:
            return change(value)
        if isinstance(value, str):
            return canonical(walk(json.loads(value), way)).decode()
        name, *rest = way
        if callable(name):
            name = next(at for at, one in enumerate(value) if name(one))
        changed = list(value) if isinstance(value, list) else dict(value)
        if not rest and change is None:
            del changed[name]
        else:
            changed[name] = walk(value[name], rest)
        return changed

    return of_text(path, lambda text: encode(walk(json.loads(text), way)).decode())


def member(pointer):
    return lambda listed: listed[0] == pointer


def of_bytes(path, at):
    def work(folder):
        content = bytearray((folder / path).read_bytes())
        content[at] ^= 1
        (folder / path).write_bytes(content)

    return work


def put(value):
    return lambda _: value


EMPTY = {"findings": [], "missing": []}
V1, V2, FIRST, WORDS, MORE = (f"log/content/{index}.json" for index in (1, 2, 13, 14, 16))
FILES = {
    "checkpoint: the name": (of_line("log/checkpoint", 0), LOG, "checkpoint"),
    "checkpoint: the size": (
        of_line("log/checkpoint", 1, put("25")), LOG, "tile/entries|checkpoint",
    ),
    "checkpoint: the root": (of_line("log/checkpoint", 2), LOG, "checkpoint"),
    "checkpoint: the first key's signature": (of_line("log/checkpoint", 4), LOG, "checkpoint"),
    "checkpoint: the second key's": (of_line("log/checkpoint", 5), LOG, "checkpoint"),
    "checkpoint: without the first key's": (
        of_text("log/checkpoint", without_line(4)), LOG, "checkpoint",
    ),
    "checkpoint: without the second key's": (
        of_text("log/checkpoint", without_line(5)), LOG, "checkpoint",
    ),
    "a byte of an entry": (of_bytes("log/tile/entries/000.p/26", 300), LOG, "checkpoint"),
    "the length of an entry": (of_bytes("log/tile/entries/000.p/26", 1), LOG, "tile/entries"),
    "a leaf": (of_bytes("log/tile/0/000.p/26", 40), LOG, "tile/0/000.p/26"),
    "a value": (
        of_json(V1, "sections", "summary", 0, 1, "value"), LOG, "content/1.json",
    ),
    "a number": (
        of_text(V1, lambda text: text.replace("1e-7", "1e-8")), LOG, "content/1.json",
    ),
    "a salt": (of_json(V1, "sections", "summary", 0, 1, "salt"), LOG, "content/1.json"),
    "a pointer": (
        of_json(V1, "sections", "summary", 0, 0, change=put("/summary/aa")), LOG, "content/1.json",
    ),
    "a section that is left out": (
        of_json(V1, "sections", "summary", change=None), LOG, "content/1.json",
    ),
    "a member that is left out": (
        of_json(V1, "sections", "summary", 0, change=None), LOG, "content/1.json",
    ),
    "members in another order": (
        of_json(V1, "sections", "summary", change=lambda listed: listed[::-1]), LOG,
        "content/1.json",
    ),
    "the country pack": (
        of_json("log/content/0.json", "sections", "pack", 0, 1, "value", change=put("x")), LOG,
        "content/0.json",
    ),
    "another index": (of_json(V1, "index", change=put(2)), LOG, "content/1.json"),
    "spaces in a content": (
        of_text(V1, lambda text: text.replace(",", ", ", 1)), LOG, "content/1.json",
    ),
    "the commitment of an erased member": (
        of_json(V1, "sections", "contact", member("/contact/phone"), 1, "commitment"), LOG,
        "content/1.json",
    ),
    "another redaction of an erased member": (
        of_json(
            V1, "sections", "contact", member("/contact/phone"), 1, "redaction", change=put(17)
        ),
        LOG, "content/1.json",
    ),
    "no redaction of an erased member": (
        of_json(V1, "sections", "contact", member("/contact/phone"), 1, "redaction", change=put(3)),
        LOG, "content/1.json",
    ),
    "a member that nobody erased": (
        of_json(V2, "sections", "procurement", 0, 1,
                change=lambda said: {"commitment": said["salt"], "redaction": 17}),
        LOG, "content/2.json",
    ),
    "the salt of a verdict": (of_json(V1, "verdict", "salt"), LOG, "content/1.json"),
    "the findings": (of_json(V1, "verdict", "findings", change=put([])), LOG, "content/1.json"),
    "what is missing": (of_json(V1, "verdict", "missing", change=put([])), LOG, "content/1.json"),
    "no verdict": (of_json(V1, "verdict", change=None), LOG, "content/1.json"),
    "a verdict without salt": (of_json(V1, "verdict", change=put(EMPTY)), LOG, "content/1.json"),
    "a verdict of no redaction": (
        of_json(V1, "verdict", "redaction", change=None), LOG, "content/1.json",
    ),
    "a verdict of another redaction": (
        of_json(V1, "verdict", "redaction", change=put(13)), LOG, "content/1.json",
    ),
    "a verdict of an entry that is no redaction": (
        of_json(V1, "verdict", "redaction", change=put(2)), LOG, "content/1.json",
    ),
    "the findings of a record that quoted another": (
        of_json("log/content/3.json", "verdict", "findings", change=put([])), LOG, "content/3.json",
    ),
    "the verdict that a redaction will leave": (
        of_json("log/content/25.json", "verdicts", "1", "findings", change=put([{}])), LOG,
        "content/25.json",
    ),
    "no verdict that a redaction will leave": (
        of_json("log/content/25.json", "verdicts", change=put({})), LOG, "content/25.json",
    ),
    "verdicts of a redaction that has none": (
        of_json(MORE, change=lambda said: said | {"verdicts": {"1": EMPTY}}), LOG,
        "content/16.json",
    ),
    "a replaced item": (
        of_json(MORE, "sections", "replaced", 0, 1, "value", "value", "fr"), LOG, "content/16.json",
    ),
    "a replaced item's versions": (
        of_json(MORE, "sections", "replaced", 0, 1, "value", "versions", change=put([1])), LOG,
        "content/16.json",
    ),
    "a replaced item that is back": (
        of_json(WORDS, "sections", "replaced", 0, 1,
                change=lambda said: {"salt": said["commitment"], "value": {}}),
        LOG, "content/14.json",
    ),
    "an attestation's contact": (
        of_json("log/content/5.json", "sections", "contact", 0, 1, "redaction", change=put(18)),
        LOG, "content/5.json",
    ),
    "a redaction's authority": (
        of_json(FIRST, "sections", "authority", 0, 1, "redaction", change=put(14)), LOG,
        "content/13.json",
    ),
    "a bundle of contents": (of_bytes("log/content/bundle/0", 50), LOG, "content/bundle/0"),
    "a content that is gone": (lambda folder: (folder / V1).unlink(), LOG, "content/1.json"),
    "the entry in a key's proof": (of_line("log/key/1.tlog-proof", 1), LOG, "key 1"),
    "the path of a key's proof": (of_line("log/key/1.tlog-proof", 3), LOG, "key 1"),
    "the first key's signature under it": (of_line("log/key/1.tlog-proof", -3), LOG, "key 1"),
    "the second key's signature under it": (of_line("log/key/1.tlog-proof", -2), LOG, "key 1"),
    "a key in the description": (of_json("log/log.json", "keys", 0), LOG, "log.json"),
    "an old key in the description": (
        of_json("log/log.json", "key_history", 0, "key"), LOG, "log.json",
    ),
    "the policy": (
        of_text("log/policy", lambda text: text.replace("nobody", "anybody")), LOG, "policy",
    ),
    "no policy": (lambda folder: (folder / "log/policy").unlink(), LOG, "policy"),
    "another witnessed checkpoint": (
        lambda folder: (folder / "log/witnessed").write_bytes(
            (folder / "evidence-fork/note-1").read_bytes()
        ),
        LOG, "witnessed",
    ),
    "a kept checkpoint's root": (of_line("early", 2), LOG, "early"),
    "a kept checkpoint's size": (of_line("early", 1, put("12")), LOG, "early"),
    "a kept checkpoint's signature": (of_line("early", 4), LOG, "early"),
    "a kept checkpoint of another history": (
        lambda folder: shutil.copy(folder / "evidence-fork/note-1", folder / "early"), LOG, "early",
    ),
    "another key that is known": (of_text("key", put(
        Signer(name="algorithms.example/log", seed=bytes(32)).verifier_key)), LOG, "the keys",
    ),
    "proof: a byte of the entry": (
        of_json(VERSION, "version_entry", "entry", "version", change=put(7)), RECORD,
        "the version",
    ),
    "proof: the content": (
        of_json(VERSION, "version_entry", "content", "sections", "name", 0, 1, "value"), RECORD,
        "the version",
    ),
    "proof: a salt": (
        of_json(VERSION, "version_entry", "content", "sections", "name", 0, 1, "salt"), RECORD,
        "the version",
    ),
    "proof: the verdict": (
        of_json(VERSION, "version_entry", "content", "verdict", "findings", change=put([])), RECORD,
        "the version",
    ),
    "proof: a verdict of no redaction": (
        of_json(VERSION, "version_entry", "content", "verdict", "redaction", change=None), RECORD,
        "the version",
    ),
    "proof: the index": (
        of_json(VERSION, "version_entry", "index", change=put(2)), RECORD, "the version",
    ),
    "proof: the hash": (of_json(VERSION, "version_entry", "leaf"), RECORD, "the version"),
    "proof: the path": (
        of_json(VERSION, "version_entry", "proof",
                change=lambda text: "\n".join([*text.split("\n")[:2], flip(text.split("\n")[2]),
                                              *text.split("\n")[3:]])),
        RECORD, "the version",
    ),
    "proof: the place in the tree": (
        of_json(VERSION, "version_entry", "proof",
                change=lambda text: text.replace("index 1\n", "index 2\n")),
        RECORD, "the version",
    ),
    "proof: the checkpoint's size": (
        of_json(VERSION, "version_entry", "proof",
                change=lambda text: text.replace("\n26\n", "\n27\n")),
        RECORD, "the version",
    ),
    "proof: the checkpoint's signature": (
        of_json(VERSION, "version_entry", "proof", change=lambda text: text[:-9] + flip(text[-9:])),
        RECORD, "the version",
    ),
    "proof: no signature": (
        of_json(VERSION, "version_entry", "proof",
                change=lambda text: text[: text.index("\n— ") + 1] + "— x AAAA\n"),
        RECORD, "the version",
    ),
    "proof: another record": (of_json(VERSION, "id", change=put(OTHER)), RECORD, "the version"),
    "proof: another version": (of_json(VERSION, "version", change=put(2)), RECORD, "the version"),
    "proof: another log": (of_json(VERSION, "origin", change=put("x/log")), RECORD, "the keys"),
    "proof: without redactions": (
        of_json(VERSION, "redactions", change=put([])), RECORD, "the version",
    ),
    "proof: a redaction's basis": (
        of_json(VERSION, "redactions", 0, "entry",
                change=lambda text: text.replace("data_protection", "court")),
        RECORD, "redaction 13",
    ),
    "proof: a replaced item": (
        of_json(VERSION, "redactions", 3, "content", "sections", "replaced", 0, 1, "value", "value",
                "fr", change=put("Trier.")),
        RECORD, "redaction 16",
    ),
    "proof: the last redaction's replaced item alone": (
        of_json(VERSION, "redactions", 3, change=None), RECORD, "redaction 14",
    ),
    "proof: the last key": (of_json(VERSION, "key"), RECORD, "key 1"),
    "proof: without the keys between": (of_json(VERSION, "keys", change=put([])), RECORD, "the "),
    "proof: a key's proof": (of_json(VERSION, "keys", 0), RECORD, "key 1"),
    "evidence: a note's root": (
        of_line("evidence-fork/note-1", 2), ("check_log.py", "evidence-fork", "key"), "note-1",
    ),
    "evidence: a note's signature": (
        of_line("evidence-fork/note-2", 4), ("check_log.py", "evidence-fork", "key"), "note-2",
    ),
    "evidence: the proof's path": (
        of_json("evidence-fork/proof.json", "path", 1), ("check_log.py", "evidence-fork", "key"),
        "proof.json",
    ),
    "evidence: the proof's old root": (
        of_json("evidence-fork/proof.json", "old_root"), ("check_log.py", "evidence-fork", "key"),
        "proof.json",
    ),
    "evidence: the proof's size": (
        of_json("evidence-fork/proof.json", "old", change=put(6)),
        ("check_log.py", "evidence-fork", "key"), "proof.json",
    ),
}  # fmt: skip


async def test_each_alteration_of_a_file_is_named_with_its_place(whole, tmp_path):
    assert len(FILES) >= 50
    wrong = []
    for number, (name, (alter, command, place)) in enumerate(FILES.items()):
        folder = tmp_path / str(number)
        shutil.copytree(whole.folder, folder)
        alter(folder)
        code, told, errors = run(folder, *command)
        if code == 0 or not re.match(f"NOT IN ORDER: (log/)?({place})", errors):
            wrong.append(f"{name}: {told}{errors}")
        shutil.rmtree(folder)
    assert not wrong, "\n".join(wrong)


FORGED = {
    "an entry that names none before it": ({2: {"prev": None}}, "entry 2"),
    "an entry that names another": ({4: {"prev": {"index": 1, "leaf": ""}}}, "entry 4"),
    "a version too many": ({2: {"version": 3}}, "entry 2"),
    "a withdrawal of another version": ({4: {"version": 2}}, "entry 4"),
    "an import's word on another version": ({10: {"version": 2}}, "entry 10"),
    "a time before the one before": ({24: {"at": "2020-01-01T00:00:00Z"}}, "entry 24"),
    "a second beginning": ({23: {"kind": "genesis"}}, "entry 23"),
    "no beginning": ({0: {"kind": "policy", "policy": ""}}, "entry 0"),
    "a key that follows another": ({22: {"follows": "x+00+AA"}}, "entry 22"),
    "another first key": ({0: {"key": "x+00+AA"}}, "entry 22"),
    "another next key": ({22: {"key": "x+00+AA"}}, "key 1"),
    "what an agency is called, after no entry": (
        {12: {"prev": {"index": 10, "leaf": ""}}}, "entry 12",
    ),
    "a redaction of an attestation, after an entry": (
        {20: {"prev": {"index": 5, "leaf": ""}}}, "entry 20",
    ),
    "a redaction of another agency's attestation": ({20: {"agency": "x"}}, "content/5.json"),
    "a redaction of nobody's": ({20: {"agency": ...}}, "entry 20"),
    "a redaction of another version": ({17: {"versions": [2]}}, "content/1.json"),
    "a redaction of other members": ({13: {"pointers": ["/contact/email"]}}, "content/1.json"),
    "a redaction of another entry": ({19: {"entries": [3]}}, "content/4.json"),
    "a redaction of no item": ({16: {"entries": []}}, "content/14.json"),
    "another verdict left of a record that quoted": (
        {13: {"verdicts": {"3": "A" * 43}}}, "content/3.json",
    ),
    "no verdict left": ({15: {"verdicts": ...}}, "content/1.json"),
    "a verdict left by a later redaction": (
        {17: {"verdicts": {"1": "A" * 43}}}, "content/1.json",
    ),
    "another verdict": (
        {8: {"verdict": {"rules": "1", "completeness": 1, "accountability": 1, "digest": ""}}},
        "content/8.json",
    ),
    "other commitments": ({5: {"sections": {}}}, "content/5.json"),
    "a section that says something else": (
        {5: {"sections": {"contact": "A" * 43}}}, "content/5.json",
    ),
    "another configuration": ({24: {"sections": {}}}, "content/24.json"),
    "another policy": ({23: {"policy": "quorum one\n"}}, "policy"),
}  # fmt: skip


async def test_each_forgery_by_whoever_has_the_keys_is_named_with_its_place(whole, tmp_path):
    wrong = []
    known = whole.folder
    for number, (name, (changed, place)) in enumerate(FORGED.items()):
        shutil.copytree(known, tmp_path / str(number))
        forged = WholeLog(tmp_path / str(number), whole.keys)
        forged.signed_again(changed)
        # Whoever kept nothing before.
        code, told, errors = run(forged.folder, *LOG[:-1])
        if code == 0 or not errors.startswith(f"NOT IN ORDER: {place}:"):
            wrong.append(f"{name}: {told}{errors}")
        code, _, errors = run(forged.folder, *LOG)
        if code == 0:
            wrong.append(f"{name}: it is not found by what was kept")
        shutil.rmtree(forged.folder)
    assert not wrong, "\n".join(wrong)
    for changed, size, encode, place in (
        ({}, 9, canonical, "key 1|the keys|early|log.json"),
        ({2: {}}, None, lambda said: json.dumps(said).encode(), "entry 2"),
    ):
        shutil.copytree(known, tmp_path / "last")
        forged = WholeLog(tmp_path / "last", whole.keys)
        forged.signed_again(changed, size=size, written=encode)
        code, _, errors = run(forged.folder, *LOG)
        assert code == 1
        assert re.match(f"NOT IN ORDER: ({place}):", errors), errors
        shutil.rmtree(forged.folder)
