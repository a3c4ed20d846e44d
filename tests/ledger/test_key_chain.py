"""The chain of the log's keys: what may follow, who must sign, and what a thief can do."""

import datetime as dt
import json
import shutil

import msgspec
import pytest

from registry.errors import ConfigurationError, Conflict
from registry.ledger import key
from registry.ledger.append import append_at
from registry.ledger.entries import StatedEntry
from registry.ledger.export import export_log
from registry.ledger.proofs import prover, read_record_proof
from registry.ledger.publish_files import publish_log
from registry.ledger.published_log import LogTree
from registry.ledger.targets import Folder
from registry.ledger.verify_database import check_database
from registry.log import key_chain
from registry.log.entry import GenesisEntry, KeyEntry, PolicyEntry
from registry.log.files import LogRefused, read_checkpoint
from registry.log.key_chain import KeyChain, KeyRefused, key_path, prove_key
from registry.log.replay import LogInconsistent
from registry.record.canonical import canonical
from registry.services.log.key_rotation import rotate
from registry.store import log
from registry.tlog import base64_text
from registry.tlog.bundle import bundle_path, parse_bundle, write_bundle
from registry.tlog.checkpoint import Checkpoint, open_checkpoint
from registry.tlog.compact import CompactRange
from registry.tlog.hashing import leaf_hash
from registry.tlog.keys import Signer, key_id
from registry.tlog.note import parse_note, sign_note
from registry.tlog.policy import ANYBODY, parse_policy
from registry.tlog.tile import grow
from registry.tlog.tlog_proof import parse_tlog_proof
from registry.verify.consistency import (
    KeptNote,
    LogSource,
    TwoHistories,
    compare_sources,
    read_kept,
)
from registry.verify.fsck import fsck, read_from
from registry.verify.log import verify_log
from registry.verify.record import verify_record
from registry.verify.remote_register import reader
from registry.verify.trusted_checkpoint import (
    TrustedCheckpoints,
    check_known,
    check_notes,
    check_refused,
)
from tests.peered import served_folder

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
ORIGIN = "algorithms.example/log"


def quiet(_done, _total):
    pass


def signer(number, name=ORIGIN):
    return Signer(name=name, seed=bytes([number]) * 32)


GENESIS = GenesisEntry(
    at="2026-01-01T00:00:00Z", origin=ORIGIN, key=signer(1).verifier_key, schema=""
)


def entry(new, before, at="2026-02-01T00:00:00Z"):
    new = new if isinstance(new, str) else new.verifier_key
    return KeyEntry(actor="operator", at=at, key=new, follows=before.verifier_key)


def test_keys_follow_one_another_and_overlap():
    chain = KeyChain.begin(GENESIS).step(5, entry(signer(2), signer(1)))
    assert chain.at("2026-01-31T00:00:00Z") == chain.at("2026-05-01T23:59:59Z")
    assert [one.to_text() for one in chain.at("2026-05-01T23:59:59Z")] == [
        signer(1).verifier_key,
        signer(2).verifier_key,
    ]
    assert chain.at("2026-05-02T00:00:00Z") == (signer(2).verifier,)
    third = chain.step(9, entry(signer(3), signer(2), at="2026-03-01T00:00:00Z"))
    assert len(third.at("2026-04-01T00:00:00Z")) == 3
    assert third.at("2026-05-02T00:00:00Z") == (signer(2).verifier, signer(3).verifier)
    assert third.until(9) == chain
    assert third.until(5) == KeyChain.begin(GENESIS)
    assert third.step(10, PolicyEntry(actor="x", policy="")) is third


def small():
    """Return a verifier key of order one, as nobody honest makes it."""
    public = (1).to_bytes(32, "little")
    return f"{ORIGIN}+{key_id(ORIGIN, public).hex()}+{base64_text.encode(bytes([1]) + public)}"


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (entry(signer(3), signer(4)), "does not follow"),
        (entry(signer(1), signer(1)), "was one of the log before"),
        (entry(signer(3, "other.example/log"), signer(1)), "not one of this log"),
        (entry(signer(3).verifier_key + "AA", signer(1)), "cannot be one"),
        (entry(small(), signer(1)), "low order"),
    ],
)
def test_what_may_not_follow_is_refused(bad, why):
    with pytest.raises(KeyRefused, match=why):
        KeyChain.begin(GENESIS).step(5, bad)


