"""Asking witnesses: honest ones, and dead, slow, lying and forked ones, which stop nothing."""

import asyncio
import base64
import datetime as dt
import hashlib
import json
import threading

import pytest

from registry.ledger.append import append_at
from registry.ledger.entries import StatedEntry
from registry.ledger.export import export_log
from registry.ledger.key import read
from registry.ledger.proofs import read_proof
from registry.ledger.published_log import LogTree
from registry.ledger.targets import Folder
from registry.log.entry import PolicyEntry
from registry.log.files import WITNESSED, read_checkpoint, read_note
from registry.log.replay import LogInconsistent
from registry.pages.build.read_snapshot import read_snapshot
from registry.pages.site import open_site
from registry.pages.views.register_pages import witness_pages
from registry.services.log import witness_client, witness_rounds
from registry.services.log.witness_policy import read_standings
from registry.services.log.witness_rounds import WitnessRounds
from registry.store import checkpoints, log, witnesses
from registry.tlog.checkpoint import Checkpoint, open_checkpoint, stated
from registry.tlog.keys import ML_DSA_44, Verifier
from registry.tlog.note import sign_note
from registry.tlog.policy import PolicyRefused, parse_policy
from registry.tlog.tlog_proof import parse_tlog_proof
from registry.verify.fsck import fsck, read_from
from registry.verify.log import verify_log
from tests.conftest import NOW
from tests.witnesses import Witness, ml_dsa_line, policy_of, running

SIZED = {"content-type": "text/x.tlog.size"}


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """A machine that is busy is no witness that is slow."""
    monkeypatch.setattr(witness_client, "_SECONDS", 60.0)
    monkeypatch.setattr(witness_rounds, "_WAIT_SECONDS", 60.0)


@pytest.fixture
def database(logged):
    return logged


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now

    def move(self, **by):
        self.now += dt.timedelta(**by)

    def time(self):
        return self.now.timestamp()


@pytest.fixture
def clock():
    return Clock()


class Log:
    """A log that is published, and whose witnesses are asked, by one process."""

    def __init__(self, database, settings, clock, publish, publish_it, record):
        self.database = database
        self.settings = settings
        self.rounds = WitnessRounds(database, settings, clock=clock)
        self._publish = publish
        self._publish_it = publish_it
        self._record = record
        self._count = 0

    async def follow(self, text):
        async with self.database.transaction() as connection:
            state = await log.lock_state(connection)
            entry = StatedEntry(entry=PolicyEntry(actor="x", policy=text))
            await append_at(connection, state, [entry], at=NOW)

    async def grow(self):
        """Publish another record, and the log; return who has signed what is published then."""
        self._count += 1
        await self._publish(self._record | {"id": f"demo-sante/a{self._count}"})
        await self._publish_it(cosign=self.rounds.cosign)
        return await self.signed()

    async def go_on(self):
        """Ask whoever is due, wait for the answers, and publish what they have brought."""
        await self.rounds.go_on()
        await self.settle()
        await self._publish_it(cosign=self.rounds.cosign)
        return await self.signed()

    async def settle(self):
        while self.rounds._under_way:
            await asyncio.wait(self.rounds._under_way)

    async def signed(self):
        async with self.database.connection() as connection:
            policy = parse_policy(await log.read_policy(connection))
        own = read(self.settings.key_file).verifier
        opened = open_checkpoint(
            read_checkpoint(self.settings.log_dir),
            origin=own.name,
            verifiers=[own, *policy.verifiers],
        )
        return {one.verifier.name: one.time for one in opened.verified if one.verifier != own}

    async def answers(self):
        async with self.database.connection() as connection:
            return {one.name: one.answer for one in await read_standings(connection)}

    async def states(self):
        async with self.database.connection() as connection:
            return {one.url: one for one in await witnesses.read_states(connection)}

    def evidence(self):
        return sorted((self.settings.data_dir / "evidence").glob("*"))


