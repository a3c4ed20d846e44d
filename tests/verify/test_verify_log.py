"""Verifying a published log and a kept record by files alone: every bit of them counts."""

import datetime as dt
import random
import re
import shutil

import msgspec
import pytest

from registry.ledger.export import export_log
from registry.ledger.key import read
from registry.ledger.proofs import read_record_proof, site_made_from
from registry.ledger.published_log import LogTree
from registry.ledger.targets import Folder
from registry.log.entry import GenesisEntry, entry_bytes, timestamp
from registry.log.replay import LogInconsistent
from registry.record.canonical import canonical
from registry.tlog.bundle import bundle_path, write_bundle
from registry.tlog.checkpoint import Checkpoint
from registry.tlog.compact import CompactRange
from registry.tlog.cosignature import cosign
from registry.tlog.hashing import leaf_hash
from registry.tlog.keys import COSIGNATURE, Signer
from registry.tlog.note import Signature, parse_note, sign_note
from registry.tlog.policy import parse_policy, quorum_of
from registry.tlog.tile import grow
from registry.tlog.tlog_proof import parse_tlog_proof
from registry.verify.fsck import fsck, read_from
from registry.verify.log import verify_log
from registry.verify.record import check_same, verify_record

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
FLIPS = 400


def quiet(_done, _total):
    pass


@pytest.fixture
def database(logged):
    return logged


@pytest.fixture
async def exported(database, settings, publish, record, publish_it, tmp_path):
    """A log of several checkpoints, exported with all that belongs to it."""
    await publish(record)
    await publish_it()
    await publish(record | {"summary": {"fr": "Un autre résumé.", "ar": "ملخص آخر"}})
    await publish(record | {"id": "demo-sante/other", "name": {"fr": "Autre", "ar": "آخر"}})
    await publish_it()
    settings.site_dir.mkdir()
    state = {"size": 2, "root": ""}
    nodes = (settings.log_dir / "tile/0/000.p/2").read_bytes()
    tree = CompactRange().append(nodes[:32]).append(nodes[32:])
    state["root"] = tree.root().hex()
    (settings.site_dir / "build.json").write_bytes(msgspec.json.encode({"log": state}))
    folder = tmp_path / "exported"
    assert (
        await export_log(
            database,
            Folder(folder, strip="log/"),
            site=site_made_from(settings.site_dir),
            progress=quiet,
        )
        == 4
    )
    return folder


@pytest.fixture
def verifier(exported, settings):
    return read(settings.key_file).verifier


def names(folder):
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def test_an_export_has_every_file_and_is_in_order(exported, verifier):
    indexes = range(4)
    assert names(exported) == sorted(
        [
            "checkpoint", "log.json", "site.json", "content/bundle/0",
            "tile/0/000.p/4", "tile/entries/000.p/4",
            *(f"content/{index}.json" for index in indexes),
            *(f"proof/{index}.tlog-proof" for index in indexes),
        ]
    )  # fmt: skip
    found = verify_log(read_from(exported), verifier=verifier, progress=quiet)
    assert found.checkpoint.size == 4
    assert verify_log(read_from(exported), verifier=None, progress=quiet) == found
    assert fsck(exported, verifier=verifier, progress=quiet) == (found, len(names(exported)))


def test_any_flipped_bit_is_found_and_its_file_named(exported, verifier):
    """By who knows the log's key, and by who takes the one that it names."""
    chance = random.Random(7)
    files = names(exported)
    wrong = []
    for number in range(FLIPS):
        name = files[number % len(files)]
        known = number // len(files) % 2 == 0
        path = exported / name
        good = path.read_bytes()
        bit = chance.randrange(len(good) * 8)
        changed = bytearray(good)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        try:
            fsck(exported, verifier=verifier if known else None, progress=quiet)
            wrong.append((name, bit, None))
        except LogInconsistent as broken:
            if broken.where != name:
                wrong.append((name, bit, broken.where))
        path.write_bytes(good)
    assert wrong == []


def test_a_missing_or_foreign_file_is_named(exported, verifier):
    for name in names(exported):
        path = exported / name
        good = path.read_bytes()
        path.unlink()
        may_be_missing = name.startswith(("proof/", "content/bundle/")) or "p/2" in name
        if name in {"log.json", "site.json"} or may_be_missing:
            fsck(exported, verifier=verifier, progress=quiet)
        else:
            with pytest.raises(LogInconsistent) as broken:
                fsck(exported, verifier=verifier, progress=quiet)
            assert broken.value.where == name
        path.write_bytes(good)
    for name in ("content/01.json", "content/x.json", "extra.txt", "tile/0/0", "proof/9.txt"):
        (exported / name).write_text("{}")
        with pytest.raises(LogInconsistent) as broken:
            fsck(exported, verifier=verifier, progress=quiet)
        assert broken.value.where == name
        (exported / name).unlink()