def test_another_s_keys_are_not_followed_without_end(monkeypatch):
    """Each is read from a file of its own, and each file names its entry itself."""
    chain = KeyChain.begin(GENESIS).step(5, entry(signer(2), signer(1)))
    for index in (4, 5):
        with pytest.raises(KeyRefused, match="does not follow"):
            chain.step(index, entry(signer(3), signer(2)))
    monkeypatch.setattr(key_chain, "MOST_KEYS", 2)
    with pytest.raises(KeyRefused, match="2 keys at most"):
        chain.step(6, entry(signer(3), signer(2)))


@pytest.fixture
def database(logged):
    return logged


class Clocked:
    """A register whose time a test sets, with the log's first key."""

    def __init__(self, database, settings, context, publish, record):
        self.database, self.settings, self.context = database, settings, context
        self._publish, self._record = publish, record
        self.now = NOW
        self.first = key.read(settings.key_file)
        self.count = 0

    async def filed(self, days=0):
        """Publish a record so many days later, and the log with it."""
        self.now += days * DAY
        self.count += 1
        await self._publish(self._record | {"id": f"demo-sante/a{self.count}"}, now=self.now)
        return await self.published()

    async def published(self):
        return await publish_log(self.database, self.settings, now=self.now)

    async def rotated(self, **more):
        path, index = await rotate(
            self.context, self.settings, **({"made": None} | more), now=self.now
        )
        return key.read(path), index

    async def proof(self, record="demo-sante/a1"):
        async with self.database.snapshot() as connection:
            found = await read_record_proof(connection, LogTree(), record, 1)
        return msgspec.json.encode(found)

    def signed_by(self):
        note = parse_note(read_checkpoint(self.settings.log_dir))
        return [one.key.hex() for one in note.signatures]


@pytest.fixture
def register(database, settings, context, publish, record):
    return Clocked(database, settings, context, publish, record)


def ids(*signers):
    return [one.verifier.id.hex() for one in signers]


def check(folder, known):
    return verify_log(read_from(folder), verifier=known and known.verifier, progress=quiet)


async def test_a_key_is_not_rotated_to_one_that_nobody_follows(register, settings, monkeypatch):
    await register.filed()
    monkeypatch.setattr(key_chain, "MOST_KEYS", 1)
    with pytest.raises(Conflict, match="the log has 1 keys"):
        await register.rotated()
    assert list(key.files(settings.key_file)) == [settings.key_file]


async def test_a_key_is_rotated_twice_and_whoever_knew_one_follows(
    register, database, settings, pack, tmp_path
):
    await register.filed()
    early = await register.proof()
    second, at = await register.rotated()
    assert at == 2
    assert second.verifier_key != register.first.verifier_key
    assert key.read(settings.key_file) == register.first
    await register.published()
    assert register.signed_by() == ids(register.first, second)
    both = read_checkpoint(settings.log_dir)
    await register.filed(days=89)
    assert register.signed_by() == ids(register.first, second)
    await register.filed(days=1)
    assert register.signed_by() == ids(second)
    # The first key is destroyed, and nothing needs it any more.
    settings.key_file.unlink()
    third, _ = await register.rotated()
    # The runner stood still meanwhile: what vouches for the third key is signed all the same.
    await register.filed(days=200)
    assert register.signed_by() == ids(second, third)
    await register.filed()
    assert register.signed_by() == ids(third)
    held = parse_tlog_proof((settings.log_dir / key_path(1)).read_bytes())
    assert (held.index, held.checkpoint) == (at, both)

    folder = tmp_path / "out"
    await export_log(database, Folder(folder, strip="log/"), site=None, progress=quiet)
    for known in (register.first, second, third, None):
        found = check(folder, known)
        assert [one.to_text() for one in found.keys.verifiers] == [
            one.verifier_key for one in (register.first, second, third)
        ]
        fsck(folder, verifier=known and known.verifier, progress=quiet)
        for record in ("demo-sante/a1", "demo-sante/a5"):
            kept = await register.proof(record)
            found = verify_record(kept, verifier=known and known.verifier, policy=ANYBODY)
            assert found.id == record
    assert verify_record(early, verifier=register.first.verifier, policy=ANYBODY)
    said = json.loads((folder / "log.json").read_bytes())
    assert said["keys"] == [third.verifier_key]
    assert [one["entry"] for one in said["key_history"]] == [0, 2, 5]
    assert said["key_history"][0]["until"] == "2027-02-22T12:00:00Z"
    await check_database(database, settings, progress=quiet)