@pytest.fixture
async def own(database, settings, clock, publish, publish_it, record):
    made = Log(database, settings, clock, publish, publish_it, record)
    yield made
    await made.rounds.finish()


async def test_two_witnesses_cosign_each_checkpoint_and_a_quiet_log_anew(own, clock, database):
    one, two = Witness(1, clock.time), Witness(2, clock.time)
    with running(one, two):
        await own.follow(policy_of(one, two))
        first = await own.grow()
        assert first == {"w1.example": clock.time(), "w2.example": clock.time()}
        # They were not known before: asked from nothing, without a detour.
        assert one.asked == two.asked == [(0, 3)]

        # A second round comes 10 seconds later at the earliest; it is for the newest checkpoint.
        clock.move(seconds=4)
        assert await own.grow() == {}
        assert await own.go_on() == {}
        assert await own.grow() == {}
        clock.move(seconds=6)
        assert (await own.go_on()).keys() == {"w1.example", "w2.example"}
        assert one.asked == two.asked == [(0, 3), (3, 5)]

        clock.move(seconds=10)
        assert (await own.grow()).keys() == {"w1.example", "w2.example"}
        # Nothing is new for hours.
        for _ in range(3):
            clock.move(hours=3, minutes=59)
            await own.go_on()
        assert len(one.asked) == 3
        clock.move(minutes=4)
        assert await own.go_on() == {"w1.example": clock.time(), "w2.example": clock.time()}
        assert one.asked[-1] == (6, 6)
        async with database.connection() as connection:
            kept = await connection.fetch("select time from cosignature where size = 6")
        assert len(kept) == 4
        assert set((await own.answers()).values()) == {"cosigned"}


async def test_the_site_says_who_else_signs_and_where_to_compare(own, clock, database, pack):
    good, bad = Witness(1, clock.time), Witness(2, clock.time)

    async def page():
        async with database.snapshot() as connection:
            snapshot = await read_snapshot(connection, pack, as_of=NOW)
        site = open_site(snapshot, "https://algorithms.example")
        found = {one.file: one for one in witness_pages(site)}
        return found["en/witnesses.html"], site

    before, site = await page()
    assert "Nobody else signs the log of this register yet." in before.render().decode()
    assert site.snapshot.register.witnesses == ""
    bad.answer = lambda *_: (422, {}, b"")
    with running(good, bad):
        await own.follow(policy_of(good, bad, quorum=1))
        await own.grow()
        await own.settle()
        after, _ = await page()
        shown = after.render().decode()
        assert after.key != before.key
        hashed = hashlib.sha256(b"algorithms.example/log").hexdigest()
        for one in (good, bad):
            assert f'<a href="{one.url}/{hashed}/checkpoint">' in shown
        assert 'href="https://algorithms.example/log/witnessed"' in shown
        assert shown.count("Signed last on") == 1
        assert shown.count("Has not signed yet") == 1
        assert shown.count("It refuses the log now") == 1
        # A later signature of the same day changes no page.
        clock.move(seconds=11)
        await own.rounds.go_on()
        await own.settle()
        assert (await page())[0].key == after.key


@pytest.mark.parametrize("line", ["— {name} {key}", "— {name} {key}\n", "\n\n", ""])
async def test_a_stored_line_that_does_not_hold_is_shown_nowhere(own, clock, database, line):
    """Whoever may write to the database names a witness, and signs for it with anything."""
    silent = Witness(1, clock.time)
    silent.answer = lambda *_: (422, {}, b"")
    with running(silent):
        await own.follow(policy_of(silent, quorum=1))
        await own.grow()
        await own.settle()
        verifier = silent.signer.verifier
        key = base64.b64encode(verifier.id + bytes(8) + bytes(64)).decode()
        async with database.transaction() as connection:
            last = await checkpoints.read_last(connection)
            forged = witnesses.Cosignature(
                verifier=verifier.to_text(),
                time=int(clock.time()),
                line=line.format(name=verifier.name, key=key),
            )
            await witnesses.keep_cosignature(connection, last.size, forged, now=clock.now)
        clock.move(seconds=11)
        assert await own.go_on() == {}
    assert verifier.name not in read_checkpoint(own.settings.log_dir).decode()
    assert read_note(own.settings.log_dir, WITNESSED) is None
    async with database.connection() as connection:
        [standing] = await read_standings(connection)
    assert (standing.size, standing.cosigned_at) == (0, None)