def test_another_key_did_not_sign_it(exported):
    other = Signer(name="algorithms.example/log", seed=bytes(32)).verifier
    with pytest.raises(LogInconsistent, match="none of the known keys"):
        verify_log(read_from(exported), verifier=other, progress=quiet)


class Forger:
    """Has the log's key, and signs whatever entries it likes."""

    def __init__(self, folder, signer):
        self.folder = folder
        self.signer = signer
        content = (folder / bundle_path(0, 4)).read_bytes()
        self.entries = []
        while content:
            size = int.from_bytes(content[:2], "big")
            self.entries.append(content[2 : 2 + size])
            content = content[2 + size :]

    def change(self, index, **members):
        entry = msgspec.json.decode(self.entries[index]) | members
        self.entries[index] = canonical(entry)

    def publish(self):
        leaves = [leaf_hash(entry) for entry in self.entries]
        tree = CompactRange()
        for leaf in leaves:
            tree = tree.append(leaf)
        shutil.rmtree(self.folder / "tile")
        files = {tile.path: content for tile, content in grow(0, None, leaves)}
        files[bundle_path(0, len(leaves))] = write_bundle(self.entries)
        text = Checkpoint(origin=self.signer.name, size=len(leaves), root=tree.root()).to_text()
        files["checkpoint"] = sign_note(text, [self.signer]).to_bytes()
        for name, content in files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_bytes(content)


FORGED = [
    (2, {"prev": None}, "its prev is not the entry of .* which is entry 1"),
    (2, {"prev": {"index": 0, "leaf": "00" * 32}}, "its prev is not"),
    (3, {"prev": {"index": 2, "leaf": "00" * 32}}, "its prev is not"),
    (3, {"at": "2020-01-01T00:00:00Z"}, "is before that of the entry before it"),
    (3, {"kind": "genesis"}, "not as entries of its kind are"),
    (3, {"kind": "other"}, "no kind"),
    (3, {"v": 2}, "not as entries of its kind are"),
    (3, {"version": 2}, "it is version 2 .* after version 0"),
    (3, {"sections": {}}, "does not have the sections"),
    (3, {"id": None}, "got `null` - at `.\\.id`"),
    (3, {"id": "demo-sante/prevision-lits"}, "its prev is not"),
    (3, {"code": "AAAAAAA"}, "AAAAAAA is no short code"),
    (3, {"code": 7}, "got `int` - at `.\\.code`"),
    (2, {"code": "CG5TSN7"}, "which it may not"),
    (0, {"demonstration": "2020-01-01T00:00:00Z"}, "until when times are invented"),
    (0, {"demonstration": 7}, "got `int` - at `.\\.demonstration`"),
    (3, {"code": "CG5TSN7", "origin": "us-register"}, "which it may not"),
]
NONSENSE = [b"{}", b"[]", b"x", b'{"v": 1}', b'{"v":1,"kind":[]}']


def test_not_even_the_log_itself_can_break_a_chain_or_say_nonsense(exported, settings, tmp_path):
    signer, wrong = read(settings.key_file), []
    for number, (index, said, why) in enumerate([*FORGED, *((3, one, "") for one in NONSENSE)]):
        forger = Forger(shutil.copytree(exported, tmp_path / f"forged-{number}"), signer)
        if isinstance(said, bytes):
            forger.entries[index] = said
        else:
            forger.change(index, **said)
        forger.publish()
        with pytest.raises(LogInconsistent) as broken:
            verify_log(read_from(forger.folder), verifier=signer.verifier, progress=quiet)
        if broken.value.index != index or not re.search(why, broken.value.why):
            wrong.append((index, said, broken.value.detail))
    assert wrong == []


@pytest.fixture
async def proof(exported, database, settings, record):
    async with database.snapshot() as connection:
        found = await read_record_proof(connection, LogTree(), record["id"], 1)
    return msgspec.json.encode(found)


def check(proof, verifier, *, witnesses=(), quorum=0):
    return verify_record(proof, verifier=verifier, policy=quorum_of(witnesses, quorum))


def test_a_kept_record_is_verified(proof, verifier, record):
    found = check(proof, verifier)
    assert (found.id, found.version, found.index, found.size) == (record["id"], 1, 1, 4)
    assert found.document == record
    assert found.erased == []
    assert check(proof, None) == found
    check_same(found, record)
    for key in ("summary", "contact"):
        with pytest.raises(LogInconsistent, match=f"/{key} is another"):
            check_same(found, record | {key: {"fr": "Autre"}})
    with pytest.raises(LogInconsistent, match="/extra is another"):
        check_same(found, record | {"extra": 1})
    with pytest.raises(LogInconsistent, match="/summary is another"):
        check_same(found, {key: value for key, value in record.items() if key != "summary"})