async def test_every_file_of_a_rotated_log_counts(register, database, settings, tmp_path):
    await register.filed()
    await register.rotated()
    await register.filed()
    folder = tmp_path / "out"
    await export_log(database, Folder(folder, strip="log/"), site=None, progress=quiet)
    path = folder / "key/1.tlog-proof"
    good = path.read_bytes()
    wrong = []
    for bit in range(0, len(good) * 8, 37):
        changed = bytearray(good)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        try:
            check(folder, register.first)
            wrong.append(bit)
        except LogInconsistent as broken:
            if broken.where != "key/1.tlog-proof":
                wrong.append((bit, broken.where))
    assert wrong == []
    path.unlink()
    with pytest.raises(LogInconsistent, match="it is missing"):
        check(folder, register.first)
    path.write_bytes(good)
    (folder / "key/2.tlog-proof").write_bytes(good)
    with pytest.raises(LogInconsistent, match="does not follow the last key"):
        fsck(folder, verifier=None, progress=quiet)


class Thief:
    """Has a copy of a published log and keys of it, and signs what they like."""

    def __init__(self, folder):
        self.folder = folder
        size = len(parse_note(read_checkpoint(folder)).text) and int(
            read_checkpoint(folder).split(b"\n")[1]
        )
        self.entries = parse_bundle((folder / bundle_path(0, size)).read_bytes(), size)

    def append(self, **members):
        self.entries.append(canonical(members))

    def content(self, index, content=None):
        path = self.folder / f"content/{index}.json"
        path.write_bytes(content or canonical({"index": index, "sections": {}}))

    def note(self, *signers, size=None):
        tree = CompactRange()
        for one in self.entries[:size]:
            tree = tree.append(leaf_hash(one))
        text = Checkpoint(origin=ORIGIN, size=tree.size, root=tree.root()).to_text()
        return sign_note(text, signers).to_bytes()

    def prove(self, number, index, *signers, size):
        """Write the proof of a key's entry to a checkpoint that these have signed."""
        note = self.note(*signers, size=size)
        proof = prove_key(prover(self.folder, note), index, self.entries[index])
        (self.folder / key_path(number)).write_bytes(proof)

    def publish(self, *signers):
        leaves = [leaf_hash(one) for one in self.entries]
        shutil.rmtree(self.folder / "tile")
        files = {tile.path: content for tile, content in grow(0, None, leaves)}
        files[bundle_path(0, len(leaves))] = write_bundle(self.entries)
        files["checkpoint"] = self.note(*signers)
        for name, content in files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_bytes(content)


@pytest.fixture
async def stolen(register, database, settings, tmp_path):
    """Export a log that was rotated a hundred days ago; return a thief, and the log's keys."""
    await register.filed()
    second, _ = await register.rotated()
    await register.filed()
    await register.filed(days=100)
    folder = tmp_path / "out"
    await export_log(database, Folder(folder, strip="log/"), site=None, progress=quiet)
    return Thief(folder), register.first, second


LATER = "2027-06-01T00:00:00Z"


async def test_a_thief_with_the_old_key_cannot_go_on(stolen):
    thief, first, second = stolen
    own = signer(9)
    for signers in ((first,), (first, own)):
        thief.publish(*signers)
        for known in (first, second, None):
            with pytest.raises(LogInconsistent, match=r"has not signed|none of the known keys"):
                check(thief.folder, known)
    # A key of their own would have to follow the last one, and be vouched for by it.
    thief.append(v=1, kind="key", actor="operator", at=LATER, key=own.verifier_key,
                 follows=first.verifier_key)  # fmt: skip
    thief.publish(first, own)
    with pytest.raises(LogInconsistent, match="has not signed"):
        check(thief.folder, first)
    thief.publish(first, own, second)
    with pytest.raises(LogInconsistent, match="does not follow the last key"):
        check(thief.folder, first)