async def test_proofs_are_made_to_what_the_quorum_has_seen(
    own, clock, database, settings, tmp_path
):
    one, two = Witness(1, clock.time), Witness(2, clock.time)
    folder = settings.log_dir
    own_key = read(settings.key_file).verifier

    async def proven(index):
        async with database.connection() as connection:
            proof = parse_tlog_proof(await read_proof(connection, LogTree(), index))
        return stated(proof.checkpoint).size

    with running(one, two):
        two.answer = lambda *_: (500, {}, b"")
        await own.follow(policy_of(one, two))
        assert (await own.grow()).keys() == {"w1.example"}
        assert read_note(folder, WITNESSED) is None
        assert await proven(0) == 3

        two.answer = None
        clock.move(seconds=11)
        assert (await own.grow()).keys() == {"w1.example", "w2.example"}
        assert read_note(folder, WITNESSED) == read_checkpoint(folder)
        # What comes after that is not seen by the quorum, and proven to the checkpoint.
        two.answer = lambda *_: (500, {}, b"")
        clock.move(seconds=11)
        await own.grow()
        await own.grow()
        assert stated(read_note(folder, WITNESSED)).size == 4
        assert [await proven(index) for index in (0, 3, 4, 5)] == [4, 4, 6, 6]

        exported = tmp_path / "exported"
        await export_log(
            database, Folder(exported, strip="log/"), site=None, progress=lambda *_: None
        )
        policy = parse_policy((exported / "policy").read_text())
        for place in (folder, exported):
            fsck(place, verifier=own_key, progress=lambda *_: None)
        (exported / "witnessed").write_bytes(read_checkpoint(folder))
        with pytest.raises(LogInconsistent, match="witnessed: 0 known witnesses have cosigned"):
            verify_log(read_from(exported), verifier=own_key, progress=lambda *_: None)
        opened = open_checkpoint(
            read_note(folder, WITNESSED),
            origin=own_key.name,
            verifiers=[own_key, *policy.verifiers],
        )
        assert policy.is_satisfied(who.verifier for who in opened.verified)

        # Another policy is satisfied by another checkpoint, or by none.
        await own.follow(policy_of(one))
        await own.grow()
        assert stated(read_note(folder, WITNESSED)).size == 5
        await own.follow(policy_of(Witness(3)))
        await own.grow()
        assert read_note(folder, WITNESSED) is None


async def test_processes_together_ask_once(own, clock, settings, database):
    one = Witness(1, clock.time)
    others = [WitnessRounds(database, settings, clock=clock) for _ in range(3)]
    with running(one):
        await own.follow(policy_of(one))
        await own.grow()
        clock.move(hours=13)
        await asyncio.gather(*(rounds.go_on() for rounds in others))
        await asyncio.gather(*(rounds.finish() for rounds in others))
    assert one.asked == [(0, 3), (3, 3)]