def test_a_kept_record_in_which_anything_was_changed_is_refused(proof, verifier):
    chance = random.Random(3)
    said = msgspec.json.decode(proof)
    for name in ("entry", "content", "proof", "leaf"):
        text = said["version_entry"][name]
        for _ in range(60):
            at = chance.randrange(len(text))
            other = text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :]
            forged = said | {"version_entry": said["version_entry"] | {name: other}}
            with pytest.raises(LogInconsistent):
                check(msgspec.json.encode(forged), verifier)
    for changed in ({"id": "demo-sante/x"}, {"version": 2}, {"version_entry": None}, {"id": 1}):
        with pytest.raises(LogInconsistent):
            check(msgspec.json.encode(said | changed), verifier)
    for junk in (b"", b"[]", b"\xff", b"{" * 100_000):
        with pytest.raises(LogInconsistent):
            check(junk, verifier)


def cosigned_by(checkpoint, *signers):
    """The checkpoint with the lines of these witnesses too."""
    text = parse_note(checkpoint).text
    lines = "".join(
        Signature(
            name=who.name, key=who.verifier.id, raw=cosign(text, who, time=9).to_bytes()
        ).to_line()
        for who in signers
    )
    return checkpoint + lines.encode()


WITNESSES = [
    Signer(name=f"w{number}.example", seed=bytes([number]) * 32, kind=COSIGNATURE)
    for number in (1, 2)
]


def test_witnesses_count_once_each(proof, verifier):
    said = msgspec.json.decode(proof)
    held = parse_tlog_proof(said["version_entry"]["proof"].encode())
    one, two = WITNESSES
    same = msgspec.structs.replace(one, name="also.example")
    checkpoint = cosigned_by(held.checkpoint, one, two, same)
    cosigned = msgspec.structs.replace(held, checkpoint=checkpoint)
    said["version_entry"]["proof"] = cosigned.to_bytes().decode()
    kept = msgspec.json.encode(said)
    known = [one.verifier, two.verifier, same.verifier]
    found = check(kept, verifier, witnesses=known, quorum=2)
    assert (found.witnesses, found.seen_at) == (2, "1970-01-01T00:00:09Z")
    assert check(kept, verifier).seen_at is None
    assert check(kept, verifier, witnesses=[one.verifier], quorum=1).witnesses == 1
    for witnesses, quorum in ((known, 3), ([one.verifier], 2), ([], 1)):
        with pytest.raises(LogInconsistent, match="known witnesses have cosigned"):
            check(kept, verifier, witnesses=witnesses, quorum=quorum)


async def test_a_log_is_verified_by_a_policy(exported, verifier):
    one, two = (signer.verifier.to_text() for signer in WITNESSES)
    text = f"witness one {one}\nwitness two {two}\ngroup both 2 one two\nquorum both\n"
    policy = parse_policy(f"log {verifier.to_text()}\n{text}")
    path = exported / "checkpoint"
    alone = path.read_bytes()
    for signers, counted in (((), 0), (WITNESSES[:1], 1)):
        path.write_bytes(cosigned_by(alone, *signers))
        with pytest.raises(LogInconsistent, match=f"{counted} known witnesses .* not 2"):
            verify_log(read_from(exported), verifier=None, progress=quiet, policy=policy)
    path.write_bytes(cosigned_by(alone, *WITNESSES))
    found = verify_log(read_from(exported), verifier=None, progress=quiet, policy=policy)
    assert [(who.verifier.name, who.time) for who in found.cosigned] == [
        ("w1.example", 9),
        ("w2.example", 9),
    ]
    stranger = Signer(name=verifier.name, seed=bytes(32)).verifier_key
    with pytest.raises(LogInconsistent, match="none of the policy's logs"):
        verify_log(
            read_from(exported),
            verifier=None,
            progress=quiet,
            policy=parse_policy(f"log {stranger}\n{text}"),
        )


def test_a_hostile_log_is_not_read_without_end():
    signer = Signer(name="hostile.example/log", seed=bytes(32))
    genesis = entry_bytes(
        GenesisEntry(
            at=timestamp(NOW), origin=signer.name, key=signer.verifier_key, schema="0" * 64
        )
    )
    asked = []

    def endless(size):
        def read_file(path):
            asked.append(path)
            if path == "checkpoint":
                point = Checkpoint(origin=signer.name, size=size, root=bytes(32))
                return sign_note(point.to_text(), [signer]).to_bytes()
            if not path.startswith("tile/"):
                raise FileNotFoundError(path)
            return write_bundle([genesis, *[b" " * 60_000] * 255])

        return read_file

    for size, why in ((9 * 10**18, "is not read"), (1_000_000, "on average")):
        asked.clear()
        with pytest.raises(LogInconsistent, match=why):
            verify_log(endless(size), verifier=None, progress=quiet)
        assert len(asked) < 9