async def test_a_key_that_the_one_before_did_not_sign_is_refused(stolen):
    thief, first, second = stolen
    own = signer(9)
    index = len(thief.entries)
    thief.append(v=1, kind="key", actor="operator", at=LATER, key=own.verifier_key,
                 follows=second.verifier_key)  # fmt: skip
    thief.content(index)
    thief.append(v=1, kind="key", actor="operator", at="2028-06-01T00:00:00Z",
                 key=signer(8).verifier_key, follows=own.verifier_key)  # fmt: skip
    thief.content(index + 1)
    thief.publish(own, signer(8))
    thief.prove(2, index, own, size=index + 1)
    thief.prove(3, index + 1, own, signer(8), size=index + 2)
    for known in (first, second, None):
        with pytest.raises(LogInconsistent, match="not vouched for") as broken:
            check(thief.folder, known)
        assert broken.value.where == key_path(2)
    # With the last key itself it would be in order: whoever has that one is the log.
    thief.prove(2, index, second, own, size=index + 1)
    check(thief.folder, first)


async def test_a_thief_who_leaves_the_rotation_out_has_another_history(stolen, register):
    thief, first, second = stolen
    kept = read_checkpoint(thief.folder)
    del thief.entries[2:]
    own = signer(9)
    thief.append(v=1, kind="key", actor="operator", at="2026-11-25T00:00:00Z",
                 key=own.verifier_key, follows=first.verifier_key)  # fmt: skip
    thief.content(2)
    thief.publish(first, own)
    thief.prove(1, 2, first, own, size=3)
    forged = check(thief.folder, first)
    # Whoever knows the first key alone has to have kept something.
    opened = open_checkpoint(kept, origin=ORIGIN, verifiers=[second.verifier])
    assert opened.checkpoint.size > forged.checkpoint.size
    for known in (second,):
        with pytest.raises(LogInconsistent, match="none of the known keys"):
            check(thief.folder, known)
    with pytest.raises(ValueError, match="none of the known keys"):
        forged.keys.open(kept)


async def test_a_proof_needs_the_key_that_signs_at_its_size(register, settings):
    await register.filed()
    second, _ = await register.rotated()
    await register.published()
    await register.filed(days=100)
    good = json.loads(await register.proof())

    def verify(**changes):
        kept = msgspec.json.encode(good | changes)
        return verify_record(kept, verifier=register.first.verifier, policy=ANYBODY)

    assert verify().size == 4
    with pytest.raises(LogInconsistent, match="none of the known keys"):
        verify(keys=[])
    [proof] = good["keys"]
    held = parse_tlog_proof(proof.encode())
    text = parse_note(held.checkpoint).text
    own = signer(9)

    def resigned(*signers, **more):
        note = sign_note(text, signers).to_bytes()
        forged = msgspec.structs.replace(held, checkpoint=note, **more)
        return {"keys": [forged.to_bytes().decode()]}

    verify(**resigned(register.first, second))
    for signers in ([second], [register.first]):
        with pytest.raises(LogInconsistent, match="not vouched for"):
            verify(**resigned(*signers))
    said = json.loads(held.extra) | {"key": own.verifier_key}
    for extra in (canonical(said), None, b"{}", b"[]", held.extra + b" "):
        with pytest.raises(LogInconsistent):
            verify(**resigned(register.first, own, second, extra=extra))
    # One that was replaced signs no proof any more, though it is known.
    own_head, own_note = good["version_entry"]["proof"].split("\n\n", 1)
    alone = sign_note(parse_note(own_note.encode()).text, [register.first]).to_bytes().decode()
    with pytest.raises(LogInconsistent, match="has not signed the checkpoint"):
        verify(version_entry=good["version_entry"] | {"proof": f"{own_head}\n\n{alone}"})


async def test_a_rotation_that_was_interrupted_is_taken_up(register, settings, monkeypatch):
    await register.filed()

    async def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("registry.services.log.key_rotation.append", killed)
        with pytest.raises(KeyboardInterrupt):
            await register.rotated()
    [left] = [one for one in key.read_all(settings.key_file) if one != register.first]
    # Between file and entry: the log goes on with the key it has.
    await register.filed()
    assert register.signed_by() == ids(register.first)
    second, _ = await register.rotated()
    assert second == left
    assert key.path_of(settings.key_file, second.verifier).stat().st_mode & 0o777 == 0o600
    # Between entry and signature: nothing follows before it is published.
    with pytest.raises(Conflict, match="not published yet"):
        await register.rotated()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("registry.ledger.publish_files.write_key_proofs", killed)
        with pytest.raises(KeyboardInterrupt):
            await register.published()
    await register.published()
    assert register.signed_by() == ids(register.first, second)
    check(settings.log_dir, register.first)