async def test_whatever_a_witness_does_the_log_is_published(own, clock, monkeypatch):
    good, bad = Witness(1, clock.time), Witness(2, clock.time)
    stranger = Witness(3, clock.time)
    released = threading.Event()

    def slow(*_):
        released.wait(30)
        return 200, {}, b""

    def honest_line(note):
        return bad.cosign(note).encode()

    answers = {
        "cannot be asked: RemoteProtocolError": lambda *_: (
            200,
            {"content-length": "99", "connection": "close"},
            b"x",
        ),
        "answers 500": lambda *_: (500, {}, b""),
        "answers 307": lambda *_: (307, {"location": f"{good.url}/add-checkpoint"}, b""),
        "does not know this log (404)": lambda *_: (404, {}, b""),
        "does not know the key of this log (403)": lambda *_: (403, {}, b""),
        "cannot be asked: DecodingError": lambda *_: (200, {}, b"x" * (65 << 10)),
        "no signature of its key holds": lambda *_: (200, {}, b"<html>\xff</html>"),
        # Of another key, of another text, from the future.
        "no signature of its key holds ": lambda _o, _p, note: (
            200,
            {},
            stranger.cosign(note).encode(),
        ),
        "no signature of its key holds  ": lambda _o, _p, note: (
            200,
            {},
            honest_line(note.replace(b"algorithms", b"algorithmz", 1)),
        ),
        "no signature of its key holds   ": lambda _o, _p, note: (
            200,
            {},
            bad.cosign(note, at=clock.time() + 3600).encode(),
        ),
    }
    with running(good, bad):
        await own.follow(policy_of(good, bad))
        for expected, answer in answers.items():
            bad.answer = answer
            assert (await own.grow()).keys() == {"w1.example"}, expected
            await own.settle()
            assert (await own.answers())["w2.example"].startswith(expected.strip()), expected
            clock.move(seconds=11)
        # What holds is kept, whatever else is there.
        bad.answer = lambda _o, _p, note: (
            200,
            {},
            b"\nx\n" + stranger.cosign(note).encode() + honest_line(note) + b"\n",
        )
        assert (await own.grow()).keys() == {"w1.example", "w2.example"}
        clock.move(seconds=11)
        with monkeypatch.context() as impatient:
            impatient.setattr(witness_client, "_SECONDS", 1.0)
            bad.answer = slow
            assert "w2.example" not in await own.grow()
            assert (await own.answers())["w2.example"] == "no answer within 1 seconds"
        released.set()
    # Nobody is there any more, and no connection that was kept open.
    await own.rounds._client.close()
    clock.move(seconds=11)
    assert await own.grow() == {}
    assert (await own.answers())["w1.example"].startswith("cannot be asked: ConnectError")
    assert own.evidence() == []


async def test_a_line_that_comes_late_is_added(own, clock, monkeypatch):
    monkeypatch.setattr(witness_rounds, "_WAIT_SECONDS", 0.2)
    good, late = Witness(1, clock.time), Witness(2, clock.time)
    released = threading.Event()

    def when_released(*given):
        released.wait(30)
        return late.add_checkpoint(*given)

    late.answer = when_released
    with running(good, late):
        await own.follow(policy_of(good, late))
        assert "w2.example" not in await own.grow()
        released.set()
        await own.settle()
        assert (await own.go_on()).keys() == {"w1.example", "w2.example"}
        # With a quorum of one nobody waits for the other.
        released.clear()
        monkeypatch.setattr(witness_rounds, "_WAIT_SECONDS", 60.0)
        await own.follow(policy_of(good, late, quorum=1))
        clock.move(seconds=11)
        assert (await own.grow()).keys() >= {"w1.example"}
        released.set()
        await own.settle()


async def test_the_size_that_a_witness_names_is_taken_once(own, clock, database):
    one = Witness(1, clock.time)
    with running(one):
        await own.follow(policy_of(one))
        await own.grow()
        # Our memory of it is lost.
        async with database.connection() as connection:
            await connection.execute("update witness set size = 0")
        clock.move(seconds=11)
        assert (await own.grow()).keys() == {"w1.example"}
        assert one.asked == [(0, 3), (0, 4), (3, 4)]

        one.answer = lambda old, *_: (409, SIZED, f"{(old + 1) % 5}\n".encode())
        clock.move(seconds=11)
        assert await own.grow() == {}
        assert one.asked[3:] == [(4, 5), (0, 5)]
        assert await own.answers() == {"w1.example": "has seen 1 entries (409)"}
        # It does not cosign: asked again after minutes, not at once.
        clock.move(minutes=4)
        await own.go_on()
        assert len(one.asked) == 5
        one.answer = None
        clock.move(minutes=2)
        assert (await own.go_on()).keys() == {"w1.example"}
        assert own.evidence() == []


async def test_a_witness_that_refuses_the_log_is_an_alarm_and_stops_nothing(own, clock, settings):
    good, bad = Witness(1, clock.time), Witness(2, clock.time)
    refusals = {
        "does not go on from": lambda *_: (422, {}, b""),
        "does not name it": lambda *_: (409, {}, b"4\n"),
        "does not name it ": lambda *_: (409, SIZED, b"04\n"),
        "has seen 999 entries": lambda *_: (409, SIZED, b"999\n"),
    }
    with running(good, bad):
        await own.follow(policy_of(good, bad))
        for number, (expected, answer) in enumerate(refusals.items(), 1):
            for _ in range(2):
                bad.answer = answer
                assert (await own.grow()).keys() == {"w1.example"}
                await own.settle()
                state = (await own.states())[bad.url]
                assert expected.strip() in state.alarm
                clock.move(seconds=11)
            assert state.alarms == 2 * number
            # One folder of evidence until it cosigns again.
            assert len(own.evidence()) == number
            bad.answer = None
            assert (await own.grow()).keys() == {"w1.example", "w2.example"}
            assert (await own.states())[bad.url].alarm is None
            clock.move(seconds=11)
        why = json.loads((own.evidence()[-1] / "why.json").read_bytes())
        assert why["kind"] == "witness"
        assert why["why"].startswith(f"{bad.url}: has seen 999 entries")
        # Beside ours, what it shows itself.
        assert (own.evidence()[-1] / "note-2").read_bytes()

        # What it has seen was signed by this log, and is no beginning of it.
        signer = read(settings.key_file)
        other = Checkpoint(origin=signer.name, size=2, root=bytes(32)).to_text()
        bad.note = sign_note(other, [signer]).to_bytes()
        bad.last = stated(bad.note)
        assert (await own.grow()).keys() == {"w1.example"}
        await own.settle()
        why = json.loads((own.evidence()[-1] / "why.json").read_bytes())
        assert why["kind"] == "fork"
        assert {one["size"] for one in why["notes"]} == {
            2,
            stated(read_checkpoint(settings.log_dir)).size,
        }
        assert (own.evidence()[-1] / "proof.json").exists()


async def test_one_address_may_sign_by_two_kinds_of_keys(own, clock, monkeypatch):
    mldsa = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.mldsa")
    one = Witness(1, clock.time)
    secret = mldsa.MLDSA44PrivateKey.generate()
    modern = Verifier(
        name="w1.example", kind=ML_DSA_44, public=secret.public_key().public_bytes_raw()
    )

    def both(old, proof, note):
        status, headers, line = one.add_checkpoint(old, proof, note)
        said = stated(note)
        more = ml_dsa_line(
            secret,
            "w1.example",
            int(clock.time()),
            origin=said.origin.encode(),
            end=said.size,
            root=said.root,
        )
        return status, headers, line + more.to_line().encode()

    one.answer = both
    with running(one):
        modern_line = f"witness modern {modern.to_text()} {one.url}\n"
        await own.follow(f"{one.line}{modern_line}group together all w1 modern\nquorum together\n")
        await own.grow()
        assert len(one.asked) == 1
        [state] = (await own.states()).values()
        assert state.answer == "cosigned"
    note = read_checkpoint(own.settings.log_dir)
    own_key = read(own.settings.key_file).verifier
    opened = open_checkpoint(
        note, origin=own_key.name, verifiers=[own_key, one.signer.verifier, modern]
    )
    assert len(opened.verified) == 3
    # Where a key of the policy cannot be read, the log is published all the same.
    size = stated(note).size
    monkeypatch.setattr("registry.tlog.keys.mldsa", None)
    with pytest.raises(PolicyRefused):
        await own.grow()
    assert stated(read_checkpoint(own.settings.log_dir)).size == size + 1
    await own.rounds.go_on()