async def test_without_the_key_that_signs_nothing_is_signed(register, settings):
    await register.filed()
    second, _ = await register.rotated()
    for one in (register.first, second):
        path = next(path for path in key.files(settings.key_file) if key.read(path) == one)
        away = path.rename(path.with_name("away"))
        with pytest.raises(ConfigurationError, match="put the log's own key back"):
            await register.published()
        away.rename(path)
    await register.published()


async def test_a_key_made_elsewhere_follows(register, settings):
    await register.filed()
    made = signer(7)
    with pytest.raises(Conflict, match="cannot follow"):
        await register.rotated(made=signer(7, "other.example/log"))
    with pytest.raises(Conflict, match="cannot follow"):
        await register.rotated(made=register.first)
    second, _ = await register.rotated(made=made)
    assert second == made
    await register.filed()
    for number in (5, 6):
        key.write(key.path_of(settings.key_file, signer(number).verifier), signer(number))
    with pytest.raises(Conflict, match="2 keys lie in"):
        await register.rotated()


async def test_the_database_takes_no_key_that_does_not_follow(register, database, settings):
    await register.filed()
    bad = StatedEntry(entry=entry(signer(5), signer(6)))
    async with database.transaction() as connection:
        state = await log.lock_state(connection)
        await append_at(connection, state, [bad], at=register.now)
    with pytest.raises(LogRefused, match="no chain"):
        await register.published()


async def test_all_that_was_kept_by_the_first_key_fits_the_log_of_later_ones(
    register, database, settings, tmp_path
):
    await register.filed()
    kept = {"proof": await register.proof()}
    await export_log(database, Folder(tmp_path / "early", strip="log/"), site=None, progress=quiet)
    memory = TrustedCheckpoints(tmp_path / "memory")
    check_known(check(tmp_path / "early", None), read_from(tmp_path / "early"), [], memory)
    kept["checkpoint"] = read_checkpoint(settings.log_dir)
    for _ in range(2):
        await register.rotated()
        await register.published()
        await register.filed(days=200)
    late = await register.proof()
    await export_log(
        database, Folder(tmp_path / "web/late", strip="log/"), site=None, progress=quiet
    )

    first = register.first.verifier
    assert len(register.signed_by()) == 1
    early = LogSource(
        notes=[(name, note) for name, one in kept.items() for note in read_kept(one)[0]]
    )
    proven = LogSource(notes=[("late", note) for note in read_kept(late)[0]])
    with served_folder(tmp_path / "web") as address, reader(f"{address}/late") as read:
        found = verify_log(read, verifier=first, progress=quiet)
        for seen in (memory, TrustedCheckpoints(tmp_path / "new")):
            # Proofs from before and after, with and without the log.
            notes = [*early.notes, *proven.notes]
            check_notes(notes, first, seen)
            check_known(found, read, [(where, one.note) for where, one in notes], seen)
            check_notes(notes, None, seen)
            check_refused(read, None, [(where, one.note) for where, one in notes], seen)
        log = LogSource(notes=[("log", read_kept(read("checkpoint"))[0][0])], read=read)
        for one in (early, proven):
            assert compare_sources([one, log], first).is_known
            assert compare_sources([one, log], None).is_known
        assert not compare_sources([early, proven], first).is_known
        policy = parse_policy(f"log {first.to_text()}\nquorum none\n")
        verify_log(read, verifier=None, progress=quiet, policy=policy)
        verify_record(late, verifier=None, policy=policy)
        other = parse_policy(f"log {signer(9).verifier_key}\nquorum none\n")
        for refused in (
            lambda: verify_log(read, verifier=None, progress=quiet, policy=other),
            lambda: verify_record(late, verifier=None, policy=other),
        ):
            with pytest.raises(LogInconsistent, match="none of the policy's logs"):
                refused()
    # What the first key alone signs beyond that is not the log's word any more.
    beyond = Checkpoint(origin=ORIGIN, size=99, root=bytes(32)).to_text()
    forged = KeptNote(sign_note(beyond, [register.first]).to_bytes(), ORIGIN)
    with pytest.raises(TwoHistories, match="replaced before") as two:
        check_notes([("forged", forged)], first, memory)
    assert two.value.notes[1] == forged.note
